"""How plug-ins are called in tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo.benchmark.config.options import defaults
from zoo.benchmark.config.plugins import CONFIGS, GROUPS

_SHOWN_ELSEWHERE = ("weights",)  # weights: by their sha; and below, where there are none as a rule


def label(config: DictConfig, group: str) -> str:
    """The name of what was picked in ``group``, with the options that make it another than its YAML file (or, without
    one, its constructor) does: ``timm(model=resnet50.a1_in1k)``. A sum goes by its parts:
    ``concat(channels=32)+film``."""
    node = _plain(config, group)
    if group == "cond" and node["name"] == "sum":
        parts = sorted(node["parts"].items())
        return "+".join(_label(config, group, {"name": key, **options}) for key, options in parts)
    return _label(config, group, node)


def _label(config: DictConfig, group: str, node: dict[str, Any]) -> str:
    name = str(node.pop("name"))
    in_use = GROUPS[group].get(name).in_use
    usual, used = _usual(config, group, name), in_use(node)
    unusual = {key: value for key, value in used.items() if key not in usual}
    for key in node.keys() & usual.keys():
        if in_use({**node, key: usual[key]}) != used:
            unusual[key] = used.get(key, node[key])
    unusual = {key: value for key, value in sorted(unusual.items()) if key not in _SHOWN_ELSEWHERE}
    if used.get("weights") and "weights" in usual and usual["weights"] is None:
        unusual["weights"] = Path(str(used["weights"])).name
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
