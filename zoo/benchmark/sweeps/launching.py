"""Hydra's launchers, given cells that need not be a product: Hydra's own sweepers know products alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks  # as Hydra's own sweeps use them; it has no public way to a launcher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

from zoo.benchmark.config.plugins import CONFIGS

Launch = Callable[[], Sequence[JobReturn]]  # whose `return_value` raises what was raised there


class Launcher:
    """What carries out cells, as ``hydra/launcher=`` says.

    Args:
        machine: overrides that say where and on what; all cells have them.
        task: called with the configuration of each cell, here or in another process.
    """

    def __init__(self, hydra: Hydra, machine: Sequence[str], task: TaskFunction) -> None:
        given = [*machine, "hydra.mode=MULTIRUN"]
        self.config = hydra.compose_config("config", given, RunMode.MULTIRUN, with_log_configuration=True)
        self._loader = hydra.config_loader
        self._machine = [override for override in machine if not override.lstrip("+~").startswith(("hydra.", "hydra/"))]
        context = HydraContext(config_loader=self._loader, callbacks=Callbacks(self.config))
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=task, config=self.config
        )

    def expanded(self, options: Sequence[str]) -> list[list[str]]:
        """The product of overrides of which some have several values. Raises `HydraException` for what has no end."""
        overrides = OverridesParser.create(config_loader=self._loader).parse_overrides([*options])
        (cells,) = BasicSweeper.split_arguments(overrides, None)
        return cells

    def compose(self, options: Sequence[str]) -> DictConfig:
        """The configuration of a cell, with its node ``hydra``."""
        return self._loader.load_sweep_config(self.config, [*options, *self._machine])

    def all_of(self, cells: Sequence[Sequence[str]]) -> Launch:
        """Carries out all of them, when it is called."""
        jobs = [[*options, *self._machine] for options in cells]
        return partial(self._launcher.launch, jobs, initial_job_idx=0)  # no frame of ours before a step of training

    def launch(self, options: Sequence[str]) -> None:
        """Carry out one cell. Raises whatever came out of it."""
        (ended,) = self.all_of([options])()
        _ = ended.return_value


@contextmanager
def launcher(machine: Sequence[str], task: TaskFunction) -> Iterator[Launcher]:
    """While it lasts, cells may be composed and launched."""
    with initialize_config_dir(str(CONFIGS), job_name="benchmark", version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        yield Launcher(hydra, machine, task)
