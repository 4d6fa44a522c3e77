"""Makes every registered name an option of its Hydra group: ``encoder=NAME`` works for third parties too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from zoo import registry
from zoo.benchmark.config.options import OF_ANY_DATA, PRIMARY, defaults
from zoo.errors import ZooError
from zoo.plugins import import_plugins

_PACKAGED = Path(__file__).parents[1] / "configs"  # in an installed package
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "configs"  # else in a checkout
GROUPS: dict[str, registry.Registry[Any]] = {
    "encoder": registry.encoders,
    "cond": registry.conditioners,
    "denoiser": registry.denoisers,
    "sampler": registry.samplers,
    "data": registry.datasets,
    "metrics": registry.metrics,
}
# options of the runner and of every sampler, which stand with those of one
_OF_ANY: Mapping[str, Mapping[str, Any]] = {
    "data": OF_ANY_DATA,
    "sampler": {"steps": 8, "guidance": 1.0, "time_power": 2.5, "dynamic_threshold": None},
}


def asked_for(arguments: Iterable[str]) -> list[str]:
    """The modules and files of ``plugins=[a.b,path/to/file.py]`` on a command line."""
    found: list[str] = []
    for argument in arguments:
        if argument.startswith("plugins="):
            value = OverridesParser.create().parse_override(argument).value()
            found += [str(name) for name in (value if isinstance(value, list) else [value])]
    return found


def import_modules(names: str | Iterable[str]) -> None:
    """Import modules and files for the names that they register, see `zoo.plugins`.

    Before Hydra composes the configuration, so that it knows these names; and again in the processes of a launcher.
    """
    import_plugins([names] if isinstance(names, str) else names)


def store_nodes() -> None:
    """A Hydra node for each registered name without a YAML file: its name and the defaults of its constructor.

    Raises:
        ZooError: a YAML file has the name of a third party's plug-in, but is the configuration of another; or a metric
            has a name that means something else.
    """
    for group, names in GROUPS.items():
        for name in names.list():
            file = CONFIGS / group / f"{name}.yaml"
            if group == "metrics" and name == PRIMARY:
                raise ZooError(f"a metric is called {name!r}, but metrics.{name}= names one; rename it")
            if not file.exists():
                node = {**_OF_ANY.get(group, {}), **_node(names, name)}
                ConfigStore.instance().store(group=group, name=name, node={name: node} if group == "metrics" else node)
            elif _name_in(file, group) != name:
                raise ZooError(
                    f"{names.kind} {name!r} has the name of {file}, which configures {_name_in(file, group)!r}; "
                    "rename one of them"
                )
    for name in registry.methods.list():
        if not (CONFIGS / "method" / f"{name}.yaml").exists():
            ConfigStore.instance().store(group="method", name=name, node=_method_node(name), package="_global_")


def options(group: str) -> list[str]:
    """What may be written after ``group=``."""
    stored = ConfigStore.instance().repo.get(group, {})
    return sorted({Path(file).stem for file in (*(CONFIGS / group).glob("*.yaml"), *stored)})


def _node(names: registry.Registry[Any], name: str) -> dict[str, Any]:
    try:
        values, needed = defaults(names.get(name)), names.options(name, required=True)
    except ZooError:  # it does not import: creating it will say why, and nobody else's run is disturbed
        values, needed = {}, ()
    plain = {key: _plain(value) for key, value in values.items() if key not in names.given}
    simple = (bool, int, float, str, list, dict, type(None))
    known = {key: value for key, value in plain.items() if isinstance(value, simple)}
    return {"name": name, **dict.fromkeys(needed, "???"), **known}


def _plain(value: Any) -> Any:
    """Of a default of Python what YAML could say."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _method_node(name: str) -> DictConfig:
    node = OmegaConf.create({"method": name})
    try:
        laid_over = registry.methods.get(name).defaults
    except ZooError:  # choosing it will say why
        return node
    options = _node(registry.methods, name)
    if len(options) > 1:
        node = OmegaConf.create({"method": options})
    for key, value in laid_over.items():
        OmegaConf.update(node, key, value)
    return node


def _name_in(file: Path, group: str) -> str:
    content: Any = OmegaConf.load(file)
    if group == "metrics":
        ((key, content),) = content.items()
        return str((content or {}).get("name", key))
    return str(content.get("name"))
