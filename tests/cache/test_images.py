"""The decoded-image cache: which images are kept, what a view shows, and that a cache is whole or not there."""

from __future__ import annotations

import resource
import signal
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from zoo.cache.images import ImageCache, View, open_images
from zoo.cache.record_file import RowFile, write_rows
from zoo.data import BrokenImageError, Dataset, Split
from zoo.errors import ZooError
from zoo.faces.framing import Box


class Colored(Dataset):
    """Images of one colour each; those named grey… have none, those named broken… cannot be read."""

    def __init__(self, *names: str) -> None:
        self.names = sorted(names)
        self.loads = 0

    def keys(self, split: Split) -> list[str]:
        return self.names

    def signature(self, split: Split) -> str:
        return " ".join(self.names)

    def load(self, key: str) -> np.ndarray:
        self.loads += 1
        if key.startswith("crash"):
            raise KeyboardInterrupt
        if key.startswith("broken"):
            raise BrokenImageError("torn")
        rng = np.random.default_rng(list(key.encode()))
        image = rng.integers(0, 256, (40, 40, 3), np.uint8)
        return image[..., :1].repeat(3, axis=2) if key.startswith("grey") else image


def names(n: int) -> list[str]:
    return [f"photo{i:03d}" for i in range(n)]


def open_quietly(dataset: Dataset, view: View, folder: Path, **options: object) -> ImageCache:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_images(dataset, "train", view, folder, **{"drop_grey": True, **options})  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_batch_holds_the_images_that_were_asked_for_in_that_order(tmp_path: Path) -> None:
    dataset = Colored(*names(9))
    cache = open_quietly(dataset, View(40), tmp_path)
    order = np.array([7, 0, 7, 3])
    batch = cache.batch(order)
    assert batch.shape == (4, 40, 40, 3)
    for image, index in zip(batch, order):
        np.testing.assert_array_equal(image, dataset.load(cache.keys[index]))
        np.testing.assert_array_equal(image, cache.images[index])
    with pytest.raises(IndexError):
        cache.batch(np.array([9]))


def test_the_second_opening_decodes_nothing(tmp_path: Path) -> None:
    dataset = Colored(*names(4))
    first = open_quietly(dataset, View(8), tmp_path)
    dataset.loads = 0
    assert open_quietly(dataset, View(8), tmp_path).keys == first.keys
    assert dataset.loads == 0


@pytest.mark.parametrize("limit", [None, 20])
def test_the_file_is_the_same_for_any_number_of_workers(tmp_path: Path, limit: int | None) -> None:
    dataset = Colored(*names(150), "grey1", "broken1")
    for workers in (1, 4):
        open_quietly(dataset, View(16), tmp_path / str(workers), workers=workers, limit=limit)
    assert content(tmp_path / "1") == content(tmp_path / "4")


def test_every_view_keeps_the_same_images_and_has_the_same_manifest(tmp_path: Path) -> None:
    dataset = Colored(*names(5), "grey1", "broken1")
    color = open_quietly(dataset, View(16), tmp_path)
    grey = open_quietly(dataset, View(24, Box(-0.2, 0.1, 0.9), grey=True), tmp_path)
    assert color.keys == grey.keys == tuple(names(5))
    assert color.manifest == grey.manifest
    assert grey.batch(np.arange(5)).shape == (5, 24, 24, 1)


def test_the_manifest_changes_with_an_image_that_is_kept_and_with_nothing_else(tmp_path: Path) -> None:
    base = open_quietly(Colored(*names(5)), View(16), tmp_path).manifest
    assert open_quietly(Colored(*names(5), "broken1", "grey1"), View(16), tmp_path).manifest == base
    assert open_quietly(Colored(*names(6)), View(16), tmp_path).manifest != base


def test_grey_images_are_left_out_and_counted_or_kept_and_counted(tmp_path: Path) -> None:
    dataset = Colored(*names(3), "grey1", "grey2")
    dropped = open_quietly(dataset, View(16), tmp_path)
    kept = open_quietly(dataset, View(16), tmp_path, drop_grey=False)
    assert (len(dropped), len(kept)) == (3, 5)
    assert dropped.grey == kept.grey == ("grey1", "grey2")


def test_a_warning_names_what_was_skipped_and_stays_short(tmp_path: Path) -> None:
    dataset = Colored("photo", *[f"broken{i}" for i in range(8)])
    with pytest.warns(UserWarning, match=r"train images: 8 skipped: 'broken0' \(torn\).*'broken4' .*and 3 more"):
        cache = open_images(dataset, "train", View(16), tmp_path, drop_grey=True)
    assert len(cache.skipped) == 8
    with pytest.warns(UserWarning, match="8 skipped"):
        open_images(dataset, "train", View(16), tmp_path, drop_grey=True)


