"""Networks of timm (Wightman 2019) and their published weights, for the encoders that are made of them."""

from __future__ import annotations

import difflib
import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.encoders._grey import grey_to_srgb, square
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.weights import WeightsRecord, no_downloads, offline, read_state_dict, resolve, sha256_file


def create(model: str, input_size: int | None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """The network, and timm's record of its weights and input. Raises `ZooError` where timm has no such thing."""
    import timm

    if offline() and ":" in model and not model.startswith("local-dir:"):
        raise ZooError(f"model={model} lies elsewhere, and ZOO_OFFLINE or HF_HUB_OFFLINE forbids to ask for it")
    try:
        cfg = timm.models.get_pretrained_cfg(model)
        if cfg is not None and cfg.fixed_input_size and input_size is not None:
            options["img_size"] = input_size
        net: Any = timm.create_model(model, **options)
    except Exception as error:  # timm has no error type of its own
        base = model.split(".")[0]
        tags = timm.list_models(f"{base}.*", pretrained=True)
        if timm.is_model(base) and (model == base or model in tags):
            shown = {name: value for name, value in options.items() if name != "pretrained_cfg_overlay"}
            given = ", ".join(f"{name}={value}" for name, value in shown.items())
            raise ZooError(f"model={model}: timm cannot build it with {given} ({error})") from error
        close = tags or difflib.get_close_matches(base, timm.list_models(), n=3)
        hint = f"; there is {', '.join(close)}" if close else ""
        raise ZooError(f"model={model}: timm has no such model{hint}") from error
    return net, net.pretrained_cfg


def published(
    model: str, cfg: dict[str, Any], weights: str | None, input_size: int | None, options: dict[str, Any]
) -> tuple[nn.Module, str, str]:
    """The network with its weights, their sha256 and their licence.

    Args:
        model: as `create`, like ``input_size`` and ``options``.
        cfg: timm's record of it.
        weights: the user's file; None: the published one.
    """
    path = _find(model, cfg, weights)
    license = "of the file" if weights else cfg.get("license") or "unknown"
    return _pretrained(model, input_size, path, options), sha256_file(path), license


def file_of(model: str) -> Path | None:
    """The file of a network's published weights, where it is here."""
    import timm

    cfg = timm.models.get_pretrained_cfg(model)
    try:
        with no_downloads():
            return _find(model, {} if cfg is None else cfg.to_dict(), None)
    except WeightsNotFoundError:
        return None


def _find(model: str, cfg: dict[str, Any], weights: str | None) -> Path:
    """The user's file; the Hugging Face cache's, where timm keeps its own; or the published one."""
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    repo, url = cfg.get("hf_hub_id"), cfg.get("url")
    if weights is None and not repo and not url:
        raise ZooError(f"model={model}: no weights are published; use pretrained=false")
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
        hint = "" if weights else ", or use pretrained=false"
        raise WeightsNotFoundError(f"{error}{hint}", error.license) from None


def _pretrained(model: str, input_size: int | None, path: Path, options: dict[str, Any]) -> nn.Module:
    """The network with the file's weights.

    timm loads a network without its head leniently, so that it would take any file at all: here a matrix that still
    holds its random draw is an error.
    """
    overlay = {"state_dict": read_state_dict(path), "source": "", "custom_load": False}  # not the hub
    log = logging.getLogger("timm.models._builder")
    level = log.level
    log.setLevel(logging.ERROR)  # it would list each name that does not fit
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            random, _ = create(model, input_size, **options)
            torch.default_generator.manual_seed(0)
            net, _ = create(model, input_size, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except ZooError as error:
        raise ZooError(f"weights={path}: not the weights of timm's {model}") from error
    finally:
        log.setLevel(level)
    draws = dict(random.named_parameters())
    left = [n for n, p in net.named_parameters() if p.ndim > 1 and p.any() and torch.equal(p, draws[n])]
    if left:
        raise ZooError(f"weights={path}: not the weights of timm's {model} (no {left[0]}, {len(left)} missing)")
    return net


class Input(nn.Module):
    """L → what the network was trained to see: grey as sRGB, normalised.

    Args:
        cfg: timm's record of the network.
        size: side in pixels.
        channels: 3: grey, repeated; 1: with the statistics' mean over colours.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, cfg: dict[str, Any], size: int, channels: int = 3) -> None:
        super().__init__()
        self.size = size
        for name in ("mean", "std"):
            colors = torch.tensor(cfg[name])
            values = colors.mean(0, keepdim=True) if channels == 1 else colors
            self.register_buffer(name, values.view(1, -1, 1, 1), persistent=False)

    def forward(self, L: Tensor) -> Tensor:  # (N, 1, H, W) → (N, channels, size, size)
        return self.normalize(grey_to_srgb(square(L, self.size)))

    def normalize(self, x: Tensor) -> Tensor:
        """Of sRGB in [0, 1], with the statistics that the network was trained with."""
        return (x - self.mean) / self.std
