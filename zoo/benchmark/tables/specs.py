"""What a row stands for: the whole resolved spec of its run, as flat fields (``train.lr`` → 0.001).

Records lie beside a table ``T.csv`` in ``T.specs.json``, {run_id: {"spec": …, "protocols": {metric: …}, …}}, else in
the run folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from zoo.benchmark.config.options import PRIMARY
from zoo.benchmark.runs.folder import RECORD, SPEC
from zoo.benchmark.tables.protocols import not_one, read, read_records, remember_in

Fields = dict[str, Any]
_MACHINE = ("device", "plugins", "results_dir", "cache_dir", "table", "fail_fast")
_NO_SCORE = {
    "train": ("log", "checkpoint_every", "feature_cache_gb"),
    "data": ("root", "download", "people", "dedupe"),
    "eval": ("batch_size", "samples", "grid", "strips"),  # strips: what grid was called; see `parse`
}


# of training; ids and records leave them out, but a run that has another is not to be averaged with one that has these
_DEFAULTS: Fields = {
    "train.schedule": "cosine",
    "train.keep": "last",
    "train.patience": None,
    "train.init.sha256": None,
}


@dataclass(frozen=True)
class Record:
    """What is known of a run.

    Attributes:
        spec: its settings, by path, less what changes no score.
        protocols: how each of its metrics was scored, by path; empty where that was not kept.
        primary: the metric that was named as primary before it started; empty: none.
        samplings: values of its metrics of sets in several samplings of all images (``eval.seeds``); empty: one.
    """

    spec: Fields
    protocols: Mapping[str, Fields] = field(default_factory=dict)
    primary: str = ""
    samplings: Mapping[str, Sequence[float]] = field(default_factory=dict)


def beside(table: Path) -> Path:
    """Where a table's records are kept."""
    return table.with_name(f"{table.stem}.specs.json")


def remember(table: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Add records beside a table, atomically; the caller keeps other processes out."""
    remember_in(beside(table), records)


def find(tables: Iterable[Path], runs_dir: Path, run_ids: Iterable[str]) -> dict[str, Record]:
    """Records of runs: beside the tables, else in the run folders; a run without any is left out."""
    return {run: parse(known) for run, known in find_raw(tables, runs_dir, run_ids).items()}


def find_raw(tables: Iterable[Path], runs_dir: Path, run_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The same as they are kept."""
    raw: dict[str, dict[str, Any]] = {}
    folders: dict[str, Path] = {}
    for table in tables:
        raw.update(_checked(beside(table), read_records(beside(table))))
        folders[table.parent.name] = table.parent
    known = {run: raw.get(run) or _of_folder(folders.get(run, runs_dir / run)) for run in run_ids}
    return {run: record for run, record in known.items() if record}


def parse(known: Mapping[str, Any]) -> Record:
    """One record as it is kept, also by another version: options that there are no longer count as all others do, but
    for those that changed no score."""
    spec = dict(known.get("spec", {}))
    metrics = spec.pop("metrics", {})  # each has a protocol of its own
    primary = metrics.get(PRIMARY) if isinstance(metrics, Mapping) else None
    protocols = {str(name): dict(flat(values)) for name, values in dict(known.get("protocols", {})).items()}
    settings = {path: value for path, value in flat(spec) if not _elsewhere(path)}
    if settings.get("sampler.name") and settings.get("cond.name", "none") != "none":
        settings.setdefault("sampler.guidance", 1)  # which is none: records leave out what is not read
    if settings.get("train.keep", "last") == "last" and settings.get("train.patience") is None:
        settings.pop("train.val_every", None)  # nothing was decided by looks
    if "train.lr" in settings:
        settings = _DEFAULTS | settings
    samplings = {str(name): [float(value) for value in values] for name, values in known.get("samplings", {}).items()}
    return Record(settings, protocols, primary if isinstance(primary, str) else "", samplings)


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by path; an empty mapping is a leaf."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from flat(value[key], f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def shown(value: Any) -> str:
    """A value as it is given on a command line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _elsewhere(path: str) -> bool:
    """Whether it changes no score: machines, paths, logs."""
    section, _, name = path.partition(".")
    return section in _MACHINE or name.partition(".")[0] in _NO_SCORE.get(section, ())


def _checked(path: Path, records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """``records``, of which `parse` can read each. Raises `ZooError` naming ``path``."""
    for run, record in records.items():
        spec, protocols = record.get("spec", {}), record.get("protocols", {})
        of_metrics = protocols.values() if isinstance(protocols, dict) else [protocols]
        if not all(isinstance(part, dict) for part in (spec, *of_metrics)):
            raise not_one(path, f"what it has of run {run[:40]!r} are no settings")
        samplings = record.get("samplings", {})
        if not isinstance(samplings, dict) or not all(map(_numbers, samplings.values())):
            raise not_one(path, f"what it has of run {run[:40]!r} as samplings are no lists of numbers")
    return records


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, int | float) for one in values)


def _of_folder(folder: Path) -> dict[str, Any]:
    if record := read(folder / RECORD):
        return _checked(folder / RECORD, {folder.name: record})[folder.name]
    path = folder / SPEC  # all that a run of an older version left
    if not path.is_file():
        return {}
    try:
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise not_one(path, str(error).splitlines()[0]) from error
    return {"spec": spec} if isinstance(spec, dict) else {}
