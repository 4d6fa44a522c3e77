"""The configuration as the command line composes it. Composing takes longer than most tests of what comes of it, so
each choice of groups is composed once, and values are laid over a copy."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from zoo.benchmark.config.plugins import CONFIGS, GROUPS

_VALUE = re.compile(r"[a-z_0-9]+\.[^=@]+=")  # section.key=…, which is no group


def composed(*overrides: str, name: str = "config") -> Any:
    """What a command that was told ``overrides`` works on."""
    if any(override.startswith(("+", "~")) for override in overrides):
        return by_hydra(*overrides, name=name)
    values = [override for override in overrides if _VALUE.match(override)]
    config = deepcopy(_chosen(name, tuple(o for o in overrides if o not in values), _plugged()))
    try:
        for override in OverridesParser.create().parse_overrides(values):
            OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
    except Exception:  # Hydra says it in its own way
        return by_hydra(*overrides, name=name)
    return config


def by_hydra(*overrides: str, name: str = "config") -> Any:
    """The same, all by Hydra."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(name, list(overrides))


def plain(*overrides: str, name: str = "config") -> dict[str, Any]:
    """The same as plain values, interpolations resolved."""
    return OmegaConf.to_container(composed(*overrides, name=name), resolve=True)  # type: ignore[return-value]


@cache
def _chosen(name: str, groups: tuple[str, ...], plugged: str) -> Any:
    return by_hydra(*groups, name=name)


def _plugged() -> str:
    """What plug-ins have added to the groups."""
    repo = ConfigStore.instance().repo
    return repr([repo.get(group) for group in (*GROUPS, "method")])
