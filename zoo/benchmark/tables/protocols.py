"""Records of protocols: what the hashes ``protocol_id`` stand for.

A run folder has ``protocol.json``, the plain values that its protocol_id hashes; a table ``T.csv`` may have
``T.protocols.json`` beside it, {protocol_id: the same values}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zoo.benchmark.runs.folder import PROTOCOL
from zoo.errors import ZooError
from zoo.files import replacing

Protocols = dict[str, dict[str, Any]]
_DEEPEST = 32  # levels of a record; settings have four


def beside(table: Path) -> Path:
    """Where a table's records are kept."""
    return table.with_name(f"{table.stem}.protocols.json")


def read(path: Path) -> dict[str, Any]:
    """What a record says; nothing where there is none. Raises `ZooError` for what is no JSON object, or too deep."""
    if not path.is_file():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise not_one(path, "it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise not_one(path, str(error)) from error
    if not isinstance(known, dict):
        raise not_one(path, "expected a JSON object")
    if _too_deep(known):
        raise not_one(path, "it is nested too deeply")
    return known


def read_records(path: Path) -> Protocols:
    """The same of a file of records by name. Raises `ZooError` where one is no JSON object."""
    known = read(path)
    odd = next((name for name, record in known.items() if not isinstance(record, dict)), None)
    if odd is not None:
        raise not_one(path, f"what it has of {odd[:40]!r} is no JSON object")
    return known


def not_one(path: Path, why: str) -> ZooError:
    """That a file is no record."""
    return ZooError(f"{path} is no readable record ({why[:200]}); delete it, it is only a record")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        below = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [value for values in below for value in values]
    return bool(level)


def remember(table: Path, protocols: Mapping[str, Mapping[str, Any]]) -> None:
    """Add records beside a table, atomically; the caller keeps other processes out."""
    remember_in(beside(table), protocols)


def remember_in(path: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Add records to a file of them, atomically; what it has of the same names is replaced."""
    known = read_records(path)
    if all(known.get(key) == value for key, value in records.items()):
        return
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({**known, **records}, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def find(tables: Iterable[Path], runs_dir: Path, runs: Mapping[str, Iterable[str]]) -> Protocols:
    """Records of the protocols in ``runs`` (protocol_id → ids of its runs): beside the tables or in their folder, else
    in the run folders. One without any record is left out."""
    tables = list(tables)
    known: Protocols = {}
    for table in tables:
        known.update(read_records(beside(table)))
    for protocol, of_it in runs.items():
        if protocol in known:
            continue
        folders = [runs_dir / run for run in of_it]
        folders += [table.parent for table in tables if table.parent.name in of_it]
        record = next((values for folder in folders if (values := read(folder / PROTOCOL))), None)
        if record is not None:
            known[protocol] = record
    return {protocol: known[protocol] for protocol in runs if protocol in known}
