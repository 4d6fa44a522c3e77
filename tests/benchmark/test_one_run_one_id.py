"""What makes no difference makes no other id, however it is written; what makes one does, wherever it is written."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from support.composing import composed, plain
from support.ids import ids
from support.plugged import DATASET, HEAD
from support.small import SMALL
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.experiment import Run
from zoo.benchmark.runs.identity import Identity
from zoo.metrics import _st_lpips, lpips
from zoo.plugins import import_plugins
from zoo.registry import REGISTRIES, denoisers
from zoo.weights import sha256_file

BOX = (0.0, 0.25, 1.0)


@pytest.mark.parametrize(
    ("levels", "same"), [([1, 2], False), ([2, 1], False), ([2, 3], True), ([3, 2], True), ([2, 99], True)]
)
def test_attention_at_more_levels_than_there_are_is_attention_at_all(levels: list[int], same: bool) -> None:
    one, other = (plain("metrics=[psnr]", f"denoiser.attention_levels={n}") for n in levels)
    assert (ids(one) == ids(other)) == same
    networks = [Spec.from_config(config).build_model().state_dict() for config in (one, other)]
    assert (networks[0].keys() == networks[1].keys()) == same


@pytest.mark.parametrize(
    ("option", "enough", "fewer"), [("eval.limit", 3, 2), ("data.limit", 6, 5)], ids=["to score", "to train on"]
)
@pytest.mark.parametrize("method", ["diffusion", "mean"])
def test_a_limit_that_leaves_out_nothing_is_none(
    tmp_path: Path, option: str, enough: int, fewer: int, method: str
) -> None:
    def settings(limit: int | None) -> tuple[str, Any]:
        usual = ["data.n_train=6", "data.n_val=1", "data.n_test=3", "data.size=32", f"cache_dir={tmp_path}"]
        given = "null" if limit is None else limit
        found = Run.open(composed(*SMALL, *usual, f"method={method}", f"{option}={given}")).identity
        return found.run_id, found.settings

    assert settings(enough) == settings(enough + 1) == settings(None)
    assert settings(fewer)[0] != settings(None)[0]


@pytest.mark.parametrize(
    ("metric", "option", "same", "other"),
    [
        ("kid", "subset_size", [3, 5, 99, 1000, 5000], [2]),  # of 5 images one block, and two
        ("mmd", "subset_size", [3, 5, 99, 1000, 5000], [2]),
        ("diversity", "images", [5, 6, 100, 5000, None], [4]),
        ("variance", "images", [5, 6, 100, 5000, None], [4]),
    ],
)
def test_numbers_of_images_that_leave_out_none_are_one(
    tmp_path: Path, metric: str, option: str, same: list[int | None], other: list[int]
) -> None:
    def settings(number: int | None) -> tuple[str, Any]:
        usual = ["data.n_train=6", "data.n_val=1", "data.n_test=7", "data.size=32", f"cache_dir={tmp_path}"]
        given = [
            "eval.limit=5",
            f"metrics=[{metric}]",
            f"metrics.{metric}.{option}={'null' if number is None else number}",
        ]
        found = Run.open(composed(*SMALL, *usual, "method=grey", *given)).identity
        return found.run_id, found.protocols[metric]["metric"][option]

    as_it_is = settings({"subset_size": 1000, "images": 100}[option])
    assert as_it_is[1] in (1000, 100)  # what is usual stays what it is
    assert {settings(number) for number in same} == {as_it_is}
    assert as_it_is not in {settings(number) for number in other}


@pytest.mark.parametrize("cond", ["xattn", "sum"])
def test_attention_to_more_maps_than_there_are_is_attention_to_all(tmp_path: Path, cond: str) -> None:
    def opened(maps: int | None) -> Run:
        usual = ["data.n_train=6", "data.n_val=1", "data.n_test=3", "data.size=32", f"cache_dir={tmp_path}"]
        config = composed(*SMALL, *usual, "encoder=hog", f"cond={cond}")  # of three maps
        options = {"name": "xattn", "maps": maps, "dim": 32}
        node = options if cond == "xattn" else {"name": "sum", "parts": {"xattn": options, "film": {}}}
        OmegaConf.update(config, "cond", node, merge=False, force_add=True)
        return Run.open(config)

    one, three, four, every = (opened(maps) for maps in (1, 3, 4, None))
    assert three.identity.run_id == four.identity.run_id == every.identity.run_id != one.identity.run_id
    assert three.labels == four.labels == every.labels != one.labels
    assert three.model is not None
    assert four.model is not None
    assert three.model.identity() == four.model.identity()  # either goes on from the other's checkpoint
    options = one.spec.cond.options
    assert options.get("parts", {"xattn": options})["xattn"]["maps"] == 1  # what is usual stays what it is


def protocol(metric: str, *options: str, found: Any = BOX) -> Any:
    spec = Spec.from_config(plain(f"metrics=[{metric}]", *(f"metrics.{metric}.{option}" for option in options)))
    return Identity(spec, manifests={"train": "t", "eval": "e"}, find_face=lambda: found).protocols[metric]


@pytest.mark.parametrize(("metric", "options"), [("identity", []), ("fd", ["space=arcface"])])
def test_a_face_box_that_is_given_and_one_that_is_found_are_one_where_they_are_equal(
    metric: str, options: list[str]
) -> None:
    found = protocol(metric, *options)
    assert protocol(metric, *options, "face_box=[0,0.25,1]") == found
    assert protocol(metric, *options, "face_box=[0.1,0.25,1]") != found
    assert protocol(metric, *options, "face_box=null") != found
    assert protocol(metric, *options, "face_box=null") == protocol(metric, *options, found=None)


# weights inside packages


@pytest.mark.parametrize(
    ("metric", "package", "file"),
    [
        ("st_lpips", "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"),
        ("fd", "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"),
        ("precision_recall", "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"),
        ("lpips", "lpips", "weights/v0.1/alex.pth"),
    ],
)
def test_weights_inside_a_package_count_by_what_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, package: str, file: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package, raising=False)
    (tmp_path / package / file).parent.mkdir(parents=True)
    (tmp_path / package / "__init__.py").write_text("raise RuntimeError('it is imported')")
    importlib.invalidate_caches()
    found = []
    for text in ("one", "other", "one"):
        (tmp_path / package / file).write_text(text)
        found.append(protocol(metric))
    assert found[0] != found[1]
    assert found[0] == found[2]


@pytest.mark.parametrize(
    ("package", "load", "sha"),
    [
        ("stlpips_pytorch", lambda: _st_lpips.load_st_lpips.__wrapped__("cpu"), _st_lpips.st_lpips_sha),
        ("lpips", lpips._network, lpips.LPIPS().weights_sha),
    ],
)
def test_the_file_that_counts_is_the_one_that_the_package_reads(
    monkeypatch: pytest.MonkeyPatch, package: str, load: Callable[[], Any], sha: Callable[[], str]
) -> None:
    pytest.importorskip(package)
    read, original = [], torch.load
    monkeypatch.setattr(torch, "load", lambda file, *a, **k: (read.append(file), original(file, *a, **k))[1])
    load()
    assert sha().split()[-1] == sha256_file(read[0])


# plug-ins in places of their own

DENOISER = """
@registry.denoisers.register("mine")
class Mine(registry.denoisers.get("unet")):
    def __init__(self, *, width=64, mults=(1, 2), extra=()):
        super().__init__(width=width, mults=mults, extra=extra)
