"""What a run is, and what its scores may be compared with: two hashes.

`run_id` needs the hashes of the training images and of the encoder's weights, so it is known only after both were
opened: the same command on other photos is another run, the same photos in another folder the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.benchmark.config.spec import UNTRAINED, Spec
from zoo.weights import sha256_file

_NOT_IDENTITY = {
    "train": ("log", "checkpoint_every", "feature_cache_gb"),
    "eval": ("batch_size", "samples", "strips"),
    "data": ("root", "download"),
}
_AFTER_TRAINING = ("sampler", "eval", "metrics")
_OF_UNTRAINED = ("method", "data", "image_size", *_AFTER_TRAINING)  # nothing else changes the scores of grey, say


def run_id(spec: Spec, *, manifests: Mapping[str, str], weights_sha: str | None) -> str:
    """12 hex digits over all that may change a score: not paths, device, caches, logging.

    Args:
        manifests: ``"train"`` and ``"eval"`` → sha256 of those images.
        weights_sha: sha256 of the encoder's pretrained weights, in place of their path or name.
    """
    return _digest({**_identity(spec, weights_sha), "manifests": dict(manifests)})


def training_id(spec: Spec, *, manifest: str, weights_sha: str | None) -> str:
    """12 hex digits over what the trained weights depend on: runs that only sample or score differently share it."""
    identity = {key: value for key, value in _identity(spec, weights_sha).items() if key not in _AFTER_TRAINING}
    identity["data"].pop("groups", None)
    return _digest({**identity, "manifest": manifest})


def protocol(spec: Spec, *, manifest: str) -> dict[str, Any]:
    """How a run was scored, as plain values; scores of one protocol may be compared.

    Args:
        manifest: sha256 of the images that were coloured.
    """
    scored = {
        "manifest": manifest,
        "image_size": spec.image_size,
        "sampler": spec.as_dict()["sampler"],
        "eval": {"split": spec.eval.split, "limit": spec.eval.limit, "seed": spec.eval.seed, "seeds": spec.eval.seeds},
        "metrics": {
            key: {**metric.as_dict(), "version": registry.metrics.get(metric.name).version}
            for key, metric in spec.metrics.items()
        },
    }
    return _without_paths(scored)


def protocol_id(scored: Mapping[str, Any]) -> str:
    """12 hex digits over a `protocol`."""
    return _digest(scored)


def _identity(spec: Spec, weights_sha: str | None) -> dict[str, Any]:
    plain = spec.as_dict()
    for field in fields(spec.machine):
        del plain[field.name]
    for section, names in _NOT_IDENTITY.items():
        plain[section] = {key: value for key, value in plain[section].items() if key not in names}
    if plain["data"].get("groups") is None:  # then it changes no score
        plain["data"].pop("groups", None)
    if plain["method"] == "diffusion":  # runs from before there were others keep their ids
        del plain["method"]
    if spec.method in UNTRAINED:
        scale = plain["denoiser"]["chroma_scale"]
        plain = {key: plain[key] for key in _OF_UNTRAINED} | ({"chroma_scale": scale} if spec.method == "truth" else {})
    elif weights_sha:
        plain["encoder"]["weights"] = weights_sha
    elif plain["encoder"]["name"] == "unet":  # runs from before it took any keep their ids
        plain["encoder"].pop("weights", None)
    return {key: _without_paths(value) for key, value in plain.items()}


def _without_paths(value: Any) -> Any:
    """``value`` with each path of a file replaced by the sha256 of what the file holds."""
    if isinstance(value, Mapping):
        return {str(key): _without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_paths(item) for item in value]
    if isinstance(value, str) and Path(value).suffix and Path(value).expanduser().is_file():
        return {"sha256": sha256_file(Path(value).expanduser())}
    return value


def _digest(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
