"""Train, sample and score one encoder × conditioner pair: python benchmarks/run.py encoder=arcface cond=xattn"""

import sys

try:
    from zoo.benchmark import cli
    from zoo.benchmark.runs.run import prepared_main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    cli.run(prepared_main)
