"""Tiny sweeps, run as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row

ROOT = CONFIGS.parent
TINY = [
    "image_size=16",
    "denoiser.width=32",
    "denoiser.mults=[1]",
    "train.steps=6",
    "train.batch_size=4",
    "train.log=[]",
    "train.checkpoint_every=1",
    "train.val_every=null",
    "data.limit=6",
    "eval.limit=3",
    "eval.grid=1",
    "eval.samples=1",
    "sampler.steps=1",
    "metrics=[psnr,colorfulness]",
    "device=cpu",
    "table=table.csv",
]


def start(folder: Path, *arguments: str, script: str = "run.py") -> subprocess.Popen[str]:
    """A command in ``folder``, as the head of a process group of its own; what it prints goes to files there."""
    environment = {**os.environ, "ZOO_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    with (folder / "out.txt").open("a") as out, (folder / "err.txt").open("a") as err:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=err, text=True, start_new_session=True
        )


def finish(folder: Path, *arguments: str, script: str = "run.py", timeout: float = 240) -> tuple[int, str, str]:
    """Its exit code, and what it printed."""
    before = [len(_read(folder / name)) for name in ("out.txt", "err.txt")]
    code = start(folder, *arguments, script=script).wait(timeout)
    out, err = (_read(folder / name)[n:] for name, n in zip(("out.txt", "err.txt"), before))
    return code, out, err


def scores(table: Path) -> list[Row]:
    """The rows of a table, sorted, without what a run costs and its commit: these differ from run to run."""
    costs = {
        "train_seconds": 0.0,
        "feature_seconds": 0.0,
        "pretrain_seconds": 0.0,
        "sample_seconds_per_image": 0.0,
        "peak_memory_mb": 0.0,
        "git_sha": "",
    }
    return sorted((replace(row, **costs) for row in rows.read(table)), key=lambda row: row.key)  # type: ignore[arg-type]


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
