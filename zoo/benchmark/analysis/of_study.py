"""Which runs of a table are cells of a study in a file: those whose settings are as it says, and else as usual.

Only what the file says of any cell counts, so that paths, devices and whatever else was said when it was run tell no
runs apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from zoo.benchmark.config import choices, sums
from zoo.benchmark.config.choices import key_of
from zoo.benchmark.config.command_line import prepared
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.identity import Identity
from zoo.benchmark.sweeps.asking import machine_of
from zoo.benchmark.sweeps.ledger import of_machine
from zoo.benchmark.sweeps.study_file import StudyCell, StudyFile
from zoo.benchmark.tables import specs
from zoo.benchmark.tables.specs import Record
from zoo.errors import ZooError

_SEED = re.compile(r"seed=(\d+)")
_FOUND = re.compile(r"(^|\.)(weights|face_box|limit|init)(\.|$)")  # settings that stand in records as they were found
_NAMED = 3  # cells in a message

Signature = tuple[tuple[str, str], ...]


def rows_of(
    rows: pd.DataFrame, records: Mapping[str, Record], study: StudyFile, only: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of its cells, under the names that the file gives their places on axes, and a line that names cells
    without any.

    Args:
        only: a block or cell of it; None: all.

    Raises:
        ZooError: there is no such row, or a cell says what cannot be.
    """
    cells = [cell for cell in study.cells if only is None or only in cell.names]
    counts = _Counting(study)
    with _composing(study) as settings:
        signatures = [counts.signature(settings(cell.options)) for cell in cells]
        found = _Found(cells, lambda options: counts.signature(settings(options)))
    wanted = {signature: cell.options for signature, cell in zip(signatures, cells)}
    called: dict[Signature, dict[str, str]] = {signature: {} for signature in wanted}
    for signature, cell in zip(signatures, cells):
        called[signature].update(cell.called)
    runs = {run: found(counts.signature(record.spec)) for run, record in records.items()}
    chosen = rows[rows["run_id"].map(lambda run: runs.get(run) in wanted)]
    if chosen.empty:
        raise ZooError(f"no run of the table is a cell of {study.path}{f', {only}' if only else ''}")
    lacking = [options for signature, options in wanted.items() if signature not in runs.values()]
    for axis in dict.fromkeys(axis for names in called.values() for axis in names):
        named = chosen["run_id"].map(lambda run, axis=axis: called[runs[run]].get(axis))
        chosen = chosen.assign(**{axis: named.where(named.notna(), chosen[axis])})
    return chosen, _told(lacking, wanted, study) if lacking else []


class _Counting:
    """Which settings tell cells of a study apart."""

    def __init__(self, study: StudyFile) -> None:
        options = [option for cell in study.cells for option in cell.options]
        self._keys = tuple({"method", *(key_of(option) for option in options if not of_machine(option))})
        self._all = len({option for option in options if key_of(option) == "preset"}) > 1  # these may say anything

    def signature(self, spec: Mapping[str, Any]) -> Signature:
        return tuple(sorted((path, json.dumps(value)) for path, value in spec.items() if self._counts(path)))

    def _counts(self, path: str) -> bool:
        if _FOUND.search(path):
            return False
        return self._all or any(path == key or path.startswith(f"{key}.") for key in self._keys)


class _Found:
    """Takes what a run found for the null that a cell said, as the number of all maps for ``cond.maps=null``: any value
    but the one that the option has if nothing is said.

    Args:
        signature: of options.
    """

    def __init__(self, cells: Sequence[StudyCell], signature: Callable[[tuple[str, ...]], Signature]) -> None:
        self._paths: set[str] = set()
        self._usual: set[tuple[str, str]] = set()
        for cell in cells:
            null = {key_of(option) for option in cell.options if _says_null(option)}
            if not null:
                continue
            try:
                unsaid = signature(tuple(option for option in cell.options if key_of(option) not in null))
            except ZooError:  # another option asks for the null, as train.seconds does for train.steps
                continue
            self._paths |= null
            self._usual |= {*unsaid}

    def __call__(self, signature: Signature) -> Signature:
        return tuple(
            (path, "null") if path in self._paths and (path, value) not in self._usual else (path, value)
            for path, value in signature
        )


def _says_null(option: str) -> bool:
    return option.endswith("=null")


@contextmanager
def _composing(study: StudyFile) -> Iterator[Any]:
    """What gives the settings of options, as records have them."""
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    def settings(options: Sequence[str]) -> dict[str, Any]:
        cell = tuple(sums.written_out(option for option in options if not of_machine(option)))
        seeds = [match[1] for match in map(_SEED.fullmatch, cell) if match]
        without = tuple(option for option in cell if not _SEED.fullmatch(option))
        if without not in known:  # composing takes a while
            known[without] = _settings(choices.resolved([without], _composed, all_made=False)[0])
        found = known[without]
        return {**found, "seed": int(seeds[-1])} if seeds and "seed" in found else found

    with prepared(machine_of(study)), initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield settings


def _composed(options: Sequence[str]) -> Any:
    return compose("config", [*options], return_hydra_config=True)


def _settings(options: Sequence[str]) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(compose("config", [*options]), resolve=True)
    identity = Identity(Spec.from_config(plain), manifests={"train": "", "eval": ""})
    return dict(specs.parse({"spec": identity.settings}).spec)


def _told(lacking: Sequence[Sequence[str]], cells: Mapping[Signature, Sequence[str]], study: StudyFile) -> list[str]:
    shared = set.intersection(*map(set, cells.values())) if len(cells) > 1 else set()
    names = [" ".join(option for option in options if option not in shared) for options in lacking]
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{len(names)} of {len(cells)} cells of {study.path} have no rows: {', '.join(names[:_NAMED])}{more}"]
