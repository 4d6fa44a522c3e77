"""Rows of results, made up."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.benchmark.analysis.study import Study, open_study
from zoo.benchmark.tables import comparable, rows
from zoo.benchmark.tables.rows import Row
from zoo.commands.compare import add_study


def scored(run_id: str, value: float | None = 1.0, **changes: Any) -> Row:
    """One score of one run, lower is better unless said otherwise."""
    usual: dict[str, Any] = {
        "encoder": "none",
        "cond": "concat",
        "seed": 0,
        "metric": "error",
        "higher_is_better": False,
        "n_images": 100,
        "protocol_id": "p",
        "params": 10,
        "encoder_params": 4,
        "cond_params": 2,
        "train_seconds": 60.0,
        "images_seen": 6400,
        "sample_seconds_per_image": 0.01,
        "peak_memory_mb": 500.0,
        "device": "cpu",
        "git_sha": "",
        "weights_sha": "",
    }
    return Row(run_id=run_id, value=value, **(usual | changes))


def frame(*some: Row) -> pd.DataFrame:
    """As `compare.py` reads them, in the cells of encoder and cond."""
    return comparable.arrange(rows.frame(some), {})


def study(*some: Row, **given: Any) -> Study:
    """What `compare.py` makes of a table of these rows; ``given``: its options."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "t.csv"
        rows.write(table, some)
        parser = argparse.ArgumentParser()
        add_study(parser)
        options = parser.parse_args([str(table), "--runs", str(Path(folder) / "runs")])
        return open_study(argparse.Namespace(**{**vars(options), **given}))
