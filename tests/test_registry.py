"""The registry: names, owners, laziness, plug-ins."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.commands import list as list_command
from zoo.conformance.inventory import KINDS, inventory
from zoo.errors import ZooError
from zoo.plugins import import_plugins
from zoo.registry import REGISTRIES, Registry

few = settings(max_examples=20, deadline=None)  # each example reads what is installed
names = st.text("abcdefgh_", min_size=1, max_size=8)


class Thing:
    def __init__(self, size: int = 1) -> None:
        self.size = size


def registry() -> Registry[object]:
    """One with the encoders' built-ins and entry points, and nothing registered yet."""
    return Registry("encoder", "zoo.encoders")


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution with entry points, as pip would: a module and a dist-info folder on sys.path."""

    def write(source: str, dist: str = "plug", **points: str) -> None:
        (tmp_path / f"{dist}.py").write_text(source)
        info = tmp_path / f"{dist}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        lines = "\n".join(f"{name} = {value}" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[zoo.encoders]\n{lines}\n")
        monkeypatch.delitem(sys.modules, dist, raising=False)

    monkeypatch.syspath_prepend(str(tmp_path))
    return write


# names


@few
@given(st.sets(names, max_size=8), st.text("abch_*?", max_size=4))
def test_list_gives_the_sorted_names_that_match(given_names: set[str], pattern: str) -> None:
    things: Registry[object] = Registry("thing", "zoo.nothing_built_in")
    for name in given_names:
        things.register(name)(Thing)
    assert things.list() == sorted(given_names)
    assert things.list(pattern) == sorted(name for name in given_names if fnmatchcase(name, pattern))


@few
@given(names, st.integers())
def test_create_gives_the_class_of_the_name_its_options(name: str, size: int) -> None:
    things: Registry[object] = Registry("thing", "zoo.nothing_built_in")
    things.register(name)(Thing)
    thing = things.create(name, size=size)
    assert isinstance(thing, Thing)
    assert thing.size == size


@few
@given(names, names)
def test_an_unknown_name_is_an_error_that_lists_all(name: str, unknown: str) -> None:
    if name == unknown:
        return
    things: Registry[object] = Registry("thing", "zoo.nothing_built_in")
    things.register(name)(Thing)
    with pytest.raises(ZooError) as caught:
        things.get(unknown)
    assert repr(unknown) in str(caught.value)
    assert f"Available: {name}." in str(caught.value)


def test_a_misspelt_name_gets_the_close_one() -> None:
    with pytest.raises(ZooError, match=r"unknown encoder 'arcfase'; did you mean 'arcface'\?"):
        zoo.create_encoder("arcfase")


def test_globs_pick_built_ins() -> None:
    assert zoo.list_encoders("arc*") == ["arcface"]
    assert {"arcface", "facenet", "none", "timm", "unet"} <= set(zoo.list_encoders())
    assert not [name for name in zoo.list_encoders() if name.startswith("_")]


def test_an_unknown_option_is_one_clear_error() -> None:
    with pytest.raises(ZooError, match=r"encoder 'none': got an unexpected keyword argument 'color'"):
        zoo.create_encoder("none", color=1)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_kind_is_registered_created_and_listed_from_the_top(kind: str) -> None:
    names, verbs = REGISTRIES[kind], {"register": "register", "create": "create", "list": "list"}
    for verb, method in verbs.items():
        name = f"{verb}_{kind}" + ("s" if verb == "list" else "")
        assert getattr(zoo, name) == getattr(names, method)
        assert name in zoo.__all__
    if names.base:
        assert names.base in zoo.__all__
        assert getattr(zoo, names.base).__module__ == names.package


def test_an_option_may_not_have_a_name_that_says_something_else() -> None:
    class Clashing:
        def __init__(self, size: int = 1, weight: int = 1) -> None:
            pass

    things: Registry[object] = Registry("thing", "zoo.nothing_built_in", taken=("weight",))
    things.register("mine")(Clashing)
    with pytest.raises(ZooError, match=rf"thing 'mine' \({__file__}\): no option of a thing may be called 'weight'"):
        things.create("mine")


# owners


def test_a_name_taken_names_both_owners() -> None:
    things = registry()
    things.register("mine")(Thing)

    class Other:
        pass

    with pytest.raises(ZooError, match=r"test_registry.*Other is already taken by .*test_registry\.Thing"):
        things.register("mine")(Other)
    assert things.get("mine") is Thing


def test_a_built_in_name_is_taken_before_it_is_imported() -> None:
    with pytest.raises(ZooError, match=r"test_registry\.Thing is already taken by zoo\.encoders\.arcface"):
        registry().register("arcface")(Thing)


def test_registering_the_same_class_again_is_no_clash() -> None:
    things = registry()
    assert things.register("mine")(Thing) is things.register("mine")(Thing)


# laziness


def test_creating_one_encoder_imports_no_other_ones_libraries() -> None:
    code = (
        "import sys, zoo; assert 'torch' not in sys.modules, 'import zoo is not cheap'; zoo.list_encoders('*');"
        "assert 'torch' not in sys.modules; zoo.create_encoder('none');"
        "print(sorted({'insightface', 'onnx', 'onnx2torch', 'timm', 'facenet_pytorch', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


# plug-ins


def test_an_entry_point_is_listed_without_import_and_created(install: Install) -> None:
    install("class Mine:\n    def __init__(self, depth=1): self.depth = depth", mine="plug:Mine")
    things = registry()
    assert "mine" in things.list("mi*")
    assert "plug" not in sys.modules
    assert things.create("mine", depth=3).depth == 3  # type: ignore[attr-defined]


def test_a_plug_in_may_register_itself_too(install: Install) -> None:
    install("class Mine: pass", mine="plug:Mine")
    things = registry()
    assert things.register("mine")(things.get("mine")) is things.get("mine")


def test_a_plug_in_that_registers_itself_may_be_named_by_another_module_of_its_package(install: Install) -> None:
    install("from plug import Mine", mine="plug:Mine")
    things = registry()
    made_elsewhere = type("Mine", (), {"__module__": "plug.deep"})
    assert things.register("mine")(made_elsewhere) is made_elsewhere


def test_a_plug_in_that_is_installed_may_be_named_by_its_file_too(install: Install, tmp_path: Path) -> None:
    install("class Mine: pass", mine="plug:Mine")
    things = registry()
    import_plugins([str(tmp_path / "plug.py")])
    (named,) = (module for name, module in sys.modules.items() if name.startswith("zoo_plugin_plug_"))
    assert things.register("mine")(named.Mine) is named.Mine
    with pytest.raises(ZooError, match="is already taken by plug:Mine"):
        registry().register("mine")(type("Mine", (), {"__module__": __name__}))


def test_a_plug_in_that_cannot_be_imported_hides_no_other_and_is_named_with_its_reason(install: Install) -> None:
    install("import a_library_that_is_absent", broken="plug:Mine")
    things = registry()
    things.register("sound")(Thing)
    with pytest.raises(ZooError, match=r"'broken' failed to import \(ModuleNotFoundError: .*a_library_that_is_absent"):
        things.create("broken")
    assert isinstance(things.create("sound"), Thing)
    with pytest.raises(ZooError, match=r"Failed to import: broken \(ModuleNotFoundError"):
        things.create("nobody")


def test_a_plug_in_may_not_take_a_built_in_name(install: Install) -> None:
    install("class Mine: pass", arcface="plug:Mine")
    with pytest.raises(ZooError, match=r"'arcface' of plug:Mine is already taken by zoo\.encoders\.arcface"):
        registry().list()


def test_two_plug_ins_of_one_name_are_both_named(install: Install) -> None:
    install("class Mine: pass", dist="plug_a", mine="plug_a:Mine")
    install("class Mine: pass", dist="plug_b", mine="plug_b:Mine")
    with pytest.raises(ZooError, match=r"of plug_[ab]:Mine is already taken by plug_[ab]:Mine"):
        registry().list()


# where from


def test_a_name_knows_where_it_comes_from(install: Install) -> None:
    install("class Mine: pass", mine="plug:Mine")
    things = registry()
    things.register("here")(Thing)
    assert [things.origin(name) for name in ("arcface", "mine", "here")] == ["built-in", "plug 1.0", __file__]
    assert "plug" not in sys.modules


def test_nothing_comes_from_nowhere() -> None:
    with pytest.raises(ZooError, match="did you mean 'arcface'"):
        registry().origin("arcfase")


def test_a_cell_of_a_notebook_that_runs_again_is_no_clash() -> None:
    things = registry()
    for _ in range(2):
        cell = type("Mine", (), {"__module__": "__main__"})
        assert things.register("mine")(cell) is things.get("mine")


def test_options_without_a_default_are_known() -> None:
    things: Registry[object] = Registry("thing", "zoo.nothing_built_in", given=("place",))

    class Needy:
        def __init__(self, place: int, root: str, size: int = 1) -> None:
            pass

    things.register("needy")(Needy)
    assert things.options("needy", required=True) == ("root",)


def test_the_list_knows_the_license_of_weights_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (row,) = inventory("facenet", ("encoder",))
    assert (row["weights"], row["license"]) == ("absent", "MIT (network); VGGFace2: research")


@pytest.mark.parametrize(
    ("kind", "name", "known"),
    [
        ("denoiser", "unet", {"from": "built-in", "parameters": "2.08M", "levels": "64/4 128/8"}),
        ("sampler", "dpmpp_2m", {"from": "built-in"}),
        ("method", "mean", {"from": "built-in", "trains": "–", "seeds": "–"}),
        ("dataset", "folder", {"from": "built-in", "needs": "root=…"}),
    ],
)
def test_the_list_has_what_there_is_of_every_kind(kind: str, name: str, known: dict[str, str]) -> None:
    assert kind in KINDS
    (row,) = inventory(name, (kind,))
    assert row["what"][:6] not in ("", "broken")
    assert row.items() >= known.items()


def test_the_command_lists_every_kind_that_the_inventory_knows() -> None:
    assert list_command.KINDS == KINDS
