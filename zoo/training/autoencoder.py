"""A greyscale autoencoder: the scratch encoder, taught on L alone before it sees any colour.

Only the coarsest map reaches the decoder. With skips from finer maps the task would be trivial: the finest has more
channels than its patch has pixels, so a decoder that saw it would copy, and nothing would ever be learned behind it.
The finer maps are what the coarsest is computed from, so they learn to say what it needs to know.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo import encoder_file
from zoo.diffusion.layers import ResBlock, group_norm
from zoo.encoders.unet import UNetEncoder
from zoo.encoders.unet_ae import Objective
from zoo.errors import ZooError
from zoo.weights import fill

VISIBLE_WEIGHT = 0.1  # of a pixel that was not hidden, in the loss of a masked image


class Autoencoder(nn.Module):
    """L, corrupted → encoder → its coarsest map → decoder → L.

    Args:
        encoder: width, mults, blocks and patch of `UNetEncoder`.
        objective: what to undo.
        seed: of the initial weights.
        record: what else its file should tell of how it came about, as plain values.
    """

    def __init__(
        self,
        encoder: Mapping[str, Any],
        objective: Objective,
        *,
        seed: int = 0,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.objective, self.seed, self.record = objective, seed, dict(record or {})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = UNetEncoder(**encoder)
            self.decoder = _Decoder(self.encoder)
        self.mask_value = nn.Parameter(torch.zeros(())) if objective.name == "masked" else None

    def seen(self, L: Tensor, corruption: Tensor | None) -> Tensor:
        """What the encoder sees of ``L`` (N, 1, H, W), given what `Objective.draw` drew."""
        if corruption is None:
            return L
        if self.mask_value is not None:
            return torch.where(corruption, self.mask_value, L)
        return L + corruption

    def reconstruct(self, seen: Tensor) -> Tensor:
        """L (N, 1, H, W) from what the encoder sees."""
        coarsest = self.encoder(seen).maps[-1]
        return self.decoder(coarsest)[..., : seen.shape[-2], : seen.shape[-1]]

    def forward(self, L: Tensor, corruption: Tensor | None) -> Tensor:
        """The training loss, a scalar: the squared error, above all that of what was hidden."""
        error = (self.reconstruct(self.seen(L, corruption)) - L) ** 2
        if self.mask_value is None or corruption is None:
            return error.mean()
        weight = torch.where(corruption, 1.0, VISIBLE_WEIGHT)
        return (weight * error).sum() / weight.sum()

    def identity(self) -> dict[str, Any]:
        own = {"encoder": self.encoder.architecture, "objective": self.objective.as_dict(), "seed": self.seed}
        return {**self.record, **own}

    def stored_state(self) -> dict[str, Tensor]:
        return self.state_dict()

    def save(self, path: Path) -> None:
        """Encoder and decoder, with `identity` as the record."""
        encoder_file.write(path, self.stored_state(), self.identity())

    @classmethod
    def load(cls, path: str | Path) -> Autoencoder:
        """Read a file that `save` wrote. Raises `ZooError` for any other."""
        state, record = encoder_file.read(path)
        try:
            objective = Objective(**record.pop("objective"))
            model = cls(record.pop("encoder"), objective, seed=record.pop("seed"), record=record)
        except (KeyError, TypeError) as error:
            raise ZooError(f"{path}: its record cannot be read ({error})") from error
        fill(model, state, f"this autoencoder, in {path}")
        return model.eval()


class _Decoder(nn.Module):
    """The encoder's mirror image."""

    def __init__(self, encoder: UNetEncoder) -> None:
        super().__init__()
        self.patch, blocks = encoder.patch, encoder.architecture["blocks"]
        widths = [level.channels for level in reversed(encoder.spec.levels)]
        self.stages = nn.ModuleList(nn.Sequential(*(ResBlock(c, c) for _ in range(blocks))) for c in widths)
        self.upsample = nn.ModuleList(
            nn.Conv2d(coarse, fine, 3, padding=1) for coarse, fine in itertools.pairwise(widths)
        )
        self.conv_out = nn.Sequential(
            group_norm(widths[-1]), nn.SiLU(), nn.Conv2d(widths[-1], self.patch**2, 3, padding=1)
        )

    def forward(self, h: Tensor) -> Tensor:
        for i, stage in enumerate(self.stages):
            h = stage(self.upsample[i - 1](F.interpolate(h, scale_factor=2)) if i else h)
        return F.pixel_shuffle(self.conv_out(h), self.patch)  # (N, 1, H, W)
