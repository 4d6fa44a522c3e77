"""What may stand in one table, and what is refused by naming the field and its values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.rows import row
from zoo.benchmark.tables import rows, specs
from zoo.commands import main

Run = Callable[..., tuple[int, str]]


def settings(**changes: Any) -> dict[str, Any]:
    """A resolved spec, with dots written as double underscores."""
    spec: dict[str, Any] = {
        "method": "diffusion",
        "encoder": {"name": "none"},
        "cond": {"name": "none"},
        "train": {"lr": 0.001, "steps": 400},
        "sampler": {"name": "ddim", "steps": 10},
        "data": {"name": "folder", "limit": None},
        "metrics": {"psnr": {"name": "psnr"}},
        "seed": 0,
    }
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = spec
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return spec


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Compare a table of runs, given as (row, spec); returns the exit code and what was printed."""

    def run(runs: list[tuple[rows.Row, dict[str, Any] | None]], *arguments: str) -> tuple[int, str]:
        table = tmp_path / "t.csv"
        rows.write(table, [one for one, _ in runs])
        records = {one.run_id: {"spec": spec} for one, spec in runs if spec is not None}
        specs.beside(table).write_text(json.dumps(records))
        code = main([str(table), "--runs", str(tmp_path / "runs"), *arguments], command="compare")
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampler__steps": 2}, "sampler.steps is 10 in run a, 2 in run b"),
        ({"denoiser": {"width": 64}}, "denoiser.width is absent in run a, 64 in run b"),
        ({"data__limit": 8}, "data.limit is null in run a, 8 in run b"),
        ({"train__steps": 60000}, "train.steps is 400 in run a, 60000 in run b"),
        ({"encoder__weights": "f" * 64}, "encoder.weights is absent in run a"),
    ],
)
def test_runs_of_one_cell_that_differ_in_more_than_their_seed_are_refused(
    show: Run, changes: dict[str, Any], said: str
) -> None:
    code, told = show([(row("a", seed=0), settings()), (row("b", seed=1), settings(seed=1, **changes))])
    assert code == 2
    assert said in told
    assert len(told.splitlines()) == 1


def test_cells_that_differ_along_no_axis_are_refused_with_what_to_do(show: Run) -> None:
    other = settings(encoder__name="unet", train__lr=0.01)
    code, told = show([(row("a"), settings()), (row("b", encoder="unet"), other)])
    assert code == 2
    assert "train.lr is 0.001 in run a, 0.01 in run b" in told
    assert "--where train.lr=0.001, or make it an axis (--rows train.lr)" in told


def test_runs_that_are_equal_in_all_but_axes_and_seed_are_averaged(show: Run) -> None:
    runs = [
        (row(f"{e}{s}", encoder=e, seed=s), settings(encoder__name=e, seed=s)) for e in ("none", "unet") for s in (0, 1)
    ]
    code, told = show(runs)
    assert code == 0
    assert "± is the standard deviation over 2 seeds" in told
    assert told.count("1.500 ± 0") == 2
    assert "no record" not in told


def test_one_and_one_point_zero_are_one(show: Run) -> None:
    runs = [(row("a"), settings(train__lr=1)), (row("b", seed=1), settings(seed=1, train__lr=1.0))]
    assert show(runs)[0] == 0


@pytest.mark.parametrize(
    ("condition", "kept"),
    [("train.lr=0.01", "9.000"), ("train.lr=1e-3", "1.500"), ("run_id=b", "9.000"), ("train.lr=.01", "")],
)
def test_where_chooses_among_what_cannot_stand_together(show: Run, condition: str, kept: str) -> None:
    runs = [(row("a"), settings()), (row("b", value=9.0), settings(train__lr=0.01))]
    code, told = show(runs, "--where", condition)
    assert code == (0 if kept else 2)
    assert kept in told
    assert ("9.000" in told) == (kept == "9.000")


def test_any_option_can_be_an_axis(show: Run) -> None:
    runs = [(row(f"{lr}", value=lr), settings(train__lr=lr)) for lr in (0.01, 0.001, 0.1)]
    code, told = show(runs, "--rows", "train.lr", "--baseline", "train.lr=0.1")
    assert code == 0
    order = [line.split()[0] for line in told.splitlines() if line.startswith("train.lr=")]
    assert order[:3] == ["train.lr=0.001", "train.lr=0.01", "train.lr=0.1"]
    assert "less train.lr=0.1 × none" in told


