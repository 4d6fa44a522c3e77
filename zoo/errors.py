"""Errors that a user can mend. Each message is one line: what was expected, and what to do.

An option is named as Python knows it: as the message's first word, or as ``name=value``. Who puts options into sections
puts those before them, by `below`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class ZooError(ValueError):
    """A wrong name, value, path, shape or file. Command-line tools print the message and exit with 2.

    Attributes:
        about: where a plug-in could not be built: its kind, and the names of its options.
    """

    about: tuple[str, tuple[str, ...]] | None = None


class PlugInError(ZooError):
    """A plug-in that is not built in does not do what its kind promises; the message names it."""


class WeightsNotFoundError(ZooError):
    """Pretrained weights are neither given by path, nor cached, nor to be downloaded.

    Attributes:
        licence: of the weights that were wanted, where they are published ones.
    """

    def __init__(self, message: str, license: str | None = None) -> None:
        super().__init__(message)
        self.license = license


def unknown(kind: str, name: str, known: Iterable[str], section: str = "") -> str:
    """One line about a name that is not among ``known``, with the closest one."""
    prefix = f"{section}." if section else ""
    known = sorted(known)
    hint = did_you_mean(name, known, prefix)
    return f"unknown {kind} {prefix + name!r}{hint} Available: {', '.join(known) or 'none'}."


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """The end of a sentence about a name that is not among ``known``: a question, where one of them is close to it."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {prefix + close[0]!r}?" if close else "."


def below(section: str, options: Iterable[str], message: str) -> str:
    """``message`` with each of the ``options`` that it names under ``section``: ``root=x`` is ``data.root=x``."""
    names = "|".join(sorted(map(re.escape, options)))
    named = rf"^(?=(?:{names})[ :.=])|(?:(?<=[ (])|^)(?=(?:{names})[\w.]*=)"
    return re.sub(named, f"{section}.", message) if names else message
