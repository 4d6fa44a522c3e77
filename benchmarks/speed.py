"""How fast it is, as ratios: python benchmarks/speed.py"""

import sys

try:
    from zoo.benchmark import cli
    from zoo.benchmark.speed.speed import main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    cli.run(main)
