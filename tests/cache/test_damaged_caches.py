"""A cache that was damaged is made again, and never used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo.cache import record_file
from zoo.cache.images import View, open_images
from zoo.cache.record_file import RowFile, write_rows
from zoo.errors import ZooError
from zoo.registry import datasets

ROWS = np.arange(40 * 16, dtype=np.uint16).reshape(40, 16)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    with write_rows(tmp_path / "whole.rows") as writer:
        writer.meta = {"keys": [f"photo {i}" for i in range(40)]}
        writer.append(ROWS[:25])
        writer.append(ROWS[25:])
    return tmp_path / "whole.rows"


def damaged(content: bytes, seed: int) -> bytes:
    """Some bytes changed, a stretch lost or doubled, or the end cut off."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    place = int(rng.integers(len(data)))
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[:place])
    if kind == 1:
        del data[place : place + int(rng.integers(1, 64))]
    elif kind == 2:
        data[place:place] = data[place : place + 32] or b"\0"
    else:
        for at in rng.integers(len(data), size=rng.integers(1, 8)):
            data[at] ^= rng.integers(1, 256)
    return bytes(data)


def read_damaged(whole: Path, seeds: range) -> None:
    content, path = whole.read_bytes(), whole.with_name("damaged.rows")
    for seed in seeds:
        changed = damaged(content, seed)
        if changed == content:
            continue
        path.write_bytes(changed)
        with pytest.raises(ZooError, match="is damaged; delete it"):
            RowFile(path)


def test_whatever_is_damaged_is_found_on_opening(whole: Path) -> None:
    read_damaged(whole, range(100))


@pytest.mark.long
def test_two_thousand_damages_are_found_on_opening(whole: Path) -> None:
    read_damaged(whole, range(100, 2100))


def test_rows_that_were_put_in_order_have_the_checksum_of_that_order(tmp_path: Path) -> None:
    with write_rows(tmp_path / "a.rows") as writer:
        writer.append(ROWS)
        writer.reorder(range(39, -1, -1))
    found = np.empty_like(ROWS)
    RowFile(tmp_path / "a.rows").read(np.arange(40), found)
    np.testing.assert_array_equal(found, ROWS[::-1])


def test_a_file_larger_than_a_block_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_file, "_BLOCK", 100)
    with write_rows(tmp_path / "a.rows") as writer:
        writer.append(ROWS)
    assert len(RowFile(tmp_path / "a.rows")) == 40
    monkeypatch.setattr(record_file, "_BLOCK", 1 << 20)
    assert len(RowFile(tmp_path / "a.rows")) == 40


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_images_that_were_damaged_are_decoded_again(tmp_path: Path, place: float) -> None:
    dataset = datasets.create("synthetic", n_train=4, n_val=1, n_test=1, size=32)

    def opened() -> np.ndarray:
        cache = open_images(dataset, "train", View(16), tmp_path, drop_grey=True)
        return cache.batch(np.arange(len(cache)))

    before = opened()
    (path,) = tmp_path.glob("*.images")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    np.testing.assert_array_equal(opened(), before)


def test_what_another_process_tidies_up_meanwhile_stops_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / ".a.rows.0.tmp"
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [gone])
    with write_rows(tmp_path / "a.rows") as writer:
        writer.append(ROWS)
    assert len(RowFile(tmp_path / "a.rows")) == 40