def test_no_guidance_is_a_guidance_of_one(show: Run) -> None:
    """Records leave it out where it is one, for nothing is read then."""
    guided = {"cond": {"name": "concat"}, "sampler": {"name": "ddim", "steps": 10, "guidance": 2}}
    plain = row("a", cond="concat"), settings(cond__name="concat")
    other = row("b", value=9.0, cond="concat"), settings(**guided)
    code, told = show([plain, other])
    assert code == 2
    assert "sampler.guidance is 1 in run a, 2 in run b" in told
    code, told = show([plain, other], "--rows", "sampler.guidance", "--baseline", "sampler.guidance=1")
    assert code == 0
    assert "sampler.guidance=1" in told
    code, told = show([plain, other], "--where", "sampler.guidance=1")
    assert (code, "9.000" in told) == (0, False)


def test_an_option_that_some_runs_lack_can_be_chosen_and_be_an_axis(show: Run) -> None:
    runs = [(row("a"), settings()), (row("b", value=9.0), settings(train__ema=0.9))]
    code, told = show(runs)
    assert code == 2
    assert "--where train.ema=absent, or make it an axis (--rows train.ema)" in told
    code, told = show(runs, "--where", "train.ema=absent")
    assert (code, "1.500" in told, "9.000" in told) == (0, True, False)
    code, told = show(runs, "--rows", "train.ema", "--baseline", "train.ema=absent")
    assert code == 0
    assert "less train.ema=absent × none" in told


@pytest.mark.parametrize("given", [["--where", "train.lr=0.1"], ["--rows", "train.lr"]])
def test_an_option_that_a_baseline_does_not_have_leaves_it_in_the_table(show: Run, given: list[str]) -> None:
    grey = row("g", method="grey", encoder="", cond="", value=7.0), {"method": "grey", "data": {"limit": None}}
    runs = [grey, (row("a"), settings()), (row("b", value=9.0), settings(train__lr=0.1))]
    code, told = show(runs, *given)
    assert code == 0
    assert "7.000" in told
    assert "absent" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "train.lr", "--cols", "train.lr"], "--rows and --cols are both train.lr; a table has two axes"),
        (["--rows", "train.lr", "--baseline", "train.lr=3"], "--baseline train.lr=3: unknown train.lr '3'"),
        (["--where", "train.lr=3"], "--where train.lr=3: unknown train.lr '3'"),
    ],
)
def test_what_is_asked_for_wrongly_is_named_as_it_was_given(show: Run, arguments: list[str], said: str) -> None:
    code, told = show([(row("a"), settings())], *arguments)
    assert code == 2
    assert said in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("samplings", [3, {"fd": 3}, {"fd": ["x"]}])
def test_samplings_that_are_no_numbers_are_one_line(tmp_path: Path, capsys: Any, samplings: Any) -> None:
    rows.write(tmp_path / "t.csv", [row("a")])
    (tmp_path / "t.specs.json").write_text(json.dumps({"a": {"spec": settings(), "samplings": samplings}}))
    assert main([str(tmp_path / "t.csv")], command="compare") == 2
    told = capsys.readouterr().err
    assert "as samplings are no lists of numbers" in told
    assert len(told.splitlines()) == 1


def test_a_folder_is_no_table(tmp_path: Path, capsys: Any) -> None:
    assert main([str(tmp_path)], command="compare") == 2
    assert f"table {tmp_path} is a folder; expected a CSV file" in capsys.readouterr().err


def lines(told: str, *heads: str) -> list[str]:
    """The places on the axis of the lines of the first table."""
    found = [line.split("  ")[0].strip() for line in told.split("\n\n")[0].splitlines()]
    return [line for line in found if line.startswith(heads)]


TIMES = {
    "a": {"times": "uniform"},
    "b": {"times": "logit_normal", "times_mean": 1.0},
    "c": {"times": "logit_normal", "times_mean": 2.0},
}


def of_times(*others: tuple[rows.Row, dict[str, Any] | None]) -> list[tuple[rows.Row, dict[str, Any] | None]]:
    each = [(row(f"{run}{s}", seed=s), settings(diffusion=own, seed=s)) for run, own in TIMES.items() for s in (0, 1)]
    return [*each, *others]


def test_a_group_of_options_is_an_axis_of_its_distinct_combinations(show: Run) -> None:
    code, told = show(of_times(), "--rows", "diffusion", "--baseline", "diffusion.times=uniform")
    assert code == 0
    expected = ["times=logit_normal, times_mean=1", "times=logit_normal, times_mean=2", "times=uniform"]
    assert sorted(lines(told, "times=")) == expected
    assert "less times=uniform" in told


def test_a_group_does_not_hide_what_is_beside_it(show: Run) -> None:
    other = settings(diffusion={"times": "uniform"}, train__lr=0.01)
    code, told = show(of_times((row("d", encoder="unet"), other)), "--rows", "diffusion")
    assert code == 2
    assert "train.lr is 0.001 in" in told


