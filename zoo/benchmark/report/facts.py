"""What was compared: the head of the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zoo.benchmark.analysis.study import Study
from zoo.benchmark.tables import cells, specs
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


def gather(study: Study, made: str) -> Facts:
    """From a study and the records of its protocols; ``made``: when."""
    table, tables = study.table, study.tables
    runs = table.drop_duplicates("run_id")
    told = [
        ("Cells", _cells(study)),
        ("Runs", f"{len(runs)}, with {_seeds(runs)}"),
        ("Images scored", _listed(f"{n:,}" for n in sorted(set(table["n_images"])))),
        ("Protocol", _listed(dict.fromkeys(table["protocol_id"]))),
        ("Device", _listed(sorted(set(runs["device"])))),
        ("Commit", _listed(sorted({_short(sha) for sha in runs["git_sha"]}))),
        ("Tables", _listed(dict.fromkeys(path.name for path in tables))),
        ("Page made", made),
    ]
    title = _listed(dict.fromkeys(path.stem if path.stem != "rows" else path.parent.name for path in tables[:3]))
    more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
    return Facts(title + more, told, _fields(study.protocols), _warnings(study))


def _cells(study: Study) -> str:
    named = [line.cell for line in study.lines]
    pairs = [cell for cell in named if cell.method == DIFFUSION]
    others = [str(cell) for cell in named if cell.method != DIFFUSION]
    rows, cols = len({cell.row for cell in pairs}), len({cell.col for cell in pairs})
    text = f"{len(pairs)} pairs of {rows} {_plural(study.axes.rows)} and {cols} {_plural(study.axes.cols)}"
    return f"{text}; baselines: {_listed(others)}" if others else text


def _plural(axis: str) -> str:
    return {"encoder": "encoders", "cond": "conditionings"}.get(axis, f"values of {axis}")


def _seeds(runs: pd.DataFrame) -> str:
    seeds = sorted({int(seed) for seed in runs.loc[runs["method"].map(cells.seeded), "seed"]})
    return f"seed{'s' if len(seeds) > 1 else ''} {_listed(map(str, seeds))}" if seeds else "no seed"


def _short(sha: str) -> str:
    commit, dash, state = sha.partition("-")
    return f"{commit[:_SHA]}{dash}{state}" or "unknown"


def _warnings(study: Study) -> list[str]:
    table = study.table
    found = [f"{line[:1].upper()}{line[1:]}." for line in study.told]
    if table["n_images"].nunique() > 1:
        found.append("Different numbers of images: Fréchet distances are not to be compared across them.")
    if table["device"].nunique() > 1:
        found.append("Seconds and memory were taken on different devices and are not to be compared across them.")
    seeded = table[table["method"].map(cells.seeded)]
    if not seeded.empty and seeded["seed"].nunique() == 1:
        found.append("One seed is no finding: another might order the cells otherwise.")
    return found


def _fields(known: Protocols) -> dict[str, list[tuple[str, str]]]:
    return {
        protocol: [(path, json.dumps(value, ensure_ascii=False)) for path, value in specs.flat(values)]
        for protocol, values in known.items()
    }


def _listed(names: Any) -> str:
    return ", ".join(str(name) or "unknown" for name in names)
