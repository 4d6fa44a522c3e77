"""What a table that somebody sends must be: readable, scored in a way that is written down, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.benchmark.runs.identity import protocol_id
from zoo.benchmark.tables import rows, specs
from zoo.benchmark.tables.protocols import read_records
from zoo.benchmark.tables.rows import Row
from zoo.errors import ZooError

_SECRET = re.compile(
    r"(?:^|[\s'\"=(,])(?:~?/|[A-Za-z]:[\\/]|\\\\)[\w.~-]"  # a path of somebody's machine
    r"|[\w.+-]+@[\w-]+\.\w"  # an address
    r"|\w+://"  # a link, which may hold a key
    r"|\b(?:hf|sk|ghp|gho|glpat|xox[bp])[-_]\w{8,}"  # a key
)
_COMMANDS = re.compile(r"\b(?:facezoo|benchmarks/\w+\.py)\b")


def problems(folder: Path) -> list[str]:
    """A line for each thing that keeps the tables in ``folder`` from being taken in."""
    found = []
    for table in sorted(folder.glob("*.csv")):
        found += [f"{table.name}: {problem}" for problem in _problems(table)]
    for beside in sorted((*folder.glob("*.specs.json"), *folder.glob("*.md"))):
        stem = beside.name.removesuffix(".specs.json").removesuffix(".md")
        if beside.name != "README.md" and not (folder / f"{stem}.csv").is_file():
            found.append(f"{beside.name}: there is no {stem}.csv")
    return found


def _problems(table: Path) -> Iterator[str]:
    try:
        scored, records = rows.read(table), read_records(specs.beside(table))
    except ZooError as error:
        yield str(error)
        return
    if not scored:
        yield "it has no rows"
    yield from _unknown_protocols(scored, records)
    texts = [str(value) for row in scored for value in vars(row).values()]
    texts += [str(value) for record in records.values() for _, value in specs.flat(record)]
    for text in dict.fromkeys(text for text in texts if _SECRET.search(text)):
        yield f"{text[:60]!r} looks like a path, an address or a key"
    recipe = table.with_suffix(".md")
    if not recipe.is_file() or not _COMMANDS.search(recipe.read_text(encoding="utf-8")):
        yield f"{recipe.name} does not tell the commands that made it"


def _unknown_protocols(scored: list[Row], records: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for row in scored:
        protocol = records.get(row.run_id, {}).get("protocols", {}).get(row.metric)
        if protocol is None:
            yield f"run {row.run_id}: there is no protocol of {row.metric} in the .specs.json beside it"
        elif protocol_id(protocol) != row.protocol_id:
            yield f"run {row.run_id}: the protocol of {row.metric} is not {row.protocol_id}, which its row names"
