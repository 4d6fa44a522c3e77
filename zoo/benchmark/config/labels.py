"""How plug-ins are called in tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo.benchmark.config.options import defaults
from zoo.benchmark.config.plugins import CONFIGS, GROUPS

_SHOWN_ELSEWHERE = ("weights",)  # weights: by their sha; and below, where there are none as a rule


def label(config: DictConfig, group: str) -> str:
    """The name of what was picked in ``group``, with the options that are read and not as its YAML file (or, without
    one, its constructor) has them: ``timm(model=resnet50.a1_in1k)``. A sum goes by its parts:
    ``concat(channels=32)+film``."""
    node = _plain(config, group)
    if group == "cond" and node["name"] == "sum":
        parts = sorted(node["parts"].items())
        return "+".join(_label(config, group, {"name": key, **options}) for key, options in parts)
    return _label(config, group, node)


def _label(config: DictConfig, group: str, node: dict[str, Any]) -> str:
    name = str(node.pop("name"))
    node = GROUPS[group].get(name).in_use(node)
    usual = _usual(config, group, name)
    unusual = {
        key: value for key, value in sorted(node.items()) if key not in _SHOWN_ELSEWHERE and value != usual.get(key)
    }
    if node.get("weights") and "weights" in usual and usual["weights"] is None:
        unusual["weights"] = Path(str(node["weights"])).name
    options = ", ".join(f"{key}={value}" for key, value in unusual.items())
    return f"{name}({options})" if options else name


def _usual(config: DictConfig, group: str, name: str) -> dict[str, Any]:
    file = CONFIGS / group / f"{name}.yaml"
    if not file.exists():
        values = defaults(GROUPS[group].get(name))
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    as_given = OmegaConf.create({**config, group: OmegaConf.load(file)})  # its interpolations see this run's values
    return _plain(as_given, group)


def _plain(config: DictConfig, group: str) -> dict[str, Any]:
    return OmegaConf.to_container(config, resolve=True)[group]  # type: ignore[index,call-overload,return-value]
