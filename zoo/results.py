"""Tables of results, for a notebook: each score with the settings of its run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.benchmark.tables import specs, table_files
from zoo.benchmark.tables.row import COLUMNS
from zoo.errors import ZooError


def load(*tables: str | Path, runs: str | Path = "results/runs") -> pd.DataFrame:
    """A row for each run and score, with a column for each setting: ``load("table.csv")["train.steps"]``.

    Args:
        tables: CSV files of result rows, or globs of such; a row that several have is there once.
        runs: where run folders are, for the settings of runs that have no record beside their table.

    Returns:
        The columns of a table of results (`zoo.benchmark.tables.row.Row`; ``value`` is NaN where there is none), then
        the settings by path, less what changes no score. A list is text, as on a command line. NaN or None: the run
        does not have this setting, or there is no record of it.

    Raises:
        ZooError: a table does not exist, is no such table or conflicts with another; or there are no rows.
    """
    odd = next((one for one in (*tables, runs) if not isinstance(one, str | Path)), None)
    if odd is not None or not tables:
        got = "none" if odd is None else f"a {type(odd).__name__}"
        raise ZooError(f"load() takes the paths of tables, or globs of such, and got {got}")
    paths = table_files.paths(map(str, tables))
    rows = table_files.load(paths)
    records = specs.find(paths, Path(runs), rows["run_id"].unique())
    settings = {run: _plain(record.spec) for run, record in records.items()}
    joined = pd.DataFrame(list(settings.values()), index=list(settings), dtype=object).infer_objects()
    return rows.join(joined.reindex(sorted(joined.columns), axis=1), on="run_id")


def _plain(spec: specs.Fields) -> dict[str, Any]:
    """What rows have not, with values that can be grouped by."""
    return {
        path: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for path, value in spec.items()
        if path not in COLUMNS
    }
