"""Train, sample and score one encoder × conditioner pair: python benchmarks/run.py encoder=arcface cond=xattn"""

from __future__ import annotations

import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from zoo.benchmark import cli
from zoo.benchmark.config import plugins, sums
from zoo.benchmark.sweeps import sweep


@hydra.main(version_base="1.3", config_path=str(plugins.CONFIGS), config_name="config")
def main(config: DictConfig) -> None:
    from zoo.benchmark.runs.experiment import run  # imports torch: not for --help

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        sweep.job(config, lambda on_claimed: run(config, on_claimed))
    else:
        cli.job(lambda: run(config), sweep=False)


def prepared_main() -> None:
    plugins.import_modules(plugins.asked_for(sys.argv[1:]))
    plugins.store_nodes()
    sys.argv[1:] = sums.written_out(sys.argv[1:])
    sweep.run(main)
