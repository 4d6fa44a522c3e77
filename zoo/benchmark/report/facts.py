"""What was compared: the head of the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.benchmark.tables import cells, protocols
from zoo.benchmark.tables.cells import DIFFUSION
from zoo.benchmark.tables.protocols import Protocols

_SHA = 12  # digits shown


@dataclass(frozen=True)
class Facts:
    """The head of the page.

    Attributes:
        title: the names of the tables.
        told: what was compared, term by term.
        protocols: how scores were made, field by field, of each protocol of which there is a record.
        warnings: why numbers may not be comparable.
    """

    title: str
    told: list[tuple[str, str]]
    protocols: dict[str, list[tuple[str, str]]]
    warnings: list[str]


def gather(table: pd.DataFrame, tables: Sequence[Path], runs_dir: Path, made: str) -> Facts:
    """From rows and the records of their protocols; ``made``: when."""
    runs = table.drop_duplicates("run_id")
    by_protocol = cells.runs_by(table, "protocol_id")
    known = protocols.find(tables, runs_dir, by_protocol)
    told = [
        ("Cells", _cells(table)),
        ("Runs", f"{len(runs)}, with {_seeds(runs)}"),
        ("Images scored", _listed(f"{n:,}" for n in sorted(set(table["n_images"])))),
        ("Protocol", _listed(by_protocol)),
        ("Device", _listed(sorted(set(runs["device"])))),
        ("Commit", _listed(sorted({_short(sha) for sha in runs["git_sha"]}))),
        ("Tables", _listed(dict.fromkeys(path.name for path in tables))),
        ("Page made", made),
    ]
    title = _listed(dict.fromkeys(path.stem if path.stem != "rows" else path.parent.name for path in tables[:3]))
    more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
    return Facts(title + more, told, _fields(known), _warnings(table, by_protocol, known))


def _cells(table: pd.DataFrame) -> str:
    named = cells.of(table)
    pairs = [cell for cell in named if cell.method == DIFFUSION]
    others = [str(cell) for cell in named if cell.method != DIFFUSION]
    encoders, conds = len({cell.encoder for cell in pairs}), len({cell.cond for cell in pairs})
    text = f"{len(pairs)} pairs of {encoders} encoders and {conds} conditionings"
    return f"{text}; baselines: {_listed(others)}" if others else text


def _seeds(runs: pd.DataFrame) -> str:
    seeds = sorted({int(seed) for seed in runs.loc[~runs["method"].isin(cells.UNSEEDED), "seed"]})
    return f"seed{'s' if len(seeds) > 1 else ''} {_listed(map(str, seeds))}" if seeds else "no seed"


def _short(sha: str) -> str:
    commit, dash, state = sha.partition("-")
    return f"{commit[:_SHA]}{dash}{state}" or "unknown"


def _warnings(table: pd.DataFrame, by_protocol: Mapping[str, Sequence[str]], known: Protocols) -> list[str]:
    found = []
    if len(by_protocol) > 1:
        found.append(f"Scored in different ways, shown together by --force: {protocols.difference(by_protocol, known)}")
    if table["n_images"].nunique() > 1:
        found.append("Different numbers of images: Fréchet distances are not to be compared across them.")
    if table["device"].nunique() > 1:
        found.append("Seconds and memory were taken on different devices and are not to be compared across them.")
    seeded = table[~table["method"].isin(cells.UNSEEDED)]
    if not seeded.empty and seeded["seed"].nunique() == 1:
        found.append("One seed is no finding: another might order the cells otherwise.")
    return found


def _fields(known: Protocols) -> dict[str, list[tuple[str, str]]]:
    return {protocol: list(_flat("", values)) for protocol, values in known.items()}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), value[key])
    else:
        yield prefix, json.dumps(value, ensure_ascii=False)


def _listed(names: Any) -> str:
    return ", ".join(str(name) or "unknown" for name in names)
