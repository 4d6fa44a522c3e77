"""What a command does not take is told in one line that says what to give instead."""

from __future__ import annotations

import subprocess
import sys

import pytest

from zoo import commands
from zoo.benchmark.config.plugins import CONFIGS

PHOTO = ["colorize", "--image-path", "a.png", "--output", "b.png"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "give COMMAND; facezoo --help shows all"),
        (["colorise"], "unknown command 'colorise'; did you mean 'colorize'? facezoo --help shows all"),
        (["--no-such", "list"], "unknown option '--no-such'. facezoo --help shows all"),
        (["colorize"], "give --image-path and --output; facezoo colorize --help shows all"),
        (["merge", "a.csv"], "give --out; facezoo merge --help shows all"),
        ([*PHOTO, "--sampls", "4"], "unknown option '--sampls'; did you mean '--samples'? facezoo colorize --help"),
        (["colorize", "--image-pth=a.png"], "unknown option '--image-pth'; did you mean '--image-path'?"),
        ([*PHOTO, "--steps", "few"], "--steps must be a whole number, not 'few'; facezoo colorize --help"),
        ([*PHOTO, "--guidance", "much"], "--guidance must be a number, not 'much'; facezoo colorize --help"),
        ([*PHOTO, "--vivid=yes"], "--vivid takes no value, not 'yes'; facezoo colorize --help"),
        ([*PHOTO, "--overwrite", "--skip-existing"], "--skip-existing: not allowed with --overwrite; facezoo"),
        ([*PHOTO, "--seed"], "--seed: expected one argument; facezoo colorize --help"),
        (["list", "arc*", "dino\nor so"], "unexpected 'dino or so'; facezoo list --help"),
        (["list", "--kind", "metrc"], "unknown --kind 'metrc'; did you mean 'metric'? Available: conditioner, "),
        (["run", "encoder=unet", "--multirn"], "unknown option '--multirn'; did you mean '--multirun'? facezoo run"),
        (["run", "--cfg", "jobs"], "unknown --cfg/-c 'jobs'; did you mean 'job'? Available: all, hydra, job. facezoo"),
        (["pretrain", "--cfg"], "--cfg/-c: expected one argument; facezoo pretrain --help"),
    ],
)
def test_what_is_wrong_or_missing_is_one_line(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(given) == 2
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith(f"error: {said}")
    assert told.endswith("--help shows all\n")
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", commands.names())
def test_every_command_refuses_an_option_that_it_has_not(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main([name, "--qqq"]) == 2
    assert capsys.readouterr().err == f"error: unknown option '--qqq'. facezoo {name} --help shows all\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["speed", "--device", "cud"], "device=cud is not available here"),
        (["speed", "--rounds", "0"], "--rounds and --origin-steps must be at least 1"),
        (["app", "--device", "cud", "--port", "0"], "device=cud is not available here"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_time_is_spent(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(given) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}")


@pytest.mark.parametrize("model", ["hf-hub:someone/model", "hf_hub:someone/model"])
def test_where_downloads_are_off_no_repository_is_asked(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert commands.main(["check", "timm", f"model={model}", "pretrained=false"]) == 2
    assert "forbids to ask for it" in capsys.readouterr().err


def test_what_follows_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["list", "--", "--none-of-this-name"]) == 0
    assert "nothing matches '--none-of-this-name'" in capsys.readouterr().out


def test_a_door_names_itself() -> None:
    door = CONFIGS.parent / "benchmarks" / "merge.py"
    done = subprocess.run([sys.executable, str(door), "--ot=x"], capture_output=True, text=True)
    assert done.returncode == 2
    told = "error: unknown option '--ot'; did you mean '--out'? python benchmarks/merge.py --help shows all\n"
    assert done.stderr == told
