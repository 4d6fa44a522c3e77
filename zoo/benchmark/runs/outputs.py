"""The run that scores the pictures of another system, in the words of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.benchmark.config.quoting import quoted


def options_of(
    outputs: Path,
    truth: Path,
    table: Path,
    results_dir: Path,
    metrics: Sequence[str],
    image_size: int,
    label: str | None,
    device: str,
) -> list[str]:
    """Options of ``facezoo run``: all photos of ``truth`` are the test split, unless it has folders for splits.

    Args:
        metrics: names; none: those of any run.
        image_size: side in pixels at which is scored. Nothing is trained, so that any will do.
        label: what the system is called in tables.
    """
    paths = {"method.root": outputs, "data.root": truth, "table": table, "results_dir": results_dir}
    return [
        "method=folder",
        "data=folder",
        "data.val_fraction=0",
        "data.test_fraction=1",
        *(f"{option}={quoted(str(path))}" for option, path in paths.items()),
        *([f"metrics=[{','.join(metrics)}]"] if metrics else []),
        *([f"method.label={quoted(label)}"] if label is not None else []),
        f"image_size={image_size}",
        "denoiser.mults=[1]",  # there is none, and it must not forbid a size
        "denoiser.chroma_scale=1",
        f"device={device}",
    ]
