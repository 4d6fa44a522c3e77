"""Paths on the command line: any that a file system knows arrive as they are, and what does not says how to type it."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from zoo.benchmark.config import plugins
from zoo.benchmark.config.command_line import prepared
from zoo.benchmark.config.quoting import paths_quoted, quoted, shown
from zoo.commands import main
from zoo.errors import ZooError

ODD = "=,()[]{}'\"#&~;!^<>|`$\\@%+:*? é日"


def composed(*arguments: str) -> DictConfig:
    """What Hydra makes of a command line, as it is typed."""
    with prepared(arguments), initialize_config_dir(str(plugins.CONFIGS), version_base="1.3"):
        return compose("config", sys.argv[1:])


def test_a_path_of_any_characters_arrives_as_it_is() -> None:
    forms = ("photos/{}/x", "{}photos", "photos{}", "a {}, b({}).csv")
    paths = [form.replace("{}", character).strip() for character in ODD for form in forms]
    paths += ["2024", "1e5", "true", "[old]", "{a}", "a,b", "f(x)"]  # which Hydra takes for numbers, lists, a function
    found = composed(*(f"+odd.at{i}.root={path}" for i, path in enumerate(paths)))
    assert [found.odd[f"at{i}"].root for i in range(len(paths))] == paths


def test_every_option_that_is_a_path_takes_one_of_any_characters() -> None:
    options = ("data.root", "data.groups", "results_dir", "table", "cache_dir", "encoder.weights", "metrics.fd.weights")
    found = composed("data=folder", *(f"{option}=a=b (1) {ODD}" for option in options))
    assert [OmegaConf.select(found, option) for option in options] == [f"a=b (1) {ODD}"] * len(options)


def test_what_hydra_can_read_stays_as_it_is() -> None:
    given = ["-m", "data.root=a,b", "seed=1,2", "table=null", "data.root='x y'", "denoiser.mults=[1,2]", "encoder=unet"]
    assert paths_quoted(given) == given


def test_in_a_sweep_a_comma_is_text_where_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b").mkdir()
    assert paths_quoted(["-m", "data.root=a,b", "data.root=c,d"]) == ["-m", "data.root='a,b'", "data.root=c,d"]


def test_a_path_may_still_name_other_options() -> None:
    assert composed("results_dir=runs(${seed})", "seed=7").results_dir == "runs(7)"


def test_paths_of_a_plug_ins_own_options_are_text_where_hydra_cannot_read_them() -> None:
    assert paths_quoted(["encoder.file=my/net (1).pt", "encoder.file=net(1"]) == [
        "encoder.file='my/net (1).pt'",
        "encoder.file=net(1",
    ]


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ("plugins=[my plug (1).py,b=c.py]", ["my plug (1).py", "b=c.py"]),
        ("plugins=é#.py", ["é#.py"]),
        ("plugins=[a.b,c.py]", ["a.b", "c.py"]),
        ("plugins=a.py,b.py", ["a.py", "b.py"]),
    ],
)
def test_files_of_plug_ins_have_any_names(given: str, files: list[str]) -> None:
    assert plugins.asked_for(paths_quoted([given])) == files


@given(st.text(st.sampled_from("ab'\"\\ $(){}[],=#&~é:%"), max_size=12).filter(lambda text: "${" not in text))
def test_quoted_text_comes_back_from_hydra_and_from_the_shell(text: str) -> None:
    def read(argument: str) -> object:
        return OmegaConf.create({"a": plugins.OverridesParser.create().parse_override(argument).value()}).a

    assert read(f"a={quoted(text)}") == text
    (typed,) = shlex.split(shown(f"a={text}"))
    assert read(typed) == text


@pytest.mark.parametrize("option", ["method=é", "method=it's $HOME (", "method=a,b"])
def test_what_cannot_be_read_shows_the_argument_to_type(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", option]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    (advice,) = re.findall(r" type (.*)$", told.rstrip())
    (typed,) = shlex.split(advice)
    text = option.partition("=")[2]
    with pytest.raises(ZooError, match=re.escape(f"unknown method {text!r}")):  # it was understood
        composed(typed)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("=3", "cannot read '=3'; values are given as key=value"),
        ("encoder=3", "unknown encoder '3'"),
        ("preset=null", "unknown preset 'null'"),
        ("seed=1,2", "'seed=1,2' has several values; give -m for a sweep over them, seed=[1,2] for a list"),
        ("photos", "values are given as key=value, and in quotes where there are spaces in them"),
    ],
)
def test_half_options_are_one_line(argument: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", argument]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
