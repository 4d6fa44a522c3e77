"""The cache: decoded images, features, pretrained encoders. All of it is made again where it is wanted."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from zoo.benchmark.disk.items import BUSY, FAILED, SUPERSEDED, Item, last_used, manage
from zoo.cache.record_file import of_this_format
from zoo.errors import ZooError
from zoo.files import in_use, remove_abandoned
from zoo.locks import HeldError, claimed, held

_ROWS = re.compile(r"([a-z]+-\d+px-|real-|)[0-9a-f]{24}\.(images|features)")
_FINGERPRINTS = re.compile(r"fingerprints-[0-9a-f]{24}\.json")
_LEFT = re.compile(rf"\.({_ROWS.pattern}|{_FINGERPRINTS.pattern})\.[0-9a-f]+\.(tmp|tmp\.sorted|part)")
_PRETRAINED = re.compile(r"[0-9a-f]{24}")
_MODEL, _LOCK = "model.safetensors", ".lock"
_OF_PRETRAINING = (_MODEL, "cost.json", "checkpoint.pt")
_KINDS = {"images": "decoded images", "features": "features", "json": "which photos show one picture"}


def cache(given: argparse.Namespace) -> None:
    """What the command ``cache`` does. Raises `ZooError` where there is no such folder, or as `manage` does."""
    if not given.cache_dir.is_dir():
        raise ZooError(f"--cache-dir {given.cache_dir}: there is no such folder")
    print(given.cache_dir)
    manage(given, find(given.cache_dir), remove)


def find(cache_dir: Path) -> list[Item]:
    """What the cache has, by name; files and folders that are called otherwise are somebody else's."""
    return [*_files(cache_dir), *_pretrained(cache_dir / "pretrained")]


def remove(item: Item) -> str:
    """Delete it; says why it stays, if it does."""
    if not item.place.is_dir():
        remove_abandoned(item.place)
        return "a process has it open, or it may not be deleted" if item.place.exists() else ""
    try:
        with claimed(item.place / _LOCK):
            for name in (*_OF_PRETRAINING, _LOCK):
                (item.place / name).unlink(missing_ok=True)
            with suppress(OSError):  # something that is not ours lies there
                item.place.rmdir()
    except HeldError:
        return "a process is at work on it"
    return ""


def _files(cache_dir: Path) -> Iterator[Item]:
    for file in sorted(cache_dir.iterdir()):
        if file.is_symlink() or not file.is_file():
            continue
        if _LEFT.fullmatch(file.name):
            yield Item(file, BUSY if in_use(file) else FAILED, (file,), last_used([file], read=True), "not finished")
        elif found := _ROWS.fullmatch(file.name):
            state = BUSY if in_use(file) else "ready" if of_this_format(file) else SUPERSEDED
            yield Item(file, state, (file,), last_used([file], read=True), _KINDS[found[2]])
        elif _FINGERPRINTS.fullmatch(file.name):
            yield Item(file, "ready", (file,), last_used([file], read=True), _KINDS["json"])


def _pretrained(folder: Path) -> Iterator[Item]:
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _PRETRAINED.fullmatch(place.name) and place.is_dir() and not place.is_symlink():
            files = tuple(file for name in _OF_PRETRAINING if (file := place / name).is_file())
            state = "ready" if (place / _MODEL).is_file() else FAILED
            state = BUSY if held(place / _LOCK) else state
            yield Item(place, state, files, last_used(files, read=True), "a pretrained encoder")
