"""Options of one choice: where they apply, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from zoo.benchmark.config import mending
from zoo.benchmark.config.choices import resolved
from zoo.benchmark.config.plugins import CONFIGS, store_nodes
from zoo.benchmark.config.sums import written_out
from zoo.errors import ZooError


@pytest.fixture(scope="module", autouse=True)
def composing() -> Iterator[None]:
    """As inside a command."""
    store_nodes()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def composed(overrides: Sequence[str]) -> Any:
    return once(tuple(overrides))


@cache
def once(overrides: tuple[str, ...]) -> Any:
    return compose("config", [*overrides], return_hydra_config=True)


def cells(*given: str) -> list[list[str]]:
    """Those of cells that are written as ``a=1 b=2``."""
    return resolved([written_out(cell.split()) for cell in given], composed)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("encoder=facenet encoder.facenet.weights=casia-webface", "encoder=facenet encoder.weights=casia-webface"),
        ("encoder.facenet.weights=a encoder=unet encoder.unet.frozen=true", "encoder=unet encoder.frozen=true"),
        ("encoder.unet.frozen=true", "encoder.frozen=true"),  # unet is the default
        ("cond=film cond.film.hidden=8", "cond=film cond.hidden=8"),
        ("sampler=ddim sampler.ddim.steps=3 sampler.deis.steps=4", "sampler=ddim sampler.steps=3"),
        ("method=folder method.folder.root=out", "method=folder method.root=out"),
        ("data=folder data.folder.root=faces", "data=folder data.root=faces"),
        ("denoiser=origin denoiser.origin.dropout=0.1", "denoiser=origin denoiser.dropout=0.1"),
        ("diffusion=v_cosine diffusion.v_cosine.T=9", "diffusion=v_cosine diffusion.T=9"),
        ("preset=origin encoder.origin.dropout=0.1", "preset=origin encoder.dropout=0.1"),  # which chooses it
        ("encoder=unet encoder.frozen=false encoder.unet.frozen=true", "encoder=unet encoder.frozen=true"),
        ("cond=concat+film cond.sum.parts.film.hidden=8", "cond=concat+film cond.parts.film.hidden=8"),
        ("cond=concat+film cond.parts.film.hidden=8", "cond=concat+film cond.parts.film.hidden=8"),
    ],
)
def test_an_option_of_a_choice_is_one_of_its_group_where_the_choice_is_made(given: str, read: str) -> None:
    others = ["encoder=facenet encoder.facenet.weights=a", "sampler=deis sampler.deis.steps=4"]  # the other choices
    assert cells(given, *others)[0] == read.split()


def test_a_cell_that_does_not_make_the_choice_is_there_once() -> None:
    given = ["encoder=unet encoder.arcface.pretrained=true", "encoder=unet encoder.arcface.pretrained=false"]
    given += ["encoder=arcface encoder.arcface.pretrained=true", "encoder=arcface encoder.arcface.pretrained=false"]
    assert cells(*given) == [
        ["encoder=unet"],
        ["encoder=arcface", "encoder.pretrained=true"],
        ["encoder=arcface", "encoder.pretrained=false"],
    ]
    assert cells("seed=1 cond=film", "cond=film seed=1") == [["seed=1", "cond=film"]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("encoder.facnet.weights=a", "encoder.facnet.weights: unknown encoder 'facnet'; did you mean 'facenet'? Avail"),
        ("cond.part.film.hidden=8 cond=concat+film", "unknown conditioner 'part'; did you mean 'parts'?"),
        ("sampler.dim.steps=3", "sampler.dim.steps: unknown sampler 'dim'; did you mean 'ddim'?"),
        ("method.foldr.root=a", "unknown method 'foldr'; did you mean 'folder'?"),
        (
            "encoder.unet.frosen=1",
            "unknown option 'encoder.unet.frosen'; did you mean 'encoder.unet.frozen'?",
        ),
        (
            "encoder.facenet.weights=a",
            "encoder.facenet.weights is for encoder=facenet, which is not among the choices:",
        ),
        ("method.folder.root=a", "method.folder.root is for method=folder, which is not among the choices: diffusion"),
    ],
)
def test_what_no_cell_reads_is_refused_in_one_line(given: str, said: str) -> None:
    with pytest.raises(ZooError) as raised:
        cells(given, "encoder=hog")
    assert said in mending.one_line(raised.value)
    assert "\n" not in str(raised.value)


def test_a_part_of_a_study_need_not_make_all_choices() -> None:
    given = [["encoder=unet", "encoder.facenet.weights=a"]]
    assert resolved(given, composed, all_made=False) == [["encoder=unet"]]
