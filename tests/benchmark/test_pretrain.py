"""benchmarks/pretrain.py, and encoder=unet_ae through benchmarks/run.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.composing import composed
from zoo.benchmark.config import plugins
from zoo.benchmark.runs import experiment
from zoo.benchmark.runs.experiment import Run
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.runs.pretraining import pretrain_encoder
from zoo.benchmark.tables import rows
from zoo.cache.images import ImageCache
from zoo.encoders.unet_ae import Recipe
from zoo.errors import ZooError
from zoo.weights import sha256_file

SCRIPT = plugins.CONFIGS.parent / "benchmarks" / "pretrain.py"
PHOTOS = ["data.n_train=8", "data.n_val=4", "data.n_test=4", "data.size=32", "image_size=16", "device=cpu"]
SMALL = [*PHOTOS, "encoder.width=32", "encoder.mults=[1]", "train.steps=3", "train.batch_size=4"]
RUN = [
    *PHOTOS,
    "encoder=unet_ae",
    "encoder.pretrain_steps=3",
    "encoder.pretrain_batch_size=4",
    "denoiser.width=32",
    "denoiser.mults=[1]",
    "train.steps=2",
    "train.batch_size=4",
    "train.log=[]",
    "eval.grid=2",
    "sampler.steps=1",
    "metrics=[psnr]",
    "cache_dir=cache",
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pretrained(*overrides: str) -> None:
    pretrain_encoder(composed(*SMALL, "cache_dir=cache", *overrides, name="pretrain"))


def no_pretraining(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(recipe: Recipe, images: ImageCache) -> None:
        raise AssertionError("pretrains again")

    monkeypatch.setattr("zoo.training.pretrain.untrained", refuse)


# pretrain.py


@pytest.mark.parametrize(
    ("objective", "told"), [("plain", " dB\n"), ("denoising", "from noise"), ("masked", "hidden patches")]
)
def test_it_writes_the_encoder_and_a_picture_and_tells_the_psnr(
    objective: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pretrained(f"objective.name={objective}")
    out = capsys.readouterr().out
    assert "PSNR of L on 4 val images" in out
    assert told in out
    assert {path.name for path in Path().iterdir()} == {
        "cache",
        f"encoder-{objective}.safetensors",
        f"encoder-{objective}.png",
    }


def test_an_output_of_the_same_settings_is_kept_and_one_of_others_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pretrained("output=e.safetensors")
    before = Path("e.safetensors").stat().st_mtime_ns
    pretrained("output=e.safetensors")
    assert "is there already" in capsys.readouterr().out
    with pytest.raises(ZooError, match=r"made with other settings \(lr\); give another output, or overwrite=true"):
        pretrained("output=e.safetensors", "train.lr=2e-3")
    assert Path("e.safetensors").stat().st_mtime_ns == before
    pretrained("output=e.safetensors", "train.lr=2e-3", "overwrite=true")
    assert Path("e.safetensors").stat().st_mtime_ns != before


def test_an_output_that_is_another_file_is_refused() -> None:
    Path("e.safetensors").write_text("mine")
    with pytest.raises(ZooError, match=r"output=e\.safetensors is not a readable"):
        pretrained("output=e.safetensors")
    assert Path("e.safetensors").read_text() == "mine"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("objective.name=mask", "objective.name must be 'plain' or 'denoising' or 'masked'"),
        ("objective.mask_ratio=2", "mask_ratio must lie in"),
        ("objective.mask_size=9", "mask_size must be at most 8"),
        ("encoder.width=17", "width must be a multiple of 16"),
        ("encoder.mults=2", "encoder.mults must be a list"),
        ("train.steps=0", "steps must be greater than 0"),
        ("train.lr=fast", "train.lr must be a number"),
        ("image_size=4", "image_size must lie in"),
        ("seed=-1", "seed must lie in"),
        ("val_limit=some", "val_limit must be an integer or null"),
        ("val_limit=0", "a limit of 0 images"),
        ("output=e.pt", "output must end in .safetensors"),
        ("overwrite=1", "overwrite must be true or false"),
        ("device=cuda:99", "device=cuda:99 is not available"),
        ("data.n_train=many", "data.n_train must be an integer"),
        ("data=folder", "data.root must be given"),
    ],
)
def test_a_wrong_value_is_refused_before_it_trains(override: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_pretraining(monkeypatch)
    data = [o for o in SMALL if not o.startswith("data.")] if override == "data=folder" else SMALL
    with pytest.raises(ZooError) as raised:
        pretrain_encoder(composed(*data, "cache_dir=cache", override, name="pretrain"))
    assert said in str(raised.value)


def test_the_script_ends_with_one_line_and_2_and_its_help_loads_no_network_library(tmp_path: Path) -> None:
    def script(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ZOO_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-X", "importtime", str(SCRIPT), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    helped = script("--help")
    assert helped.returncode == 0
    assert "objective.name=plain,denoising,masked" in helped.stdout
    assert " torch\n" not in helped.stderr
    refused = script("objective.nam=masked")
    assert refused.returncode == 2
    said = [line for line in refused.stderr.splitlines() if not line.startswith("import time:")]
    assert said == [
        "error: unknown option 'objective.nam'; did you mean 'objective.name'? "
        "Available: mask_ratio, mask_size, name, noise_std."
    ]


# run.py


def test_a_run_pretrains_once_and_its_id_is_known_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Run.open(composed(*RUN))
    experiment.run(composed(*RUN, "table=t.csv"))
    (file,) = Path("cache/pretrained").glob("*/model.safetensors")
    (row,) = rows.read(Path("t.csv"))
    after = Run.open(composed(*RUN))
    assert row.run_id == before.identity.run_id == after.identity.run_id
    assert before.identity.training_id == after.identity.training_id
    assert row.weights_sha == sha256_file(file)
    assert row.encoder == "unet_ae(pretrain_batch_size=4, pretrain_steps=3)"

    shutil.rmtree("cache/pretrained")  # a run that is done needs it no more
    no_pretraining(monkeypatch)
    experiment.run(composed(*RUN))
    assert not Path("cache/pretrained").exists()


def test_runs_of_other_seeds_and_conditioners_share_the_pretraining(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment.run(composed(*RUN))
    no_pretraining(monkeypatch)
    experiment.run(composed(*RUN, "seed=1", "cond=film", "encoder.frozen=true"))
    assert len(list(Path("results/runs").glob("*/rows.csv"))) == 2


def test_other_pretraining_is_another_run() -> None:
    ids = {
        Run.open(composed(*RUN, *o)).identity.run_id
        for o in ([], ["encoder.objective=plain"], ["encoder.mask_ratio=0.5"])
    }
    assert len(ids) == 3


def test_a_run_takes_the_file_that_pretrain_wrote() -> None:
    pretrained("output=e.safetensors")
    shared = [o for o in RUN if not o.startswith("encoder")]
    experiment.run(composed(*shared, "encoder=unet", "encoder.weights=e.safetensors", "table=t.csv"))
    (row,) = rows.read(Path("t.csv"))
    assert row.weights_sha == sha256_file("e.safetensors")
    assert Run.open(composed(*shared, "encoder=unet")).identity.run_id != row.run_id  # from scratch: another run
    shutil.copyfile("e.safetensors", "elsewhere.safetensors")
    moved = Run.open(composed(*shared, "encoder=unet", "encoder.weights=elsewhere.safetensors"))
    assert RunFolder(Path("results/runs"), moved.identity.run_id).done


def test_pretrain_and_unet_ae_share_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    pretrained()
    no_pretraining(monkeypatch)
    experiment.run(composed(*RUN))
    assert [*Path("results/runs").glob("*/rows.csv")]


def test_an_impossible_pair_is_refused_before_pretraining(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pretraining(monkeypatch)
    with pytest.raises(ZooError, match="mask_ratio must lie in"):
        experiment.run(composed(*RUN, "encoder.mask_ratio=1.5"))
    with pytest.raises(ZooError, match=r"unknown option 'encoder\.pretrain_step'"):
        experiment.run(composed(*RUN, "+encoder.pretrain_step=3"))
    assert not Path("cache").exists()
