"""Looks for the options with the least loss on validation photos, and gives up early on those that fall behind.

    pip install "face-colour-zoo[optuna]"
    python examples/optuna_search.py --trials 30 preset=cpu data=folder data.root=PHOTOS

Each trial is one ``facezoo run`` with the options that you give and those of `options`; its ``val.csv`` is read while
it trains. The same command again, also at once on several machines with one ``--storage``, goes on with the search.
The search looks at no photo that is scored. Hydra's own sweeper for Optuna (hydra-optuna-sweeper 1.3) wants an Optuna
below 3 and hears of a job only when it has ended, so it could stop none.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import optuna

PAUSE = 1.0  # seconds between looks at a run


def options(trial: optuna.Trial) -> list[str]:
    """What is searched, as options of ``facezoo run``: change this."""
    return [
        f"train.lr={trial.suggest_float('train.lr', 1e-4, 1e-2, log=True)}",
        f"train.ema={trial.suggest_categorical('train.ema', [0.99, 0.999])}",
        f"cond={trial.suggest_categorical('cond', ['concat', 'film', 'xattn'])}",
    ]


def losses(results: Path) -> dict[int, float]:
    """After how many steps a run, the only one in ``results``, had which loss."""
    found: dict[int, float] = {}
    for file in results.glob("*/val.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            found |= {int(line["step"]): float(line["loss"]) for line in csv.DictReader(lines)}
    return found


def follow(trial: optuna.Trial, command: Sequence[str], results: Path) -> float:
    """Run ``command`` to its end, or until the trial is pruned. Returns its last loss."""
    log = results / "log.txt"
    results.mkdir(parents=True, exist_ok=True)
    told: set[int] = set()
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        while True:
            ended = process.poll() is not None  # before the look, so that the last one misses nothing
            for step, loss in sorted(losses(results).items()):
                if step not in told:
                    told.add(step)
                    trial.report(loss, step)
            if ended:
                break
            if told and trial.should_prune():
                raise optuna.TrialPruned
            time.sleep(PAUSE)
    finally:
        process.terminate()
        process.wait()
    if process.returncode or not told:
        raise RuntimeError(f"trial {trial.number} failed; {log} tells why")
    return losses(results)[max(told)]


def search(
    given: Sequence[str], *, trials: int, storage: str, folder: Path, pruner: optuna.pruners.BasePruner
) -> optuna.Study:
    """So many trials more of the search in ``storage``; the runs of each are below ``folder``."""
    study = optuna.create_study(
        study_name="face-colour-zoo", storage=storage, load_if_exists=True, direction="minimize", pruner=pruner
    )

    def objective(trial: optuna.Trial) -> float:
        results = folder / f"trial-{trial.number}"
        run = [sys.executable, "-m", "zoo", "run", *given, *options(trial), f"results_dir={results}"]
        return follow(trial, run, results)

    study.optimize(objective, n_trials=trials, catch=(RuntimeError,))
    return study


def main() -> None:
    parser = argparse.ArgumentParser(description="Search the options with the least loss on validation photos.")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--storage", default="sqlite:///optuna.db", help="a database of Optuna (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("results/optuna"), help="of the runs (%(default)s)")
    args, given = parser.parse_known_args()
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)  # worse than half of the trials so far: no more of it
    study = search(given, trials=args.trials, storage=args.storage, folder=args.folder, pruner=pruner)
    states = [trial.state.name.lower() for trial in study.trials]
    print(", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))
    if "complete" in states:
        best = study.best_trial
        print(f"loss {best.value:.4f}: " + " ".join(f"{key}={value}" for key, value in best.params.items()))


if __name__ == "__main__":
    main()
