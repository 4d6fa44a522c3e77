"""Training in processes: one that is killed, and two that share a batch."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from zoo.tensor_file import MODEL


def run_in_process(folder: Path, cache: Path, pause: float = 0.0) -> subprocess.Popen[str]:
    script = Path(__file__).parents[1] / "support" / "train_tiny.py"
    command = [sys.executable, str(script), str(folder), str(cache), "12", str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``calm``, a run that nobody killed, and the ``cache`` that it left."""
    folder = tmp_path_factory.mktemp("runs")
    told = run_in_process(folder / "calm", folder / "cache").communicate()[0]
    assert told.split() == [str(i) for i in range(1, 13)]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [pytest.param([4], marks=pytest.mark.long), [1, 7]])  # 1: before a checkpoint
def test_a_killed_run_resumes_to_the_same_bits(calm: Path, tmp_path: Path, killed_after: list[int]) -> None:
    for step in killed_after:
        process = run_in_process(tmp_path / "killed", calm / "cache", pause=0.05)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == step:
                process.kill()  # SIGKILL: nothing in the process can tidy up
                break
        process.wait()
        assert not (tmp_path / "killed" / MODEL).exists()
    last = run_in_process(tmp_path / "killed", calm / "cache")
    steps = last.communicate()[0].split()
    assert steps[0] == str(killed_after[-1] // 3 * 3 + 1)  # not from the start, but from the last checkpoint
    expected, resumed = (load_file(folder / MODEL) for folder in (calm / "calm", tmp_path / "killed"))
    assert expected.keys() == resumed.keys()
    for name, weight in expected.items():
        assert torch.equal(weight, resumed[name]), name


@pytest.mark.slow
def test_two_processes_train_the_same_net_as_one(calm: Path, tmp_path: Path) -> None:
    script = str(Path(__file__).parents[1] / "support" / "train_tiny.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, script, str(tmp_path / "two"), str(calm / "cache"), "12", "0"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    assert told.split() == [str(i) for i in range(1, 13)]  # the second process says nothing
    one, two = (load_file(folder / MODEL) for folder in (calm / "calm", tmp_path / "two"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=2e-4, rtol=1e-3, msg=name)
