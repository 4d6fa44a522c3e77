"""Curves and pictures of the report: what is drawn of a log, and which photos are shown."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.reporting import (
    IMAGES,
    Benchmark,
    Page,
    faces,
    log_losses,
    page_of,
    run,
    table_of,
    write_grid,
    write_values,
)
from support.rows import row
from support.tables import frame
from zoo.benchmark.analysis.scores import Metric
from zoo.benchmark.report import curves, pictures
from zoo.benchmark.runs import folder as layout
from zoo.benchmark.tables import table_files


def test_losses_of_a_resumed_run_count_once_and_the_last_one_counts(tmp_path: Path) -> None:
    log_losses(tmp_path, range(1, 31))
    log_losses(tmp_path, range(21, 51), scale=2.0)
    found = curves.losses([tmp_path])
    assert list(found) == list(range(1, 51))
    assert found[20] == pytest.approx(1 / 21)
    assert found[25] == pytest.approx(2 / 26)


def test_long_curves_are_thinned_out_and_keep_their_ends() -> None:
    points = curves.smooth(dict.fromkeys(range(1, 20001), 1.0))
    assert len(points) == curves.POINTS
    assert (points[0], points[-1]) == ((1, 1.0), (20_000, 1.0))


def test_smoothing_lessens_noise_and_keeps_the_level() -> None:
    noise = np.random.default_rng(0).normal(size=2000)
    points = curves.smooth(dict(enumerate(5 + noise)))
    late = [loss for step, loss in points if step > 500]
    assert np.std(late) < 0.3 * noise.std()
    assert np.mean(late) == pytest.approx(5, abs=0.1)


def test_a_run_that_took_over_its_training_has_the_curve_of_that_training(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    log_losses(runs / "first", range(1, 11))
    for run_id, training in (("first", "t"), ("second", "t"), ("third", "u")):
        (runs / run_id).mkdir(exist_ok=True)
        (runs / run_id / "manifest.json").write_text(json.dumps({"training_id": training}))
    table = frame(row("second"), row("third", encoder="unet"))
    drawn, missing = curves.gather(table, {run: runs / run for run in ("second", "third")}, runs)
    assert [(str(curve.cell), curve.points[-1][0]) for curve in drawn] == [("none × none", 10)]
    assert missing == ["unet × none, seed 0"]


def test_a_log_that_was_cut_off_gives_what_is_left_of_it(tmp_path: Path) -> None:
    log_losses(tmp_path, range(1, 31))
    (log,) = (tmp_path / "train").iterdir()
    log.write_bytes(log.read_bytes()[:-100])
    assert 20 < len(curves.losses([tmp_path])) < 30
    log.write_bytes(b"no log at all")
    assert curves.losses([tmp_path]) == {}


def test_photos_are_chosen_by_their_mean_over_the_cells_shown(page: Page) -> None:
    names = list(faces())
    ranked = [0, 1, 2, 5, 9, 10, 11]  # values per image rise with their place
    heads = page.texts["h3"]
    assert [head.split()[-1] for head in heads] == [names[i] for i in ranked]
    assert [head.partition(" st_lpips")[0] for head in heads] == [
        "Best",
        "Second best",
        "Third best",
        "Median",
        "Third worst",
        "Second worst",
        "Worst",
    ]
    assert f"of the {IMAGES} photos of which the runs left pictures" in page.text
    assert "by st_lpips (lower is better) of the photo" in page.text


def test_the_best_photos_come_first_where_higher_is_better(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_grid(tmp_path / "a", faces(), 10)
    write_values(tmp_path / "a", faces(), np.arange(IMAGES) * 1.0)
    table = frame(row("a", "st_lpips"))
    values = table_files.per_image([], tmp_path, ["a"])
    found = pictures.gather(table, {"a": tmp_path / "a"}, values, Metric("st_lpips", True))
    assert found is not None
    assert [photo.value for photo in found.photos] == ["11.00", "10.00", "9.000", "6.000", "2.000", "1.000", "0.0000"]


def test_the_pictures_are_the_sample_grids_to_the_bit_and_the_same_photos_in_every_cell(
    made: Benchmark, page: Page
) -> None:
    images = page.attributes("img")
    assert len(images) == 7 * 7  # six pairs and the regression; what grey gives stands in every row
    with np.load(made.runs / f"{0:012x}" / layout.SAMPLE_GRID) as found:
        first = np.concatenate(list(found["sample_grid"][0]), axis=1)
    shown = Image.open(io.BytesIO(base64.b64decode(images[0]["src"].partition(",")[2])))
    assert np.array_equal(np.asarray(shown.convert("RGB")), first)
    assert images[0]["alt"] == "Grey, 2 colourings by none × concat, and truth"


def test_pictures_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Benchmark) -> None:
    page = page_of(monkeypatch, tmp_path, made.table, "--runs", made.runs, "--no-pictures")
    assert page.attributes("img") == []
    assert "The pictures were left out" in page.text
    assert not any(name in page.html for name in faces())


def test_a_cell_without_a_sample_grid_is_named_and_a_later_seed_steps_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run_id in ("b", "c"):
        (tmp_path / run_id).mkdir()
        write_values(tmp_path / run_id, faces(), np.arange(IMAGES) * 1.0)
    write_grid(tmp_path / "b", faces(), 10)
    some = [row("a", "st_lpips", seed=0), row("b", "st_lpips", seed=1), row("c", "st_lpips", encoder="unet")]
    page = page_of(monkeypatch, tmp_path, table_of(tmp_path, *some), "--runs", tmp_path)
    assert len(page.attributes("img")) == 7
    assert "No pictures were found for: unet × none" in page.text


def test_a_broken_sample_grid_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / pictures.SAMPLE_GRID).write_bytes(b"PK no archive")
    write_values(tmp_path / "a", faces(), np.arange(IMAGES) * 1.0)
    table = table_of(tmp_path, row("a", "st_lpips"))
    assert run(monkeypatch, table, "--runs", tmp_path, "--out", tmp_path / "report.html") == 2
    told = capsys.readouterr().err
    assert "holds no sample grid" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 100])
def test_every_photo_that_is_shown_has_a_place_of_its_own(n: int) -> None:
    shown = pictures.ranks(n)
    assert len(shown) == min(n, 7)
    assert len({pictures.place(rank, n) for rank in shown}) == len(shown)


def test_sample_grids_go_by_the_name_that_runs_give_them() -> None:
    assert pictures.SAMPLE_GRID == layout.SAMPLE_GRID
