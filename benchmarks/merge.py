"""One table out of many: python benchmarks/merge.py a.csv b.csv 'results/runs/*/rows.csv' --out all.csv"""

import sys

try:
    from zoo.benchmark import cli
    from zoo.benchmark.tables.merge import main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    cli.run(main)
