"""The Dockerfile, which no test builds: all it names is there, and what it runs here is run here."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from zoo import commands

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GUIDE = (ROOT / "docs" / "colouring.md").read_text(encoding="utf-8")


class Instruction(NamedTuple):
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def stages() -> list[list[Instruction]]:
    """Of each stage its instructions, from FROM on."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.word == "FROM":
            found.append([])
        found[-1].append(each)
    return found


def all_of(word: str) -> list[str]:
    """What the last stage says by an instruction."""
    return [each.rest for each in stages()[-1] if each.word == word]


def listed(word: str) -> list[str]:
    """The last stage's one command, as a list: then no shell stands between it and signals."""
    (rest,) = all_of(word)
    return list(json.loads(rest[rest.index("[") :]))


def copied() -> list[str]:
    """What comes from the checkout."""
    places = [each.rest.split() for each in instructions() if each.word == "COPY" and "--from" not in each.rest]
    return [source for *sources, _ in places for source in sources]


def parsed(arguments: list[str]) -> argparse.Namespace:
    """As ``facezoo`` does it; ends the process where it would refuse."""
    module = import_module(f"zoo.commands.{arguments[0]}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(arguments[1:])


def port() -> int:
    (exposed,) = all_of("EXPOSE")
    return int(exposed)


def test_all_that_is_copied_is_there_and_is_all_that_is_let_in() -> None:
    assert all((ROOT / path).exists() for path in copied())
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == set(copied())
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_stages_that_are_copied_from_are_there_and_bases_have_plain_names() -> None:
    bases = [each.rest.split() for each in instructions() if each.word == "FROM"]
    assert all(re.fullmatch(r"python:\d+\.\d+-slim", base) for base, *_ in bases)
    named = {words[2] for words in bases if words[1:2] == ["AS"]}
    sources = {name for each in instructions() for name in re.findall(r"--from=(\w+)", each.rest)}
    assert sources == named
    least = int(PROJECT["requires-python"].removeprefix(">=3."))
    assert all(int(base.removeprefix("python:3.").removesuffix("-slim")) >= least for base, *_ in bases)


@pytest.mark.slow
def test_what_is_copied_is_enough_for_the_whole_wheel(tmp_path: Path) -> None:
    for path in copied():
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, tmp_path / "source" / path, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (tmp_path / "source").mkdir(exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / "source")
    held = []
    for folder, name in ((tmp_path / "source", "there"), (ROOT, "here")):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / name)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = (tmp_path / name).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            held.append(sorted(archive.namelist()))
    assert held[0] == held[1]


def test_the_extras_that_are_installed_are_extras() -> None:
    said = " ".join(all_of("RUN"))
    extras = [extra for names in re.findall(r"\.whl\)\[([\w,]+)\]", said) for extra in names.split(",")]
    assert extras
    assert set(extras) <= set(PROJECT["optional-dependencies"])


def test_what_is_an_argument_of_the_build_is_used_by_it() -> None:
    for argument in all_of("ARG"):
        name = argument.split("=")[0]
        assert f"${name}" in " ".join(all_of("RUN"))
        assert f"--build-arg {name}=" in GUIDE


def test_it_is_not_root_that_runs_it() -> None:
    (user,) = all_of("USER")
    words = [each.word for each in stages()[-1]]
    assert any(f"useradd --create-home {user}" in said for said in all_of("RUN"))
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in ("RUN", "COPY"))


def test_by_itself_it_serves_the_page_to_outside_on_the_port_that_it_names() -> None:
    assert listed("ENTRYPOINT")[0] in PROJECT["scripts"]
    command = parsed(listed("CMD"))
    assert (command.host, command.port) == ("0.0.0.0", port())


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that answers with one status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("answering", "healthy"), [(200, True), (500, False)], indirect=["answering"])
def test_it_is_healthy_while_the_page_answers(answering: int, healthy: bool) -> None:
    python, *rest = [part.replace(str(port()), str(answering)) for part in listed("HEALTHCHECK")]
    assert python == "python"
    done = subprocess.run([sys.executable, *rest], capture_output=True)
    assert (done.returncode == 0) == healthy


def test_the_guide_runs_it_by_commands_that_there_are() -> None:
    runs = re.findall(r"^    docker run (.*?)(?:   +#.*)?$", GUIDE, re.MULTILINE)
    assert len(runs) >= 2
    (folder,) = all_of("WORKDIR")
    for line in runs:
        before, _, after = line.partition(" facezoo")
        given = shlex.split(after)
        assert parsed(given) if given else before.endswith(f":{port()}")
        assert f":{folder}" in before or not given
    assert set(re.findall(r"docker build --tag (\w+)", GUIDE)) == {"facezoo"}
    assert "colorize" in commands.names()
