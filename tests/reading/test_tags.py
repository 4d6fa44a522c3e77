"""What the tags of a photo may claim: one of a megabyte took six gigabytes, by naming one place thousands of times."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from support.bombs import PREFIX, TALL, bomb, copied, directory, turned, write
from zoo.photos.photo import read_photo
from zoo.reading import source, square
from zoo.reading.tags import overlapping


def claims(values: list[tuple[int, int]], length: int) -> bool:
    data = directory(values, length)
    file = io.BytesIO(data)
    found = ImageFileDirectory_v2(file.read(8))
    file.seek(8)
    answer = overlapping(found, file)
    assert file.tell() == 8
    return answer


@pytest.mark.parametrize(
    ("values", "too_much"),
    [
        ([(0, 1000)], False),
        ([(0, 500), (500, 500)], False),
        ([(0, 500), (500, 500), (0, 5)], True),
        ([(0, 1000), (0, 1000)], True),
        ([(0, 2000)], False),  # cut off, as cameras and programs leave them
        ([(0, 2**32 - 1)] * 16, False),
        ([(0, 2**32 - 1)] * 17, True),
        ([(2**32 - 1, 5)] * 50, False),  # far behind the end: nothing is read
    ],
)
def test_values_are_together_no_longer_than_the_file(values: list[tuple[int, int]], too_much: bool) -> None:
    assert claims(values, 1000) == too_much


@pytest.mark.filterwarnings("ignore:tags that overlap", "ignore:the EXIF data")
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif"])
def test_exif_data_whose_tags_name_one_place_over_and_over_costs_nothing(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, bomb())
    with copied() as counts:
        assert read_photo(path).rgb.shape[2] == 3
        assert square.decode(path).shape[2] == 3
    assert counts
    assert sum(counts) < 100_000


def test_a_tiff_whose_tags_name_one_place_over_and_over_is_refused(tmp_path: Path) -> None:
    tags = {256: 8, 257: 12, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 12, 279: 96}
    first = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    (tmp_path / "whole.tif").write_bytes(directory([(2000, 500)], 50_000, first))
    (tmp_path / "bomb.tif").write_bytes(directory([(20_000, 20_000)] * 1000, 50_000, first))
    assert read_photo(tmp_path / "whole.tif").rgb.shape == (12, 8, 3)
    with pytest.warns(UserWarning, match="overlap"), pytest.raises(ValueError, match=r"bomb\.tif: not an image"):
        read_photo(tmp_path / "bomb.tif")


@pytest.mark.parametrize(("length", "shape"), [(119_994, (8, 12, 3)), (120_001, (12, 8, 3))])
@pytest.mark.parametrize("name", ["a.png", "a.webp"])  # in a JPEG the number of its segments is limited
def test_exif_data_counts_up_to_its_limit_and_not_beyond(
    tmp_path: Path, name: str, length: int, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_LONGEST_EXIF", 120_000)
    path = write(tmp_path / name, turned(length, [(100, 60_000)]))
    assert read_photo(path).rgb.shape == shape
    assert (square.decode(path)[0, 0, 0] < 60) == (shape[0] == 12)  # whether its first corner is still there


@pytest.mark.parametrize(("prefixes", "shape"), [(64, (8, 12, 3)), (65, (12, 8, 3))])
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_prefix_of_exif_data_may_be_repeated_as_often_as_cameras_do(
    tmp_path: Path, name: str, prefixes: int, shape: tuple[int, int, int]
) -> None:
    assert read_photo(write(tmp_path / name, PREFIX * (prefixes - 1) + turned())).rgb.shape == shape


@pytest.mark.parametrize("more", [0, 1])
def test_a_jpeg_of_endless_scans_is_refused(tmp_path: Path, more: int) -> None:
    TALL.save(tmp_path / "a.jpg", progressive=True)
    whole = (tmp_path / "a.jpg").read_bytes()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    repeated = source._MOST_SCANS - whole.count(b"\xff\xda") + more
    (tmp_path / "a.jpg").write_bytes(whole[:-2] + last * repeated + whole[-2:])
    if more:
        with pytest.raises(ValueError, match="more than 200 scans"):
            read_photo(tmp_path / "a.jpg")
    else:
        assert read_photo(tmp_path / "a.jpg").rgb.shape == (12, 8, 3)
