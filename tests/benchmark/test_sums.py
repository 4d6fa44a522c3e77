"""Several conditioners at once: what a sum computes, and how it is written on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

import zoo
from support.composing import composed, plain
from support.models import tiny_model
from zoo import checkpoint
from zoo.benchmark.config import mending, plugins
from zoo.benchmark.config.labels import label
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.config.sums import written_out
from zoo.benchmark.runs import identity
from zoo.conditioners import Conditioner
from zoo.conditioners.film import FiLM
from zoo.conformance._tensors import open_zeros
from zoo.conformance.conditioner import LEVELS, SPECS, features_of
from zoo.errors import ZooError
from zoo.registry import conditioners


def conditioner(name: str, **options: Any) -> Conditioner:
    """One whose every weight matters, as after training."""
    torch.manual_seed(0)
    made = zoo.create_conditioner(name, SPECS["both"], LEVELS, **options)
    open_zeros(made)
    return made


def sum_of(*parts: str) -> Conditioner:
    return conditioner("sum", parts={part: {} for part in parts})


def spec_of(*overrides: str) -> Spec:
    return Spec.from_config(plain("metrics=[psnr]", *written_out(overrides)))


# what it computes


def test_what_parts_add_is_summed_and_what_they_join_is_joined() -> None:
    sum_ = sum_of("concat", "film", "xattn")
    features, h = features_of(SPECS["both"]), torch.randn(3, 64, 4, 4)
    context = sum_.prepare(features, (32, 32))
    concat, film, xattn = sum_.parts  # type: ignore[misc]
    joined = concat.inject(h, 1, concat.prepare(features, (32, 32)))[:, 64:]
    added = [part.inject(h, 1, part.prepare(features, (32, 32))) - h for part in (film, xattn)]
    torch.testing.assert_close(sum_.inject(h, 1, context), torch.cat([h + sum(added), joined], dim=1))
    assert sum_.extra_channels(1) == joined.shape[1]


def test_the_order_in_which_parts_are_written_does_not_matter() -> None:
    features, h = features_of(SPECS["both"]), torch.randn(3, 32, 8, 8)
    outputs = []
    for sum_ in (sum_of("film", "add"), sum_of("add", "film")):
        outputs.append(sum_.inject(h, 0, sum_.prepare(features, (32, 32))))
    assert torch.equal(*outputs)


def test_a_conditioner_may_be_a_part_twice_under_names_of_its_own() -> None:
    sum_ = conditioner("sum", parts={"narrow": {"name": "concat", "channels": 16}, "concat": {}})
    assert sum_.extra_channels(0) == 16 + 64


def test_a_model_with_a_sum_is_saved_and_loaded(tmp_path: Path) -> None:
    model = tiny_model(cond={"name": "sum", "parts": {"film": {"hidden": 8}, "add": {}}})
    open_zeros(model)
    checkpoint.save(model, tmp_path / "model.safetensors")
    loaded = checkpoint.load(tmp_path / "model.safetensors")
    assert loaded.spec == model.spec
    state = loaded.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "parts must name two conditioners or more, not none at all"),
        ({"film": {}}, "parts must name two conditioners or more, not film"),
        ({"film": {}, "none": {}}, "parts.none: it adds nothing"),
        ({"film": {}, "sum": {}}, "parts.sum: a sum cannot hold another"),
        ({"film": {}, "concat": {"channels": 10}}, "parts.concat.channels must be a multiple of 16"),
        ({"film": {}, "xattn": {"dim": 6}}, "parts.xattn.dim must be a multiple of 4"),
        ({"film": {}, "adds": {}}, "unknown conditioner 'adds'; did you mean 'add'?"),
    ],
)
def test_an_impossible_sum_is_refused_in_one_line(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ZooError) as raised:
        zoo.create_conditioner("sum", SPECS["maps"], LEVELS, parts=parts)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


# how it is written


@pytest.mark.parametrize(
    ("argument", "read"),
    [
        ("cond=[concat,film]", "cond=concat+film"),
        ("cond=[film, concat]", "cond=concat+film"),
        ("cond=film+concat", "cond=concat+film"),
        ("cond=[concat]", "cond=concat"),
        ("cond=concat,[xattn,film],xattn", "cond=concat,film+xattn,xattn"),
        ("cond=choice([add,film],none)", "cond=choice(add+film,none)"),
        ("cond=glob(*)", "cond=glob(*)"),
        ("cond.parts.concat.channels=32", "cond.parts.concat.channels=32"),
        ("metrics=[psnr,ssim]", "metrics=[psnr,ssim]"),
    ],
)
def test_a_sum_becomes_one_name(argument: str, read: str) -> None:
    assert written_out([argument]) == [read]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("cond=[]", "expected different conditioners"),
        ("cond=[film,film]", "expected different conditioners"),
        ("cond=film+film", "expected different conditioners"),
        ("cond=[concat,flim]", "unknown conditioner 'flim'; did you mean 'film'? Available: add, concat, film"),
        ("cond=[concat,[film,add]]", "cannot read 'cond=[concat,add+film]'; parts are given as cond=[concat,film]"),
    ],
)
def test_a_sum_that_cannot_be_is_refused_in_one_line(argument: str, said: str) -> None:
    with pytest.raises(ZooError) as raised:
        written_out([argument])
    assert said in str(raised.value)


def test_each_part_has_the_options_of_its_own_file() -> None:
    options = spec_of("cond=[concat,film]", "cond.parts.concat.channels=32").cond.options
    assert options == {
        "parts": {
            "concat": {"name": "concat", "channels": 32, "source": "maps", "mix": True},
            "film": {"name": "film", "hidden": 256},
        }
    }


def test_a_third_partys_conditioner_may_be_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conditioners._classes, "mine", FiLM)
    plugins.store_nodes()
    try:
        model = spec_of("cond=mine+add", "cond.parts.mine.hidden=8").build_model()
    finally:
        ConfigStore.instance().repo["cond"].pop("mine.yaml")
    assert [type(part).__name__ for part in model.conditioner.parts] == ["Add", "FiLM"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("cond.parts.concat.chanels=32", "unknown option 'cond.parts.concat.chanels'; did you mean"),
        ("cond.parts.flim.hidden=32", "unknown option 'cond.parts.flim'; did you mean 'cond.parts.film'?"),
        ("cond.parts.concat.channels=many", "cond.parts.concat.channels must be an integer, not 'many'"),
        ("+cond.parts.concat.chanels=32", "unknown option 'cond.parts.concat.chanels'"),
        ("cond.parts.concat=3", "cond.parts.concat must be"),
    ],
)
def test_a_wrong_option_of_a_part_is_named(override: str, said: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # Hydra's or our own: the command line shows both as this
        spec_of("cond=concat+film", override)
    assert said in mending.one_line(raised.value)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["cond=[film,concat]"], "concat+film"),
        (["cond=sum"], "concat+film"),
        (["cond=concat+film", "cond.parts.concat.channels=32"], "concat(channels=32)+film"),
        (
            ["cond=concat+film", "cond.parts.concat.channels=32", "cond.parts.concat.mix=false"],
            "concat(mix=False)+film",
        ),
        (["cond=concat", "cond.channels=32", "cond.mix=false"], "concat(mix=False)"),
    ],
)
def test_tables_call_a_sum_by_its_parts(overrides: list[str], expected: str) -> None:
    assert label(composed("metrics=[psnr]", *written_out(overrides)), "cond") == expected


def test_one_sum_is_one_run_however_it_is_written() -> None:
    ids = {
        identity.Identity(spec_of(cond), manifests={"train": "m", "eval": "e"}).run_id
        for cond in ("cond=[concat,film]", "cond=film+concat", "cond=sum", "cond=concat")
    }
    assert len(ids) == 2


def test_the_script_reads_a_sum(tmp_path: Path) -> None:
    script = CONFIGS.parent / "benchmarks" / "run.py"
    command = [sys.executable, str(script), "--cfg", "job", "cond=[film,add]", "cond.parts.film.hidden=8"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert OmegaConf.create(done.stdout).cond == {
        "name": "sum",
        "parts": {"add": {"name": "add"}, "film": {"name": "film", "hidden": 8}},
    }
