"""What a command line asks for: one run or a sweep, and of a study which part."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from zoo.benchmark.config import choices
from zoo.benchmark.config.choices import key_of
from zoo.benchmark.config.command_line import hydras_parser
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.quoting import as_text
from zoo.benchmark.sweeps.ledger import of_machine
from zoo.benchmark.sweeps.planning import Asked
from zoo.benchmark.sweeps.study_file import StudyFile, read
from zoo.errors import ZooError, unknown

_STUDY = ("+study=", "++study=", "study=")
_SWEEPERS = ("hydra/sweeper=basic",)  # all that may be said of Hydra's own


def study_of(arguments: Iterable[str]) -> StudyFile | None:
    """That of ``+study=FILE``, if it is given. Raises `ZooError` for several, or what is none."""
    found = [argument.partition("=")[2].strip("'\"") for argument in arguments if argument.startswith(_STUDY)]
    if len(found) > 1:
        raise ZooError(f"+study names {len(found)} files; give one, and the others commands of their own")
    return read(Path(found[0]).expanduser()) if found else None


def machine_of(study: StudyFile | None) -> list[str]:
    """What a study says of the machine, the same for all cells: where rows go, at least."""
    if study is None:
        return []
    said = dict.fromkeys(option for cell in study.cells for option in cell.options if of_machine(option))
    keys = [key_of(option) for option in said]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise ZooError(f"{study.path}: {twice[0]} differs from cell to cell; it is one for a sweep")
    return choices.replaced([f"table={as_text(str(study.table))}"], said)


def for_a_sweep(arguments: Sequence[str]) -> bool:
    """Whether a command line, as `prepared` yields it, asks for one. Raises `ZooError` for a sweeper of Hydra's."""
    given, _ = hydras_parser().parse_known_args(arguments)
    study = any(override.startswith(_STUDY) for override in given.overrides)
    if given.help or given.hydra_help or given.cfg or given.info is not None or given.shell_completion:
        if study:
            raise ZooError("+study is many configurations; leave it out to see that of one run")
        return False
    for override in given.overrides:
        if override.startswith("hydra/sweeper=") and override not in _SWEEPERS:
            raise ZooError(f"{override}: cells are made here, not by Hydra's sweepers; see examples/optuna_search.py")
    return bool(study or given.multirun or "hydra.mode=MULTIRUN" in given.overrides)


def asked(arguments: Sequence[str], study: StudyFile | None, only: Sequence[str]) -> Asked:
    """Of a command line, in which what a study says of the machine comes first."""
    if only and study is None:
        raise ZooError("--only chooses among the cells of a study; give +study=FILE too")
    for name in only:
        if study is not None and name not in study.names:
            raise ZooError(f"--only: {unknown('block or cell', name, study.names)}")
    parsed, _ = hydras_parser().parse_known_args(arguments)
    given = [override for override in parsed.overrides if not override.startswith(_STUDY)]
    machine = {key_of(override): override for override in given if of_machine(override)}
    if parsed.config_dir is not None:
        machine["hydra.searchpath"] = f"hydra.searchpath=[{as_text(Path(parsed.config_dir).absolute().as_uri())}]"
    return Asked(tuple(o for o in given if not of_machine(o)), tuple(machine.values()), study, tuple(only))


def resolve_choices() -> None:
    """Of one run: options of choices that it makes, in the arguments of this process, become those of their group.

    Raises:
        ZooError: a choice or option that there is not, or of a choice that is not made.
    """
    overrides = hydras_parser().parse_known_args(sys.argv[1:])[0].overrides
    if any(map(choices.of_a_choice, overrides)):
        flags = [argument for argument in sys.argv[1:] if argument not in overrides]
        sys.argv[1:] = [*flags, *choices.resolved([overrides], _composed)[0]]


def _composed(overrides: Sequence[str]) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("config", [*overrides], return_hydra_config=True)
