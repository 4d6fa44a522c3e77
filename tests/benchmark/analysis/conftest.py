"""A table whose differences are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.rows import row
from zoo.benchmark.tables import rows

ENCODERS, CONDS, SEEDS, IMAGES = ("none", "unet", "arcface"), ("concat", "xattn"), 3, 120


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """A table of 3 × 2 cells and grey, where arcface is better by 0.5 than the others, with values per image beside
    it; psnr has them, fid has none."""
    generator = np.random.default_rng(0)
    images, seeds = 3 * generator.normal(size=IMAGES), generator.normal(size=SEEDS)
    some, parts = [], []
    for encoder in ENCODERS:
        for cond in CONDS:
            for seed in range(SEEDS):
                run_id = f"{encoder}-{cond}-{seed}"
                values = images + seeds[seed] + 0.5 * (encoder == "arcface") + 0.2 * generator.normal(size=IMAGES)
                cell = {"encoder": encoder, "cond": cond, "seed": seed}
                some.append(row(run_id, value=float(values.mean()), **cell))
                some.append(row(run_id, "fid", float(values[:9].mean()), higher_is_better=None, **cell))
                parts.append(pd.DataFrame({"run_id": run_id, "image": range(IMAGES), "psnr": values}))
    grey = images - 5
    some.append(row("g", value=float(grey.mean()), method="grey", encoder="", cond=""))
    parts.append(pd.DataFrame({"run_id": "g", "image": range(IMAGES), "psnr": grey}))
    rows.write(tmp_path / "t.csv", some)
    values = pd.concat(parts).astype({"image": str})
    values.to_parquet(tmp_path / "t.per_image.parquet", index=False)
    return tmp_path / "t.csv"
