"""What may stand in one table: runs that are equal in all but the axes of the table and their seed.

A table has two axes, by default encoder and cond. Runs of one cell are equal in every setting but the seed, cells of
one method in every setting that both read and that no axis covers. Another method is a baseline: it may have another
network and training, which is told, but colours the same photos. Each metric is compared by a protocol of its own. A
run of which there is no record is held by the columns of its rows instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from zoo.benchmark.tables import cells, specs
from zoo.benchmark.tables.axes import ABSENT, USUAL, Axes, places, plain, text, values
from zoo.benchmark.tables.cells import DIFFUSION, Cell
from zoo.benchmark.tables.specs import Fields, Record
from zoo.benchmark.tables.text_table import few, which
from zoo.errors import ZooError, unknown

_OF_CELL = ("params", "encoder_params", "cond_params", "images_seen", "weights_sha")  # where there is no record
_OF_TABLE = ("images_seen",)
_SAME_PHOTOS = ("data", "image_size", "eval", "manifests")  # for all methods, where they read them
_TOLD = {"device": "devices", "git_sha": "commits", "weights_sha": "weights"}
_SHOWN = 3  # differences in a message
_LONGEST = 200  # characters of a value in a message


@dataclass(frozen=True)
class Misfit:
    """A field in which runs differ that should not; ``runs``: by its value, as text."""

    field: str
    runs: Mapping[str, Sequence[str]]
    where: str = ""

    def __str__(self) -> str:
        values = [f"{value[:_LONGEST]} in {which(of_it)}" for value, of_it in self.runs.items()]
        return f"{self.where}{self.field} is {', '.join(values)}"


@dataclass(frozen=True)
class Table:
    """Rows in their cells, and what is known of their runs.

    Args:
        rows: with the columns of `cells.CELL`, as `arrange` gives them.
        records: by run.
        protocols: by ``protocol_id``, of rows whose run has no record of how it was scored.
    """

    rows: pd.DataFrame
    records: Mapping[str, Record]
    protocols: Mapping[str, Mapping[str, Any]]
    axes: Axes = USUAL

    def check(self) -> None:
        """Raises `ZooError` naming the fields and values in which runs differ that should not."""
        found = list(self.misfits())
        if not found:
            return
        first = next((one for one in found if one.field not in self.rows.columns), found[0])
        choice = (
            f"{first.field}={next(iter(first.runs))[:_LONGEST]}" if first.field not in self.rows.columns else "run_id=…"
        )
        axis = f", or make it an axis (--rows {first.field})" if first.field not in self.rows.columns else ""
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        told = "; ".join(map(str, [first, *(one for one in found if one is not first)][:_SHOWN]))
        raise ZooError(f"not comparable: {told}{more}. Choose by --where {choice}{axis}")

    def misfits(self) -> Iterator[Misfit]:
        """All that keeps the rows from standing in one table."""
        seen: set[str] = set()
        for found in (*self._across(), *self._within(), *self._scoring()):
            if found.field not in seen:
                seen.add(found.field)
                yield found

    def samplings(self, metric: str) -> dict[str, Sequence[float]]:
        """Values of a metric in several samplings of all images, by run; of runs that had one there are none."""
        return {run: record.samplings[metric] for run, record in self.records.items() if metric in record.samplings}

    def told(self) -> list[str]:
        """What a reader should know though it forbids nothing."""
        lines = [line for column, name in _TOLD.items() if (line := self._varying(column, name))]
        lines += self._methods()
        if missing := [run for run in self._runs["run_id"] if run not in self.records]:
            lines.append(
                f"there is no record of the settings of {which(missing)}: only parameters, images seen, weights and "
                "protocols could be compared, not learning rates, samplers or limits"
            )
        return lines

    @cached_property
    def _runs(self) -> pd.DataFrame:
        return self.rows.drop_duplicates("run_id")

    @cached_property
    def _cells(self) -> dict[Cell, pd.DataFrame]:
        return cells.by_cell(self._runs)

    def _settings(self, runs: Iterable[str]) -> dict[str, Fields]:
        """Of the runs of which there is a record, less method and seed, which are told apart anyway."""
        known = {run: self.records[run].spec for run in runs if run in self.records}
        return {run: {k: v for k, v in spec.items() if k not in ("seed", "method")} for run, spec in known.items()}

    def _across(self) -> Iterator[Misfit]:
        for _, part in self._runs.groupby("method", sort=False):
            settings = self._settings(part["run_id"])
            yield from _differing(settings, self._free)
            unknown_runs = part[~part["run_id"].isin(settings)]
            yield from _differing(_columns(unknown_runs, _OF_TABLE), self._free)
        photos = self._settings(self._runs["run_id"])
        yield from _differing(photos, lambda path: path.partition(".")[0] in _SAME_PHOTOS and self._free(path))

    def _free(self, path: str) -> bool:
        return not self.axes.cover(path)

    def _of_photos(self, path: str) -> bool:
        """Whether it concerns baselines too, which draw no noise and have no sampler."""
        return self._free(path) and not path.startswith(("sampler.", "eval.seed"))

    def _within(self) -> Iterator[Misfit]:
        for cell, part in self._cells.items():
            settings = self._settings(part["run_id"])
            yield from _differing(settings, lambda path: True, absent=True, where=f"{cell}: ")
            if len(settings) < len(part):
                yield from _differing(_columns(part, _OF_CELL), lambda path: True, where=f"{cell}: ")
            for seed, same in part.groupby("seed"):
                if len(same) > 1:
                    runs = {run: [run] for run in same["run_id"]}
                    yield Misfit("run_id", runs, f"{cell} has {len(same)} different runs with seed {seed}: ")

    def _scoring(self) -> Iterator[Misfit]:
        for metric, part in self.rows.groupby("metric", sort=False):
            where = f"{metric}: "
            yield from _differing(_columns(part, ("n_images",)), lambda path: True, where=where)
            if part["protocol_id"].nunique() == 1:
                continue
            known = {str(row.run_id): self._protocol(row) for row in part.itertuples()}
            if lost := {run for run, fields in known.items() if fields is None}:
                rest = part[part["run_id"].isin(lost)]
                if rest["protocol_id"].nunique() > 1 or len(lost) < len(known):
                    by_id = {str(key): list(some["run_id"]) for key, some in part.groupby("protocol_id", sort=False)}
                    yield Misfit("protocol_id", by_id, f"{where}there is no record of all protocols, and ")
            scored = {run: fields for run, fields in known.items() if fields is not None}
            methods = dict(zip(part["run_id"], part["method"]))
            yield from _differing(scored, self._of_photos, absent=True, where=where)
            for method in dict.fromkeys(methods.values()):
                own = {run: fields for run, fields in scored.items() if methods[run] == method}
                yield from _differing(own, self._free, where=where)

    def _protocol(self, row: Any) -> Fields | None:
        """How one score was made."""
        record = self.records.get(row.run_id)
        if record and row.metric in record.protocols:
            return record.protocols[row.metric]
        if row.protocol_id not in self.protocols:
            return None
        whole = dict(self.protocols[row.protocol_id])
        metrics = whole.get("metrics")
        if isinstance(metrics, Mapping):  # of all metrics of a run: one more or less changes nothing about the others
            own = [key for key in metrics if row.metric == key or str(row.metric).startswith(f"{key}_")]
            whole["metrics"] = {key: metrics[key] for key in own or metrics}
        return dict(specs.flat(whole))

    def _varying(self, column: str, name: str) -> str:
        mixed = [str(cell) for cell, part in self._cells.items() if part[column].nunique() > 1]
        return f"runs of several {name} are averaged in {few(mixed)}" if mixed else ""

    def _methods(self) -> list[str]:
        """In what baselines were trained otherwise than the pairs."""
        runs = self._runs
        pairs = self._settings(runs.loc[runs["method"] == DIFFUSION, "run_id"])
        lines = []
        for method, part in runs[runs["method"] != DIFFUSION].groupby("method", sort=False):
            both = {**dict(list(pairs.items())[:1]), **dict(list(self._settings(part["run_id"]).items())[:1])}
            found = [one.field for one in _differing(both, self._free)] if pairs else []
            if found:
                lines.append(f"{method} differs from the pairs in {few(found)} too")
        return lines


def arrange(rows: pd.DataFrame, records: Mapping[str, Record], axes: Axes = USUAL) -> pd.DataFrame:
    """``rows`` with their places on the axes, as columns ``row`` and ``col``; empty where an axis is of no concern to
    a run. Raises `ZooError` for an axis that nothing has."""
    return rows.assign(row=places(rows, records, axes.rows), col=places(rows, records, axes.cols))


def choose(
    rows: pd.DataFrame, records: Mapping[str, Record], conditions: Sequence[str], option: str = "--where"
) -> pd.DataFrame:
    """Rows of the runs that fulfil ``key=value`` conditions, given by ``option``; several of one key are alternatives.
    A method that does not read an option is not chosen by it.

    Raises:
        ZooError: a condition is malformed, names nothing, or fits nothing.
    """
    wanted: dict[str, list[str]] = {}
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals:
            raise ZooError(f"{option} {condition}: expected key=value, as in train.lr=0.001")
        wanted.setdefault(key, []).append(value)
    for key, alternatives in wanted.items():
        has = values(rows, records, key)
        concerned = has.groupby(rows["method"]).transform(lambda some: (some != "").any())
        fits = has.isin([_canonical_text(value) for value in alternatives]) | has.isin(alternatives)
        if not fits.any():
            known = sorted(set(has) - {""})
            raise ZooError(f"{option} {key}={alternatives[0]}: {unknown(key, alternatives[0], known)}")
        rows = rows[fits | ~concerned]
    return rows


def _differing(
    settings: Mapping[str, Fields], concerns: Any, *, absent: bool = False, where: str = ""
) -> Iterator[Misfit]:
    """Fields with several values; ``absent``: not to have a field is a value too."""
    for path in sorted({path for fields in settings.values() for path in fields}):
        if not concerns(path):
            continue
        runs: dict[str, list[str]] = {}
        for run, fields in settings.items():
            value = fields.get(path, ABSENT)
            if value is not ABSENT or absent:
                told = text(plain(value))
                runs.setdefault(told if value is ABSENT else _key(value, told), []).append(run)
        if len(runs) > 1:
            yield Misfit(path, runs, where)


def _key(value: Any, told: str) -> str:
    """``told``, unless it was cut: then all of the value tells it from others."""
    return json.dumps(value, sort_keys=True, default=str) if told.endswith("…") else told


def _canonical_text(text: str) -> str:
    try:
        return specs.shown(plain(json.loads(text)))
    except ValueError:
        return text


def _columns(runs: pd.DataFrame, names: Sequence[str]) -> dict[str, Fields]:
    plain = runs.set_index("run_id")[list(names)].astype(object)
    return {str(run): dict(values) for run, values in plain.iterrows()}
