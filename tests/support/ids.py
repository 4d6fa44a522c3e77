"""The ids of configurations, and which of them a change changes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import identity


def ids(
    config: dict[str, Any], *, train: str = "t", val: str = "v", scored: str = "e", sha: str | None = None
) -> tuple[str, str, str]:
    """Those of the run, of its training and of its protocols."""
    manifests = {"train": train, "val": val, "eval": scored}
    found = identity.Identity(Spec.from_config(config), manifests=manifests, weights_sha=sha)
    return found.run_id, found.training_id, identity.digest(found.protocols)


def changed(config: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Another with ``changes``: values by their full names."""
    config = deepcopy(config)
    for name, value in changes.items():
        *sections, key = name.split(".")
        node = config
        for section in sections:
            node = node[section]
        node[key] = value
    return config


def differing(config: dict[str, Any], other: dict[str, Any], **given: Any) -> tuple[bool, ...]:
    """Whether the ids of the run, of its training and of its protocols differ."""
    return tuple(a != b for a, b in zip(ids(config), ids(other, **given), strict=True))
