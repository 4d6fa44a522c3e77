"""Score any system's pictures: python benchmarks/score.py --outputs DIR --truth DIR --table t.csv"""

import sys
from pathlib import Path

sys.path[:] = [
    folder for folder in sys.path if Path(folder) != Path(__file__).parent
]  # it hides no plug-in of its name
try:
    from zoo.commands import main
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed here; run `make demo`, or `pip install .` in the project's root")

if __name__ == "__main__":
    sys.exit(main(command="score", prog="python benchmarks/score.py"))
