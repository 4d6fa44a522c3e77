"""The folder of a run: ``<results_dir>/<run_id>/``. It is named by what the run is, so a run finds its own traces.

spec.yaml           the resolved configuration
environment.json    what it ran on
manifest.json       how many images there were, which were skipped, and the hashes that identify them
peak_memory.json    the most memory that training took, over all sittings and runs that share it
progress.json       the share of the training that is behind it
checkpoint.pt       written while training; a run that was killed goes on from here
model.safetensors   the trained model
grid.png            grey, colourings and truth of a few photos
rows.csv            the scores; written last: a run with this file is done
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from zoo.benchmark.sweeps.ledger import LOCK, PROGRESS, ROWS
from zoo.benchmark.sweeps.locks import claimed
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row
from zoo.files import replacing
from zoo.training.resume import CHECKPOINT

PEAK = "peak_memory.json"


class RunFolder:
    """One run's folder; made when something is first written to it."""

    def __init__(self, results_dir: Path, run_id: str) -> None:
        self.path = results_dir / run_id
        self.rows = self.path / ROWS
        self.progress = self.path / PROGRESS
        self.grid = self.path / "grid.png"

    @property
    def done(self) -> bool:
        return self.rows.is_file()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes out. Raises `HeldError` if one is at work here."""
        with claimed(self.path / LOCK):
            yield

    def describe(self, spec: Mapping[str, Any], environment: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Write what is known before training."""
        _write(self.path / "spec.yaml", OmegaConf.to_yaml(OmegaConf.create(dict(spec))))
        _write(self.path / "environment.json", json.dumps(environment, indent=2) + "\n")
        _write(self.path / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=True) + "\n")

    def adopt_training(self, training_id: str) -> str | None:
        """If another run here has the same training, go on from its last checkpoint. Returns that run's id."""
        checkpoint = self.path / CHECKPOINT
        if checkpoint.exists():
            return None
        same = [m.parent for m in self.path.parent.glob("*/manifest.json") if _training_of(m) == training_id]
        found = [folder for folder in same if (folder / CHECKPOINT).exists()]
        if not found:
            return None
        newest = max(found, key=lambda folder: (folder / CHECKPOINT).stat().st_mtime)
        with replacing(checkpoint) as temporary:
            temporary.unlink()
            _link(newest / CHECKPOINT, temporary)  # its owner replaces the file and never changes it
        self.remember_peak(_peak(newest / PEAK))
        return newest.name

    def remember_peak(self, megabytes: float) -> float:
        """Note how much memory was taken, in MB; returns the most that was ever noted here."""
        most = max(megabytes, _peak(self.path / PEAK))
        _write(self.path / PEAK, json.dumps({"mb": most}) + "\n")
        return most

    def finish(self, results: Iterable[Row]) -> None:
        """Write the scores; from now on the run is `done`."""
        rows.write(self.rows, results)


def _peak(path: Path) -> float:
    return float(json.loads(path.read_text())["mb"]) if path.exists() else 0.0


def _training_of(manifest: Path) -> str | None:
    try:
        return json.loads(manifest.read_text())["training_id"]
    except (ValueError, KeyError):  # of an older version
        return None


def _link(source: Path, target: Path) -> None:
    """A second name for the file, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
