"""How far it is from a command to the step that it is there for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.killing import Commands
from support.sweeping import ROOT, TINY

PROBE = """
import json, traceback
from pathlib import Path
import torch

step = torch.optim.AdamW.step

def probed(self, *args, **kwargs):
    seen = [f"{frame.filename}:{frame.name}" for frame in traceback.extract_stack()]
    Path("frames.json").write_text(json.dumps(seen))
    return step(self, *args, **kwargs)

torch.optim.AdamW.step = probed
"""


@pytest.mark.parametrize("sweep", [[], ["-m"]], ids=["run", "sweep"])
def test_from_the_door_to_the_gradient_step_there_are_few_frames_of_ours(
    commands: Commands, tmp_path: Path, sweep: list[str]
) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    door = str(ROOT / "benchmarks" / "run.py")
    code, _, err = commands.finish(tmp_path, door, *sweep, *TINY, "train.steps=1", "plugins=[probe.py]")
    assert code == 0, err
    seen = json.loads((tmp_path / "frames.json").read_text())
    ours = [frame for frame in seen if frame.startswith((f"{ROOT / 'zoo'}/", f"{ROOT / 'benchmarks'}/"))]
    assert Path(ours[0]).name.startswith("run.py:"), ours
    assert len([frame for frame in ours if f"{ROOT / 'zoo' / 'training'}/" not in frame]) <= 5, ours
    assert len(ours) <= 8, ours
