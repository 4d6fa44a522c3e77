"""The ids of configurations."""

from __future__ import annotations

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
