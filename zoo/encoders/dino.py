"""DINO: vision transformers that learned from images without labels (Caron et al. 2021, Oquab et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zoo.encoders import Encoder, _timm, drawn
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders

MODEL = "vit_small_patch14_reg4_dinov2.lvd142m"  # the default

# 8×8 patches of 14: as many as the denoiser's coarse stage has positions at 64 px, a quarter of the cost of the usual
# 224 px, and the pixels that ArcFace sees. Patches of 7, 8, 14 and 16 fit. DINOv2 learned at 518 px: its positions are
# interpolated when its weights are read.
INPUT_SIZE = 112


@encoders.register("dino")
class DINO(Encoder):
    """Patch tokens of some blocks as maps, which all have the stride of a patch, and the class token as the one token.

    Both have gone through the network's last norm, as its authors take them. Registers (Darcet et al. 2024) are left
    behind: they hold what would otherwise litter the maps.

    Args:
        model: a vision transformer of ``timm.list_models()`` with a class token; DINOv2's are Apache-2.0.
        weights: path of a state dict (``.safetensors``, ``.pth``) in timm's layout; None: the model's published one.
        pretrained: False: random weights, and no file is needed.
        frozen: no training.
        input_size: side in pixels, a multiple of the patch's.
        out_indices: blocks whose patch tokens to give, from 0, or from −1 backwards; None: the middle and the last.

    Raises:
        WeightsNotFoundError: the weights cannot be had.
        ZooError: no such model or block, one without a class token, or a file of other weights.
    """

    def __init__(
        self,
        *,
        model: str = MODEL,
        weights: str | None = None,
        pretrained: bool = True,
        frozen: bool = True,
        input_size: int = INPUT_SIZE,
        out_indices: Sequence[int] | None = None,
    ) -> None:
        options: dict[str, Any] = {"num_classes": 0}  # no head
        net, cfg = _timm.create(model, input_size, **options)
        patch = _patch(net, model)
        if input_size < patch or input_size % patch:
            near = max(1, round(input_size / patch)) * patch
            raise ZooError(
                f"input_size={input_size}: expected a multiple of {model}'s patch, {patch}; try input_size={near}"
            )
        blocks = _blocks(out_indices, len(net.blocks))
        levels = tuple(FeatureLevel(net.embed_dim, patch) for _ in blocks)
        super().__init__(FeatureSpec(levels, net.embed_dim, input_size), frozen=frozen)
        self.blocks = blocks
        self.see = _timm.Input(cfg, input_size)
        if pretrained:
            net, self.weights_sha, self.license = _timm.published(model, cfg, weights, input_size, options)
        self.net = net
        self.freeze()

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        return drawn(options)

    def forward(self, L: Tensor) -> Features:
        x, maps = self.net.forward_intermediates(self.see(L), indices=self.blocks, norm=True)
        return Features(tuple(maps), x[:, :1])  # of x (N, 1 + registers + patches, D), the class token

    def embed_rgb(self, rgb: Tensor) -> Tensor:
        """Class tokens (N, D) of sRGB (N, 3, S, S) in [0, 1], S the input's size: for metrics, which see colour."""
        return self.net.forward_features(self.see.normalize(rgb))[:, 0]


def published() -> Path | None:
    """The file of the default model's weights, where it is here."""
    return _timm.file_of(MODEL)


def _patch(net: nn.Module, model: str) -> int:
    """Side of a vision transformer's patches."""
    if getattr(net, "cls_token", None) is None or not hasattr(net, "forward_intermediates"):
        raise ZooError(f"model={model}: not a vision transformer with a class token; the encoder timm takes others")
    return int(net.patch_embed.patch_size[0])  # type: ignore[union-attr,index]


def _blocks(asked_for: Sequence[int] | None, depth: int) -> list[int]:
    asked_for = (depth // 2 - 1, -1) if asked_for is None else asked_for
    if not asked_for or not all(-depth <= i < depth for i in asked_for):
        raise ZooError(f"out_indices={list(asked_for)}: expected blocks from {-depth} to {depth - 1}")
    return sorted({i % depth for i in asked_for})
