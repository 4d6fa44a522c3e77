"""Options of one choice: ``encoder.facenet.weights=FILE`` is ``encoder.weights=FILE`` in the cells that have
encoder=facenet, and nothing in the others, so that one command can hold the options of several choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo import registry
from zoo.benchmark.config.plugins import GROUPS, options
from zoo.errors import ZooError, did_you_mean, unknown

Compose = Callable[[Sequence[str]], DictConfig]  # a configuration, with its node ``hydra``

_REGISTRIES = {**GROUPS, "method": registry.methods}
_SWEPT = ("encoder", "cond", "data", "method", "sampler", "denoiser", "diffusion")
_OF_CHOICE = re.compile(rf"(\+{{0,2}})({'|'.join(_SWEPT)})\.([^.=]+)\.([^=]+)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class _Option:
    """``encoder.facenet.weights=FILE``, taken apart."""

    prefix: str
    group: str
    choice: str
    name: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.group}.{self.choice}.{self.name}"

    @property
    def plain(self) -> str:
        """As it is said where the choice is made."""
        return f"{self.prefix}{self.group}.{self.name}={self.value}"


def key_of(override: str) -> str:
    """What an override is about: ``+encoder.x=1`` → ``encoder.x``."""
    return override.partition("=")[0].lstrip("+~")


def replaced(overrides: Iterable[str], by: Iterable[str]) -> list[str]:
    """``overrides`` with those of ``by``, which take the place of any about the same."""
    by = list(by)
    keys = {key_of(override) for override in by}
    return [*(override for override in overrides if key_of(override) not in keys), *by]


def of_a_choice(override: str) -> bool:
    """Whether ``override`` may be an option of one choice; it may also be one that has options of its own."""
    return _OF_CHOICE.fullmatch(override) is not None


def resolved(cells: Sequence[Sequence[str]], compose: Compose, *, all_made: bool = True) -> list[list[str]]:
    """Cells in which each option of a choice stands as ``group.option``, or not at all; each once, in their order.

    Args:
        cells: the overrides of each.
        compose: gives the configuration of overrides, with the choices that they make.
        all_made: of what choices options are, each must be made by a cell.

    Raises:
        ZooError: a choice or option that there is not, or an option of a choice that no cell makes.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    made, composed = _Made(), _Composed(compose)
    for cell in cells:
        asked = [_Option(*match.groups()) for match in map(_OF_CHOICE.fullmatch, cell) if match]
        given = [override for override in cell if not of_a_choice(override)]
        if asked:
            config = composed(given)
            given = replaced(given, (text for option in asked for text in _resolved(option, config, made)))
        found.setdefault(tuple(sorted(given)), given)
    if all_made:
        made.check()
    return [*found.values()]


class _Composed:
    """Configurations as far as choices matter: composing takes a while, and the cells of a sweep share them."""

    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        self._known: dict[tuple[str, ...], DictConfig] = {}

    def __call__(self, overrides: Sequence[str]) -> DictConfig:
        choosing = tuple(o for o in overrides if "." not in (key := key_of(o)) or key.endswith(".name"))
        if choosing not in self._known:
            self._known[choosing] = self._compose(choosing)
        return self._known[choosing]


class _Made:
    """Which choices the cells make, and which were asked for."""

    def __init__(self) -> None:
        self._made: dict[str, list[str]] = {}
        self._asked: dict[tuple[str, str], str] = {}

    def note(self, option: _Option, choice: str) -> None:
        self._made.setdefault(option.group, []).append(choice)
        self._asked.setdefault((option.group, option.choice), option.key)

    def check(self) -> None:
        """Raises `ZooError` for an option of a choice that no cell makes."""
        for (group, choice), key in self._asked.items():
            made = list(dict.fromkeys(self._made[group]))
            if choice not in made:
                raise ZooError(f"{key} is for {group}={choice}, which is not among the choices: {', '.join(made)}")


def _resolved(option: _Option, config: DictConfig, made: _Made) -> Iterator[str]:
    node = _node(config, option.group)
    if option.choice in node:  # an option that has options of its own, as cond.parts.film.hidden
        yield f"{option.prefix}{option.key}={option.value}"
        return
    known = _choices(option.group)
    if option.choice not in known:
        own = [str(name) for name, value in node.items() if isinstance(value, Mapping)]
        kind = _REGISTRIES[option.group].kind if option.group in _REGISTRIES else option.group
        raise ZooError(f"{option.key}: {unknown(kind, option.choice, [*known, *own])}")
    chosen = str(node.get("name") or config.hydra.runtime.choices.get(option.group))
    made.note(option, chosen)
    if chosen != option.choice:
        return
    if not option.prefix and (first := option.name.partition(".")[0]) not in node:
        known = [str(name) for name in node if name != "name"]
        hint = did_you_mean(first, known, f"{option.group}.{option.choice}.")
        raise ZooError(f"unknown option {option.key!r}{hint} Available: {', '.join(sorted(known)) or 'none'}.")
    yield option.plain


def _node(config: DictConfig, group: str) -> Mapping[str, Any]:
    """What was chosen in ``group``; a name alone, as of a method without options, is a node of that name."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    node = plain.get(group)
    return node if isinstance(node, Mapping) else {"name": node}


def _choices(group: str) -> list[str]:
    registered = _REGISTRIES[group].list() if group in _REGISTRIES else []
    return sorted({*registered, *(name for name in options(group) if "+" not in name)})
