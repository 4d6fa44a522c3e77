"""What is installed is used, and what is used is installed."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BY_NAME_ONLY = {  # named to another library, or imported by it: no import of ours shows them
    "hydra-joblib-launcher",
    "hydra-ray-launcher",
    "hydra-submitit-launcher",
    "ipython",
    "optuna",  # of examples/optuna_search.py
    "ray",
    "torchsummary",
    "wandb",
}
MODULES = {  # of packages that may not be installed here
    "pillow-heif": {"pillow_heif"},
    "stlpips-pytorch": {"stlpips_pytorch"},
}
OPTIONAL = {"denoising_diffusion_pytorch", "diffusers"}  # speed.py's rivals, where they are installed by hand


def name_of(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[]", requirement)[0].lower().replace("_", "-")


def imported_by(folder: Path) -> set[str]:
    """Top-level modules of others that the files below ``folder`` import, anywhere in them."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"zoo"}


@pytest.fixture(scope="module")
def modules() -> dict[str, set[str]]:
    """Package → the modules that it brings."""
    found: dict[str, set[str]] = {name: set(brought) for name, brought in MODULES.items()}
    for module, packages in metadata.packages_distributions().items():
        for package in packages:
            found.setdefault(name_of(package), set()).add(module)
    return found


@pytest.mark.parametrize("package", sorted(map(name_of, PROJECT["dependencies"])))
def test_every_dependency_is_imported(package: str, modules: dict[str, set[str]]) -> None:
    assert modules[package] & imported_by(ROOT / "zoo"), f"nothing in zoo/ imports {package}"


@pytest.mark.parametrize("package", sorted({name_of(r) for extra in EXTRAS if extra != "dev" for r in EXTRAS[extra]}))
def test_every_package_of_an_extra_is_imported_or_known_by_name(package: str, modules: dict[str, set[str]]) -> None:
    assert package in BY_NAME_ONLY or modules[package] & imported_by(ROOT / "zoo")


def test_whatever_is_imported_is_declared(modules: dict[str, set[str]]) -> None:
    declared = [*PROJECT["dependencies"], *(r for extra in EXTRAS if extra != "dev" for r in EXTRAS[extra])]
    names = map(name_of, declared)
    brought = set().union(*(modules.get(name, {name}) for name in names))  # what is not installed: by its own name
    assert imported_by(ROOT / "zoo") - brought == OPTIONAL


@pytest.mark.parametrize(("package", "least"), [("torch", "2.10"), ("pillow", "12.3"), ("onnx", "1.21")])
def test_versions_that_a_crafted_file_can_take_over_are_refused(package: str, least: str) -> None:
    assert f"{package}>={least}" in PROJECT["dependencies"]
