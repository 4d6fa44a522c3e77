"""Examples do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import zoo.results

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_notebook_goes_from_a_sweep_to_a_figure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    command = [sys.executable, str(ROOT / "examples" / "sweep_to_figure.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = zoo.results.load(tmp_path / "sweep_to_figure" / "table.csv")
    assert found.groupby("encoder.name")["run_id"].nunique().to_dict() == {"none": 2, "unet": 2}
    with Image.open(tmp_path / "sweep_to_figure" / "figure.png") as figure:
        assert len(figure.convert("RGB").getcolors(1 << 20) or ()) > 100  # something was drawn
