"""The scratch encoder, pretrained: an autoencoder learns L alone from the training images, then colour begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from zoo.encoders import Images, Teach, drawn
from zoo.encoders.unet import UNetEncoder
from zoo.errors import ZooError
from zoo.progress import OnStep
from zoo.registry import encoders


@dataclass(frozen=True)
class Objective:
    """What the autoencoder has to undo.

    Args:
        name: "plain": nothing; "denoising": Gaussian noise (Vincent et al. 2008); "masked": hidden patches (He et al.
            2022), in whose place stands one learned value.
        noise_std: of the noise, in units of L in [-1, 1].
        mask_ratio: share of the patches that are hidden.
        mask_size: side of a patch in pixels.
    """

    name: Literal["plain", "denoising", "masked"] = "masked"
    noise_std: float = 0.5
    mask_ratio: float = 0.6
    mask_size: int = 8

    def __post_init__(self) -> None:
        if self.name not in ("plain", "denoising", "masked"):
            raise ZooError(f"objective must be plain, denoising or masked, not {self.name!r}")
        if not self.noise_std > 0:
            raise ZooError(f"noise_std must be greater than 0, not {self.noise_std}")
        if not 0 < self.mask_ratio < 1:
            raise ZooError(f"mask_ratio must lie in (0, 1), not {self.mask_ratio}")
        if self.mask_size < 1:
            raise ZooError(f"mask_size must be at least 1, not {self.mask_size}")

    def as_dict(self) -> dict[str, Any]:
        """The name and the parameters that it heeds."""
        heeded = {"plain": (), "denoising": ("noise_std",), "masked": ("mask_ratio", "mask_size")}[self.name]
        return {"name": self.name, **{k: v for k, v in asdict(self).items() if k in heeded}}

    def check(self, image_size: int) -> None:
        """Raises `ZooError` where images of this size cannot be corrupted so."""
        if self.name == "masked" and self.mask_size > image_size // 2:
            raise ZooError(
                f"mask_size must be at most {image_size // 2}, half the image's {image_size} px, not {self.mask_size}"
            )

    def draw(self, n: int, size: int, rng: torch.Generator) -> Tensor | None:
        """The corruption of ``n`` images of ``size`` px: noise (N, 1, S, S), hidden pixels as bool, or None."""
        if self.name == "denoising":
            return self.noise_std * torch.randn(n, 1, size, size, generator=rng)
        if self.name == "masked":
            return self._hidden(n, size, rng)
        return None

    def _hidden(self, n: int, size: int, rng: torch.Generator) -> Tensor:
        """The same number of patches in each image, at least one, and never all."""
        cells = -(-size // self.mask_size)
        count = min(max(round(self.mask_ratio * cells**2), 1), cells**2 - 1)
        rank = torch.rand(n, cells**2, generator=rng).argsort(dim=1).argsort(dim=1)
        hidden = (rank < count).view(n, 1, cells, cells)
        hidden = hidden.repeat_interleave(self.mask_size, 2).repeat_interleave(self.mask_size, 3)
        return hidden[:, :, :size, :size]


@dataclass(frozen=True)
class Recipe:
    """All that a pretrained encoder depends on, but the images.

    Args:
        encoder: width, mults, blocks and patch of `zoo.encoders.unet.UNetEncoder`.
        objective: what the autoencoder undoes.
        steps: of the optimiser.
        batch_size: images per step.
        lr: peak learning rate.
        seed: of the initial weights, the order of the images and what corrupts them.
    """

    encoder: Mapping[str, Any]
    objective: Objective = field(default_factory=Objective)
    steps: int = 1000
    batch_size: int = 32
    lr: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "lr"):
            if not getattr(self, name) > 0:
                raise ZooError(f"pretraining: {name} must be greater than 0, not {getattr(self, name)}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        train = {"steps": self.steps, "batch_size": self.batch_size, "lr": self.lr, "seed": self.seed}
        return {"encoder": dict(self.encoder), "objective": self.objective.as_dict(), **train}


_OF_OBJECTIVE = ("objective", "noise_std", "mask_ratio", "mask_size")


@encoders.register("unet_ae")
class PretrainedUNetEncoder(UNetEncoder):
    """`UNetEncoder`, pretrained in `pretrain` on the very images that it will see in training.

    Args:
        width: see `UNetEncoder`, as for mults, blocks, patch.
        frozen: no more training once colour begins.
        pretrained: False: random weights, as ``encoder=unet`` has.
        weights: a file of ``facezoo pretrain``, instead of pretraining.
        objective: "plain", "denoising" or "masked"; see `Objective`,
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

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        if not options.get("pretrained", True) or options.get("weights") is not None:  # nothing is taught
            options = drawn(options)
            return {k: v for k, v in options.items() if not k.startswith("pretrain_") and k not in _OF_OBJECTIVE}
        read = {"denoising": ("noise_std",), "masked": ("mask_ratio", "mask_size")}.get(
            options.get("objective", "masked"), ()
        )
        return {k: v for k, v in options.items() if k not in _OF_OBJECTIVE[1:] or k in read}

    def pretrain(
        self, images: Images, *, cache_dir: Path, device: str = "cpu", on_step: OnStep | None = None, teach: Teach
    ) -> None:
        """Pretrain, or find the result of having done so. Weights that are there already stay."""
        if self.pretrained and self.weights_sha is None:
            self.load_pretrained(str(teach(self.recipe)))
