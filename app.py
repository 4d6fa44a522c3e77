"""Colour photos in a browser: python app.py   (the same as python -m zoo app)"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zoo.commands import app, script


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C, 2 for what a user can mend."""
    return script(app, "python app.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
