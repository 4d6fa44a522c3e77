"""Colour photos in a browser: python app.py   (the same as python -m zoo app)"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zoo.commands import app
from zoo.errors import ZooError

REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C, 2 for what a user can mend."""
    parser = argparse.ArgumentParser(prog="python app.py")
    app.add_arguments(parser)
    try:
        return app.run(parser.parse_args(arguments))
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed here; run `pip install -e .` in the root", file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
