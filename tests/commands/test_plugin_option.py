"""``--plugin``: a model whose encoder or conditioning lies in a file asks for it, and is used where it is named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.models import TINY_DENOISER
from support.plugged import SOURCES
from zoo import checkpoint
from zoo.commands import main
from zoo.model import ColorDiffusion
from zoo.plugins import import_plugins
from zoo.registry import conditioners, encoders, samplers


@pytest.fixture
def forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Call it and no plug-in of this test is known any longer. The current folder holds them, and a photo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save("old.png")
    for kind in ("encoder", "cond"):
        Path(f"{kind}.py").write_text(SOURCES[kind])

    def forget() -> None:
        for name in [name for name in sys.modules if name.startswith("zoo_plugin_")]:
            del sys.modules[name]
        for names in (encoders, conditioners, samplers):
            names._classes.pop("mine", None)

    yield forget
    forget()


COLORIZE = [
    "colorize",
    "--image-path",
    "old.png",
    "--output",
    "new.png",
    "--no-detect",
    "--checkpoint",
    "model.safetensors",
]
EXPORT = ["export", "model.safetensors", "--half", "half.safetensors"]


@pytest.mark.parametrize(
    ("kind", "cond", "missing"),
    [
        ("encoder", {"name": "film"}, "the encoder 'mine'"),
        ("cond", {"name": "mine"}, "the conditioner 'mine'"),
        ("cond", {"name": "sum", "parts": {"film": {}, "mine": {}}}, "the conditioner 'mine'"),
    ],
)
def test_a_model_of_a_plug_in_asks_for_it_and_takes_it(
    kind: str, cond: dict, missing: str, forget: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    import_plugins([f"{kind}.py"])
    encoder = {"name": "mine" if kind == "encoder" else "none"}
    model = ColorDiffusion(encoder=encoder, cond=cond, denoiser=TINY_DENOISER, image_size=16)
    checkpoint.save(model, Path("model.safetensors"))
    for command, made in ((COLORIZE, "new.png"), (EXPORT, "half.safetensors")):
        forget()
        assert main(command) == 2
        told = capsys.readouterr().err
        assert f"checkpoint model.safetensors needs {missing}, a plug-in that is not here; give the file" in told
        assert "--plugin" in told
        assert len(told.splitlines()) == 1
        assert main([*command, "--plugin", f"{kind}.py"]) == 0
        assert Path(made).exists()


def test_a_plug_in_that_fails_while_it_colors_is_named(
    forget: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    import_plugins(["encoder.py"])
    model = ColorDiffusion(encoder={"name": "mine"}, cond={"name": "film"}, denoiser=TINY_DENOISER, image_size=16)
    checkpoint.save(model, Path("model.safetensors"))
    forget()
    Path("late.py").write_text(SOURCES["encoder"].replace("x = self.conv(L)", "sys.exit(0)"))
    assert main([*COLORIZE, "--plugin", "late.py"]) == 2
    told = capsys.readouterr().err
    assert "error: encoder 'mine' (" in told
    assert "late.py, line " in told
    assert "failed: it ends the process" in told


SAMPLER = """
import torch
import zoo

@zoo.register_sampler("mine")
def mine(denoise, x, path, *, a: float):
    for t, *_ in path.of(x):
        denoise(x, t)
    return torch.full_like(x, a)
"""
SAMPLED = [*COLORIZE, "--overwrite", "--vivid", "--plugin", "sampler.py", "--sampler", "mine"]


@pytest.fixture
def sampler(forget: Callable[[], None]) -> None:
    """A file that registers one, which gives the value of its option everywhere, and a model."""
    Path("sampler.py").write_text(SAMPLER)
    model = ColorDiffusion(encoder={"name": "none"}, cond={"name": "none"}, denoiser=TINY_DENOISER, image_size=16)
    checkpoint.save(model, Path("model.safetensors"))


def test_a_sampler_of_a_plug_in_colors_as_its_options_say(sampler: None) -> None:
    means = []
    for a in ("0.2", "-0.2"):
        assert main([*SAMPLED, "--sampler-option", f"a={a}"]) == 0
        means.append(np.asarray(Image.open("new.png")).mean((0, 1)))
    assert means[0][0] > means[0][1] + 10  # a* above 0 is red
    assert means[1][1] > means[1][0] + 10  # below it is green


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("aa=1", "unknown option 'sampler.aa'; did you mean 'sampler.a'?"),
        ("a=much", "sampler.a must be a number, not 'much'"),
        ("steps=3", "steps is an option of all samplers"),
        ("a", "cannot read 'a'; options are given as key=value"),
        ("eta=0.5", "sampler.a must be given"),
        (None, "sampler.a must be given"),
    ],
)
def test_an_option_that_a_sampler_does_not_take_is_one_line_before_anything_is_done(
    sampler: None, given: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SAMPLED, *(["--sampler-option", given] if given else [])]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1
    assert not Path("new.png").exists()


def test_an_option_of_a_sampler_of_the_package_is_taken(sampler: None) -> None:
    drawn = []
    for eta in ("0", "1"):
        given = ["--overwrite", "--vivid", "--sampler", "ddim", "--sampler-option", f"eta={eta}"]
        assert main([*COLORIZE, *given]) == 0
        drawn.append(np.asarray(Image.open("new.png")))
    assert not np.array_equal(*drawn)
