"""A study in a file: its cells, and every way to get it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.sweeps import study_file
from zoo.benchmark.sweeps.study_file import StudyFile
from zoo.errors import ZooError


def read(folder: Path, text: str) -> StudyFile:
    (folder / "s.yaml").write_text(text)
    return study_file.read(folder / "s.yaml")


def cells(folder: Path, text: str) -> list[str]:
    return [" ".join(cell.options) for cell in read(folder, text).cells]


def test_axes_are_each_with_each_and_options_in_braces_go_together(tmp_path: Path) -> None:
    text = "axes: {encoder: [unet, {encoder: arcface, encoder.pretrained: false}], cond: [film, [concat, film]]}"
    assert cells(tmp_path, text) == [
        "encoder=unet cond=film",
        "encoder=unet cond=[concat,film]",
        "encoder=arcface encoder.pretrained=false cond=film",
        "encoder=arcface encoder.pretrained=false cond=[concat,film]",
    ]


def test_places_on_the_axes_of_encoders_and_conditionings_may_have_names(tmp_path: Path) -> None:
    text = "axes: {encoder: [unet, {as: its half, encoder: unet, encoder.width: 32}], cond: [{as: wide, cond: add}]}"
    found = read(tmp_path, text).cells
    assert [cell.called for cell in found] == [{"cond": "wide"}, {"encoder": "its half", "cond": "wide"}]
    assert [cell.options for cell in found] == [
        ("encoder=unet", "cond=add"),
        ("encoder=unet", "encoder.width=32", "cond=add"),
    ]


def test_cells_are_multiplied_by_axes_and_seeds_of_their_block(tmp_path: Path) -> None:
    text = "{seeds: [0, 1], cells: {a: {cond: add}, b: {cond: film, seed: 7}}, axes: {train.steps: [3, 6]}}"
    assert cells(tmp_path, text) == [
        "cond=add train.steps=3 seed=0",
        "cond=add train.steps=3 seed=1",
        "cond=add train.steps=6 seed=0",
        "cond=add train.steps=6 seed=1",
        "cond=film seed=7 train.steps=3",
        "cond=film seed=7 train.steps=6",
    ]
    assert read(tmp_path, text).names == ["a", "b"]


def test_what_is_said_nearer_to_a_cell_wins_with_whatever_prefix(tmp_path: Path) -> None:
    text = (
        "{primary: psnr, seeds: [0, 1], options: {a: 1, b: 1, c: 1, +d.e: 1},"
        " blocks: {x: {seeds: [5], options: {b: 2, c: 2}, cells: [{c: 3, d.e: 2}]}}}"
    )
    assert cells(tmp_path, text) == ["a=1 metrics.primary=psnr b=2 c=3 d.e=2 seed=5"]


def test_baselines_have_a_seed_where_they_draw(tmp_path: Path) -> None:
    text = "{seeds: [0, 1], options: {eval.limit: 3}, baselines: [grey, {method: regression, train.steps: 9}]}"
    assert cells(tmp_path, text) == [
        "eval.limit=3 method=grey",
        "eval.limit=3 method=regression train.steps=9 seed=0",
        "eval.limit=3 method=regression train.steps=9 seed=1",
    ]


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("1e-3", "0.001"),
        ("null", "null"),
        ("yes", "true"),
        ("'no'", "no"),
        ("'1'", "'1'"),
        ("a b", "a b"),
        ("0,1", "'0,1'"),
        ("[1, [x, null]]", "[1,[x,null]]"),
        ("{x: {root: a=b}}", "{x:{root:'a=b'}}"),
        ("${seed}", "${seed}"),
        ("it's", r"'it\'s'"),
    ],
)
def test_values_are_typed_as_hydra_reads_them(value: str, typed: str, tmp_path: Path) -> None:
    assert cells(tmp_path, f"cells:\n- x: {value}") == [f"x={typed}"]


def test_how_cells_are_compared_is_said_for_all_and_for_a_block(tmp_path: Path) -> None:
    text = (
        "{compare: {baseline: {encoder: unet, cond: film}, metrics: [psnr]},"
        " blocks: {x: {cells: [{}], compare: {cols: train.lr, where: {train.steps: [1, 2], seed: 0}}}}}"
    )
    whole = {"baseline": "encoder=unet,cond=film", "metric": ["psnr"]}
    of_block = {"cols": "train.lr", "where": ["train.steps=1", "train.steps=2", "seed=0"]}
    assert read(tmp_path, text).compare == {"": whole, "x": whole | of_block}
    assert read(tmp_path, text).table == tmp_path / "s.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("axis: {}", ": unknown key 'axis'; did you mean 'axes'?"),
        ("{blocks: {x: {cell: []}}}", ": blocks.x: unknown key 'cell'; did you mean 'cells'?"),
        ("{blocks: {x: {primary: psnr}}}", ": blocks.x: unknown key 'primary'"),
        ("{compare: {row: encoder}, cells: [{}]}", ": compare: unknown key 'row'; did you mean 'rows'?"),
        ("{blocks: {x: {cells: [{}]}}, axes: {cond: [add]}}", ": axes stands beside blocks; put it into a block"),
        ("{blocks: {x: {}}}", ": blocks.x has no cells; give axes, cells or baselines"),
        ("{}", " has no cells; give axes, cells or baselines"),
        ("axes: {cond: add}", ": axes.cond: expected a list, as in [a, b], not add"),
        ("axes: {cond: []}", ": axes.cond is empty; give at least one value"),
        ("axes: {train.steps: [{as: a, train.steps: 1}]}", ": axes.train.steps: as names places on encoder"),
        ("axes: {cond: [{as: 3, cond: add}]}", ": axes.cond: expected a name after as, not 3"),
        ("axes: {cond: [{as: ' ', cond: add}]}", ": axes.cond: expected a name after as, not ' '"),
        ("seeds: 3\ncells: [{}]", ": seeds: expected a list, as in [a, b], not 3"),
        ("cells: [film]", ": cells: expected names with values, as in {encoder: unet}, not film"),
        ("options: [a]\ncells: [{}]", ": options: expected names with values"),
        ("cells: [{'a b': 1}]", ": cells: 'a b' is no name of an option"),
        ("baselines: [{root: a}]", ": baselines: expected a name or {method: NAME, …}, not {root:a}"),
        ("baselines: [gray]", "unknown method 'gray'; did you mean 'grey'?"),
        ("cells: [{}]\ncells: [{}]", " is no YAML: while constructing a mapping"),
        ("cells: [", " is no YAML: while parsing"),
        ("3", ": expected names with values"),
        ("{1: 2}", ": expected names with values"),
    ],
)
def test_what_is_no_study_is_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ZooError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"s\.yaml: No such file or directory"):
        study_file.read(tmp_path / "s.yaml")


def test_the_example_has_all_its_cells() -> None:
    found = study_file.read(CONFIGS.parent / "examples" / "study.yaml")
    counts = {block: sum(cell.names[0] == block for cell in found.cells) for block in found.compare}
    assert counts == {"": 0, "pairs": 90, "questions": 12, "budget": 45, "hints": 3, "baselines": 7}
