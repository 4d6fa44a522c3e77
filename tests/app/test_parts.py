"""Parts that a visitor keeps: where they lie, what is shown of them, and that they stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.models import tiny_model
from zoo import checkpoint as model_files
from zoo.app.actions import Actions, Opened, Results
from zoo.app.checkpoints import Checkpoint
from zoo.app.keeping import Keeping, framed
from zoo.app.live import Step
from zoo.app.parts import Keep, Part, mask
from zoo.app.store import Store
from zoo.errors import ZooError
from zoo.photos.colorizer import ColorizeOptions

SIZE = (100, 200)


@pytest.mark.parametrize(("one", "other"), [((20, 10), (59, 39)), ((59, 10), (20, 39)), ((59, 39), (20, 10))])
def test_any_two_opposite_corners_make_the_part_with_both_pixels_in_it(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    part = Part.between(one, other, SIZE)
    assert part.box(SIZE) == (20, 10, 60, 40)
    assert part.box((1000, 2000)) == (200, 100, 600, 400)


def test_a_corner_at_the_edge_is_inside() -> None:
    assert Part.between((0, 0), (200, 100), SIZE) == Part(0, 0, 1, 1)


def test_a_part_is_kept_whole_and_fades_out_around() -> None:
    kept = mask([Part.between((20, 10), (59, 39), SIZE)], SIZE).astype(int)
    assert (kept[10:40, 20:60] == 255).all()
    assert 0 < kept[9, 40] < 255
    assert (np.diff(kept[:11, 40]) >= 0).all()
    assert (np.diff(kept[20, 59:]) <= 0).all()
    assert (kept[:4] == 0).all()
    assert (kept[:, 66:] == 0).all()
    assert kept.sum() < 255 * 46 * 36


def test_all_parts_are_kept_where_they_meet_too() -> None:
    parts = [Part(0, 0, 0.5, 0.5), Part(0.25, 0.25, 1, 1)]
    kept = mask(parts, SIZE)
    for part in parts:
        left, top, right, bottom = part.box(SIZE)
        assert (kept[top:bottom, left:right] == 255).all()


def test_two_taps_mark_a_part_and_marks_are_taken_back_one_by_one() -> None:
    one = Keeping().tapped((20, 10), SIZE)
    assert (one.parts, one.corner) == ((), (20, 10))
    two = one.tapped((59, 39), SIZE).tapped((0, 0), SIZE)
    assert (len(two.parts), two.corner) == (1, (0, 0))
    assert two.unmarked() == one.tapped((59, 39), SIZE)
    assert two.unmarked().unmarked() == Keeping()


def test_what_is_kept_is_undone_in_the_order_in_which_it_was() -> None:
    marked = Keeping((Part(0, 0, 0.5, 0.5),))
    first, second = Path("first.png"), Path("second.png")
    twice = marked.keep(first).keep(second)
    assert twice.last == Keep(second, marked.parts)
    assert twice.undone() == marked.keep(first)
    assert twice.undone().undone() == marked
    assert marked.last is None


def test_what_is_marked_has_its_colors_and_a_frame_and_all_else_is_paler(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100), (200, 60, 60)).save(tmp_path / "a.png")
    plain = framed(tmp_path / "a.png", Keeping())
    assert (plain == (200, 60, 60)).all()
    seen = framed(tmp_path / "a.png", Keeping((Part.between((20, 10), (59, 39), SIZE),)))
    assert (seen[10:40, 20:60] == (200, 60, 60)).all()
    assert (seen[9, 20:60] == 0).all()
    assert 0 < np.ptp(seen[80, 150]) < 50
    corner = framed(tmp_path / "a.png", Keeping(corner=(50, 50)))
    assert (corner[50, 50] == 255).all()


# Colouring


@pytest.fixture
def actions(tmp_path: Path) -> Actions:
    model_files.save(tiny_model("none", "none"), tmp_path / "plain.safetensors")
    named = {"plain": Checkpoint.read(tmp_path / "plain.safetensors")}
    return Actions(named, Store(tmp_path / "served", 10**8), 10**6, "cpu")


@pytest.fixture
def opened(actions: Actions, tmp_path: Path) -> Opened:
    Image.fromarray(np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)).save(tmp_path / "old.png")
    return actions.open(tmp_path / "old.png")


def colored(actions: Actions, opened: Opened, keep: Keep | None = None, **options: Any) -> tuple[list[Step], Results]:
    chosen = ColorizeOptions(steps=2, detect=False, vivid=True, **options)
    *steps, results = actions.color(opened, "plain", chosen, keep)
    assert isinstance(results, Results)
    return [step for step in steps if isinstance(step, Step)], results


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_kept_part_stays_to_the_bit_in_every_sample_however_often_the_rest_is_new(
    actions: Actions, opened: Opened
) -> None:
    part = Part.between((8, 12), (31, 35), opened.size)
    before = pixels(colored(actions, opened)[1].files[0])
    keep = Keep(colored(actions, opened)[1].files[0], (part,))
    for seed in (1, 2):
        _, results = colored(actions, opened, keep, seed=seed, samples=2)
        for file in results.files:
            after = pixels(file)
            assert np.array_equal(after[12:36, 8:32], before[12:36, 8:32])
            assert (after != before)[:, 40:].any(axis=2).mean() > 0.5
            keep = Keep(file, (part,))


def test_a_photo_with_transparency_keeps_its_part_too(actions: Actions, tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    Image.fromarray(np.stack([grey, 255 - grey], axis=2)).save(tmp_path / "faded.png")
    opened = actions.open(tmp_path / "faded.png")
    first = colored(actions, opened)[1].files[0]
    _, results = colored(actions, opened, Keep(first, (Part(0, 0, 0.5, 0.5),)), seed=1)
    assert np.array_equal(pixels(results.files[0])[:24, :32], pixels(first)[:24, :32])


def test_a_colouring_that_is_gone_cannot_be_kept_and_that_is_said(actions: Actions, opened: Opened) -> None:
    _, results = colored(actions, opened)
    results.files[0].unlink()
    with pytest.raises(ZooError, match="is gone; undo that") as refused:
        colored(actions, opened, Keep(results.files[0], (Part(0, 0, 1, 1),)))
    assert str(actions.store.folder) not in str(refused.value)
