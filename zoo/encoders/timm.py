"""Any backbone of timm (Wightman 2019) that gives feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from zoo.encoders import _timm, drawn
from zoo.encoders._random import Adapting
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders

STRIDES = (8, 16, 32)  # by default; finer maps fill a feature cache and say little more than L does


@encoders.register("timm")
class Timm(Adapting):
    """Maps of a backbone, and the mean of the last one as a single token.

    Args:
        model: a name of ``timm.list_models()``, with or without a tag of its weights.
        weights: path of a state dict (``.safetensors``, ``.pth``) in timm's layout; None: the model's published one.
        pretrained: False: random weights, and no file is needed.
        adapted: random and frozen, its batch normalisations have the statistics of training photos.
        frozen: no training.
        input_size: side in pixels; None: the model's own.
        out_indices: which of the model's maps to give; None: its last at each of the strides 8, 16, 32.
        in_chans: 3: grey, repeated; 1: the first convolution's weights are summed over colours.

    Raises:
        WeightsNotFoundError: the weights cannot be had.
        ZooError: no such model, one without feature maps, or a file of other weights.
    """

    def __init__(
        self,
        *,
        model: str = "resnet18.a1_in1k",
        weights: str | None = None,
        pretrained: bool = True,
        adapted: bool = True,
        frozen: bool = True,
        input_size: int | None = None,
        out_indices: Sequence[int] | None = None,
        in_chans: int = 3,
    ) -> None:
        if in_chans not in (1, 3):
            raise ZooError(f"in_chans={in_chans}: expected 1 or 3")
        options: dict[str, Any] = {"features_only": True, "in_chans": in_chans}
        if out_indices is not None:
            options["out_indices"] = tuple(out_indices)
        net, cfg = _timm.create(model, input_size, **options)
        channels, strides = net.feature_info.channels(), net.feature_info.reduction()
        last = {stride: i for i, stride in enumerate(strides) if stride in STRIDES}
        keep = list(range(len(strides))) if out_indices is not None else sorted(last.values())
        if not keep:
            raise ZooError(f"model={model} has maps at strides {strides} only; pick some with out_indices")
        levels = tuple(FeatureLevel(channels[i], strides[i]) for i in keep)
        size = input_size or cfg["input_size"][-1]
        super().__init__(FeatureSpec(levels, levels[-1].channels, size), frozen=frozen)
        self.keep = keep
        self.adapts = adapted and frozen and not pretrained
        self.channels_last = getattr(net, "output_fmt", None) == "NHWC"
        self.see = _timm.Input(cfg, size, in_chans)
        if pretrained:
            net, self.weights_sha, self.license = _timm.published(model, cfg, weights, input_size, options)
        self.net = net
        self.freeze()

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        return super().in_use(drawn(options))

    def forward(self, L: Tensor) -> Features:
        every = self.net(self.see(L))
        maps = tuple(every[i].movedim(-1, 1) if self.channels_last else every[i] for i in self.keep)
        return Features(maps, maps[-1].mean((-2, -1))[:, None])
