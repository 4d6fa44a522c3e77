"""Which photos of a folder show one picture, so that all of them fall into one split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo.data import BrokenImageError
from zoo.files import write_json
from zoo.progress import Progress
from zoo.reading.budget import BUDGET
from zoo.reading.near_duplicates import Fingerprints, fingerprint, groups

_FORMAT = 1  # raise it when the same photo would get another fingerprint

Known = dict[str, list[str]]  # name → state of its file, fingerprint


class Looked:
    """Fingerprints of photos, each taken once: a file keeps them for the next time.

    Args:
        load: a photo's pixels by its name, see `zoo.data.Dataset.load`.
        state: changes when the photo does.
        kept: the file that keeps them; None: nothing does.
        progress: wraps the loop over photos that are new.
    """

    def __init__(
        self,
        load: Callable[[str], np.ndarray],
        state: Callable[[str], str],
        kept: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.load, self.state, self.kept, self.progress = load, state, kept, progress

    def first_of_group(self, names: Sequence[str]) -> dict[str, str]:
        """Each of ``names`` → the first, in their order, of those that show its picture."""
        known = _read(self.kept)
        states = {name: self.state(name) for name in names}
        new = [name for name in names if known.get(name, [""])[0] != states[name]]
        found: Iterable[tuple[str, str]] = self._looks(new)
        if self.progress is not None and new:
            found = self.progress(found, len(new), "looking for photos that show one picture")
        taken: Known = {name: [states[name], print_] for name, print_ in found}
        if taken and self.kept is not None:
            write_json(self.kept, {"format": _FORMAT, "photos": {**known, **taken}})
        known |= taken
        prints = Fingerprints.from_hex(tuple(names), [known[name][1] for name in names])
        return {name: names[first] for name, first in zip(names, groups(prints.bits))}

    def _looks(self, names: Sequence[str]) -> Iterable[tuple[str, str]]:
        with ThreadPoolExecutor() as pool:
            yield from zip(names, pool.map(self._look, names))

    def _look(self, name: str) -> str:
        with BUDGET.scope():
            try:
                return fingerprint(np.ascontiguousarray(self.load(name)))
            except BrokenImageError:  # whoever trains on it will say so
                return Fingerprints.NOTHING


def file_for(root: Path, cache_dir: Path) -> Path:
    """Where fingerprints of the photos below ``root`` are kept."""
    return cache_dir / f"fingerprints-{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:24]}.json"


def _read(kept: Path | None) -> Known:
    try:
        known = json.loads(kept.read_text(encoding="utf-8")) if kept is not None else {}
        return dict(known["photos"]) if known.get("format") == _FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or damaged: it is made again
        return {}
