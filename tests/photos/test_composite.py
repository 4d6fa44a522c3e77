"""Colourings are put together at low resolution and meet the lightness at full resolution."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from support.scenes import photo_of
from zoo.color.upsample import chroma_field, upsample_chroma
from zoo.photos.composite import compose, paint
from zoo.photos.photo import Photo


def test_a_field_enlarged_is_what_upsampling_gives() -> None:
    generator = torch.Generator().manual_seed(0)
    L = torch.rand(1, 1, 32, 48, generator=generator) * 2 - 1
    ab = torch.rand(1, 2, 8, 12, generator=generator) * 0.4 - 0.2
    slope, offset = compose(L, ab, []).chunk(2, dim=1)
    assert torch.allclose(slope * L + offset, upsample_chroma(ab, L), atol=1e-5)


def test_a_field_of_full_size_gives_its_chroma_back() -> None:
    generator = torch.Generator().manual_seed(0)
    L, ab = torch.rand(1, 1, 9, 11, generator=generator), torch.rand(1, 2, 9, 11, generator=generator)
    slope, offset = chroma_field(ab, L).chunk(2, dim=1)
    assert torch.allclose(slope * L + offset, ab, atol=1e-5)


def test_color_ends_where_lightness_does() -> None:
    """A red disc on green ground, whose edge no pixel of the chroma hits: it stays sharp at eight times the size."""
    y, x = np.mgrid[:256, :256] + 0.5
    disc = torch.from_numpy(np.hypot(x - 131, y - 122) < 70)
    L = torch.where(disc, 0.4, -0.4).float()[None, None]
    truth = torch.where(disc, 0.3, -0.3)[None, None].float().repeat(1, 2, 1, 1)
    low = torch.nn.functional.avg_pool2d(truth, 8)
    slope, offset = compose(L, low, []).chunk(2, dim=1)
    error = (slope * L + offset - truth).abs()
    bilinear = (torch.nn.functional.interpolate(low, (256, 256), mode="bilinear") - truth).abs()
    assert error.mean() < bilinear.mean() / 3


def test_painting_in_bands_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Photo.from_array(photo_of(101, 67))
    field = torch.randn(1, 4, 41, 29, generator=torch.Generator().manual_seed(0)) * 0.3
    at_once = paint(photo, field)
    monkeypatch.setattr("zoo.photos.composite._BAND", 300)
    assert np.array_equal(paint(photo, field), at_once)


def test_a_field_lies_over_the_photo_in_its_place() -> None:
    """Of a tenth of its size, and painted at once: as if all of it were enlarged (torch)."""
    photo = Photo.from_array(np.full((80, 60, 3), 128, np.uint8))
    field = torch.zeros(1, 4, 8, 6)
    field[0, 3] = torch.linspace(-0.3, 0.3, 8)[:, None]
    whole = torch.nn.functional.interpolate(field, (80, 60), mode="bilinear")
    assert np.array_equal(paint(photo, field), paint(photo, whole))


@pytest.mark.slow
def test_memory_stays_bounded_for_a_large_photo() -> None:
    """Of 24 megapixels (72 MB, and as much for the result), beyond what loading the program takes."""
    script = """
import resource, sys
sys.path.insert(0, "tests")
import numpy as np
from support.models import tiny_model
from zoo.photos.colorizer import Colorizer
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
colorizer = Colorizer(tiny_model().eval())
colorizer.colorize(np.full((64, 64, 3), 99, np.uint8), steps=1)
before = peak()
photo = np.tile(np.linspace(60, 200, 6000).astype(np.uint8)[None, :, None], (4000, 1, 3))
assert colorizer.colorize(photo, steps=1).shape == photo.shape
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert float(done.stdout) < 700  # MiB
