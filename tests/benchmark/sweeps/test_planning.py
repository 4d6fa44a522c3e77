"""Which cells a command asks for, with and without a study."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from zoo.benchmark.sweeps import asking, planning
from zoo.benchmark.sweeps.planning import Asked
from zoo.errors import ZooError

TEXT = """
options: {train.lr: 1e-3, plugins: [mine.py]}
blocks:
  pairs: {axes: {encoder: [none, unet], cond: [film, [film, concat]]}}
  budget: {options: {encoder: none, cond: film}, axes: {train.steps: [3, 6]}}
  named: {cells: {odd: {cond: add}}}
"""


def expanded(options: Sequence[str]) -> list[list[str]]:
    (cells,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides([*options]), None)
    return cells


def asked(folder: Path, *arguments: str, only: Sequence[str] = ()) -> Asked:
    (folder / "s.yaml").write_text(TEXT)
    given = [f"+study={folder / 's.yaml'}", *arguments]
    study = asking.study_of(given)
    return asking.asked([*asking.machine_of(study), *given], study, only)


def cells(folder: Path, *arguments: str, only: Sequence[str] = ()) -> list[str]:
    def compose(_: object) -> None:  # type: ignore[return]
        pytest.fail("nothing has to be composed")

    given = asked(folder, *arguments, only=only)
    return [" ".join(cell) for cell in planning.cells_of(given, expanded, compose)]  # type: ignore[arg-type]


def test_all_cells_of_a_study(tmp_path: Path) -> None:
    assert cells(tmp_path) == [
        "train.lr=0.001 encoder=none cond=film",
        "train.lr=0.001 encoder=none cond=concat+film",
        "train.lr=0.001 encoder=unet cond=film",
        "train.lr=0.001 encoder=unet cond=concat+film",
        "train.lr=0.001 encoder=none cond=film train.steps=3",
        "train.lr=0.001 encoder=none cond=film train.steps=6",
        "train.lr=0.001 cond=add",
    ]


@pytest.mark.parametrize(
    ("arguments", "only", "found"),
    [
        (["encoder=unet"], [], [f"train.lr=0.001 encoder=unet cond={cond}" for cond in ("film", "concat+film")]),
        (["train.steps=6,3"], [], [f"train.lr=0.001 encoder=none cond=film train.steps={n}" for n in (3, 6)]),
        (["encoder=none", "cond=concat+film", "train.lr=1e-3"], [], ["train.lr=0.001 encoder=none cond=concat+film"]),
        ([], ["odd"], ["train.lr=0.001 cond=add"]),
        (["++train.lr=1"], ["odd", "budget"], [
            "encoder=none cond=film train.steps=3 train.lr=1",
            "encoder=none cond=film train.steps=6 train.lr=1",
            "cond=add train.lr=1",
        ]),
        (["seed=0,1", "data.root=a"], ["named"], [f"train.lr=0.001 cond=add seed={n} data.root=a" for n in (0, 1)]),
    ],
)  # fmt: skip
def test_what_is_said_on_top_chooses_among_what_cells_say_and_else_is_set(
    arguments: list[str], only: list[str], found: list[str], tmp_path: Path
) -> None:
    assert cells(tmp_path, *arguments, only=only) == found


def test_a_value_that_no_cell_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ZooError) as raised:
        cells(tmp_path, "train.steps=9")
    assert "has train.steps=9; they have train.steps=3, train.steps=6; for all cells to have it, give ++" in str(
        raised.value
    )


def test_what_is_of_the_machine_is_said_once_and_the_command_line_wins(tmp_path: Path) -> None:
    assert asked(tmp_path).machine == (f"table={tmp_path / 's.csv'}", "plugins=[mine.py]")
    told = asked(tmp_path, "table=t.csv", "+hydra.launcher.x=1", "fail_fast=true", "seed=1")
    assert told.machine == ("table=t.csv", "plugins=[mine.py]", "+hydra.launcher.x=1", "fail_fast=true")
    assert told.options == ("seed=1",)


@pytest.mark.parametrize(
    ("arguments", "only", "said"),
    [
        ([], ["od"], "--only: unknown block or cell 'od'; did you mean 'odd'? Available: budget, named, odd, pairs."),
        (["+study=b.yaml"], [], "+study names 2 files; give one"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], only: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ZooError) as raised:
        asked(tmp_path, *arguments, only=only)
    assert said in str(raised.value)


def test_a_place_for_rows_that_differs_from_cell_to_cell_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("axes: {table: [a.csv, b.csv]}")
    with pytest.raises(ZooError, match="table differs from cell to cell; it is one for a sweep"):
        asking.machine_of(asking.study_of([f"+study={tmp_path / 's.yaml'}"]))


@pytest.mark.parametrize(
    ("arguments", "sweeps"),
    [
        ([], False),
        (["seed=1"], False),
        (["-m", "seed=1"], True),
        (["hydra.mode=MULTIRUN", "seed=1,2"], True),
        (["+study=s.yaml"], True),
        (["-m", "--help"], False),
    ],
)
def test_what_is_a_sweep(arguments: list[str], sweeps: bool) -> None:
    assert asking.for_a_sweep(arguments) is sweeps


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cfg", "job", "+study=s.yaml"], "+study is many configurations; leave it out to see that of one run"),
        (["-m", "hydra/sweeper=optuna"], "hydra/sweeper=optuna: cells are made here, not by Hydra's sweepers"),
    ],
)
def test_what_no_sweep_can_be_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(ZooError) as raised:
        asking.for_a_sweep(arguments)
    assert said in str(raised.value)


def test_only_is_for_a_study() -> None:
    with pytest.raises(ZooError, match="--only chooses among the cells of a study; give"):
        asking.asked(["-m", "seed=0,1"], None, ["pairs"])


def test_one_run_may_be_told_options_of_its_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--cfg", "job", "encoder=hog", "encoder.hog.orientations=5", "seed=1"])
    asking.resolve_choices()
    assert sys.argv[1:] == ["--cfg", "job", "encoder=hog", "seed=1", "encoder.orientations=5"]
