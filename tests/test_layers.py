"""The house: imports go down its layers, and what is private to a folder stays there."""

from __future__ import annotations

import pytest

from support.imports import FILES, circles, imports_of, prints

# From low to high. A module imports from its own layer and from those before it.
LAYERS = (
    (
        "errors",
        "files",
        "locks",
        "devices",
        "seeds",
        "progress",
        "offline",
        "sources",
        "features",
        "weights",
        "tensor_file",
        "onnx_description",
        "option_types",
    ),
    ("registry", "plugins"),
    ("color", "faces", "reading"),
    ("schedules", "objectives"),
    ("samplers",),
    ("diffusion",),
    ("denoisers",),
    ("encoder_file", "encoders", "conditioners", "metrics", "data"),
    ("cache",),
    ("model", "checkpoint", "onnx"),
    ("training",),
    ("methods",),
    ("evaluation",),
    ("photos", "conformance"),
    ("benchmark",),
    ("results", "app"),
    ("commands", "__main__"),
)
PLACE = {name: place for place, names in enumerate(LAYERS) for name in names}
ALLOWED = {"hydra": ("zoo.benchmark",), "omegaconf": ("zoo.benchmark",)}
PRINTING = ("zoo.benchmark", "zoo.commands")


def place(module: str) -> int:
    part = module.split(".")[1] if "." in module else ""
    return PLACE[part] if part else -1  # `zoo` itself names what it offers and imports it when it is asked for


def within(module: str, folders: tuple[str, ...]) -> bool:
    return any(module == folder or module.startswith(f"{folder}.") for folder in folders)


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_nothing_from_above(module: str) -> None:
    if module == "zoo":
        return
    above = [other for other in imports_of(module) if other in FILES and place(other) > place(module)]
    assert above == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles() == []


@pytest.mark.parametrize("module", FILES)
def test_what_is_private_to_a_folder_is_imported_there_alone(module: str) -> None:
    home = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    private = [other for other in imports_of(module) if other in FILES and other.rpartition(".")[2].startswith("_")]
    assert [other for other in private if other.rpartition(".")[0] != home] == []


@pytest.mark.parametrize("library", ALLOWED)
def test_the_command_lines_library_is_known_to_the_benchmark_alone(library: str) -> None:
    assert [m for m in FILES if library in imports_of(m) and not within(m, ALLOWED[library])] == []


def test_only_the_benchmark_and_commands_print() -> None:
    assert [module for module in FILES if prints(module) and not within(module, PRINTING)] == []
