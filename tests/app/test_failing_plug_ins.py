"""A plug-in that fails while the page colours is a line for the visitor, and the place in it one for the server."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.models import TINY_DENOISER
from support.plugged import SOURCES
from zoo import checkpoint as model_files
from zoo.app.actions import Actions, Results
from zoo.app.album import color_album
from zoo.app.checkpoints import Checkpoint
from zoo.app.store import Store
from zoo.errors import PlugInError, ZooError
from zoo.model import ColorDiffusion
from zoo.photos.colorizer import ColorizeOptions
from zoo.plugins import import_plugins
from zoo.registry import encoders

QUICK = ColorizeOptions(steps=1, detect=False)
SWITCH = "if (Path(__file__).parent / 'fail').exists(): {}\n        x = self.conv(L)"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "old.png")
    return tmp_path / "old.png"


@pytest.fixture(params=["raise RuntimeError(__file__)", "sys.exit(0)"])
def actions(
    request: pytest.FixtureRequest, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Actions:
    """Offers a model "small", and a "late" one whose encoder fails from when there is a file "fail" beside it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(encoders, "_classes", dict(encoders._classes))
    source = SOURCES["encoder"].replace("x = self.conv(L)", SWITCH.format(request.param))
    (tmp_path / "late.py").write_text(f"from pathlib import Path\n{source}")
    import_plugins([str(tmp_path / "late.py")])
    late = ColorDiffusion(encoder={"name": "mine"}, cond={"name": "film"}, denoiser=TINY_DENOISER, image_size=16)
    model_files.save(late, tmp_path / "late.safetensors")
    models = {"small": Checkpoint.read(checkpoint), "late": Checkpoint.read(tmp_path / "late.safetensors")}
    (tmp_path / "fail").touch()
    return Actions(models, Store(tmp_path / "served", 10**8), 10**6, "cpu")


def test_the_visitor_is_told_which_and_no_path_and_the_server_where(
    actions: Actions, photo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(PlugInError) as told:
        list(actions.color(actions.open(photo), "late", QUICK))
    assert str(told.value) == "encoder 'mine', a plug-in of this model, failed; choose another model"
    assert f"encoder 'mine' ({photo.parent / 'late.py'}, line " in caplog.text


def test_the_next_one_is_colored(actions: Actions, photo: Path) -> None:
    with pytest.raises(PlugInError):
        list(actions.color(actions.open(photo), "late", QUICK))
    (photo.parent / "fail").unlink()
    for model in ("small", "late"):
        *_, results = actions.color(actions.open(photo), model, QUICK)
        assert isinstance(results, Results)


def test_in_an_album_it_is_said_of_the_photo(actions: Actions, photo: Path) -> None:
    with pytest.raises(ZooError, match="none of 2 photos was coloured: encoder 'mine', a plug-in"):
        list(color_album(actions, [photo, photo], "late", QUICK))
