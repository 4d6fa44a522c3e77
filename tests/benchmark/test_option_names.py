"""Whoever runs the benchmark reads an option's name as it stands in the configuration, wherever the error is found."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.composing import composed
from support.small import SMALL
from zoo.benchmark.runs import experiment
from zoo.benchmark.runs.experiment import Run
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.runs.pretraining import pretrain_encoder
from zoo.benchmark.tables import rows
from zoo.errors import WeightsNotFoundError, ZooError

FOLDER = ["data=folder", "data.root=photos", "data.face_box=null"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for split, count in (("train", 6), ("val", 2)):
        (tmp_path / "photos" / split).mkdir(parents=True)
        for i in range(count):
            pixels = np.random.default_rng(i).integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / split / f"{i}.png")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["data=folder", "data.root=nowhere"], "data.root='nowhere' is not a folder"),
        (["data.size=8"], "data.size=8 is too small"),
        ([*FOLDER, "data.face_box=[0,0]"], "data.face_box=[0, 0]: expected"),
        ([*FOLDER, "data.groups='(x)(y)'"], "data.groups='(x)(y)': expected one group"),
        ([*FOLDER, "data.test_fraction=0"], "no test image below"),
        (["encoder=arcface", "encoder.weights=no.onnx"], "encoder.weights=no.onnx: there is no such file"),
        (["encoder=facenet"], "give its path with encoder.weights=PATH"),
        (["encoder=dino", "encoder.input_size=100"], "try encoder.input_size=98"),
        (["encoder=unet_ae", "encoder.mask_ratio=2"], "encoder.mask_ratio must lie in (0, 1)"),
        (["cond.channels=10"], "cond.channels must be a multiple of 16"),
        (["cond=xattn", "cond.maps=0", "cond.embedding=false"], "cond.maps=0 leaves no token"),
        (["cond.source=embedding"], "cond.source=embedding: this encoder has no embedding; use cond.source=maps"),
        (["metrics=[mmd]", "metrics.mmd.sigma=0"], "metrics.mmd.sigma=0: expected a number above 0"),
        (["+metrics.two={name:diversity,samples:1}"], "metrics.two.samples=1: expected at least 2"),
        (["train.warmup=3"], "train.warmup must lie in [0, 1)"),
        (["diffusion.T=0"], "diffusion.T must be at least 1"),
    ],
)
def test_a_run_names_what_it_was_told(overrides: list[str], said: str) -> None:
    with pytest.raises(ZooError) as raised:
        _ = Run.open(composed(*SMALL, "cache_dir=cache", *overrides)).identity.protocols
    assert said in str(raised.value)


def test_weights_that_are_not_there_are_told_with_their_license() -> None:
    with pytest.raises(WeightsNotFoundError) as raised:
        Run.open(composed(*SMALL, "encoder=facenet"))
    assert raised.value.license == "MIT (network); VGGFace2: research"


def test_pretraining_names_what_it_was_told() -> None:
    with pytest.raises(ZooError, match=r"^data\.root='nowhere' is not a folder"):
        pretrain_encoder(composed("data=folder", "data.root=nowhere", "output=e.safetensors", name="pretrain"))


def test_pretraining_refuses_squares_of_the_images() -> None:
    with pytest.raises(ZooError, match=r"^data\.crop must be null"):
        pretrain_encoder(composed(*FOLDER, "data.crop=[.5,1]", "output=e.safetensors", name="pretrain"))


def test_a_warning_of_the_data_names_its_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        Run.open(composed(*SMALL, *FOLDER, "cache_dir=cache", "data.groups='^(0)'", "data.test_fraction=.4"))
    assert "warning: data.groups='^(0)' says the group of 2 of 8 photos only" in capsys.readouterr().out


def test_a_metric_that_is_missing_names_its_option_in_its_row() -> None:
    baseline = [*SMALL, "method=grey", "results_dir=runs", "cache_dir=cache"]
    config = composed(*baseline, "+metrics.mine={name:lpips}", "+metrics.other={name:fid,weights:no.pth}")
    experiment.run(config)
    notes = {row.note for row in rows.read(RunFolder(Path("runs"), next(Path("runs").iterdir()).name).rows)}
    assert any("give its path with metrics.mine.weights=PATH" in note for note in notes), notes
    assert "metrics.other.weights=no.pth: there is no such file" in notes
