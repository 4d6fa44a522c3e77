"""Seconds and memory of a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Linux starts a child's peak of memory at that of the process which became it, and a fork is as large as its parent:
# between this process, which has grown, and the child stands an interpreter that has nothing in it.
_LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status) and 1)
"""


def measured(command: Sequence[str], cwd: Path | None = None) -> tuple[float, float]:
    """Seconds from start to end of ``command``, and its own peak memory in MiB.

    Args:
        command: the program, by its path, and its arguments.
        cwd: the folder to run it in; None: this one.

    Raises:
        RuntimeError: it did not end with 0.
    """
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    started = time.perf_counter()
    done = subprocess.run(launcher, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} did not end well: {done.stderr.strip()}")
    peak = int(done.stderr.split()[-1])
    return seconds, peak / (2**20 if sys.platform == "darwin" else 2**10)
