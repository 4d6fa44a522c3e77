"""The scratch encoder: the downsampling half of a UNet on L, trained jointly with the denoiser."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo import encoder_file
from zoo.diffusion.layers import ResBlock
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders
from zoo.weights import fill, sha256_file


@encoders.register("unet")
class UNetEncoder(Encoder):
    """Maps at every level; no tokens.

    The first convolution sees ``pixel_unshuffle(L, patch)``: at patch 1 this is the original project's encoder, at
    the denoiser's own ``chroma_scale`` it costs 1/patch² of it and its maps meet the denoiser's stages exactly.

    Args:
        width: channels at the finest level, a multiple of 16.
        mults: channels of each level, as multiples of ``width``; each level halves the resolution.
        blocks: residual blocks per level.
        patch: stride of the finest level; divides the image.
        frozen: keep the weights as they are (with random ones a control, not a recommendation).
        weights: a file of ``facezoo pretrain``, of the same architecture; None: random weights.

    Raises:
        ZooError: impossible sizes, or a file of another architecture or kind.
    """

    weights_stored = True

    def __init__(
        self,
        *,
        width: int = 64,
        mults: Sequence[int] = (1, 2),
        blocks: int = 1,
        patch: int = 4,
        frozen: bool = False,
        weights: str | None = None,
    ) -> None:
        if width < 16 or width % 16 or not mults or min(mults) < 1 or blocks < 1 or patch < 1:
            raise ZooError(
                f"encoder unet: width must be a multiple of 16 and mults, blocks, patch positive, "
                f"not width={width} mults={list(mults)} blocks={blocks} patch={patch}"
            )
        levels = tuple(FeatureLevel(width * m, patch * 2**i) for i, m in enumerate(mults))
        super().__init__(FeatureSpec(levels), frozen=frozen)
        self.patch = patch
        self.architecture: dict[str, Any] = {"width": width, "mults": list(mults), "blocks": blocks, "patch": patch}
        self.conv_in = nn.Conv2d(patch**2, width, 3, padding=1)
        widths = [level.channels for level in levels]
        self.stages = nn.ModuleList(nn.Sequential(*(ResBlock(c, c) for _ in range(blocks))) for c in widths)
        self.downsample = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in itertools.pairwise(widths)
        )
        if weights is not None:
            self.load_pretrained(weights)
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        pad = [-side % self.patch for side in L.shape[-2:]]
        L = F.pad(L, (0, pad[1], 0, pad[0]), mode="replicate") if any(pad) else L
        h = self.conv_in(F.pixel_unshuffle(L, self.patch))  # (N, width, H/patch, W/patch)
        maps = []
        for i, stage in enumerate(self.stages):
            h = stage(self.downsample[i - 1](h) if i else h)
            maps.append(h)
        return Features(tuple(maps))

    def load_pretrained(self, path: str) -> None:
        """Take the weights of a pretrained encoder's file. Raises `ZooError` where it is none of this architecture."""
        state, record = encoder_file.read(path)
        _check_architecture(path, record.get("encoder", {}), self.architecture)
        prefix = "encoder."
        own = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        fill(self, own, f"this encoder, in {path}")
        self.weights_sha = sha256_file(path)


def _check_architecture(path: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        was, now = (" ".join(f"{n}={_plain(side.get(n))}" for n in differing) for side in (found, wanted))
        raise ZooError(
            f"weights={path} was pretrained with {was}, but the encoder is built with {now}; make them agree"
        )


def _plain(value: Any) -> str:
    """As one would write it on the command line."""
    return str(value).replace(" ", "")
