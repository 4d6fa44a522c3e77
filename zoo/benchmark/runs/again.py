"""A run that is done and is asked for again: what can still be said of it without a number changing."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.benchmark.config.options import PRIMARY
from zoo.benchmark.runs.folder import RunFolder


def show_again(folder: RunFolder, *, primary: str | None, people: Mapping[str, str]) -> None:
    """Say that it is done; ``primary`` is named too late now, but who is on its photos may be said at any time."""
    print(f"run {folder.path.name} is done already; to repeat it, delete {folder.path}")
    before = folder.record().get("spec", {}).get("metrics", {}).get(PRIMARY)
    if primary != before:
        told = f"{primary or 'null'} comes too late: {before or 'none'} was named when this run was scored"
        print(f"warning: metrics.{PRIMARY}={told}")
    if folder.name_people(people):
        print("who is on its photos is now kept beside their scores")
