"""The folders of runs: which are done, which failed, and which were run again since."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from zoo.benchmark.disk.items import BUSY, FAILED, SUPERSEDED, Item, last_used, manage
from zoo.benchmark.runs.folder import LOCK, LOG, ROWS, SPEC, RunFolder
from zoo.benchmark.sweeps.ledger import Ledger
from zoo.errors import ZooError
from zoo.files import remove_parts
from zoo.locks import HeldError, claimed, held

_RUN_ID = re.compile(r"[0-9a-f]{12}")
_MACHINE = ("device", "plugins", "results_dir", "cache_dir", "table", "fail_fast")  # of a spec: they tell no runs apart


def runs(given: argparse.Namespace) -> None:
    """What the command ``runs`` does. Raises `ZooError` where there is no such folder, or as `manage` does."""
    if not given.results_dir.is_dir():
        raise ZooError(f"--results-dir {given.results_dir}: there is no such folder")
    manage(given, find(given.results_dir), remove)


def find(results_dir: Path) -> list[Item]:
    """The runs below a folder, by id. A folder that is called otherwise, or that no run described, is not one."""
    folders = [path for path in sorted(results_dir.iterdir()) if _RUN_ID.fullmatch(path.name) and _ours(path)]
    specs = {folder.name: _spec(folder) for folder in folders}
    failures = Ledger(results_dir).failures()
    newest: dict[str, float] = {}
    for folder in folders:
        if (folder / ROWS).is_file():
            settings = _settings(specs[folder.name])
            newest[settings] = max(newest.get(settings, 0.0), (folder / ROWS).stat().st_mtime)
    return [_item(folder, specs[folder.name], failures.get(folder.name, ""), newest) for folder in folders]


def remove(item: Item) -> str:
    """Delete what the run wrote, and its folder unless something else lies there; says why it stays, if it does."""
    try:
        with claimed(item.place / LOCK):
            if (item.place / ROWS).is_file() != any(file.name == ROWS for file in item.files):
                return "it was worked on meanwhile"
            remove_parts(item.place)
            for file in item.files:
                file.unlink(missing_ok=True)
            for folder in (*sorted((item.place / LOG).rglob("*"), reverse=True), item.place / LOG):
                with suppress(OSError):  # a file, or a folder with something that is not ours
                    folder.rmdir()
            (item.place / LOCK).unlink(missing_ok=True)
            with suppress(OSError):
                item.place.rmdir()
    except HeldError:
        return "a process is at work on it"
    return ""


def _ours(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and (folder / SPEC).is_file()


def _item(folder: Path, spec: Mapping[str, Any], failure: str, newest: Mapping[str, float]) -> Item:
    files = tuple(RunFolder(folder.parent, folder.name).files())
    rows = folder / ROWS
    again = newest.get(_settings(spec), 0.0) > (rows.stat().st_mtime if rows.is_file() else 0.0)
    state = "done" if rows.is_file() else FAILED if failure else "interrupted"
    state = BUSY if held(folder / LOCK) else SUPERSEDED if again else state
    return Item(folder, state, files, last_used(files), failure if state == FAILED else _told(spec))


def _spec(folder: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load((folder / SPEC).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        found = None
    return found if isinstance(found, dict) else {}


def _settings(spec: Mapping[str, Any]) -> str:
    """All of a spec but what says where it ran; nothing for one that cannot be read, which is like no other."""
    kept = {key: value for key, value in spec.items() if key not in _MACHINE}
    return json.dumps(kept, sort_keys=True, default=str) if kept else ""


def _told(spec: Mapping[str, Any]) -> str:
    names = [spec.get(part) for part in ("encoder", "cond")]
    pair = " × ".join(str(one.get("name", "")) for one in names if isinstance(one, dict))
    return f"{spec.get('method', '')} {pair}, seed {spec.get('seed', '?')}".strip()
