"""Pretrain the encoder unet on lightness alone: python benchmarks/pretrain.py data=folder data.root=DIR"""

from __future__ import annotations

import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from zoo.benchmark import cli
from zoo.benchmark.config import plugins


@hydra.main(version_base="1.3", config_path=str(plugins.CONFIGS), config_name="pretrain")
def main(config: DictConfig) -> None:
    from zoo.benchmark.runs.pretraining import pretrain_encoder  # imports torch: not for --help

    cli.job(lambda: pretrain_encoder(config), sweep=HydraConfig.get().mode == RunMode.MULTIRUN)


def prepared_main() -> None:
    plugins.import_modules(plugins.asked_for(sys.argv[1:]))
    plugins.store_nodes()
    main()
