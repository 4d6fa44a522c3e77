"""Trains a `ColorDiffusion`: what it eats is opened, then the one trainer feeds it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zoo import checkpoint
from zoo.cache.features import open_features
from zoo.cache.images import View, encoder_view, open_images
from zoo.data import Dataset, Split
from zoo.encoders.unet_ae import Recipe
from zoo.faces.framing import WHOLE
from zoo.model import ColorDiffusion
from zoo.progress import OnStep, Progress
from zoo.reading.near_duplicates import Fingerprints
from zoo.registry import encoders
from zoo.training.batches import Batches, Costs, inputs
from zoo.training.config import TrainConfig
from zoo.training.crops import Crop
from zoo.training.order import parts_of
from zoo.training.pretrain import pretrain, seconds_of
from zoo.training.trainer import Trainer, TrainResult
from zoo.training.watch import OnValidate
from zoo.weights import sha256_module


def train(
    model: ColorDiffusion,
    batches: Batches,
    config: TrainConfig,
    folder: Path,
    *,
    device: str = "cpu",
    on_step: OnStep | None = None,
    on_validate: OnValidate | None = None,
) -> TrainResult:
    """Train ``model`` in place, or go on from the checkpoint in ``folder``; afterwards it holds the averaged weights.

    Writes `CHECKPOINT` as it goes and `MODEL` at the end, each atomically. On the CPU a run that was killed and
    resumed ends with the same bits as one that was not.

    Args:
        on_step, on_validate: see `Trainer`.

    Raises:
        ZooError: the loss was not finite (the last good checkpoint stays), the checkpoint is of another run or damaged,
            or a file cannot be written.
    """
    model.set_chroma_statistics(batches.chroma_sample())
    unused = not model.conditioner.uses_encoder
    save = partial(checkpoint.save, model)
    return Trainer(
        model,
        batches,
        inputs,
        config,
        folder,
        save,
        device=device,
        on_step=on_step,
        on_validate=on_validate,
        unused_parameters=unused,
    ).run()


def open_batches(
    model: ColorDiffusion,
    dataset: Dataset,
    config: TrainConfig,
    *,
    seed: int,
    cache_dir: Path,
    device: str = "cpu",
    limit: int | None = None,
    unlike: Fingerprints | None = None,
    crop: tuple[float, float] | None = None,
    progress: Progress | None = None,
    on_step: OnStep | None = None,
) -> Batches:
    """Decode the training images, let the encoder `pretrain` on them and compute the features of a frozen one,
    or find all three in ``cache_dir``.

    Args:
        limit: use only so many images.
        unlike: and none that shows the same picture as one of these.
        crop: train on squares of the images, of this least and largest side in fractions of theirs; the features of a
            frozen encoder are then computed in every step. None: on whole images.
        on_step: hears of the steps of an encoder that is pretrained here.
    """
    split: Split = "train"
    open_view = partial(
        open_images,
        dataset,
        split,
        cache_dir=cache_dir,
        drop_grey=True,
        limit=limit,
        unlike=unlike,
        progress=progress,
    )
    images = open_view(View(model.image_size))
    view = encoder_view(model.encoder, dataset, model.image_size) if model.conditioner.uses_encoder else None
    cropped = None if crop is None else _crop(model, crop, view)
    source = open_view(View(cropped.source_size)) if cropped else images
    draw = partial(
        Batches,
        source,
        config,
        seed=seed,
        chroma_size=model.image_size // model.denoiser.chroma_scale,
        diffusion=model.diffusion,
        parts=parts_of(images.keys, dataset.weights),
        crop=cropped,
        hints=model.hints,
    )
    if not model.conditioner.uses_encoder:
        return draw()
    taught: list[float | None] = []

    def teach(recipe: Recipe) -> Path:
        file = pretrain(recipe, images, cache_dir, device=device, on_step=on_step)
        taught.append(seconds_of(file))
        return file

    model.encoder.pretrain(images, cache_dir=cache_dir, device=device, on_step=on_step, teach=teach)
    known = [seconds for seconds in taught if seconds is not None]
    pretraining = sum(known) if len(known) == len(taught) else None
    if cropped and cropped.view_size:
        return draw(costs=Costs(pretraining=pretraining))  # the encoder sees each square for itself
    views = open_view(view) if view else None
    box = view.box if view else WHOLE
    features = None
    if model.encoder.frozen and not cropped:
        features = open_features(
            model.encoder,
            views or images,
            box,
            cache_dir,
            identity=encoder_identity(model),
            max_gb=config.feature_cache_gb,
            device=device,
            flips=config.flip,
            progress=progress,
        )
    costs = Costs(features=features.seconds if features else 0.0, pretraining=pretraining)
    return draw(views=views, features=features, box=box, costs=costs)


def _crop(model: ColorDiffusion, scales: tuple[float, float], view: View | None) -> Crop:
    own = view is not None and model.encoder.frame is None
    return Crop(scales, model.image_size, view.size if own and view else None)


def encoder_identity(model: ColorDiffusion) -> str:
    """What features depend on besides the encoder's weights and version: its name and options, but no path; what its
    tensors hold if they were not published; and, if it is not built in, its source, and the seed where that may count.
    """
    asked = model.spec["encoder"]
    options = {k: v for k, v in encoders.get(asked["name"]).in_use(asked).items() if k != "weights"}
    own = model.encoder.weights_sha is None
    drawn = sha256_module(model.encoder) if own else None
    source = encoders.source_sha(asked["name"])
    plug_in = [source, model.spec["seed"] if own else None] if source else []
    return repr((sorted(options.items()), drawn, *plug_in))
