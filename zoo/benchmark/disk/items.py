"""Things on disk with a state and an age: listed, and removed where somebody chose them."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.benchmark.tables.text_table import render
from zoo.errors import ZooError

BUSY = "in use"
FAILED, SUPERSEDED = "failed", "superseded"
_DAY = 86400.0


@dataclass(frozen=True)
class Item:
    """Files that belong together.

    Attributes:
        place: the file, or the folder that goes with its files.
        used: when one of them was last written or, where that is known, read, in seconds since 1970.
        told: of it, in a few words.
    """

    place: Path
    state: str
    files: tuple[Path, ...]
    used: float
    told: str = ""


def last_used(files: Iterable[Path], *, read: bool = False) -> float:
    """When one of ``files`` was last written or, with ``read``, read; 0: there is none."""
    latest = 0.0
    for file in files:
        with suppress(OSError):  # it was just removed
            found = file.stat()
            latest = max(latest, found.st_mtime, found.st_atime if read else 0.0)
    return latest


def size(items: Iterable[Item], *, freed: bool = False) -> int:
    """Bytes of their files, each once, whatever links to it; ``freed``: only of those that nothing else links to."""
    found: dict[tuple[int, int], list[os.stat_result]] = {}
    for file in {file for item in items for file in item.files}:
        with suppress(OSError):  # it was just removed
            about = file.stat()
            found.setdefault((about.st_dev, about.st_ino), []).append(about)
    return sum(some[0].st_size for some in found.values() if not freed or len(some) >= some[0].st_nlink)


def manage(given: argparse.Namespace, items: Sequence[Item], remove: Callable[[Item], str]) -> None:
    """List what was chosen, and with ``prune --yes`` remove it.

    Args:
        remove: an item, unless it has changed since or somebody is at work on it; says why it stays, if it does.

    Raises:
        ZooError: nothing says what to prune, or an age is none.
    """
    states = [state for state in (FAILED, SUPERSEDED) if getattr(given, state)]
    if given.yes and given.action != "prune":
        raise ZooError("--yes is for prune: give prune --yes with what shall go")
    if given.action == "prune" and not states and given.older_than is None:
        raise ZooError("prune what? Give --failed, --superseded or --older-than DAYS")
    if given.older_than is not None and not given.older_than >= 0:
        raise ZooError(f"--older-than {given.older_than:g}: expected a number of days, from 0")
    now = time.time()
    chosen = [
        item
        for item in items
        if (not states or item.state in states)
        and (given.older_than is None or now - item.used > given.older_than * _DAY)
        and (given.action != "prune" or item.state != BUSY)
    ]
    if chosen:
        print(render([["", "state", "MB", "days", ""], *(_line(item, now) for item in chosen)], left=(0, 1, 4)))
    print(f"{len(chosen)} of {len(items)}, {size(chosen) / 1e6:.1f} of {size(items) / 1e6:.1f} MB")
    if given.action == "prune":
        _prune(chosen, remove, really=given.yes)


def _prune(chosen: Sequence[Item], remove: Callable[[Item], str], *, really: bool) -> None:
    if not really:
        if chosen:
            print(f"nothing was deleted; with --yes this frees {size(chosen, freed=True) / 1e6:.1f} MB")
        return
    freed, kept = 0, []
    for item in chosen:
        before = size([item], freed=True)
        if why := remove(item):
            kept.append(f"{item.place.name} stays: {why}")
        else:
            freed += before
    print("\n".join([f"{len(chosen) - len(kept)} deleted, {freed / 1e6:.1f} MB freed", *kept]))


def _line(item: Item, now: float) -> list[str]:
    days = f"{max(0.0, now - item.used) / _DAY:.1f}"
    return [item.place.name, item.state, f"{size([item]) / 1e6:.1f}", days, item.told]
