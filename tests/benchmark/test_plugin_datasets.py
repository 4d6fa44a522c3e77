"""A data set of one's own in a run: its options, and what may be said of any data set."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from support import composing
from support.pictures import picture
from support.small import SMALL
from zoo.benchmark.config.options import OF_ANY_DATA
from zoo.benchmark.config.plugins import store_nodes
from zoo.benchmark.runs.experiment import Run, run
from zoo.commands import main
from zoo.plugins import import_plugins
from zoo.registry import datasets

SOURCE = '''
import numpy as np
import zoo
from PIL import Image
from pathlib import Path

@zoo.register_dataset("mine")
class Mine(zoo.Dataset):
    """Files of a folder, whose names begin with their split and who is on them."""

    def __init__(self, root: str, ending: str = "png", skip: tuple[int, ...] = (), table: dict = {"flip": False}):
        self.root, self.ending, self.skip, self.flip = Path(root), ending, skip, table["flip"]

    def keys(self, split):
        found = sorted(path.name for path in self.root.glob(f"{split}_*.{self.ending}"))
        return [name for i, name in enumerate(found) if i not in self.skip]

    def signature(self, split):
        return str([(key, (self.root / key).stat().st_mtime_ns) for key in self.keys(split)])

    def load(self, key):
        image = np.asarray(Image.open(self.root / key).convert("RGB"))
        return image[:, ::-1] if self.flip else image

    def person(self, key):
        return key.split("_")[1]
'''
GREY = (*SMALL, "plugins=[mine.py]", "method=grey", "eval.limit=null", "cache_dir=cache", "results_dir=runs")


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes a plug-in of what is given, as a command does. The current folder has photos, one of them in two splits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "photos").mkdir()
    for name, number in (("train_ann_0", 0), ("train_bob_1", 1), ("test_eve_1", 1), ("test_eve_2", 2)):
        picture(number, 64).save(tmp_path / "photos" / f"{name}.png")

    def write(source: str) -> None:
        Path("mine.py").write_text(source)
        import_plugins(["mine.py"])
        store_nodes()

    yield write
    for name in [name for name in sys.modules if name.startswith("zoo_plugin_")]:
        del sys.modules[name]
    datasets._classes.pop("mine", None)
    ConfigStore.instance().repo.get("data", {}).pop("mine.yaml", None)


def opened(*overrides: str) -> Run:
    return Run.open(composing.composed(*GREY, *overrides))


def the_run() -> Path:
    (folder,) = Path("runs").iterdir()
    return folder


def test_it_takes_what_is_said_of_any(plug: Callable[[str], None]) -> None:
    plug(SOURCE)
    node = OmegaConf.to_container(composing.composed("data=mine"), resolve=False)["data"]
    assert node == {"name": "mine", "root": "???", "ending": "png", "skip": [], "table": {"flip": False}, **OF_ANY_DATA}


def test_its_options_are_those_of_its_constructor(plug: Callable[[str], None]) -> None:
    plug(SOURCE)
    assert opened("data=mine", "data.root=photos").photos.images["eval"].keys == ("test_eve_1.png", "test_eve_2.png")
    assert opened("data=mine", "data.root=photos", "data.skip=[0]").photos.images["eval"].keys == ("test_eve_2.png",)
    one, other = (opened("data=mine", "data.root=photos", f"data.table.flip={flip}") for flip in (False, True))
    pixels = [run.photos.images["eval"].batch(np.array([0])) for run in (one, other)]
    assert np.array_equal(pixels[0], pixels[1][:, :, ::-1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "data.root must be given: data.root=..."),
        (("data.root=photos", "data.ending=3"), "data.ending must be text, not 3"),
        (("data.root=photos", "data.people=x"), "unknown option 'data.people'. Available: crop, dedupe, ending,"),
        (("data.root=photos", "data.crop=[2,1]"), "data.crop must be the least and largest side in (0, 1]"),
        (("data.root=photos", "data.ending=gif"), "dataset 'mine' ({file}) has no test image"),
    ],
)
def test_a_wrong_option_of_it_is_one_line(
    plug: Callable[[str], None], given: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(SOURCE)
    assert main(["run", *GREY, "data=mine", *given]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: " + said.format(file=Path("mine.py").resolve()))
    assert len(told.splitlines()) == 1


def test_its_images_are_decoded_anew_where_its_code_was_edited(plug: Callable[[str], None]) -> None:
    def pixels() -> np.ndarray:
        given = ("data=mix", "data.parts={a: {name: mine, root: photos}}")
        return opened(*given).photos.images["eval"].batch(np.array([0]))

    plug(SOURCE)
    before = pixels()
    assert np.array_equal(pixels(), before)
    for name in [name for name in sys.modules if name.startswith("zoo_plugin_")]:
        del sys.modules[name]
    datasets._classes.pop("mine")
    plug(SOURCE.replace("if self.flip", "if not self.flip"))
    assert np.array_equal(pixels(), before[:, :, ::-1])


@pytest.mark.parametrize("option", ["limit", "dedupe", "crop", "weight", "name"])
def test_an_option_that_a_run_would_take_for_itself_is_refused_by_name(
    plug: Callable[[str], None], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(SOURCE.replace("ending: str", f"{option}: int = 1, ending: str"))
    for given in (["data=mine", "data.root=photos"], ["data=mix", "data.parts={a: {name: mine, root: photos}}"]):
        assert main(["run", *GREY, *given]) == 2
        told = capsys.readouterr().err
        assert f"({Path('mine.py').resolve()}): no option of a dataset may be called '{option}'; rename it" in told
        assert len(told.splitlines()) == 1


def test_squares_of_its_photos_are_trained_on(plug: Callable[[str], None]) -> None:
    plug(SOURCE)
    whole, parts = (
        opened("data=mine", "data.root=photos", "method=diffusion", "encoder=none", "cond=none", f"data.crop={crop}")
        for crop in ("null", "[0.5,0.6]")
    )
    assert whole.identity.training_id != parts.identity.training_id
    assert whole.identity.protocols == parts.identity.protocols
    assert parts.spec.data_crop == (0.5, 0.6)
    assert parts.model is not None
    assert parts.open_batches(parts.model).at(0).images.shape == (4, 16, 16, 3)


def test_a_picture_that_is_trained_on_and_scored_is_left_out_where_that_is_asked(plug: Callable[[str], None]) -> None:
    plug(SOURCE)
    photos = opened("data=mine", "data.root=photos", "method=mean").photos
    assert photos.shared == (("test_eve_1.png", "train_bob_1.png"),)
    photos = opened("data=mine", "data.root=photos", "method=mean", "data.dedupe=true").photos
    assert photos.shared == ()
    assert photos.images["train"].keys == ("train_ann_0.png",)


def test_it_may_be_a_part_of_a_mixture_and_who_is_on_its_photos_reaches_the_scores(plug: Callable[[str], None]) -> None:
    plug(SOURCE)
    parts = "{one: {name: mine, root: photos}, two: {name: mine, root: photos, skip: [0], weight: 2}}"
    run(composing.composed(*GREY, "method=mean", "data=mix", f"data.parts={parts}", "data.dedupe=true"))
    values = pd.read_parquet(the_run() / "per_image.parquet").set_index("image")["person"]
    assert dict(values) == {
        "one/test_eve_1.png": "one/eve",
        "one/test_eve_2.png": "one/eve",
        "two/test_eve_2.png": "two/eve",
    }
    manifest = json.loads((the_run() / "manifest.json").read_text())
    assert manifest["train"]["images"] == 1  # the other one is scored, too


def test_the_reason_why_nobody_knows_its_options_is_told(
    plug: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    plug(SOURCE.replace("ending: str", "limit: int = 1, ending: str"))
    assert main(["run", *GREY, "data=mine", "data.ending=jpg"]) == 2
    assert "may be called 'limit'" in capsys.readouterr().err