"""


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A plug-in file of what is given."""

    def write(source: str) -> Path:
        file = tmp_path / "mine.py"
        file.write_text(HEAD + source)
        import_plugins([str(file)])
        return file

    yield write
    for registry in (*REGISTRIES.values(), denoisers):
        registry._classes.pop("mine", None)


def edited(file: Path, config: dict[str, Any]) -> list[bool]:
    """Which ids change as it is edited: of the run, of its training, of its protocols."""
    before = ids(config)
    file.write_text(file.read_text() + "# edited\n")
    return [one != other for one, other in zip(before, ids(config), strict=True)]


def test_a_denoiser_that_was_edited_is_another_run(plug: Callable[[str], Path]) -> None:
    config = plain("metrics=[psnr]")
    config["denoiser"]["name"] = "mine"
    assert edited(plug(DENOISER), config) == [True, True, False]


@pytest.mark.parametrize("metric", ["psnr", "skin_tone"])
def test_a_data_set_that_was_edited_may_say_other_groups(plug: Callable[[str], Path], metric: str) -> None:
    config = plain(f"metrics=[{metric}]")
    config["data"] = {"name": "mine"}
    assert edited(plug(DATASET), config) == [True, True, metric == "skin_tone"]


def test_a_part_of_a_mixture_that_was_edited_is_another_run(plug: Callable[[str], Path]) -> None:
    config = plain("metrics=[psnr]", "data=mix")
    config["data"]["parts"] = {"a": {"name": "mine"}, "b": {"name": "synthetic"}}
    assert edited(plug(DATASET), config) == [True, True, False]


# mixtures and sums


def test_groups_of_the_parts_of_a_mixture_are_in_the_protocol_of_the_metrics_that_use_them(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("file,group\na,b\n")

    def mixed(metric: str, groups: str | None) -> Any:
        config = plain(f"metrics=[{metric}]", "data=mix")
        config["data"]["parts"] = {"a": {"root": "x", "groups": groups}, "b": {"root": "y"}}
        return ids(config)

    for one, other in [
        ("^([a-z]+)_", "^([A-Z]+)_"),
        ("^([a-z]+)_", None),
        ("^([a-z]+)_", str(tmp_path / "groups.csv")),
    ]:
        assert mixed("psnr", one) == mixed("psnr", other)
        assert mixed("skin_tone", one)[2] != mixed("skin_tone", other)[2]
        assert mixed("skin_tone", one)[1] == mixed("skin_tone", other)[1]


def test_a_part_of_a_sum_may_have_a_name_of_its_own() -> None:
    config = plain("metrics=[psnr]", "cond=sum")
    config["cond"]["parts"] = {"fine": {"name": "concat"}, "film": {}}
    assert Identity(Spec.from_config(config), manifests={"train": "t", "eval": "e"}).run_id
