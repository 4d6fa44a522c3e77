"""Where the ArcFace template lies in images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.faces.box import TEMPLATE, estimate_face_box, fit_template
from zoo.faces.framing import Box
from zoo.registry import datasets


def test_the_fit_finds_the_square_that_the_landmarks_were_made_from() -> None:
    box = Box(-0.1, -0.26, 1.19)
    assert fit_template(TEMPLATE * box.side + (box.x0, box.y0)) == box


def test_the_detector_finds_the_box_that_synthetic_faces_are_painted_in() -> None:
    faces = datasets.create("synthetic", size=96)
    found = estimate_face_box([faces.load(key) for key in faces.keys("train")[:16]])
    assert found is not None
    assert np.abs(np.subtract(found, faces.face_box)).max() <= 0.03


def test_without_faces_there_is_no_box_but_a_warning() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    with pytest.warns(UserWarning, match=r"0 of 4 images.*give face_box="):
        assert estimate_face_box(list(noise)) is None


def test_looking_for_faces_leaves_torch_as_it_was() -> None:
    faces = datasets.create("synthetic")
    images = [faces.load("train/0000000")]
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    estimate_face_box(images)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_the_detector_is_imported_only_when_a_box_is_looked_for() -> None:
    code = "import sys, zoo.faces.box, zoo.data.folder; sys.exit('facenet_pytorch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.real
def test_the_box_of_utkface_is_the_one_measured() -> None:
    faces = os.environ.get("ZOO_TEST_FACES")
    if not faces:
        pytest.skip("ZOO_TEST_FACES is not set")
    folder = datasets.create("folder", root=Path(faces) / "test", val_fraction=0, test_fraction=0)
    assert folder.face_box is not None
    assert np.abs(np.subtract(folder.face_box, (-0.10, -0.26, 1.19))).max() <= 0.02
