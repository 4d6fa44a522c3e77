"""Train, sample and score one encoder × conditioner pair: python benchmarks/run.py encoder=arcface cond=xattn"""

from __future__ import annotations

import sys

try:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import DictConfig

    from benchmarks import cli, plugins, sums, sweep
except ModuleNotFoundError as missing:
    sys.exit(
        f"error: {missing.name} is not installed here; run `make demo`, or `pip install -e .` in the project's root"
    )


@hydra.main(version_base="1.3", config_path="../configs", config_name="config")
def main(config: DictConfig) -> None:
    from benchmarks.experiment import run  # imports torch: not for --help

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        sweep.job(config, lambda on_claimed: run(config, on_claimed))
    else:
        cli.job(lambda: run(config), sweep=False)


def prepared_main() -> None:
    plugins.import_modules(plugins.asked_for(sys.argv[1:]))
    plugins.store_nodes()
    sys.argv[1:] = sums.written_out(sys.argv[1:])
    sweep.run(main)


if __name__ == "__main__":
    cli.run(prepared_main)
