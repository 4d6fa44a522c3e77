"""Pretrain the encoder unet on lightness alone: python benchmarks/pretrain.py data=folder data.root=DIR"""

from __future__ import annotations

import sys

try:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import DictConfig

    from benchmarks import cli, plugins
except ModuleNotFoundError as missing:
    sys.exit(
        f"error: {missing.name} is not installed here; run `make demo`, or `pip install -e .` in the project's root"
    )


@hydra.main(version_base="1.3", config_path="../configs", config_name="pretrain")
def main(config: DictConfig) -> None:
    from benchmarks.pretraining import pretrain_encoder  # imports torch: not for --help

    cli.job(lambda: pretrain_encoder(config), sweep=HydraConfig.get().mode == RunMode.MULTIRUN)


def prepared_main() -> None:
    plugins.import_modules(plugins.asked_for(sys.argv[1:]))
    plugins.store_nodes()
    main()


if __name__ == "__main__":
    cli.run(prepared_main)
