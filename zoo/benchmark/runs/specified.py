"""From a configuration to the run that it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo.benchmark.config.plugins import import_modules
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.taking_over import check_start
from zoo.benchmark.tables import rows
from zoo.devices import pick_device
from zoo.errors import ZooError


def specified(config: DictConfig) -> tuple[Spec, str]:
    """The run that a configuration is of, and the device that it is on.

    Raises:
        ZooError: an option that is missing, wrong, or cannot be had on this machine.
    """
    import_modules(config.plugins)
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ZooError(f"{missing[0]} must be given: {missing[0]}=...")
    plain: Any = OmegaConf.to_container(config, resolve=True)
    check_start(plain)
    spec = Spec.from_config(plain)
    device = pick_device(spec.machine.device)
    if device == "cpu" and spec.train.mixed_precision == "fp16":
        raise ZooError("train.mixed_precision=fp16 needs a GPU; expected no or bf16 on device=cpu")
    if spec.machine.table:
        rows.check_writable(Path(spec.machine.table))
    return spec, device
