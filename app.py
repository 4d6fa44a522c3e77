"""Colour photos in a browser: python app.py   (the same as facezoo app)"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zoo import commands


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C, 2 for what a user can mend."""
    return commands.main(arguments, command="app", prog="python app.py")


if __name__ == "__main__":
    sys.exit(main())
