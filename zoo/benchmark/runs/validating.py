"""What a run leaves of its looks at validation photos: a line of ``val.csv`` and a picture each time."""

from __future__ import annotations

from pathlib import Path

from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.runs.grid import save_grid
from zoo.benchmark.runs.progress import bar
from zoo.data import Dataset
from zoo.files import write_text
from zoo.model import ColorDiffusion
from zoo.training.validation import SCORES, open_validation
from zoo.training.watch import OnValidate, Validated

_HEAD = ("step", "loss", *SCORES)


def validator(spec: Spec, model: ColorDiffusion, dataset: Dataset, folder: RunFolder) -> OnValidate | None:
    """For `zoo.training.diffusion.train`: writes down what is found after so many steps, and says it; None where
    there is nothing to look at or nobody wants to."""
    if spec.train.val_every is None:
        return None
    look = open_validation(model, dataset, spec.train, spec.sampler, cache_dir=spec.machine.cache, progress=bar)
    if look is None:
        return None

    def validate(step: int) -> Validated:
        found = look()
        _note(folder.validation, step, found)
        if found.sample_grid is not None:
            save_grid(folder.validation_grid, found.sample_grid)
        return found

    return validate


def _note(path: Path, step: int, found: Validated) -> None:
    """A resumed run takes the place of what its former self had noted beyond its last checkpoint. Lines from before
    there were scores have holes."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.is_file() else []
    before = [line for line in lines if int(line.partition(",")[0]) < step]
    whole = [line + "," * (len(_HEAD) - 1 - line.count(",")) for line in before]
    values = [found.loss, *(found.scores[name] for name in SCORES)]
    write_text(path, "\n".join([",".join(_HEAD), *whole, ",".join([str(step), *(f"{v:.6f}" for v in values)])]) + "\n")
