"""The two applications of Hydra: what it calls with a configuration that it composed, for each job.

The processes of a launcher find them here, by name. Nothing heavy is imported before a job begins: not for --help.
"""

from __future__ import annotations

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from zoo.benchmark.config.mending import refusing
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.sweeps.accounting import accounted


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="config")
def benchmark(config: DictConfig) -> None:
    """One run; in a sweep, one of its cells."""
    from zoo.benchmark.runs.experiment import run

    if _in_sweep():
        with accounted(config) as on_claimed:
            run(config, on_claimed)
    else:
        with refusing(sweep=False):
            run(config)


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="pretrain")
def pretraining(config: DictConfig) -> None:
    """One pretraining."""
    from zoo.benchmark.runs.pretraining import pretrain_encoder

    with refusing(sweep=_in_sweep()):
        pretrain_encoder(config)


def _in_sweep() -> bool:
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)
