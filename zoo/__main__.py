"""python -m zoo COMMAND, the same as facezoo COMMAND."""

import sys

from zoo.commands import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m zoo"))
