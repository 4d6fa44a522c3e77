"""The scratch encoder, pretrained: an autoencoder learns L alone from the training images, then colour begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from zoo.cache.images import ImageCache
from zoo.encoders.unet import UNetEncoder
from zoo.registry import encoders
from zoo.training.autoencoder import Objective
from zoo.training.pretrain import Recipe, pretrain
from zoo.training.trainer import OnStep


@encoders.register("unet_ae")
class PretrainedUNetEncoder(UNetEncoder):
    """`UNetEncoder`, pretrained in `pretrain` on the very images that it will see in training.

    Args:
        width: see `UNetEncoder`, as for mults, blocks, patch.
        frozen: no more training once colour begins.
        pretrained: False: random weights, as ``encoder=unet`` has.
        weights: a file of ``benchmarks/pretrain.py``, instead of pretraining.
        objective: "plain", "denoising" or "masked"; see `zoo.training.autoencoder.Objective`,
        noise_std: also for this,
        mask_ratio: this
        mask_size: and this.
        pretrain_steps: of the optimiser.
        pretrain_batch_size: images per step.
        pretrain_lr: peak learning rate.
        pretrain_seed: one pretraining serves the runs of all seeds, unless this changes with them.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        mults: Sequence[int] = (1, 2),
        blocks: int = 1,
        patch: int = 4,
        frozen: bool = False,
        pretrained: bool = True,
        weights: str | None = None,
        objective: Literal["plain", "denoising", "masked"] = "masked",
        noise_std: float = 0.5,
        mask_ratio: float = 0.6,
        mask_size: int = 8,
        pretrain_steps: int = 1000,
        pretrain_batch_size: int = 32,
        pretrain_lr: float = 1e-3,
        pretrain_seed: int = 0,
    ) -> None:
        given = weights if pretrained else None
        super().__init__(width=width, mults=mults, blocks=blocks, patch=patch, frozen=frozen, weights=given)
        self.pretrained = pretrained
        self.recipe = Recipe(
            self.architecture,
            Objective(objective, noise_std, mask_ratio, mask_size),
            steps=pretrain_steps,
            batch_size=pretrain_batch_size,
            lr=pretrain_lr,
            seed=pretrain_seed,
        )

    def pretrain(
        self, images: ImageCache, *, cache_dir: Path, device: str = "cpu", on_step: OnStep | None = None
    ) -> None:
        """Pretrain, or find the result of having done so in ``cache_dir``. Weights that are there already stay."""
        if self.pretrained and self.weights_sha is None:
            self.load_pretrained(str(pretrain(self.recipe, images, cache_dir, device=device, on_step=on_step)))
