"""Commands without the seconds of their imports: each is a fork of a process that has imported all. A kill meets work.

As a script it is that process: it reads a line of JSON for each command, and answers with one when that has ended.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_MODULES = ".imported.txt"


@dataclass(frozen=True)
class Ended:
    """A command that has ended. ``code``: None if it was killed."""

    code: int | None
    seconds: float


class Commands:
    """Runs commands of facezoo, doors (files ``.py``) or ``caches`` in a folder of theirs; what they print goes to
    ``out.txt`` and ``err.txt`` there."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, folder: Path, arguments: Sequence[str], killed_after: float | None = None) -> Ended:
        """``killed_after``: seconds after which SIGKILL comes, unless the command was quicker."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(folder), list(arguments), killed_after]) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))

    def finish(self, folder: Path, *arguments: str) -> tuple[int | None, str, str]:
        """Its exit code, and what it printed on stdout and stderr."""
        before = [len(said(folder, name)) for name in ("out", "err")]
        code = self.run(folder, arguments).code
        out, err = (said(folder, name)[n:] for name, n in zip(("out", "err"), before))
        return code, out, err


def said(folder: Path, name: str = "err") -> str:
    """What all commands in ``folder`` have printed: "out" or "err"."""
    path = folder / f"{name}.txt"
    return path.read_text() if path.exists() else ""


@contextmanager
def commands() -> Iterator[Commands]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{_TESTS.parent}{os.pathsep}{_TESTS}"}
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Commands(process)
    finally:
        process.communicate()
        assert process.returncode == 0


def build_caches() -> int:
    """The caches of decoded images and of features that training makes."""
    from zoo.cache.features import open_features
    from zoo.cache.images import View, open_images
    from zoo.faces.framing import WHOLE
    from zoo.registry import datasets, encoders

    faces = datasets.create("synthetic", n_train=120, size=48)
    views = open_images(faces, "train", View(32), Path("cache"), drop_grey=True)
    encoder = encoders.create("hog")
    open_features(encoder, views, WHOLE, Path("cache"), identity="x", max_gb=1, device="cpu", batch_size=8)
    return 0


def _serve() -> None:
    for line in sys.stdin:
        folder, arguments, killed_after = json.loads(line)
        ended = _forked(Path(folder), arguments, killed_after)
        if ended[0] == 0:
            _import_what_it_did(Path(folder) / _MODULES)
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _import_what_it_did(listed: Path) -> None:
    """So that the next one need not."""
    for name in listed.read_text().split():
        with suppress(Exception):  # modules that cannot be had by their name
            import_module(name)


def _forked(folder: Path, arguments: list[str], killed_after: float | None) -> tuple[int | None, float]:
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os._exit(_work(folder, arguments))
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), time.monotonic() - began


def _work(folder: Path, arguments: list[str]) -> int:
    try:
        os.chdir(folder)
        os.environ["ZOO_CACHE"] = str(folder / "cache")
        for number, name in ((1, "out.txt"), (2, "err.txt")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        code = build_caches() if arguments == ["caches"] else _run(arguments)
        Path(_MODULES).write_text(" ".join(sys.modules))
        return code
    except BaseException:
        import traceback

        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()


def _run(arguments: list[str]) -> int:
    from zoo.commands import main

    if not arguments[0].endswith(".py"):
        return main(arguments)
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    _serve()
    os._exit(0)  # all that was imported need not be taken apart
