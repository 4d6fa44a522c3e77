"""Samplers, schedules, objectives and denoisers in a file: chosen by name, with options, in ids and in a whole run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.config_store import ConfigStore

from support.composing import composed, plain
from support.ids import ids
from support.plugged import HEAD
from support.small import SMALL
from zoo import checkpoint
from zoo.benchmark.config import plugins
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.experiment import run
from zoo.commands import main
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.model import ColorDiffusion
from zoo.plugins import blame, import_plugins
from zoo.registry import REGISTRIES
from zoo.schedules.cosine import Cosine

SAMPLER = """
@zoo.register_sampler("mine")
def mine(denoise, x, path, *, shrink: float = 1.0):
    for t, alpha_t, sigma_t, alpha_s, sigma_s in path.of(x):
        x0 = shrink * denoise(x, t)
        x = alpha_s * x0 + sigma_s * (x - alpha_t * x0) / sigma_t
    return x
"""
SCHEDULE = """
@zoo.register_schedule("mine")
class Mine(zoo.Schedule):
    def __init__(self, *, power: float = 1.0) -> None:
        self.power = power

    def alpha(self, t):
        return torch.where(t >= 1, 0.0, torch.cos(t**self.power * torch.pi / 2))

    def sigma(self, t):
        return torch.sin(t**self.power * torch.pi / 2)
"""
OBJECTIVE = """
@zoo.register_objective("mine")
class Mine(zoo.Objective):
    def __init__(self, *, scale: float = 2.0) -> None:
        self.scale = scale

    def target(self, x0, noise, alpha, sigma):
        return self.scale * x0

    def to_x0(self, prediction, x_t, alpha, sigma):
        return prediction / self.scale
