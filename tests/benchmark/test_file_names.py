"""File names that are no UTF-8, which Unix allows, from the photos to the report."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from support.killing import Commands
from support.sweeping import TINY

ODD = os.fsdecode(b"caf\xe9.png")


def test_names_that_are_no_utf_8_end_no_run_and_no_report(commands: Commands, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        (tmp_path / "photos" / split).mkdir(parents=True)
        for name in ("a.png", "b.png", ODD):
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "photos" / split / name)
    photos = ["data=folder", "data.root=photos", "data.face_box=null", "encoder=none", "cond=none"]
    for _ in range(2):  # again, with all that the first run left
        code, _, err = commands.finish(tmp_path, "run", *TINY, *photos)
        assert code == 0, err
    (per_image,) = tmp_path.glob("results/runs/*/per_image.parquet")
    assert r"test/caf\xe9.png" in set(pd.read_parquet(per_image)["image"])
    code, _, err = commands.finish(tmp_path, "report", "--out", "report.html", "--pictures", "table.csv")
    assert code == 0, err
