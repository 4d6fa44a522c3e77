"""The model in the package, as it is: it loads, and gives painted faces the colour of skin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from support.threads import one_thread
from zoo import checkpoint
from zoo.color.lab import uint8_to_lab
from zoo.diffusion.samplers import SamplerConfig
from zoo.encoders import Encoder
from zoo.photos.colorizer import Colorizer
from zoo.registry import datasets

N, SIZE = 12, 128
LAB = 110  # of the model's ab, in Lab units
CHEEKS = (..., slice(60, 80), slice(50, 78))  # where every painted face has skin


class Painted(NamedTuple):
    """Painted faces, and what the model makes of them."""

    rgb: np.ndarray  # (N, S, S, 3) uint8
    truth: Tensor  # ab in Lab units, (N, 2, S, S)
    found: Tensor


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean distance in the plane of a* and b*, of each image."""
    return (a - b).norm(dim=1).mean(dim=(1, 2))


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load()


@pytest.fixture(scope="module")
def painted(colorizer: Colorizer) -> Iterator[Painted]:
    faces = datasets.create("synthetic", n_test=N, size=SIZE)
    rgb = np.stack([faces.load(key) for key in faces.keys("test")])
    L, ab = uint8_to_lab(torch.from_numpy(rgb))
    generators = [torch.Generator().manual_seed(i) for i in range(N)]
    with one_thread():
        features = colorizer.model.encode(L)
        found = colorizer.model.colorize(L, features, SamplerConfig("dpmpp_2m", 5, time_power=1.0), generators)
        yield Painted(rgb, LAB * ab, LAB * found)


def test_it_is_what_its_readme_says(colorizer: Colorizer) -> None:
    model = colorizer.model
    assert isinstance(model, zoo.ColorDiffusion)
    assert (model.spec["encoder"]["name"], model.spec["cond"]["name"], model.image_size) == ("unet", "concat", 128)
    assert model.parameter_counts()["params"] == pytest.approx(2.94e6, abs=5e3)
    assert model.parameter_counts()["encoder_params"] == pytest.approx(0.49e6, abs=5e3)
    assert model.face_box == pytest.approx((-0.10, -0.26, 1.18), abs=0.01)
    assert isinstance(model.encoder, Encoder)
    assert not model.training


def test_what_lies_around_faces_has_a_model_of_its_own_and_both_know_hints(colorizer: Colorizer) -> None:
    around = colorizer.around
    assert isinstance(around, zoo.ColorDiffusion)
    assert around is not colorizer.model
    assert around.parameter_counts()["params"] == pytest.approx(3.28e6, abs=5e3)
    assert around.hints
    assert colorizer.model.hints


def test_every_painted_face_gets_a_warm_skin(painted: Painted) -> None:
    """Reddish yellow, as skin of every lightness is: a* and b* between 2 and 40."""
    mean = painted.found[CHEEKS].mean(dim=(2, 3))
    assert ((mean > 2) & (mean < 40)).all()


def test_skin_is_nearer_to_its_painted_color_than_grey_is(painted: Painted) -> None:
    """Measured: 9.9 on average and 15.2 at most, where grey has 24.6."""
    found, truth = painted.found[CHEEKS], painted.truth[CHEEKS]
    error, of_grey = distance(found, truth), distance(torch.zeros_like(truth), truth)
    assert error.mean() < 12
    assert error.max() < 20
    assert (error < of_grey).all()


def test_the_whole_picture_is_nearer_to_the_truth_than_grey_is(painted: Painted) -> None:
    """Measured: 23.7, where grey has 25.9: painted walls and shirts are nothing that it has seen."""
    error, of_grey = (distance(x, painted.truth).mean() for x in (painted.found, torch.zeros_like(painted.truth)))
    assert error < 0.97 * of_grey


def test_colors_are_vivid_and_stay_within_bounds(painted: Painted) -> None:
    """Measured: 20 on average; in the painted truth 26."""
    chroma = painted.found.norm(dim=1)
    assert 12 < chroma.mean() < 30
    assert chroma.max() < 100


def test_a_photo_is_colored_the_same_twice(colorizer: Colorizer, painted: Painted) -> None:
    with one_thread():
        one, two = (colorizer.colorize(painted.rgb[0], detect=False) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.ptp(one.astype(int), axis=-1).max() > 30


def test_it_is_saved_as_it_was_loaded(colorizer: Colorizer, tmp_path: Path) -> None:
    model = colorizer.model
    assert isinstance(model, zoo.ColorDiffusion)
    checkpoint.save(model, tmp_path / "again.safetensors", half=True)
    again = checkpoint.load(tmp_path / "again.safetensors")
    assert again.spec == model.spec
    for (name, a), b in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
