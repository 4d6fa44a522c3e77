"""One self-contained HTML page from tables of results: python benchmarks/report.py results/T.csv --out report.html"""

import sys

try:
    from zoo.benchmark import cli
    from zoo.benchmark.report.report import main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    cli.run(main)
