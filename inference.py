"""Colour photos: python inference.py --image-path old.jpg --output new.png   (the same as python -m zoo colorize)"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zoo.commands import colorize, script


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; see the end of ``--help``."""
    return script(colorize, "python inference.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
