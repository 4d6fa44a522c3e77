"""Whose photo is coloured next: one at a time, and nobody waits for the whole of another one's album."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.app.actions import Actions, Opened, Results
from zoo.app.album import color_album
from zoo.app.checkpoints import Checkpoint
from zoo.app.live import OnStep, Turns, watch
from zoo.app.store import Store
from zoo.photos.colorizer import ColorizeOptions

QUICK = ColorizeOptions(steps=1, detect=False)


@pytest.fixture
def actions(checkpoint: Path, tmp_path: Path) -> Actions:
    return Actions({"small": Checkpoint.read(checkpoint)}, Store(tmp_path / "served", 10**8), 10**6, "cpu")


def photo(path: Path) -> Path:
    Image.fromarray(np.arange(400).reshape(20, 20).astype(np.uint8)).save(path)
    return path


def until(condition: object) -> None:
    ended = threading.Event()
    while not condition():  # type: ignore[operator]
        ended.wait(0.01)


def test_a_photo_waits_for_one_of_another_visitors_album_and_not_for_all(
    actions: Actions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    write = Actions._write

    def noted(self: Actions, *given: object) -> Results:
        if not done:  # the other visitor comes while the first photo is at work
            visitor.start()
            until(lambda: len(actions.turns) == 2)
        opened = given[-1]
        assert isinstance(opened, Opened)
        done.append(opened.path.name)
        return write(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Actions, "_write", noted)
    alone = actions.open(photo(tmp_path / "alone.png"))
    visitor = threading.Thread(target=lambda: list(actions.color(alone, "small", QUICK)))
    list(color_album(actions, [photo(tmp_path / f"{i}.png") for i in range(4)], "small", QUICK))
    visitor.join()
    assert done == ["0.png", "alone.png", "1.png", "2.png", "3.png"]


def test_never_are_two_at_work(actions: Actions) -> None:
    turns, at_work, most = Turns(), 0, 0

    def work(on_step: OnStep) -> str:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        threading.Event().wait(0.02)
        at_work -= 1
        return ""

    visitors = [threading.Thread(target=lambda: list(watch(work, turns))) for _ in range(5)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert (most, len(turns)) == (1, 0)


def test_one_who_leaves_the_line_keeps_nobody_waiting() -> None:
    turns, stop, had = Turns(), threading.Event(), threading.Event()

    def wait() -> None:
        with suppress(Exception), turns.one(stop):
            had.set()

    with turns.one(threading.Event()):
        visitor = threading.Thread(target=wait)
        visitor.start()
        until(lambda: len(turns) == 2)
        stop.set()
        visitor.join(10)
        assert (visitor.is_alive(), had.is_set(), len(turns)) == (False, False, 1)


def test_a_turn_ends_with_its_work_though_nobody_asks_for_the_result() -> None:
    turns = Turns()
    forgotten = watch(lambda on_step: on_step(0, None), turns)
    next(forgotten)
    until(lambda: len(turns) == 0)
    assert list(watch(lambda on_step: "next", turns)) == ["next"]
    forgotten.close()