@pytest.mark.parametrize("image", ["broken1", "grey1"])
def test_when_nothing_is_left_that_is_an_error_with_the_reason_and_no_file(tmp_path: Path, image: str) -> None:
    with pytest.raises(ZooError, match=r"no usable train image: .*(torn|1 are grey)"):
        open_quietly(Colored(image), View(16), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_limit_takes_a_sample_that_counts_only_what_is_kept(tmp_path: Path) -> None:
    dataset = Colored(*names(60), *[f"grey{i}" for i in range(60)])
    ten = open_quietly(dataset, View(40), tmp_path, limit=10)
    twenty = open_quietly(dataset, View(40), tmp_path, limit=20)
    assert (len(ten), len(twenty)) == (10, 20)
    assert set(ten.keys) < set(twenty.keys)
    assert list(ten.keys) == sorted(ten.keys) != names(10)
    np.testing.assert_array_equal(ten.batch(np.arange(10)), [dataset.load(key) for key in ten.keys])
    with pytest.raises(ZooError, match="at least 1"):
        open_quietly(dataset, View(16), tmp_path, limit=0)


def test_a_build_that_dies_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        open_quietly(Colored("a", "b", "crash"), View(16), tmp_path)
    assert not list(tmp_path.iterdir())

    def interrupted(items: object, total: int, what: str) -> object:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        open_quietly(Colored("a", "b"), View(16), tmp_path, progress=interrupted)
    assert not list(tmp_path.iterdir())
    assert len(open_quietly(Colored("a", "b"), View(16), tmp_path)) == 2


def test_two_builds_at_once_both_end_with_a_right_cache(tmp_path: Path) -> None:
    dataset = Colored(*names(80))
    caches: list[ImageCache] = []
    threads = [
        threading.Thread(target=lambda: caches.append(open_images(dataset, "train", View(8), tmp_path, drop_grey=True)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.iterdir())) == 1
    batches = [cache.batch(np.arange(80)) for cache in caches]
    assert len(batches) == 3
    assert all(np.array_equal(batch, batches[0]) for batch in batches)


def test_a_cache_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    dataset = Colored(*names(4))
    whole = open_quietly(dataset, View(16), tmp_path).batch(np.arange(4))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    np.testing.assert_array_equal(open_quietly(dataset, View(16), tmp_path).batch(np.arange(4)), whole)


ELSEWHERE = "another folder by cache_dir=DIR or the environment variable ZOO_CACHE"


def test_a_cache_folder_that_cannot_be_made_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ZooError, match=rf"cannot write the cache .*file \(.*exists\); give {ELSEWHERE}"):
        open_quietly(Colored("a"), View(16), tmp_path / "file")


def test_a_read_only_cache_folder_says_how_to_name_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # as it is to all but root
    with pytest.raises(ZooError, match=rf"cannot write the cache .* \(Permission denied\); give {ELSEWHERE}"):
        open_quietly(Colored("a"), View(16), tmp_path)


def test_a_full_disk_says_to_free_space_or_how_to_name_another_folder(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the kernel then says EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ZooError, match=rf"cannot write the cache .*; free space there, or give {ELSEWHERE}"):
            open_quietly(Colored("a"), View(16), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_progress_sees_every_image_once(tmp_path: Path) -> None:
    seen: list[object] = []

    def progress(items: object, total: int, what: str) -> object:
        seen.append((total, what))
        for item in items:  # type: ignore[attr-defined]
            seen.append(item)
            yield item

    open_quietly(Colored(*names(5)), View(16), tmp_path, progress=progress)
    assert seen[0] == (5, "decoding train images")
    assert len(seen) == 6


def test_reading_a_whole_cache_does_not_keep_it_in_memory(tmp_path: Path) -> None:
    rows, row_bytes = 400, 100_000  # 40 MB
    with write_rows(tmp_path / "rows") as writer:
        for _ in range(rows):
            writer.append(np.ones((1, row_bytes), np.uint8))
    file = RowFile(tmp_path / "rows")
    before = resident_bytes()
    out = np.empty((8, row_bytes), np.uint8)
    for start in range(0, rows, 8):
        file.read(np.arange(start, start + 8), out)
    assert resident_bytes() - before < 10e6


def resident_bytes() -> int:
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("no /proc here")
    return int(status.read_text().split()[1]) * 4096


def test_images_that_show_what_others_do_are_left_out_of_every_view_and_named(tmp_path: Path) -> None:
    dataset = Colored(*names(6))
    unlike = open_quietly(Colored("elsewhere", *names(2)), View(8), tmp_path).fingerprints
    views = [View(16), View(24, Box(-0.2, 0.1, 0.9), grey=True)]
    color, grey = (open_quietly(dataset, view, tmp_path, unlike=unlike) for view in views)
    assert color.keys == grey.keys == tuple(names(6)[2:])
    assert color.near == (("photo000", "photo000"), ("photo001", "photo001"))
    assert color.manifest == grey.manifest == open_quietly(Colored(*names(6)[2:]), View(16), tmp_path).manifest
    assert len(open_quietly(dataset, View(16), tmp_path)) == 6


def test_a_limit_counts_what_is_left_by_leaving_out_what_others_show(tmp_path: Path) -> None:
    dataset = Colored(*names(6))
    unlike = open_quietly(Colored(*names(3)), View(8), tmp_path).fingerprints
    assert len(open_quietly(dataset, View(16), tmp_path, unlike=unlike, limit=3)) == 3
    with pytest.raises(ZooError, match="3 show the same as photos of other splits"):
        open_quietly(Colored(*names(3)), View(16), tmp_path, unlike=unlike)
