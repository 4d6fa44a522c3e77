"""What a data set gives in another process: with other hashes of text, and its images asked for the other way round."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any

import numpy as np

from zoo.conformance.checks import Broken, Moot
from zoo.data import BrokenImageError, Dataset, Split
from zoo.errors import ZooError
from zoo.plugins import import_plugins

SPLITS: tuple[Split, ...] = ("train", "val", "test")
_SEEDS = ("1", "2")  # of hashes: the one that this process was not started with
_SECONDS = 600


def seen(dataset: Dataset, images: int) -> dict[str, str]:
    """Of each split its signature and a hash of its keys, and a hash of each of its first ``images`` images, which are
    loaded from the last to the first."""
    found, some = {}, []
    for split in SPLITS:
        try:
            keys = dataset.keys(split)
        except ZooError:
            continue  # it is empty
        found[f"the keys of {split}"] = hashlib.sha256("\0".join(keys).encode("utf-8", "surrogateescape")).hexdigest()
        found[f"the signature of {split}"] = str(dataset.signature(split))
        some += keys[:images]
    for key in reversed(some):
        try:
            image = np.ascontiguousarray(dataset.load(key))
        except BrokenImageError:
            continue
        found[f"image {key}"] = hashlib.sha256(f"{image.dtype}{image.shape}".encode() + image.tobytes()).hexdigest()
    return found


def seen_elsewhere(cls: type, options: Mapping[str, Any], images: int) -> dict[str, str]:
    """`seen`, of one that another process builds.

    Raises:
        Moot: another process cannot find the class, which is in no module.
        Broken: it fails there.
    """
    told = pickle.dumps((cls.__module__, cls.__qualname__, _file(cls), dict(options), images))
    seed = next(seed for seed in _SEEDS if seed != os.environ.get("PYTHONHASHSEED"))
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=told,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
        timeout=_SECONDS,
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        raise Broken(f"in another process it fails: {lines[-1] if lines else f'exit code {done.returncode}'}")
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _file(cls: type) -> str | None:
    """The plug-in's file; None: its module can be imported by name."""
    if "<locals>" in cls.__qualname__ or cls.__module__ == "__main__":
        raise Moot("it is in no module that another process could import")
    if find_spec(cls.__module__) is not None and not cls.__module__.startswith("zoo_plugin_"):
        return None
    return sys.modules[cls.__module__].__file__


def _answer() -> None:
    """The other process: what is wanted on stdin, what it sees on the last line of stdout."""
    module, name, file, options, images = pickle.load(sys.stdin.buffer)
    import_plugins([file] if file else [])
    dataset = attrgetter(name)(import_module(module))(**options)
    sys.stdout.write("\n" + json.dumps(seen(dataset, images)) + "\n")


if __name__ == "__main__":
    _answer()