def test_a_named_group_has_its_name_and_what_differs_beside(show: Run) -> None:
    chosen = [
        {"name": "ddim", "steps": 10, "eta": 0.0},
        {"name": "ddim", "steps": 10, "eta": 0.5},
        {"name": "deis", "steps": 10, "order": 3},
    ]
    runs = [(row(f"{i}"), settings(sampler=own)) for i, own in enumerate(chosen)]
    code, told = show(runs, "--rows", "sampler")
    assert code == 0
    assert lines(told, "sampler=") == ["sampler=ddim, eta=0", "sampler=ddim, eta=0.5", "sampler=deis"]
    assert show(runs, "--rows", "sampler", "--where", "sampler=ddim", "--baseline", "sampler.eta=0")[0] == 0


def test_parts_without_options_are_told_by_their_names(show: Run) -> None:
    parts: list[dict[str, Any]] = [{"film": {}}, {"film": {}, "concat": {}}, {"film": {"zero": True}, "concat": {}}]
    runs = [(row(f"{i}"), settings(cond={"name": "sum", "parts": own})) for i, own in enumerate(parts)]
    code, told = show(runs, "--rows", "cond.parts")
    assert code == 0
    assert sorted(lines(told, "concat", "film")) == ["concat, film", "concat, film.zero=true", "film"]


def test_several_options_are_one_axis(show: Run) -> None:
    grid = [(lr, steps) for lr in (0.001, 0.01) for steps in (10, 20)]
    runs = [
        (row(f"{i}", encoder=encoder), settings(encoder__name=encoder, train__lr=lr, sampler__steps=steps))
        for i, (lr, steps, encoder) in enumerate((*one, e) for one in grid for e in ("none", "unet"))
    ]
    code, told = show(runs, "--rows", "train.lr,sampler.steps", "--cols", "encoder")
    assert code == 0
    assert sorted(lines(told, "train.lr=")) == sorted(f"train.lr={lr}, sampler.steps={steps}" for lr, steps in grid)
    code, told = show(runs, "--rows", "encoder,train.lr", "--cols", "sampler.steps")
    assert code == 0
    assert "unet, train.lr=0.01" in told


def test_a_baseline_that_has_no_such_group_stays_in_the_table(show: Run) -> None:
    grey = settings(method="grey")
    del grey["sampler"], grey["train"]
    code, told = show(of_times((row("g", method="grey", encoder=""), grey)), "--rows", "diffusion")
    assert code == 0
    assert "grey" in told


def test_options_of_a_group_that_are_all_the_same_are_told_so(show: Run) -> None:
    code, told = show([(row("a"), settings(diffusion={"times": "uniform"}))], "--rows", "diffusion")
    assert code == 0
    assert "diffusion=the same" in told


def test_a_group_has_no_value_to_choose_by(show: Run) -> None:
    code, told = show(of_times(), "--where", "diffusion=uniform")
    assert code == 2
    assert "diffusion is several options; name one: times, times_mean" in told


def test_another_axis_does_not_hide_what_used_to_be_one(show: Run) -> None:
    runs = [(row("a"), settings()), (row("b", encoder="unet"), settings(encoder__name="unet", train__lr=0.01))]
    code, told = show(runs, "--rows", "train.lr")
    assert code == 2
    assert "encoder.name is none in run a, unet in run b" in told


def test_an_axis_that_nothing_has_is_named_with_what_is_close(show: Run) -> None:
    code, told = show([(row("a"), settings())], "--rows", "train.lrr")
    assert code == 2
    assert "did you mean 'train.lr'?" in told


@pytest.mark.parametrize(
    ("metrics", "comparable"),
    [({"psnr": {"name": "psnr"}, "ssim": {"name": "ssim"}}, True), ({"psnr": {"name": "psnr", "border": 4}}, False)],
)
def test_one_metric_more_changes_nothing_about_the_others(
    show: Run, tmp_path: Path, metrics: dict[str, Any], comparable: bool
) -> None:
    protocols = {"p": {"metrics": {"psnr": {"name": "psnr"}}}, "q": {"metrics": metrics}}
    (tmp_path / "t.protocols.json").write_text(json.dumps(protocols))
    other = row("b", encoder="unet", protocol_id="q"), settings(encoder__name="unet")
    code, told = show([(row("a", protocol_id="p"), settings()), other])
    assert code == (0 if comparable else 2)
    assert ("psnr: metrics.psnr.border is absent in run a, 4 in run b" in told) != comparable


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images_seen": 128}, "images_seen is 64 in run a, 128 in run b"),
        ({"weights_sha": "f" * 64}, "weights_sha is"),
        ({"n_images": 9}, "n_images is 8 in run a, 9 in run b"),
        ({"protocol_id": "q"}, "protocol_id is p in run a, q in run b"),
        ({"params": 99}, "params is 10 in run a, 99 in run b"),
    ],
)
def test_without_records_columns_must_be_equal_and_what_cannot_be_checked_is_said(
    show: Run, changes: dict[str, Any], said: str
) -> None:
    code, told = show([(row("a"), None), (row("b", seed=1, **changes), None)])
    assert code == 2
    assert said in told
    code, told = show([(row("a"), None), (row("b", seed=1), None)])
    assert code == 0
    assert "no record of the settings of 2 runs (a, b)" in told


