"""The configuration as the command line composes it."""

from __future__ import annotations

from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from zoo.benchmark.config.plugins import CONFIGS


def composed(*overrides: str, name: str = "config") -> Any:
    """What a command that was told ``overrides`` works on."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(name, list(overrides))


def plain(*overrides: str, name: str = "config") -> dict[str, Any]:
    """The same as plain values, interpolations resolved."""
    return OmegaConf.to_container(composed(*overrides, name=name), resolve=True)  # type: ignore[return-value]
