"""facezoo new KIND NAME: a plug-in package to begin with, which keeps the contract of its kind as it is."""

from __future__ import annotations

import argparse
import keyword
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import zoo
from zoo.errors import ZooError
from zoo.registry import REGISTRIES

HELP = "write a plug-in package: an encoder, a conditioner, a metric, …"
TEMPLATES = Path(zoo.__file__).parent / "templates"
_EPILOG = """\
examples
  %(prog)s encoder edges                   zoo-edges/: pyproject.toml, src/zoo_edges.py, tests, README.md
  %(prog)s metric warmth --to plug-ins/w   elsewhere
"""
# kind → how a run chooses one, and what a check of it needs
_CHOICES: Mapping[str, str] = MappingProxyType(
    {
        "encoder": "encoder=NAME cond=concat",
        "conditioner": "encoder=unet cond=NAME",
        "metric": '"metrics=[psnr,NAME]"',
        "dataset": "data=NAME data.root=DIR",
        "method": "method=NAME",
        "denoiser": "denoiser=NAME",
        "sampler": "sampler=NAME",
        "schedule": "diffusion.schedule=NAME",
        "objective": "diffusion.parameterisation=NAME",
    }
)
_CHECKED_WITH: Mapping[str, str] = MappingProxyType({"dataset": "root=DIR "})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write a package that adds one name. It passes `facezoo check` as it is."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=tuple(_CHOICES), help="what it adds")
    parser.add_argument("name", help="small letters, digits and _, as in encoder=NAME")
    parser.add_argument("--to", metavar="DIR", help="the folder to make (default: zoo-NAME)")


def run(args: argparse.Namespace) -> int:
    """Write it and say what to do next. Raises `ZooError` for a name that cannot be, and a folder that is there."""
    check_name(args.kind, args.name)
    folder = Path(args.to or f"zoo-{args.name.replace('_', '-')}").expanduser()
    write(folder, package(args.kind, args.name))
    check = f"{args.name} {_CHECKED_WITH.get(args.kind, '')}--plugin {folder}/src/zoo_{args.name}.py"
    print(f"{folder}: the {args.kind} {args.name}\nnext: facezoo check {check}\n      pip install -e {folder}")
    return 0


def check_name(kind: str, name: str) -> None:
    """Raises `ZooError` where a ``kind`` cannot be called ``name``."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ZooError(f"{name!r} cannot be a name; expected small letters, digits and _, as in my_{kind}")
    if name in REGISTRIES[kind].list():
        raise ZooError(f"the {kind} {name!r} is there already ({REGISTRIES[kind].origin(name)}); choose another name")


def package(kind: str, name: str) -> dict[str, str]:
    """The files of a package that adds the ``kind`` called ``name``: path in it → text."""
    words = {
        "MODULE": f"zoo_{name}",
        "DISTRIBUTION": f"zoo-{name.replace('_', '-')}",
        "OBJECT": f"{name}_{kind}" if kind == "sampler" else "".join(map(str.capitalize, [*name.split("_"), kind])),
        "GROUP": REGISTRIES[kind].package,
        "CHOICE": _CHOICES[kind],
        "CHECK": _CHECKED_WITH.get(kind, ""),
        "KIND": kind,
    }
    test = f"test_{kind}" if (TEMPLATES / f"test_{kind}.py.template").exists() else "test"
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"src/zoo_{name}.py": f"{kind}.py",
        f"tests/test_{name}.py": f"{test}.py",
    }
    return {path: _filled(template, words, name) for path, template in files.items()}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make ``folder`` with all of ``files``, or none. Raises `ZooError` where there is something already."""
    if os.path.lexists(folder):
        raise ZooError(f"{folder} is there already; nothing was written. Give another folder by --to DIR")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        whole = Path(temporary) / "whole"
        for name, text in files.items():
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            (whole / name).write_text(text, encoding="utf-8")
        whole.rename(folder)


def _filled(template: str, words: Mapping[str, str], name: str) -> str:
    text = (TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
    for word, value in words.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return re.sub(r"\bNAME\b", name, text)
