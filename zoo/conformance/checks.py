"""A check of a contract, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

S = TypeVar("S")


class Broken(Exception):
    """A check fails; the text says how."""


class Moot(Exception):
    """A check does not apply, or cannot be looked at; the text says why."""


@dataclass(frozen=True)
class Result:
    """What came of one check.

    Attributes:
        check: a sentence without its subject, e.g. ``"stays in eval mode when frozen"``.
        ok: whether it is kept; None where it does not apply.
        detail: how it is broken, why it does not apply, or what was measured.
    """

    check: str
    ok: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """Every check of one registered name.

    Attributes:
        kind, name: what was examined,
        options: and built with these.
        results: in the order of the contract.
        note: what the reader should know, e.g. that the weights are random.
    """

    kind: str
    name: str
    options: Mapping[str, Any]
    results: Sequence[Result] = field(default_factory=tuple)
    note: str = ""

    @property
    def broken(self) -> list[Result]:
        return [result for result in self.results if result.ok is False]


@dataclass
class Subject:
    """Something to look at, which its checks build as often as they need to.

    Attributes:
        build: a fresh one; takes changes of its options.
        parameters: of its constructor.
        device: where costs are measured and metrics compute.
        cls: what is registered,
        options: and what it is built with.
    """

    build: Callable[..., Any]
    parameters: frozenset[str] = frozenset()
    device: str = "cpu"
    cls: type = object
    options: Mapping[str, Any] = field(default_factory=dict)

    def probe(self) -> None:
        """Build one. Raises `ZooError` where its options cannot be."""
        self.build()


Check = Callable[[S], str | None]  # its name is the sentence; returns a detail, raises `Broken` or `Moot`


def look(checks: Sequence[Check[S]], subject: S) -> list[Result]:
    """What comes of each check. One that ends in any other exception is broken, too."""
    return [_look(check, subject) for check in checks]


def _look(check: Check[S], subject: S) -> Result:
    sentence = check.__name__.replace("_", " ")
    try:
        return Result(sentence, True, check(subject) or "")
    except Moot as reason:
        return Result(sentence, None, str(reason))
    except Broken as reason:
        return Result(sentence, False, str(reason))
    except (Exception, SystemExit) as error:  # it may fail in any way; the other checks are of interest still
        return Result(sentence, False, f"it raised {type(error).__name__}: {error}")


def demand(kept: bool, otherwise: str) -> None:
    """Raises `Broken` with a text unless ``kept``."""
    if not kept:
        raise Broken(otherwise)
