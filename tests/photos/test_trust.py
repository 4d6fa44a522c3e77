"""Where samples disagree colour is held back, and where they agree it is shown."""

from __future__ import annotations

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
from zoo.photos.trust import HOLD, Drawn, held_back, trusted


def plain(a: float, b: float) -> Tensor:
    return torch.tensor([a, b])[None, :, None, None].expand(1, 2, 16, 16).clone()


def test_what_all_samples_agree_on_is_shown_in_full() -> None:
    mean = plain(0.2, -0.1)
    assert torch.allclose(held_back(mean, mean.repeat(3, 1, 1, 1)), mean, atol=1e-4)


@pytest.mark.parametrize(("hold", "share"), [(0.0, 1.0), (1.0, 0.5), (3.0, 0.25)])
def test_where_samples_are_as_far_from_the_mean_as_it_is_from_grey_so_much_is_shown(hold: float, share: float) -> None:
    mean, samples = plain(0.2, 0.0), torch.cat([plain(0.4, 0.0), plain(0.2, -0.2)])
    assert torch.allclose(held_back(mean, samples, hold), share * mean, atol=1e-3)


def test_one_place_is_held_back_and_another_is_not() -> None:
    mean = plain(0.2, 0.0)
    samples = mean.repeat(2, 1, 1, 1)
    samples[0, 1, :, 8:] += 0.3
    samples[1, 1, :, 8:] -= 0.3
    shown = held_back(mean, samples, 1.0)
    assert shown[0, 0, 8, 2] == pytest.approx(0.2, abs=1e-3)
    assert shown[0, 0, 8, 13] < 0.15
    assert (shown[0, 1] == 0).all()  # the hue is the mean's


def test_grey_stays_grey() -> None:
    assert (held_back(plain(0.0, 0.0), plain(0.0, 0.0)) == 0).all()


def test_the_first_step_is_shown_and_samples_only_tell_how_sure_it_is() -> None:
    drawn = [Drawn(plain(a, 0.0), expected=plain(0.1, 0.1)) for a in (0.9, -0.9)]
    assert torch.allclose(trusted(drawn, sure=True, parameterisation="v"), plain(0.1, 0.1))
    unsure = trusted(drawn, sure=False, parameterisation="v")
    assert (unsure > 0).all()
    assert (unsure < 0.03).all()


def test_a_network_that_says_eps_is_not_asked_for_its_first_step() -> None:
    drawn = [Drawn(plain(a, 0.0), expected=plain(9.0, 9.0)) for a in (0.1, 0.3)]
    assert torch.allclose(trusted(drawn, sure=True, parameterisation="eps"), plain(0.2, 0.0))


class Unsure(PaintingModel):
    """Samples of what lies around faces are red or green; on average they are a faint blue. Faces are yellow."""

    def colorize(
        self, L: Tensor, features: Any, sampler: SamplerConfig, generators: Any, callback: Any = None, **_: Any
    ) -> Tensor:
        self.seen.append((sampler.steps, *L.shape))
        expected = torch.tensor([0.0, 0.3] if L.shape[-1] == L.shape[-2] else [0.0, -0.1])
        red = torch.tensor([[0.4 if i % 2 else -0.4, 0.0] for i in range(len(L))])
        shown = [x[..., None, None].expand(len(L), 2, *L.shape[-2:]) for x in (expected, red)]
        callback(1, shown[0])
        return shown[0] if sampler.steps == 1 else shown[1]


def test_by_default_faces_are_colored_in_one_step_and_what_is_unsure_around_them_is_pale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_faces(monkeypatch, Viewport(60 + 20j, 60 + 0j))
    model = Unsure()
    ab = ab_of(Colorizer(model).colorize(np.full((120, 200, 3), 128, np.uint8)))  # type: ignore[arg-type]
    assert ab[50, 90] == pytest.approx([0, 0.3], abs=0.02)
    assert ab[60, 10] == pytest.approx([0, -0.1 * 0.01 / (0.01 + HOLD * 0.17)], abs=0.004)
    assert {(steps, shape[-1] == shape[-2]) for steps, *shape in model.seen} == {(1, True), (5, False)}


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