"""
DENOISER = """
@zoo.register_denoiser("mine")
class Mine(zoo.Denoiser):
    chroma_scale, embed_dim = 8, 4

    def __init__(self, *, side: int = 3, extra=()) -> None:
        super().__init__()
        self.own = nn.Conv2d(66, 32, 1)
        self.conv = nn.Conv2d(32 + sum(extra), 2, side, padding=side // 2)

    @classmethod
    def levels(cls, **options):
        return (zoo.FeatureLevel(32, 8),)

    def forward(self, ab_t, L, t, inject, embedding):
        h = self.own(torch.cat([ab_t, nn.functional.pixel_unshuffle(L, 8)], 1)) + t[:, None, None, None]
        return self.conv(inject(h, 0))
"""
SOURCE = HEAD + SAMPLER + SCHEDULE + OBJECTIVE + DENOISER


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The plug-in file, imported; the current folder is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    import_plugins(["mine.py"])
    plugins.store_nodes()
    yield path
    for registry in REGISTRIES.values():
        registry._classes.pop("mine", None)
    for group in ("sampler", "denoiser"):
        ConfigStore.instance().repo[group].pop("mine.yaml")


MINE = {
    "sampler": ["sampler=mine"],
    "schedule": ["diffusion.schedule=mine"],
    "objective": ["diffusion.parameterisation=mine"],
    "denoiser": ["denoiser=mine"],
}


@pytest.mark.parametrize(
    ("kind", "option", "same"),
    [
        ("sampler", "sampler.shrink=0.5", "sampler.shrink=1"),
        ("schedule", "diffusion.schedule={name: mine, power: 2}", "diffusion.schedule={name: mine, power: 1}"),
        (
            "objective",
            "diffusion.parameterisation={name: mine, scale: 3}",
            "diffusion.parameterisation={name: mine}",
        ),
        ("denoiser", "denoiser.side=5", "denoiser.side=3"),
    ],
)
def test_its_options_and_its_source_are_in_the_ids(file: Path, kind: str, option: str, same: str) -> None:
    def found(*overrides: str) -> tuple[str, str, str]:
        return ids(plain("metrics=[psnr]", *MINE[kind], *overrides))

    def changes(other: tuple[str, str, str]) -> list[bool]:
        return [a != b for a, b in zip(before, other, strict=True)]

    before, expected = found(), [True, kind != "sampler", kind == "sampler"]
    assert changes(found(option)) == expected
    assert changes(found(same)) == [False] * 3
    file.write_text(SOURCE + "# edited\n")
    assert changes(found()) == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sampler.shrinks", 1, "unknown option 'sampler.shrinks'; did you mean 'sampler.shrink'?"),
        ("sampler.shrink", "much", "sampler.shrink must be a number, not 'much'"),
        ("sampler.eta", 0.5, "sampler.eta is for samplers that take it, as ddim does; mine does not"),
        ("sampler.name", "min", "unknown sampler 'min'; did you mean 'mine'?"),
        ("denoiser.sides", 1, "unknown option 'denoiser.sides'; did you mean 'denoiser.side'?"),
        ("denoiser.name", "min", "unknown denoiser 'min'; did you mean 'mine'?"),
        ("image_size", 60, "try image_size=64"),
        ("diffusion.schedule", "min", "diffusion.schedule: unknown schedule 'min'; did you mean 'mine'?"),
        ("diffusion.schedule", {"name": "mine", "powers": 2}, "unknown option 'powers'; did you mean 'power'?"),
        ("diffusion.schedule", ["mine"], "diffusion.schedule: expected a name, or {name: NAME, with options}"),
        ("diffusion.parameterisation", {"scale": 2}, "diffusion.parameterisation: expected a name, or {name: NAME"),
    ],
)
def test_a_wrong_option_of_it_is_one_clear_line(file: Path, name: str, value: Any, said: str) -> None:
    config = plain("metrics=[psnr]", "sampler=mine", "denoiser=mine")
    section, _, key = name.rpartition(".")
    (config[section] if section else config)[key] = value
    with pytest.raises(ZooError) as error:
        Spec.from_config(config)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_whole_run_uses_all_four(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = ["data.n_train=6", "data.n_val=1", "data.n_test=3", "data.size=32", "cache_dir=cache", "results_dir=runs"]
    chosen = [option for options in MINE.values() for option in options]
    small = [option for option in SMALL if not option.startswith("denoiser.")]
    config = composed(*small, *usual, *chosen, "sampler.shrink=0.9", "encoder=hog")
    run(config)
    (folder,) = Path("runs").iterdir()
    model = checkpoint.load(folder)
    spec = Spec.from_config(plain(*small, *usual, *chosen, "sampler.shrink=0.9", "encoder=hog"))
    again = Spec.from_config(spec.as_dict())
    assert again == spec
    assert again.sampler.options == {"shrink": 0.9}
    assert (type(model.denoiser).__name__, model.denoiser.chroma_scale) == ("Mine", 8)
    assert type(model.diffusion.objective).__module__.startswith("zoo_plugin_mine")


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("the denoiser 'gone'", {"denoiser": {"name": "gone"}}),
        ("the schedule 'gone'", {"diffusion": {"schedule": "gone"}}),
        ("the objective 'gone'", {"diffusion": {"parameterisation": {"name": "gone", "scale": 2}}}),
    ],
)
def test_a_model_whose_plug_in_is_not_here_says_which(file: Path, what: str, changes: dict[str, Any]) -> None:
    model = ColorDiffusion(encoder={"name": "none"}, cond={"name": "none"}, denoiser={"name": "mine"}, image_size=16)
    model.spec |= changes  # as if it had been named so
    checkpoint.save(model, Path("m.safetensors"))
    with pytest.raises(ZooError, match=f"needs {what}, a plug-in that is not here; give the file"):
        checkpoint.load(Path("m.safetensors"))


def test_the_list_and_the_check_know_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "mine", "--format", "csv"]) == 0
    told = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(",")[:3] for line in told] == [
        [kind, "mine", "mine.py"] for kind in ("denoiser", "sampler", "schedule", "objective")
    ]
    assert main(["check", "mine", "--kind", "sampler"]) == 0
    assert main(["check", "mine", "shrink=0.5", "--kind", "sampler"]) == 1  # its samples lack spread


def test_an_error_inside_of_a_sampler_is_its_own(file: Path) -> None:
    sampler: Any = SamplerConfig("mine", 2)
    with pytest.raises(TypeError) as error:
        sampler(lambda x, t: None, torch.zeros(1, 2, 4, 4), Cosine())
    assert str(blame(error.value)).startswith(f"sampler 'mine' ({file}, line ")
