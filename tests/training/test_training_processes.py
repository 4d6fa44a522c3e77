"""Training in processes: one that is killed, and two that share a batch."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from zoo.tensor_file import MODEL

SCRIPT = str(Path(__file__).parents[1] / "support" / "train_tiny.py")


def run_in_process(folder: Path, cache: Path, pause: float = 0.0, *losses: str) -> subprocess.Popen[str]:
    command = [sys.executable, SCRIPT, str(folder), str(cache), "12", str(pause), *losses]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_in_two(folder: Path, cache: Path, *losses: str) -> str:
    """What two processes print."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]  # accelerate's starts one on a CPU
    command = [sys.executable, "-m", *launcher, SCRIPT, str(folder), str(cache), "12", "0", *losses]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout


def demand_alike(one: Path, two: Path) -> None:
    """Fails where models of two folders differ by more than the order of sums."""
    first, second = (load_file(folder / MODEL) for folder in (one, two))
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, atol=2e-4, rtol=1e-3, msg=name)


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
    told = run_in_two(tmp_path / "two", calm / "cache")
    assert told.split() == [str(i) for i in range(1, 13)]  # the second process says nothing
    demand_alike(calm / "calm", tmp_path / "two")


@pytest.mark.slow
def test_two_processes_keep_what_one_keeps_and_end_together(calm: Path, tmp_path: Path) -> None:
    losses = ("0.5", "0.3", "0.4", "0.35", "0.2", "0.1")  # the lowest before patience ends is that of step 4
    run_in_process(tmp_path / "one", calm / "cache", 0.0, *losses).communicate()
    told = run_in_two(tmp_path / "two", calm / "cache", *losses)
    assert told.split() == [str(i) for i in range(1, 9)]
    ended = {file.name: file.read_text() for file in (tmp_path / "two").glob("ended-*")}
    assert ended == {"ended-0.txt": "8 4", "ended-1.txt": "8 4"}
    demand_alike(tmp_path / "one", tmp_path / "two")
