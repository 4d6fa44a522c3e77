"""Colour photos: python inference.py --image-path old.jpg --output new.png   (the same as python -m zoo colorize)"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zoo.commands import colorize
from zoo.errors import ZooError

INTERRUPTED = 130
REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; see the end of ``--help``."""
    parser = argparse.ArgumentParser(prog="python inference.py")
    colorize.add_arguments(parser)
    try:
        return colorize.run(parser.parse_args(arguments))
    except KeyboardInterrupt:
        print("interrupted: what was written is whole; --skip-existing goes on from there", file=sys.stderr)
        return INTERRUPTED
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed here; run `pip install -e .` in the root", file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
