"""Opening files that nobody has vetted."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.reading import kinds
from zoo.reading.pixels import to_pixels
from zoo.reading.source import BrokenImageError, open_image

RED = Image.new("RGB", (8, 8), (200, 40, 30))
PREFIX = b"Exif\0\0"


def opened(path: Path) -> np.ndarray:
    with open_image(path, 1_000_000) as image:
        return to_pixels(image).rgb


def jpeg_of_prefixes(path: Path, count: int) -> None:
    RED.save(path)
    segment = PREFIX * 10_000
    marker = b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    whole = path.read_bytes()
    path.write_bytes(whole[:2] + marker * (count // 10_000) + whole[2:])


def png_of_prefixes(path: Path, count: int) -> None:
    RED.save(path)
    data = PREFIX * count
    chunk = struct.pack(">I", len(data)) + b"eXIf" + data + struct.pack(">I", zlib.crc32(b"eXIf" + data))
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + chunk + whole[33:])


def webp_of_prefixes(path: Path, count: int) -> None:
    RED.save(path, exif=PREFIX * count, lossless=True)


@pytest.mark.parametrize(
    ("name", "write"), [("a.jpg", jpeg_of_prefixes), ("a.png", png_of_prefixes), ("a.webp", webp_of_prefixes)]
)
def test_exif_data_that_repeats_its_prefix_keeps_nobody_waiting(tmp_path: Path, name: str, write) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / name, 700_000)
    copied = 0  # what parsing costs, in bytes that are moved: 33 s on one machine, and the same number on all
    parse = Image.Exif.load

    def counting(self: Image.Exif, data: bytes) -> None:
        nonlocal copied
        copied += len(data)
        parse(self, b"" if copied > 1 << 18 else data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image.Exif, "load", counting)
        np.testing.assert_allclose(opened(tmp_path / name)[4, 4].astype(int), (200, 40, 30), atol=4)
    assert copied < 1 << 18


@pytest.mark.parametrize("name", ["a.mpo", "a.pbm", "a.pnm", "a.jpx", "a.jp2", "a.j2k"])
def test_every_kind_that_opens_alone_is_looked_at_in_folders(tmp_path: Path, name: str) -> None:
    kind = {"mpo": "JPEG", "pbm": "PPM", "pnm": "PPM"}.get(name[2:], "JPEG2000")
    image = RED.convert("1") if name == "a.pbm" else RED
    image.save(tmp_path / name, kind)
    assert opened(tmp_path / name).shape == (8, 8, 3)
    assert (tmp_path / name).suffix in kinds.suffixes()


@pytest.mark.parametrize("kind", ["EPS", "PCX", "TGA", "ICO", "SGI"])
def test_a_kind_that_is_not_on_the_list_is_refused_by_content(tmp_path: Path, kind: str) -> None:
    RED.save(tmp_path / "a.jpg", kind)
    with pytest.raises(BrokenImageError, match=r"known kind; expected one of AVIF, BMP"):
        opened(tmp_path / "a.jpg")


@pytest.mark.usefixtures("without_heif")
def test_heic_without_its_reader_says_what_to_install() -> None:
    assert ".heic" not in kinds.suffixes()
    assert "pillow-heif" in kinds.unidentified(b"\0\0\0\x18ftypheic")


def test_heic_is_read_where_its_reader_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    assert kinds.reads_heif()
    assert ".heic" in kinds.suffixes()
    Image.new("RGB", (64, 64), (200, 40, 30)).save(tmp_path / "a.heic", "HEIF", quality=100)
    np.testing.assert_allclose(opened(tmp_path / "a.heic")[32, 32].astype(int), (200, 40, 30), atol=6)


def test_a_lack_of_memory_is_no_fault_of_the_image(tmp_path: Path) -> None:
    RED.save(tmp_path / "a.png")
    with pytest.raises(MemoryError), open_image(tmp_path / "a.png", 1000):
        raise MemoryError
