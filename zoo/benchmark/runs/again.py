"""A run that is done and is asked for again: what can still be said of it without a number changing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from zoo.benchmark.config.options import PRIMARY
from zoo.benchmark.runs.folder import RECORD, RunFolder
from zoo.benchmark.tables import rows, specs
from zoo.benchmark.tables.protocols import read_records
from zoo.files import write_json


def taken_from(table: Path, folder: RunFolder, metrics: Collection[str]) -> bool:
    """Whether ``table`` holds all ``metrics`` of a run that was done elsewhere: its rows and record are then written
    into its folder, where it is done from now on. Raises `ZooError` for what is no table."""
    if not table.is_file():
        return False
    run = folder.path.name
    found = [row for row in rows.parse(table)[0] if row.run_id == run]
    if not {*metrics} <= {row.metric.partition("[")[0] for row in found}:
        return False
    if record := read_records(specs.beside(table)).get(run):
        write_json(folder.path / RECORD, record)
    rows.write(folder.rows, found)
    return True


def show_again(folder: RunFolder, *, primary: str | None, people: Mapping[str, str], table: str | None = None) -> None:
    """Say that it is done, there or in the ``table`` that it would be taken from again; ``primary`` is named too late
    now, but who is on its photos may be said at any time."""
    also = f" and its rows in {table}" if table else ""
    print(f"run {folder.path.name} is done already; to repeat it, delete {folder.path}{also}")
    before = folder.record().get("spec", {}).get("metrics", {}).get(PRIMARY)
    if primary != before:
        told = f"{primary or 'null'} comes too late: {before or 'none'} was named when this run was scored"
        print(f"warning: metrics.{PRIMARY}={told}")
    if folder.name_people(people):
        print("who is on its photos is now kept beside their scores")
