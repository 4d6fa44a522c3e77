"""Tables of encoder × conditioner from result rows: python benchmarks/compare.py results/*.csv"""

import sys

try:
    from zoo.benchmark import cli
    from zoo.benchmark.analysis.compare import main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    cli.run(main)
