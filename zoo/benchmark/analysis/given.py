"""What is asked of tables: by the command line, else by a study in a file, else as usual."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, unknown

if TYPE_CHECKING:
    from zoo.benchmark.sweeps.study_file import StudyFile

_USUAL: dict[str, Any] = {"rows": "encoder", "cols": "cond", "where": [], "metric": [], "baseline": None}


def study_of(given: argparse.Namespace) -> StudyFile | None:
    """That of ``--study``, if it is given. Raises `ZooError` for what is none, or a part of it that there is not."""
    if given.study is None:
        if given.only is not None:
            raise ZooError("--only chooses a block of a study; give --study FILE too")
        return None
    from zoo.benchmark.sweeps import study_file  # brings in Hydra

    study = study_file.read(Path(given.study))
    if given.only is not None and given.only not in study.names:
        raise ZooError(f"--only: {unknown('block or cell', given.only, study.names)}")
    return study


def completed(given: argparse.Namespace) -> argparse.Namespace:
    """All of the arguments of `zoo.commands.compare.add_study`. Raises `ZooError` where there is no table."""
    study = study_of(given)
    said = {} if study is None else study.compare.get(given.only or "", study.compare[""])
    tables = given.tables or ([] if study is None else [str(study.table)])
    if not tables:
        raise ZooError("give a TABLE, or --study FILE")
    found = {key: getattr(given, key) or said.get(key, usual) for key, usual in _USUAL.items()}
    return argparse.Namespace(**{**vars(given), **found, "tables": tables})
