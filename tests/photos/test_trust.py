"""By default the mean of all colourings is shown, by one step; as they were drawn only if that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from support.models import tiny_model
from support.scenes import PaintingModel, ab_of, photo_of, put_faces
from zoo.diffusion.samplers import SamplerConfig
from zoo.faces.viewport import Viewport
from zoo.photos.colorizer import ColorizeOptions, Colorizer
from zoo.photos.trust import STRENGTH, says_at_once, trusted

BLANK = torch.zeros(1, 1, 16, 16)  # L of a photo of nothing


def plain(a: float, b: float) -> Tensor:
    return torch.tensor([a, b])[None, :, None, None].expand(1, 2, 16, 16).clone()


@pytest.mark.parametrize(("says", "expected"), [("v", True), ("x0", True), ("flow", True), ("eps", False)])
def test_all_networks_but_those_that_say_eps_say_their_mean_at_once(says: str, expected: bool) -> None:
    assert says_at_once({"parameterisation": says}) == expected


def test_the_strength_is_the_one_that_the_docs_give_reasons_for() -> None:
    row = f"| the mean at once × {STRENGTH} (default) |"
    assert row in (Path(__file__).parents[2] / "docs" / "colouring.md").read_text(encoding="utf-8")


def blotched() -> Tensor:
    ab = plain(0.0, -0.2)
    ab[..., 4:8, 8:12] = 0.2
    return ab


def test_what_lies_around_faces_is_shown_a_little_stronger_than_its_mean() -> None:
    assert torch.allclose(trusted(plain(0.2, -0.1), BLANK, face=False, told=False), STRENGTH * plain(0.2, -0.1))
    assert 1 < STRENGTH < 1.3


def test_what_lies_around_faces_has_no_blotches_where_nothing_is_to_be_seen() -> None:
    a, b = (channel.std() for channel in trusted(blotched(), BLANK, face=False, told=False)[0])
    before = blotched()[0].std(dim=(1, 2))
    assert a < 0.65 * before[0]  # though all is stronger
    assert b < 0.65 * before[1]


@pytest.mark.parametrize("given", [{"face": True, "told": False}, {"face": False, "told": True}])
def test_faces_and_colors_that_were_said_are_shown_as_they_are(given: dict[str, bool]) -> None:
    assert torch.equal(trusted(blotched(), BLANK, **given), blotched())


class Unsure(PaintingModel):
    """Samples of what lies around faces are red or green; on average they are a faint blue. Faces are yellow."""

    def colorize(
        self, L: Tensor, features: Any, sampler: SamplerConfig, generators: Any, callback: Any = None, **_: Any
    ) -> Tensor:
        self.seen.append((sampler.steps, *L.shape))
        expected = torch.tensor([0.0, 0.3] if L.shape[-1] == L.shape[-2] else [0.0, -0.1])
        red = torch.tensor([[0.4 if i % 2 else -0.4, 0.0] for i in range(len(L))])
        shown = [x[..., None, None].expand(len(L), 2, *L.shape[-2:]) for x in (expected, red)]
        return shown[0] if sampler.steps == 1 else shown[1]


def test_by_default_one_step_says_what_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(60 + 20j, 60 + 0j))
    model = Unsure()
    ab = ab_of(Colorizer(model).colorize(np.full((120, 200, 3), 128, np.uint8)))  # type: ignore[arg-type]
    assert ab[50, 90] == pytest.approx([0, 0.3], abs=0.02)
    assert ab[60, 10] == pytest.approx([0, -0.1 * STRENGTH], abs=0.004)
    assert [(steps, n) for steps, n, *_ in model.seen] == [(1, 1), (1, 1)]


class UnsureOfNoise(Unsure):
    @property
    def spec(self) -> dict[str, Any]:
        return super().spec | {"diffusion": {"parameterisation": "eps", "schedule": "linear"}}


def test_a_network_that_says_eps_shows_one_drawn_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)
    model = UnsureOfNoise()
    ab = ab_of(Colorizer(model).colorize(np.full((120, 200, 3), 128, np.uint8)))  # type: ignore[arg-type]
    assert ab[60, 100, 0] < -0.3  # as much green as that grey can take
    assert {steps for steps, *_ in model.seen} == {5}


@pytest.mark.parametrize("options", [{"vivid": True}, {"samples": 2}])
def test_as_drawn_a_photo_is_as_vivid_as_its_samples(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    put_faces(monkeypatch)
    colored = Colorizer(Unsure()).colorize(np.full((120, 200, 3), 128, np.uint8), **options)  # type: ignore[arg-type]
    shown = colored if isinstance(colored, list) else [colored]
    assert len(shown) == options.get("samples", 1)
    for rgb in shown:
        assert abs(ab_of(rgb)[60, 100, 0]) > 0.3


def test_as_drawn_a_face_takes_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(60 + 20j, 60 + 0j))
    model = Unsure()
    Colorizer(model).colorize(np.full((120, 200, 3), 128, np.uint8), vivid=True)  # type: ignore[arg-type]
    assert {steps for steps, *_ in model.seen} == {5}


def test_guidance_leads_the_first_step_too() -> None:
    sampling = ColorizeOptions(guidance=3.0, steps=7).sampling(at_once=True)
    assert (sampling.steps, sampling.guidance) == (1, 3.0)


def test_a_vivid_photo_is_the_first_of_several_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch)
    colorizer, photo = Colorizer(tiny_model().eval()), photo_of(40, 60)
    first, second = colorizer.colorize(photo, samples=2, batch_size=1)
    vivid = colorizer.colorize(photo, vivid=True, batch_size=1)
    assert np.array_equal(vivid, first)
    assert not np.array_equal(vivid, second)


def test_one_model_colors_faces_and_another_what_lies_around(monkeypatch: pytest.MonkeyPatch) -> None:
    put_faces(monkeypatch, Viewport(60 + 20j, 60 + 0j))
    faces, around = PaintingModel(), PaintingModel(image_size=48)
    Colorizer(faces, around).colorize(np.full((120, 200, 3), 128, np.uint8))  # type: ignore[arg-type]
    assert {shape[2:] for shape in faces.seen} == {(32, 32)}
    assert {shape[2:] for shape in around.seen} == {(48, 80)}
