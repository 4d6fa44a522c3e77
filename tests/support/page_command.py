"""The command that serves the page, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import app


@contextmanager
def started(checkpoint: Path, tmp_path: Path, *options: str, **environment: str) -> Iterator[tuple[str, Path]]:
    """The command in a process of its own: the address that it prints, and what it says on stderr."""
    said = tmp_path / "stderr"
    command = [sys.executable, app.__file__, "--port", "0", "--checkpoints", str(checkpoint), *options]
    with said.open("w") as stderr:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": str(tmp_path)} | environment,
        )
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line, said.read_text()
            yield line.split()[0], said
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
