"""Arguments that are refused in one line, where argparse prints its usage, too."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from zoo.errors import ZooError, did_you_mean, unknown

_NUMBERS = {"int": "a whole number", "float": "a number"}
_OPTION = re.compile(r"--?[A-Za-z][^\s=]*")


class Parser(argparse.ArgumentParser):
    """As argparse's own, but what it refuses is a `ZooError`: one line that says what to give instead."""

    _given: Sequence[str] = ()

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """The same. Raises `ZooError` where argparse would print its usage and end the process."""
        self._given = args or ()
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raises `ZooError`, of an option that there is not before all else: a mistyped one is also a missing one."""
        strange = _first_unknown(self._given, self._option_string_actions)
        told = _option(strange, self._option_string_actions) if strange else _in_our_words(message)
        raise ZooError(f"{told} {self.prog} --help shows all")


def refuse(kind: str, name: str, known: Iterable[str], prog: str) -> NoReturn:
    """Raises `ZooError` about a ``name`` that is not among ``known``."""
    raise ZooError(f"unknown {kind} {name!r}{did_you_mean(name, known)} {prog} --help shows all")


def refuse_as_hydra(given: Sequence[str], prog: str, own: argparse.ArgumentParser | None = None) -> None:
    """Raises `ZooError` for what Hydra's own parser of the command line would refuse with its usage; ``own`` takes
    what is not for Hydra."""
    from zoo.benchmark.config.command_line import hydras_parser  # it brings in Hydra

    parents = [hydras_parser()] if own is None else [hydras_parser(), own]
    hydras = given if own is None else own.parse_known_args(given)[1]  # argparse wants all overrides in one place
    Parser(prog=prog, parents=parents, add_help=False).parse_args(hydras)


def _first_unknown(given: Sequence[str], known: Iterable[str]) -> str | None:
    options = [text.partition("=")[0] for text in _before_dashes(given) if _OPTION.match(text)]
    return next((name for name in options if not any(option.startswith(name) for option in known)), None)


def _before_dashes(given: Sequence[str]) -> Sequence[str]:
    return given[: given.index("--")] if "--" in given else given


def _option(name: str, known: Iterable[str]) -> str:
    return f"unknown option {name!r}{did_you_mean(name, known)}"


def _in_our_words(message: str) -> str:
    """A sentence, and its end, out of what argparse says."""
    message = " ".join(message.split())
    if found := re.fullmatch(r"the following arguments are required: (.*)", message):
        return f"give {found[1].replace(', ', ' and ')};"
    if found := re.fullmatch(r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.*)\)", message):
        return unknown(found[1], found[2], (choice.strip("'") for choice in found[3].split(", ")))
    if found := re.fullmatch(r"argument (\S+): invalid (int|float) value: (.*)", message):
        return f"{found[1]} must be {_NUMBERS[found[2]]}, not {found[3]};"
    if found := re.fullmatch(r"argument (\S+): ignored explicit argument (.*)", message):
        return f"{found[1]} takes no value, not {found[2]};"
    if found := re.fullmatch(r"unrecognized arguments: (.*)", message):
        return f"unexpected {found[1]!r};"
    return f"{re.sub(r'argument (?=[-<])', '', message)};"
