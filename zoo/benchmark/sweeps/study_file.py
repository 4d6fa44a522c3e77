"""A sweep in a file: which cells it has, and how they are compared.

    primary: st_lpips                  # metrics.primary of all cells
    seeds: [0, 1, 2]
    options: {preset: cpu, data: folder, eval.seeds: 2}     # of all cells, as on the command line
    blocks:
      pairs:
        axes:                          # each with each
          encoder: [none, unet, {as: random arcface, encoder: arcface, encoder.pretrained: false}]
          cond: [concat, xattn]        # { }: options that go together, and what tables call them
      questions:
        cells:                         # these alone, with all axes and seeds of their block
          - {encoder: unet, cond: concat, cond.channels: 32}
    baselines: [grey, mean]            # methods, with the options of all cells
    compare: {baseline: {encoder: unet, cond: concat}}      # options of facezoo compare; also in a block

A study of one block may leave out ``blocks`` and have ``axes`` and ``cells`` itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from zoo import registry
from zoo.benchmark.config.choices import key_of
from zoo.benchmark.config.quoting import as_text
from zoo.errors import ZooError, unknown

_OF_A_BLOCK = ("seeds", "options", "axes", "cells", "baselines", "compare")
_OF_A_STUDY = (*_OF_A_BLOCK, "primary", "blocks")
_OF_COMPARE = ("rows", "cols", "baseline", "metrics", "where")
_OPTION = re.compile(r"\+{0,2}[\w][\w./@+-]*")

_AS = "as"
_CALLED = ("encoder", "cond")  # axes whose places may have other names: they are columns of tables

Options = dict[str, Any]  # option → value, by the name it has without a prefix
Called = dict[str, str]  # axis → what tables call a place on it


@dataclass(frozen=True)
class StudyCell:
    """One combination of options.

    Attributes:
        names: of its block and, where it has one, its own.
        options: as on a command line, none of them a sweep.
        called: axis → what tables call its place on that one, where the file says so.
    """

    names: tuple[str, ...]
    options: tuple[str, ...]
    called: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyFile:
    """What a file says.

    Attributes:
        cells: in their order; one that stands in several blocks is there several times.
        compare: the name of each block → options of ``facezoo compare`` for it; ``""``: for all cells.
    """

    path: Path
    cells: tuple[StudyCell, ...]
    compare: Mapping[str, Mapping[str, Any]]

    @property
    def table(self) -> Path:
        """Where its rows go unless something else is said: beside it."""
        return self.path.with_suffix(".csv")

    @property
    def names(self) -> list[str]:
        """Of blocks and cells, that may be chosen."""
        return list(dict.fromkeys(name for cell in self.cells for name in cell.names if name))


def read(path: Path) -> StudyFile:
    """Raises `ZooError` for what is no study, naming the place."""
    given = _mapping(_loaded(path), str(path))
    _keys(given, _OF_A_STUDY, str(path))
    blocks = _mapping(given.get("blocks", {}), f"{path}: blocks")
    own = {key: given[key] for key in ("axes", "cells", "baselines") if key in given}
    if not blocks:
        blocks, places = {"": own}, {"": str(path)}
    else:
        if stray := sorted({"axes", "cells"} & set(own)):
            raise ZooError(f"{path}: {stray[0]} stands beside blocks; put it into a block of its own")
        places = {name: f"{path}: blocks.{name}" for name in blocks} | {"baselines": str(path)}
        blocks = {**blocks, **({"baselines": own} if own else {})}
    primary = {} if given.get("primary") is None else {"metrics.primary": given["primary"]}
    options = _merged(_options(given.get("options", {}), f"{path}: options"), primary)
    seeds = given.get("seeds")
    whole = _compare(given.get("compare", {}), f"{path}: compare")
    cells: list[StudyCell] = []
    compare = {"": whole}
    for name, block in blocks.items():
        _keys(_mapping(block, places[name]), _OF_A_BLOCK, places[name])
        found = _cells(str(name), block, options, seeds, places[name])
        if not found:
            raise ZooError(f"{places[name]} has no cells; give axes, cells or baselines")
        cells += found
        compare[str(name)] = whole | _compare(block.get("compare", {}), f"{places[name]}: compare")
    return StudyFile(path, tuple(cells), compare)


def _cells(name: str, block: Mapping[str, Any], shared: Options, seeds: Any, where: str) -> list[StudyCell]:
    """All of one block."""
    given = _merged(shared, _options(block.get("options", {}), f"{where}: options"))
    every = block.get("seeds", seeds)
    each_seed = [options for options, _ in _axis("seed", every, f"{where}: seeds")] if every else [{}]
    found = []
    for own, options in _listed(block, where):
        for places in itertools.product(*_axes(block.get("axes", {}), f"{where}: axes")):
            cell = _merged(given, options, *(place for place, _ in places))
            called = {axis: name for _, of_place in places for axis, name in of_place.items()}
            for seed in [{}] if "seed" in cell else each_seed:
                found.append(_cell((name, own), _merged(cell, seed), called))
    for method, options in _baselines(block.get("baselines", []), f"{where}: baselines"):
        for seed in each_seed if registry.methods.get(method).draws else [{}]:
            found.append(_cell((name, method), _merged(given, options, seed)))
    return found


def _cell(names: tuple[str, ...], options: Options, called: Mapping[str, str] | None = None) -> StudyCell:
    return StudyCell(names, tuple(f"{key}={as_text(value)}" for key, value in options.items()), called or {})


def _listed(block: Mapping[str, Any], where: str) -> list[tuple[str, Options]]:
    """Its cells by name; one without options of its own where there are axes alone."""
    cells = block.get("cells")
    if cells is None:
        return [("", {})] if block.get("axes") else []
    if isinstance(cells, Mapping):
        return [(str(name), _options(options, f"{where}: cells.{name}")) for name, options in cells.items()]
    return [("", _options(options, f"{where}: cells")) for options in _list(cells, f"{where}: cells")]


def _axes(axes: Any, where: str) -> list[list[tuple[Options, Called]]]:
    return [_axis(key, values, f"{where}.{key}") for key, values in _mapping(axes, where).items()]


def _axis(key: str, values: Any, where: str) -> list[tuple[Options, Called]]:
    """Its places: a value of the option that it is named after, or several options that go together; and what they are
    called, where it is said."""
    places = _list(values, where)
    if not places:
        raise ZooError(f"{where} is empty; give at least one value")
    found: list[tuple[Options, Called]] = []
    for place in places:
        options = _options(place if isinstance(place, Mapping) else {key: place}, where)
        name = options.pop(_AS, None)
        if name is not None and key not in _CALLED:
            raise ZooError(f"{where}: {_AS} names places on {' and '.join(_CALLED)} alone")
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise ZooError(f"{where}: expected a name after {_AS}, not {as_text(name)}")
        found.append((options, {} if name is None else {key: name}))
    return found


def _baselines(baselines: Any, where: str) -> list[tuple[str, Options]]:
    found = []
    for one in _list(baselines, where):
        options = _options(one if isinstance(one, Mapping) else {"method": one}, where)
        if "method" not in options:
            raise ZooError(f"{where}: expected a name or {{method: NAME, …}}, not {as_text(one)}")
        found.append((str(options["method"]), options))
    return found


def _merged(*parts: Options) -> Options:
    """The later ones win, with whatever prefix they are said."""
    found: Options = {}
    for part in parts:
        keys = {key_of(key) for key in part}
        found = {key: value for key, value in found.items() if key_of(key) not in keys} | part
    return found


def _options(given: Any, where: str) -> Options:
    options = _mapping(given, where)
    for key in options:
        if not _OPTION.fullmatch(key):
            raise ZooError(f"{where}: {key!r} is no name of an option")
    return options


def _compare(given: Any, where: str) -> dict[str, Any]:
    """As the arguments of ``facezoo compare`` are called."""
    section = _mapping(given, where)
    _keys(section, _OF_COMPARE, where)
    found: dict[str, Any] = {key: str(section[key]) for key in ("rows", "cols") if key in section}
    if "baseline" in section:
        found["baseline"] = ",".join(_pairs(section["baseline"], f"{where}.baseline"))
    if "where" in section:
        found["where"] = _pairs(section["where"], f"{where}.where")
    if "metrics" in section:
        found["metric"] = [str(name) for name in _list(section["metrics"], f"{where}.metrics")]
    return found


def _pairs(given: Any, where: str) -> list[str]:
    """Conditions; several values of one key are several conditions."""
    found = []
    for key, values in _mapping(given, where).items():
        for value in values if isinstance(values, list) else [values]:
            found.append(f"{key}={value if isinstance(value, str) else as_text(value)}")
    return found


def _loaded(path: Path) -> Any:
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except OSError as error:
        told = error.strerror or "expected names with values, as in {axes: …}"  # OmegaConf's own, of a number or text
        raise ZooError(f"{path}: {told}") from error
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ZooError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def _keys(given: Iterable[str], known: Sequence[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise ZooError(f"{where}: {unknown('key', key, known)}")


def _mapping(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ZooError(f"{where}: expected names with values, as in {{encoder: unet}}, not {_shown(given)}")
    return dict(given)


def _list(given: Any, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise ZooError(f"{where}: expected a list, as in [a, b], not {_shown(given)}")
    return given


def _shown(given: Any) -> str:
    text = as_text(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
