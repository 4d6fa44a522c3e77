"""Any backbone of timm (Wightman 2019) that gives feature maps."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.encoders import Encoder
from zoo.encoders._grey import grey_to_srgb, square
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders
from zoo.weights import WeightsRecord, read_state_dict, resolve, sha256_file

STRIDES = (8, 16, 32)  # by default; finer maps fill a feature cache and say little more than L does


@encoders.register("timm")
class Timm(Encoder):
    """Maps of a backbone, and the mean of the last one as a single token.

    Args:
        model: a name of ``timm.list_models()``, with or without a tag of its weights.
        weights: path of a state dict (``.safetensors``, ``.pth``) in timm's layout; None: the model's published one.
        pretrained: False: random weights, and no file is needed.
        frozen: no training.
        input_size: side in pixels; None: the model's own.
        out_indices: which of the model's maps to give; None: its last at each of the strides 8, 16, 32.
        in_chans: 3: grey, repeated; 1: the first convolution's weights are summed over colours.

    Raises:
        WeightsNotFoundError: the weights cannot be had.
        ZooError: no such model, one without feature maps, or a file of other weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        model: str = "resnet18.a1_in1k",
        weights: str | None = None,
        pretrained: bool = True,
        frozen: bool = True,
        input_size: int | None = None,
        out_indices: Sequence[int] | None = None,
        in_chans: int = 3,
    ) -> None:
        if in_chans not in (1, 3):
            raise ZooError(f"encoder.in_chans={in_chans}: expected 1 or 3")
        options: dict[str, Any] = {"in_chans": in_chans}
        if out_indices is not None:
            options["out_indices"] = tuple(out_indices)
        net, cfg = _create(model, input_size, **options)
        channels, strides = net.feature_info.channels(), net.feature_info.reduction()
        last = {stride: i for i, stride in enumerate(strides) if stride in STRIDES}
        keep = list(range(len(strides))) if out_indices is not None else sorted(last.values())
        if not keep:
            raise ZooError(f"encoder.model={model} has maps at strides {strides} only; pick some with out_indices")
        levels = tuple(FeatureLevel(channels[i], strides[i]) for i in keep)
        size = input_size or cfg["input_size"][-1]
        super().__init__(FeatureSpec(levels, levels[-1].channels, size), frozen=frozen)
        self.keep = keep
        self.size = size
        self.channels_last = getattr(net, "output_fmt", None) == "NHWC"
        mean, std = torch.tensor(cfg["mean"]), torch.tensor(cfg["std"])
        if in_chans == 1:
            mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
        self.register_buffer("mean", mean.view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, -1, 1, 1), persistent=False)
        if pretrained:
            path = _find(model, cfg, weights)
            net = _pretrained(model, input_size, path, options)
            self.weights_sha = sha256_file(path)
            self.licence = "of the file" if weights else cfg.get("license") or "unknown"
        self.net = net
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        x = (grey_to_srgb(square(L, self.size)) - self.mean) / self.std  # (N, in_chans, size, size)
        every = self.net(x)
        maps = tuple(every[i].movedim(-1, 1) if self.channels_last else every[i] for i in self.keep)
        return Features(maps, maps[-1].mean((-2, -1))[:, None])


def _create(model: str, input_size: int | None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """The backbone and timm's record of its weights and input."""
    import timm

    try:
        cfg = timm.models.get_pretrained_cfg(model)
        if cfg is not None and cfg.fixed_input_size and input_size is not None:
            options["img_size"] = input_size
        net: Any = timm.create_model(model, features_only=True, **options)
    except Exception as error:  # timm has no error type of its own
        base = model.split(".")[0]
        tags = timm.list_models(f"{base}.*", pretrained=True)
        if timm.is_model(base) and (model == base or model in tags):
            given = ", ".join(f"{name}={value}" for name, value in options.items() if name != "pretrained_cfg_overlay")
            raise ZooError(f"encoder.model={model}: timm gives no feature maps with {given} ({error})") from error
        close = tags or difflib.get_close_matches(base, timm.list_models(), n=3)
        hint = f"; there is {', '.join(close)}" if close else ""
        raise ZooError(f"encoder.model={model}: timm has no such model{hint}") from error
    return net, net.pretrained_cfg


def _find(model: str, cfg: dict[str, Any], weights: str | None) -> Path:
    """The user's file; the Hugging Face cache's, where timm keeps its own; or the published one."""
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    repo, url = cfg.get("hf_hub_id"), cfg.get("url")
    if weights is None and not repo and not url:
        raise ZooError(f"encoder.model={model}: no weights are published; use encoder.pretrained=false")
    filename = cfg.get("hf_hub_filename") or "model.safetensors"
    path: str | None = weights
    if weights is None and repo:
        url = hf_hub_url(repo, filename)
        cached = try_to_load_from_cache(repo, filename)
        path = cached if isinstance(cached, str) else None
    name = f"timm--{model}.safetensors" if repo else str(url).rsplit("/", 1)[-1]
    record = WeightsRecord(f"timm {model}", name, str(url), "", cfg.get("license") or "unknown", megabytes=0)
    try:
        return resolve(record, path)
    except WeightsNotFoundError as error:
        raise error if weights else WeightsNotFoundError(f"{error}, or use encoder.pretrained=false") from error


def _pretrained(model: str, input_size: int | None, path: Path, options: dict[str, Any]) -> nn.Module:
    """The backbone with the file's weights.

    timm loads a backbone without its head leniently, so that it would take any file at all: here a matrix that still
    holds its random draw is an error.
    """
    overlay = {"state_dict": read_state_dict(path), "source": "", "custom_load": False}  # not the hub
    log = logging.getLogger("timm.models._builder")
    level = log.level
    log.setLevel(logging.ERROR)  # it would list each name that does not fit
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            random, _ = _create(model, input_size, **options)
            torch.default_generator.manual_seed(0)
            net, _ = _create(model, input_size, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except ZooError as error:
        raise ZooError(f"encoder.weights={path}: not the weights of timm's {model}") from error
    finally:
        log.setLevel(level)
    draws = dict(random.named_parameters())
    left = [n for n, p in net.named_parameters() if p.ndim > 1 and p.any() and torch.equal(p, draws[n])]
    if left:
        raise ZooError(f"encoder.weights={path}: not the weights of timm's {model} (no {left[0]}, {len(left)} missing)")
    return net
