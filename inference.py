"""Colour photos: python inference.py --image-path old.jpg --output new.png   (the same as facezoo colorize)"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zoo import commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; see the end of ``--help``."""
    return commands.main(arguments, command="colorize", prog="python inference.py")


if __name__ == "__main__":
    sys.exit(main())
