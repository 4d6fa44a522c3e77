"""Records of protocols: what the hashes ``protocol_id`` stand for.

A run folder has ``protocol.json``, the plain values that its protocol_id hashes; a table ``T.csv`` may have
``T.protocols.json`` beside it, {protocol_id: the same values}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files import replacing

Protocols = dict[str, dict[str, Any]]
FILE = "protocol.json"  # in a run folder
_ABSENT = object()
_SHOWN = 3  # fields in a message


def beside(table: Path) -> Path:
    """Where a table's records are kept."""
    return table.with_name(f"{table.stem}.protocols.json")


def read(path: Path) -> dict[str, Any]:
    """What a record says; nothing where there is none. Raises `ZooError` for what is no JSON object."""
    if not path.is_file():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ZooError(f"{path} is not JSON ({error}); delete it, it is only a record") from error
    if not isinstance(known, dict):
        raise ZooError(f"{path}: expected a JSON object; delete it, it is only a record")
    return known


def remember(table: Path, protocols: Mapping[str, Mapping[str, Any]]) -> None:
    """Add records beside a table, atomically; the caller keeps other processes out."""
    path = beside(table)
    known = read(path)
    if all(known.get(key) == value for key, value in protocols.items()):
        return
    merged = {**known, **protocols}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def find(tables: Iterable[Path], runs_dir: Path, runs: Mapping[str, Iterable[str]]) -> Protocols:
    """Records of the protocols in ``runs`` (protocol_id → ids of its runs): beside the tables or in their folder, else
    in the run folders. One without any record is left out."""
    tables = list(tables)
    known: Protocols = {}
    for table in tables:
        known.update(read(beside(table)))
    for protocol, of_it in runs.items():
        if protocol in known:
            continue
        folders = [runs_dir / run for run in of_it]
        folders += [table.parent for table in tables if table.parent.name in of_it]
        record = next((values for folder in folders if (values := read(folder / FILE))), None)
        if record is not None:
            known[protocol] = record
    return {protocol: known[protocol] for protocol in runs if protocol in known}


def difference(runs: Mapping[str, Iterable[str]], known: Protocols) -> str:
    """The fields in which protocols differ, in words: ``sampler.steps is 10 in p1 (runs a, b), 20 in p2 (runs c)``."""
    named = {protocol: f"{protocol} (runs {few(of_it)})" for protocol, of_it in runs.items()}
    missing = [protocol for protocol in runs if protocol not in known]
    first, *others = [protocol for protocol in runs if protocol in known] or [""]
    told = []
    for other in others:
        fields = list(_differing("", known[first], known[other]))
        told += [
            f"{field} is {_shown(one)} in {named[first]}, {_shown(two)} in {named[other]}"
            for field, one, two in fields[:_SHOWN]
        ]
        if len(fields) > _SHOWN:
            told.append(f"and {len(fields) - _SHOWN} more fields of {other}: {few(f for f, _, _ in fields[_SHOWN:])}")
    if missing:
        told.append(f"there is no record of {', '.join(named[protocol] for protocol in missing)}")
    return "; ".join(told)


def few(names: Iterable[str]) -> str:
    """The first of ``names`` in order, and how many there are besides."""
    ordered = sorted(names)
    return ", ".join(ordered[:4]) + (f" and {len(ordered) - 4} more" if len(ordered) > 4 else "")


def _differing(prefix: str, one: Any, two: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in sorted({*one, *two}):
            yield from _differing(f"{prefix}.{key}" if prefix else key, one.get(key, _ABSENT), two.get(key, _ABSENT))
    elif one != two:
        yield prefix, one, two


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
