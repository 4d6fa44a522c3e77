"""Examples do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import zoo.results
from support import notebooks

NOTEBOOK = Path(__file__).parents[1] / "examples" / "sweep_to_figure.ipynb"


@pytest.mark.slow
def test_the_notebook_goes_from_a_sweep_to_a_figure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    command = [sys.executable, "-c", notebooks.script(NOTEBOOK)]
    environment = {**os.environ, "PYTHONPATH": str(NOTEBOOK.parents[1]), "MPLBACKEND": "agg"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert r"\begin{table}" in done.stdout
    found = zoo.results.load(tmp_path / "sweep_to_figure" / "table.csv")
    assert found.groupby("encoder.name")["run_id"].nunique().to_dict() == {"none": 2, "unet": 2}
    with Image.open(tmp_path / "sweep_to_figure" / "figure.png") as figure:
        assert len(figure.convert("RGB").getcolors(1 << 20) or ()) > 100  # something was drawn


def test_the_notebook_is_kept_without_what_it_printed_and_as_jupyter_writes_it() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    found = notebooks.cells(NOTEBOOK)
    assert found != []
    assert [cell["id"] for cell in found if cell["outputs"] or cell["execution_count"] is not None] == []
