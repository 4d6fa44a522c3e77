"""Tables of results and what lies beside them, from many files."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zoo.benchmark.runs.folder import PER_IMAGE, PERSON
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import COLUMNS, Row
from zoo.errors import ZooError


def paths(patterns: Iterable[str]) -> list[Path]:
    """The files that names or globs stand for, each once; a glob without match stands for itself."""
    found = [path for pattern in patterns for path in sorted(glob.glob(pattern, recursive=True)) or [pattern]]
    return [Path(path) for path in dict.fromkeys(found)]


def load(tables: Sequence[Path]) -> pd.DataFrame:
    """Rows of all tables, one for each run and metric, as `rows.merge` keeps them.

    Raises:
        ZooError: one does not exist, is no such table or conflicts with another; or there are no rows.
    """
    parts = [rows.read_frame(path).assign(file=str(path)) for path in tables]
    parts = [part for part in parts if not part.empty]
    if not parts:
        raise ZooError(f"{', '.join(map(str, tables))}: no rows in there; run benchmarks/run.py first")
    table = pd.concat(parts, ignore_index=True).drop_duplicates(COLUMNS)
    twice = table.duplicated(["run_id", "metric"], keep=False)
    if twice.any():
        repeated = table[twice]
        kept = _merged(repeated)
        firsts = repeated.drop_duplicates(["run_id", "metric"])  # in the same order
        table = pd.concat([table[~twice], kept.set_index(firsts.index)]).sort_index()
    return table[COLUMNS].reset_index(drop=True)


def beside(table: Path) -> Path:
    """Where a table's values per image are kept."""
    return table.with_name(f"{table.stem}.{PER_IMAGE}")


def per_image(
    tables: Sequence[Path], runs_dir: Path, run_ids: Iterable[str], metrics: Iterable[str] | None = None
) -> pd.DataFrame:
    """Values per image, from beside the tables or, for runs that are not there, from their folders: that of the table,
    if it bears the run's id, or one in ``runs_dir``.

    Args:
        metrics: which to read; by default all.

    Returns:
        One float64 column for each metric that has such values, NaN where an image has none; indexed by (run_id,
        image). Runs without values are left out.
    """
    found = _gathered(tables, runs_dir, run_ids, None if metrics is None else list(metrics))
    return found.set_index(["run_id", "image"]).drop(columns=PERSON, errors="ignore").astype("float64")


def people(tables: Sequence[Path], runs_dir: Path, run_ids: Iterable[str]) -> dict[str, str]:
    """Who is on each image, where the values per image of any run say so; empty where none does.

    Raises:
        ZooError: two runs say different people are on an image.
    """
    found = _gathered(tables, runs_dir, run_ids, [PERSON])
    if PERSON not in found:
        return {}
    known = found.dropna(subset=PERSON).astype({PERSON: str}).drop_duplicates(["image", PERSON])
    twice = known[known.duplicated("image", keep=False)].sort_values("image")[:2]
    if len(twice):
        told = " and ".join(f"{row[PERSON]} in run {row['run_id']}" for _, row in twice.iterrows())
        raise ZooError(f"who is on {twice['image'].iloc[0]} is {told}; give one data.people to all runs")
    return dict(zip(known["image"], known[PERSON]))


def _gathered(tables: Sequence[Path], runs_dir: Path, run_ids: Iterable[str], wanted: list[str] | None) -> pd.DataFrame:
    missing = list(dict.fromkeys(run_ids))
    folders = {table.parent.name: table.parent for table in tables}
    parts = []
    for table in tables:
        part = _read(beside(table), ["run_id", "image"], wanted, missing) if missing else None
        if part is not None:
            parts.append(part)
            found = set(part["run_id"])
            missing = [run for run in missing if run not in found]
    for run in missing:
        part = _read(folders.get(run, runs_dir / run) / PER_IMAGE, ["image"], wanted)
        if part is not None:
            parts.append(part.assign(run_id=run))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"run_id": [], "image": []})


def _read(path: Path, keys: list[str], metrics: list[str] | None, runs: list[str] | None = None) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        schema = pq.read_schema(path)
        columns = [name for name in schema.names if name not in keys and (metrics is None or name in metrics)]
        for name in (*keys, *columns):
            _check_kind(schema.field(name))
        filters = [("run_id", "in", runs)] if runs else None
        found = pq.read_table(path, columns=[*keys, *columns], filters=filters).to_pandas()
        if found.duplicated(keys).any():
            raise ValueError("an image is in there twice")
    except (pa.ArrowException, ValueError, KeyError, OSError) as error:
        why = " ".join(str(error).split())[:200]
        raise ZooError(f"{path} holds no values per image ({why}); delete it, or score the run again") from error
    return found


def _check_kind(field: pa.Field) -> None:
    """Raises `ValueError` unless names are text and values numbers."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    of_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    is_text = field.name in ("run_id", "image", PERSON)
    if not any(fits(kind) for fits in (of_text if is_text else (pa.types.is_floating, pa.types.is_integer))):
        raise ValueError(f"its {field.name[:40]} are {field.type}")


def _merged(repeated: pd.DataFrame) -> pd.DataFrame:
    parts = [(str(file), part[COLUMNS]) for file, part in repeated.groupby("file", sort=False)]
    lists = [[_row(values) for values in part.itertuples(index=False)] for _, part in parts]
    return rows.frame(rows.merge(*lists, names=[file for file, _ in parts]))


def _row(values: Iterable[object]) -> Row:
    named = dict(zip(COLUMNS, values))
    absent = {name: None for name in ("value", "higher_is_better") if pd.isna(named[name])}  # type: ignore[call-overload]
    return Row(**{**named, **absent})  # type: ignore[arg-type]
