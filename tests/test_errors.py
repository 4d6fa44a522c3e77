"""What a message calls an option: the library by its name alone, the benchmark by where it stands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import zoo
from zoo.errors import ZooError, below

ROOT = Path(__file__).parents[1] / "zoo"
SECTIONS = ("encoder", "cond", "data", "metrics", "diffusion", "sampler", "train", "denoiser", "eval")
NAMED = re.compile(rf"(?<![\w./])({'|'.join(SECTIONS)})\.\w+(=| must|: )")
LIBRARY = [file for file in sorted(ROOT.rglob("*.py")) if file.parts[len(ROOT.parts)] not in ("benchmark", "commands")]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("root='x' is not a folder", "data.root='x' is not a folder"),
        ("size must be at least 32, not 3", "data.size must be at least 32, not 3"),
        ("size: three is no number", "data.size: three is no number"),
        ("not there; use root=DIR", "not there; use data.root=DIR"),
        ("x is not there (root=x)", "x is not there (data.root=x)"),
        ("root.part=3: expected 4", "data.root.part=3: expected 4"),
        ("the root of it; no size", "the root of it; no size"),
        ("sizes must be odd", "sizes must be odd"),
        ("other=3 and data.root=x and ./root=x", "other=3 and data.root=x and ./root=x"),
    ],
)
def test_options_that_a_message_names_are_put_below_a_section(message: str, named: str) -> None:
    assert below("data", ("root", "size"), message) == named


def test_a_message_of_what_has_no_options_stays_as_it_is() -> None:
    assert below("data", (), "size must be odd") == "size must be odd"


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_the_library_knows_no_section_of_the_configuration(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose)
    assert [node.value for node in said if NAMED.search(str(node.value))] == []


def test_an_error_says_what_could_not_be_built() -> None:
    with pytest.raises(ZooError, match="must be positive") as raised:
        zoo.create_encoder("hog", orientations=0)
    assert raised.value.about == ("encoder", ("strides", "orientations"))
