"""Files that data sets find."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

RED = (200, 40, 30)


def save(path: Path, size: tuple[int, int] = (12, 12), color: tuple[int, int, int] = RED) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
