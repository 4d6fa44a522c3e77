"""The folder of a run: ``<results_dir>/<run_id>/``. It is named by what the run is, so a run finds its own traces.

Whatever reads or writes in there takes the names from here; but for the two files of the trainer,
`zoo.training.resume.CHECKPOINT`, from which a run that was killed goes on, and `zoo.tensor_file.MODEL`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.files import link, remove_parts, replacing, write_json, write_text
from zoo.locks import claimed

if TYPE_CHECKING:
    from zoo.evaluation.evaluate import Evaluation

LOCK = ".lock"  # held by whoever works here
SPEC = "spec.yaml"  # the resolved configuration
RECORD = "record.json"  # what its numbers depend on: canonical settings, a protocol a metric, commit, device, weights
ENVIRONMENT = "environment.json"  # what it ran on
MANIFEST = "manifest.json"  # how many images there were, which were skipped, and the hashes that identify them
PEAK = "peak_memory.json"  # the most memory that training took, over all sittings and runs that share it
PROGRESS = "progress.json"  # the share of the training that is behind it
LOG = "train"  # losses as TensorBoard's event files
VALIDATION = "val.csv"  # loss and scores on validation photos as training went
VALIDATION_GRID = "val.png"  # grey, a colouring and truth of some of them, the last time
GRID = "grid.png"  # grey, colourings and truth of a few photos
# ``keys`` (K,) and ``sample_grid`` (K, 2 + S, H, W, 3) uint8: grey, S samples and truth of K images
SAMPLE_GRID = "sample_grid.npz"
# ``image``, ``person`` where it is known, and for each score that is a mean over images its value (NaN: it has none)
PER_IMAGE = "per_image.parquet"
PERSON = "person"
PROTOCOL = "protocol.json"  # how all metrics were scored, of a run from before each had a protocol of its own
ROWS = "rows.csv"  # the scores; written last: a run with this file is done
_PICTURES = (GRID, SAMPLE_GRID, VALIDATION_GRID)
_WRITTEN = (SPEC, RECORD, ENVIRONMENT, MANIFEST, PEAK, PROGRESS, VALIDATION, PER_IMAGE, PROTOCOL, ROWS, *_PICTURES)


class RunFolder:
    """One run's folder; made when something is first written to it."""

    def __init__(self, results_dir: Path, run_id: str) -> None:
        self.path = results_dir / run_id
        self.rows = self.path / ROWS
        self.progress = self.path / PROGRESS
        self.grid = self.path / GRID
        self.validation = self.path / VALIDATION
        self.validation_grid = self.path / VALIDATION_GRID

    @property
    def done(self) -> bool:
        return self.rows.is_file()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes out. Raises `HeldError` if one is at work here."""
        with claimed(self.path / LOCK):
            remove_parts(self.path)
            yield

    def describe(self, spec: Mapping[str, Any], environment: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Write what is known before training."""
        import yaml  # type: ignore[import-untyped]

        write_text(self.path / SPEC, yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True))
        write_json(self.path / ENVIRONMENT, environment)
        write_json(self.path / MANIFEST, manifest)

    def adopt_training(self, course_id: str, budget: Budget) -> str | None:
        """Go on from the last checkpoint of another run here that is the same as far as it goes, if it lies within the
        budget; from that of most steps. Returns that run's id."""
        from zoo.training.resume import CHECKPOINT, spent  # brings in torch

        if (self.path / CHECKPOINT).exists():
            return None
        others = [m.parent for m in self.path.parent.glob(f"*/{MANIFEST}") if course_of(m.parent) == course_id]
        behind = {folder: spent(folder / CHECKPOINT) for folder in others}
        within = {folder: at for folder, at in behind.items() if at is not None and budget.holds(*at)}
        if not within:
            return None
        chosen = max(within, key=lambda folder: within[folder])
        link(chosen / CHECKPOINT, self.path / CHECKPOINT)
        if (chosen / VALIDATION).is_file():
            write_text(self.validation, (chosen / VALIDATION).read_text(encoding="utf-8"))
        self.remember_peak(_peak(chosen / PEAK))
        return chosen.name

    def shorter(self, any_budget_id: str, budget: Budget) -> str | None:
        """A run here that is the same but for a smaller budget."""
        for manifest in sorted(self.path.parent.glob(f"*/{MANIFEST}")):
            other = Budget.of(manifest.parent) if _fact(manifest.parent, "any_budget_id") == any_budget_id else None
            if other and other.smaller(budget):
                return manifest.parent.name
        return None

    def share_model(self, training_id: str) -> None:
        """Keep one file for the models of all runs here with the same training, as far as they are the same."""
        from zoo.tensor_file import MODEL, same

        for folder in self._with_training(training_id, MODEL):
            if same(folder / MODEL, self.path / MODEL):
                with suppress(OSError):  # it went in the moment between: each has its own then
                    link(folder / MODEL, self.path / MODEL)
                return

    def _with_training(self, training_id: str, name: str) -> list[Path]:
        """Folders of other runs with this training that have the file ``name``."""
        found = [manifest.parent for manifest in self.path.parent.glob(f"*/{MANIFEST}")]
        others = [folder for folder in found if folder != self.path and (folder / name).is_file()]
        return [folder for folder in others if _fact(folder, "training_id") == training_id]

    def remember_peak(self, megabytes: float) -> float:
        """Note how much memory was taken, in MB; returns the most that was ever noted here."""
        most = max(megabytes, _peak(self.path / PEAK))
        write_json(self.path / PEAK, {"mb": most})
        return most

    def keep(self, found: Evaluation, record: Mapping[str, Any]) -> None:
        """Write what makes scores comparable photo by photo, and what there is to look at."""
        import numpy as np
        import pandas as pd

        from zoo.data import printable

        write_json(self.path / RECORD, record)
        values = {score.name: score.per_image.numpy() for score in found.scores if score.per_image is not None}
        with replacing(self.path / PER_IMAGE) as temporary:
            images = {"image": [printable(key) for key in found.keys]}
            pd.DataFrame(images | values).to_parquet(temporary, compression="zstd", index=False)
        with replacing(self.path / SAMPLE_GRID) as temporary, temporary.open("wb") as file:
            keys = np.array([printable(key) for key in found.grid_keys])
            np.savez_compressed(file, keys=keys, sample_grid=found.sample_grid)

    def name_people(self, people: Mapping[str, str]) -> bool:
        """Keep who is on which photo beside the values of the photos; whether that was not known, or known otherwise.
        Nothing is known of an image that ``people`` lacks, and nothing changes where it is empty."""
        import pandas as pd

        if not people or not (self.path / PER_IMAGE).is_file():
            return False
        values = pd.read_parquet(self.path / PER_IMAGE)
        named = values["image"].map(people).astype(object)
        if PERSON in values and named.equals(values[PERSON].astype(object)):
            return False
        with replacing(self.path / PER_IMAGE) as temporary:
            values.assign(**{PERSON: named}).to_parquet(temporary, compression="zstd", index=False)
        return True

    def files(self) -> list[Path]:
        """What a run writes, as far as it is there, the rows first: without them it is not done. Nothing else that
        somebody put here, and no link that leads elsewhere."""
        from zoo.tensor_file import MODEL
        from zoo.training.log import WANDB
        from zoo.training.resume import CHECKPOINT

        names = (ROWS, *(name for name in _WRITTEN if name != ROWS), CHECKPOINT, MODEL, WANDB)
        logs = [] if (self.path / LOG).is_symlink() else sorted((self.path / LOG).rglob("events.out.tfevents.*"))
        return [
            file for file in (*(self.path / name for name in names), *logs) if file.is_file() and not file.is_symlink()
        ]

    def record(self) -> dict[str, Any]:
        """What `keep` was told; nothing, of a run from before it was kept."""
        file = self.path / RECORD
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found


@dataclass(frozen=True)
class Budget:
    """Of a training; one of the two."""

    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, folder: Path) -> Budget | None:
        """That of the run in ``folder``; None: there is none that can be read."""
        import yaml

        try:
            train = yaml.safe_load((folder / SPEC).read_text(encoding="utf-8"))["train"]
            return cls(train["steps"], train["seconds"])
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            return None

    def holds(self, steps: int, seconds: float) -> bool:
        """Whether so much lies within it."""
        return steps <= self.steps if self.steps is not None else seconds <= (self.seconds or 0.0)

    def smaller(self, other: Budget) -> bool:
        """Whether it is of the same kind, and smaller."""
        if self.steps is not None and other.steps is not None:
            return self.steps < other.steps
        return self.seconds is not None and other.seconds is not None and self.seconds < other.seconds


def course_of(folder: Path) -> str | None:
    """What trainings share that are the same as far as they go; None: the run in ``folder`` has none that is known."""
    return _fact(folder, "course_id") or _fact(folder, "training_id")  # before there were constant learning rates


def _fact(folder: Path, name: str) -> str | None:
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _peak(path: Path) -> float:
    return float(json.loads(path.read_text())["mb"]) if path.exists() else 0.0
