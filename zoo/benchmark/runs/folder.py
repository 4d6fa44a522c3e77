"""The folder of a run: ``<results_dir>/<run_id>/``. It is named by what the run is, so a run finds its own traces.

Whatever reads or writes in there takes the names from here; but for the two files of the trainer,
`zoo.training.resume.CHECKPOINT`, from which a run that was killed goes on, and `zoo.tensor_file.MODEL`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
VALIDATION = "val.csv"  # the loss on validation photos as training went
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

    def adopt_training(self, training_id: str) -> str | None:
        """If another run here has the same training, go on from its last checkpoint. Returns that run's id."""
        from zoo.training.resume import CHECKPOINT  # brings in torch

        if (self.path / CHECKPOINT).exists():
            return None
        found = self._with_training(training_id, CHECKPOINT)
        if not found:
            return None
        newest = max(found, key=lambda folder: (folder / CHECKPOINT).stat().st_mtime)
        link(newest / CHECKPOINT, self.path / CHECKPOINT)
        self.remember_peak(_peak(newest / PEAK))
        return newest.name

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
        return [folder for folder in others if training_of(folder) == training_id]

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
        from zoo.training.resume import CHECKPOINT

        names = (ROWS, *(name for name in _WRITTEN if name != ROWS), CHECKPOINT, MODEL)
        logs = [] if (self.path / LOG).is_symlink() else sorted((self.path / LOG).rglob("events.out.tfevents.*"))
        return [
            file for file in (*(self.path / name for name in names), *logs) if file.is_file() and not file.is_symlink()
        ]

    def record(self) -> dict[str, Any]:
        """What `keep` was told; nothing, of a run from before it was kept."""
        file = self.path / RECORD
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found


def training_of(folder: Path) -> str | None:
    """The id of the training that the run in ``folder`` rests on; None: none, or of an older version."""
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["training_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _peak(path: Path) -> float:
    return float(json.loads(path.read_text())["mb"]) if path.exists() else 0.0
