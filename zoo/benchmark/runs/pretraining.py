"""Pretrains the encoder `unet`, from its configuration to its file. The work is that of ``encoder=unet_ae``."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo import registry
from zoo.benchmark.config.options import check_range, under
from zoo.benchmark.config.plugins import import_modules
from zoo.benchmark.config.spec import Machine
from zoo.benchmark.runs.environment import out_of_memory_told
from zoo.benchmark.runs.grid import save_grid
from zoo.benchmark.runs.photos import others
from zoo.benchmark.runs.progress import TrainingBar, bar, one_line_warning
from zoo.cache.images import ImageCache, View, open_images
from zoo.devices import pick_device
from zoo.encoder_file import read
from zoo.encoders.unet import UNetEncoder
from zoo.encoders.unet_ae import Objective, Recipe
from zoo.errors import ZooError
from zoo.evaluation.reconstruction import Reconstruction, reconstruct
from zoo.files import replacing
from zoo.option_types import check_options, check_type
from zoo.training.autoencoder import Autoencoder
from zoo.training.pretrain import pretrain, untrained

_TITLES = ("grey", "seen", "from seen", "from grey")


@dataclass(frozen=True)
class Task:
    """What to pretrain, checked; nothing is started."""

    recipe: Recipe
    images: ImageCache
    val: ImageCache
    device: str
    cache: Path
    output: Path
    overwrite: bool

    @classmethod
    def open(cls, config: DictConfig) -> Task:
        """Raises `ZooError` for something that the user can mend, before anything heavy is done."""
        import_modules(config.plugins)
        missing = sorted(OmegaConf.missing_keys(config))
        if missing:
            raise ZooError(f"{missing[0]} must be given: {missing[0]}=...")
        plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
        recipe = recipe_of(plain)
        recipe.objective.check(plain["image_size"])
        machine = Machine(device=plain["device"], cache_dir=plain["cache_dir"])
        device = pick_device(machine.device)
        output = _checked_output(plain)
        data = dict(plain["data"])
        name, limit, dedupe = data.pop("name"), data.pop("limit", None), data.pop("dedupe", False)
        check_type("data.dedupe", dedupe, bool)
        if data.pop("crop", None) is not None:
            raise ZooError("data.crop must be null: pretraining looks at whole images")
        check_options("data", registry.datasets.get(name), data)
        view, val_limit = View(plain["image_size"]), plain["val_limit"]
        warnings.showwarning = partial(one_line_warning, options=registry.datasets.options(name))
        with under("data", registry.datasets, name):
            dataset = registry.datasets.create(name, **data)
            dataset.prepare(machine.cache, bar)
            unlike = others(dataset, view, machine.cache) if dedupe else None
            images = open_images(
                dataset, "train", view, machine.cache, drop_grey=True, limit=limit, unlike=unlike, progress=bar
            )
            val = open_images(dataset, "val", view, machine.cache, drop_grey=False, limit=val_limit, progress=bar)
        return cls(recipe, images, val, device, machine.cache, output, plain["overwrite"])

    def done(self) -> bool:
        """Whether the output is there already. Raises `ZooError` if it is the work of other settings."""
        if not self.output.exists() or self.overwrite:
            return False
        _, record = read(self.output, "output")
        wanted = untrained(self.recipe, self.images).identity()
        differing = sorted(key for key in wanted if record.get(key) != wanted[key])
        if differing:
            raise ZooError(
                f"output={self.output} was made with other settings ({', '.join(differing)}); "
                "give another output, or overwrite=true"
            )
        return True


def recipe_of(config: Mapping[str, Any]) -> Recipe:
    """The recipe in a resolved configuration. Raises `ZooError` naming a key that is unknown or of a wrong value."""
    check_options("encoder", UNetEncoder, config["encoder"], given=("frozen", "weights"))
    check_options("objective", Objective, config["objective"])
    check_options("train", Recipe, config["train"], given=("encoder", "objective", "seed"))
    for name in ("image_size", "seed"):
        check_type(name, config[name], int)
        check_range(name, config[name], "[8, inf)" if name == "image_size" else "[0, inf)")
    check_type("val_limit", config["val_limit"], int | None)
    encoder = UNetEncoder(**config["encoder"])  # checks sizes
    return Recipe(encoder.architecture, Objective(**config["objective"]), **config["train"], seed=config["seed"])


def pretrain_encoder(config: DictConfig) -> None:
    """Check, pretrain, score, and write the file with a picture beside it.

    Raises:
        ZooError: something that the user can mend, as early as it can be known.
    """
    warnings.showwarning = one_line_warning
    task = Task.open(config)
    if task.done():
        print(f"{task.output} is there already; to repeat it, delete it")
    else:
        with out_of_memory_told("train.batch_size"), TrainingBar("pretraining") as progress:
            made = pretrain(task.recipe, task.images, task.cache, device=task.device, on_step=progress)
        with replacing(task.output) as temporary:
            shutil.copyfile(made, temporary)
    found = reconstruct(Autoencoder.load(task.output), task.val, device=task.device)
    picture = task.output.with_suffix(".png")
    save_grid(picture, found.sample_grid, _TITLES)
    _show(task, found, picture)


def _checked_output(config: Mapping[str, Any]) -> Path:
    check_type("output", config["output"], str)
    check_type("overwrite", config["overwrite"], bool)
    output = Path(config["output"]).expanduser()
    if output.suffix != ".safetensors":
        raise ZooError(f"output must end in .safetensors, not {config['output']!r}")
    output.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(output.parent, os.W_OK):
        raise ZooError(f"output={output}: cannot write to this folder")
    return output


def _show(task: Task, found: Reconstruction, picture: Path) -> None:
    what = {"denoising": "from noise", "masked": "hidden patches"}.get(task.recipe.objective.name)
    corrupted = f", {what} {found.psnr_corrupted:.2f} dB" if what else ""
    print(f"\nPSNR of L on {len(task.val)} val images: {found.psnr:.2f} dB{corrupted}")
    print(f"encoder: {task.output}\npicture: {picture}")
