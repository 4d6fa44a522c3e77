"""One table out of many."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from zoo.benchmark.tables import protocols, rows, specs, table_files
from zoo.benchmark.tables.rows import Row
from zoo.errors import ZooError
from zoo.files import remove_parts, replacing


def merge(tables: Sequence[Path], out: Path, runs_dir: Path, *, per_image: bool, hash_names: bool) -> list[str]:
    """Write all rows of ``tables`` to ``out``, the records of their runs beside it and, if wanted, their values per
    image (float32); ``hash_names`` replaces the names of images, and of people on them, by 12 hex digits that nobody
    can turn back: they are keyed with a secret that is thrown away.

    Returns:
        Lines for the user: what was written, and what was not found.

    Raises:
        ZooError: a table is broken or conflicts with another, or there is such an output already.
    """
    sidecars = [table_files.beside(out)] if per_image else []
    for path in (out, protocols.beside(out), specs.beside(out), *sidecars):
        if path.exists():
            alone = "" if out.exists() else " (a merge that was killed leaves it, without its table)"
            raise ZooError(f"{path} exists and is not overwritten; choose another --out or delete it{alone}")
    remove_parts(out.parent)
    merged = rows.merge(*(rows.read(path) for path in tables), names=[str(path) for path in tables])
    if not merged:
        raise ZooError(f"{', '.join(map(str, tables))}: no rows in there; run benchmarks/run.py first")
    runs = _runs(merged)
    known = protocols.find(tables, runs_dir, runs)
    ids = list(dict.fromkeys(run for of_it in runs.values() for run in of_it))
    values = _values(tables, runs_dir, ids, hash_names) if per_image else None
    if values is not None:
        with replacing(sidecars[0]) as temporary:
            values.to_parquet(temporary, compression="zstd", index=False)
    records = specs.find_raw(tables, runs_dir, ids)
    if known:
        protocols.remember(out, known)
    if records:
        specs.remember(out, records)
    rows.write(out, merged)
    lines = [f"{out}: {len(merged)} rows of {len(ids)} runs"]
    kept = {*known, *(protocol for protocol, of_it in runs.items() if all(run in records for run in of_it))}
    lines += [f"no record of protocol {protocol}" for protocol in runs if protocol not in kept]
    if values is not None:
        lines.append(f"{sidecars[0]}: values per image of {values['run_id'].nunique()} of {len(ids)} runs")
        lines += _apart(values, runs)
    return lines


def _runs(merged: Iterable[Row]) -> dict[str, list[str]]:
    """protocol_id → ids of its runs."""
    runs: dict[str, dict[str, None]] = {}
    for row in merged:
        runs.setdefault(row.protocol_id, {})[row.run_id] = None
    return {protocol: list(of_it) for protocol, of_it in runs.items()}


def _values(tables: Sequence[Path], runs_dir: Path, ids: Sequence[str], hash_names: bool) -> pd.DataFrame:
    values = table_files.per_image(tables, runs_dir, ids).astype("float32").reset_index()
    if values.empty:
        raise ZooError(f"no run has values per image, beside the tables or in {runs_dir}; name their folder by --runs")
    people = table_files.people(tables, runs_dir, ids)
    if people:
        values["person"] = values["image"].map(people)
    if hash_names:
        secret = secrets.token_bytes(32)
        for column in {"image", "person"} & set(values.columns):
            values[column] = values[column].map(lambda name: _hashed(name, secret), na_action="ignore")
        # in the order of the names the hashes would be a list of them with the names left out
        values = values.sort_values(["run_id", "image"], ignore_index=True)
    return values


def _apart(values: pd.DataFrame, runs: dict[str, list[str]]) -> list[str]:
    """A line for the user where runs of one protocol have no image in common, for then nothing pairs them."""
    images = values.groupby("run_id")["image"].agg(set)
    for protocol, of_it in runs.items():
        known = [images[run] for run in of_it if run in images]
        if known and not set.intersection(*known):
            return [
                f"runs of protocol {protocol} have no image in common, so their differences are over seeds alone: names"
                " that one merge hashed are no other's; merge all of them anew, from their own tables"
            ]
    return []


def _hashed(name: str, secret: bytes) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), key=secret, digest_size=6).hexdigest()