def test_the_same_seed_twice_in_a_cell_is_never_averaged(show: Run) -> None:
    code, told = show([(row("a"), settings()), (row("b"), settings())])
    assert code == 2
    assert "none × none has 2 different runs with seed 0" in told
    assert "--where run_id=" in told
    assert show([(row("a"), settings()), (row("b"), settings())], "--where", "run_id=a")[0] == 0


@pytest.mark.parametrize(
    ("column", "name"), [("device", "devices"), ("git_sha", "commits"), ("weights_sha", "weights")]
)
def test_what_differs_within_a_cell_and_forbids_nothing_is_told(show: Run, column: str, name: str) -> None:
    code, told = show([(row("a"), settings()), (row("b", seed=1, **{column: "other"}), settings(seed=1))])
    assert code == 0
    assert f"runs of several {name} are averaged in none × none" in told


def test_a_baseline_may_train_otherwise_which_is_told_but_colours_the_same_photos(show: Run) -> None:
    regression = row("r", method="regression")
    pair = (row("a"), settings())
    code, told = show([pair, (regression, settings(method="regression", train__lr=0.01))])
    assert code == 0
    assert "regression differs from the pairs in train.lr too" in told
    code, told = show([pair, (regression, settings(method="regression", data__limit=8))])
    assert code == 2
    assert "data.limit is null in run a, 8 in run r" in told


def test_what_changes_no_score_is_not_compared(show: Run) -> None:
    other = settings(seed=1, device="cuda", cache_dir="/somewhere", train__log=["wandb"], data__root="/else")
    assert show([(row("a"), settings()), (row("b", seed=1), other)])[0] == 0


def test_an_option_of_another_version_counts_unless_it_is_known_to_have_changed_no_score(show: Run) -> None:
    assert show([(row("a"), settings()), (row("b", seed=1), settings(seed=1, eval__strips=8))])[0] == 0
    code, told = show([(row("a"), settings()), (row("b", seed=1), settings(seed=1, train__gone=8))])
    assert code == 2
    assert "train.gone is absent in run a, 8 in run b" in told


def test_runs_that_learned_from_other_photos_are_not_compared(show: Run) -> None:
    one, other = (settings(seed=seed, manifests__train=photos) for seed, photos in ((0, "abc"), (1, "def")))
    code, told = show([(row("a"), one), (row("b", seed=1), other)])
    assert code == 2
    assert "manifests.train is abc in run a, def in run b" in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train__schedule": "constant"}, "train.schedule is cosine in run a, constant in run b"),
        ({"train__keep": "best"}, "train.keep is last in run a, best in run b"),
        ({"train__patience": 3}, "train.patience is null in run a, 3 in run b"),
        ({"train__init__sha256": "abc"}, "train.init.sha256 is null in run a, abc in run b"),
    ],
)
def test_options_of_training_that_records_leave_out_are_compared_as_what_they_are(
    show: Run, changes: dict[str, Any], said: str
) -> None:
    code, told = show([(row("a"), settings()), (row("b", encoder="unet"), settings(encoder__name="unet", **changes))])
    assert code == 2
    assert said in told


@pytest.mark.parametrize(("decides", "code"), [({}, 0), ({"train__keep": "best"}, 2), ({"train__patience": 3}, 2)])
def test_how_often_validation_is_looked_at_counts_where_looks_decide(
    show: Run, decides: dict[str, Any], code: int
) -> None:
    one, other = (settings(seed=seed, train__val_every=200 + seed, **decides) for seed in (0, 1))
    assert show([(row("a"), one), (row("b", seed=1), other)])[0] == code


def test_settings_are_found_in_run_folders_too(show: Run, tmp_path: Path) -> None:
    for run, steps in (("a", 400), ("b", 800)):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "spec.yaml").write_text(f"train: {{steps: {steps}}}\nseed: 0\n")
    code, told = show([(row("a"), None), (row("b", encoder="unet"), None)])
    assert code == 2
    assert "train.steps is 400 in run a, 800 in run b" in told
