"""A made-up benchmark of painted faces as runs leave one: a table, and folders with values per image, grids, logs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch.utils.tensorboard import SummaryWriter

from support.rows import row
from zoo.benchmark.runs import folder as layout
from zoo.benchmark.tables import rows, table_files
from zoo.benchmark.tables.rows import Row
from zoo.commands import main
from zoo.registry import datasets

EVIL = "<script>document.title = 'read as markup'</script>"  # an encoder's label, as a user may write one
ENCODERS, CONDS, SEEDS = ("none", "unet", EVIL), ("concat", "xattn"), (0, 1)
IMAGES, SIZE = 12, 32
BASELINE = "encoder=unet,cond=concat"


@dataclass(frozen=True)
class Benchmark:
    """Where it lies. ``means``: of st_lpips, by (encoder, cond)."""

    table: Path
    runs: Path
    means: dict[tuple[str, str], float]


def faces() -> dict[str, np.ndarray]:
    """Painted faces by name, (SIZE, SIZE, 3) uint8."""
    painted = datasets.create("synthetic", n_train=1, n_test=IMAGES, size=SIZE)
    return {key: painted.load(key) for key in painted.keys("test")}


def write_grid(folder: Path, photos: dict[str, np.ndarray], tint: int) -> None:
    """Grey, two colourings (the truth, tinted) and the truth of each photo."""
    rows = []
    for truth in photos.values():
        grey = np.repeat(truth.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        rows.append(np.stack([grey, truth // 2 + tint, truth // 2 + 2 * tint, truth]))
    np.savez_compressed(folder / layout.SAMPLE_GRID, keys=np.array(list(photos)), sample_grid=np.stack(rows))


def write_values(folder: Path, photos: dict[str, np.ndarray], values: np.ndarray) -> None:
    pd.DataFrame({"image": list(photos), "st_lpips": values}).to_parquet(folder / table_files.PER_IMAGE, index=False)


def log_losses(folder: Path, steps: range, scale: float = 1.0) -> None:
    with SummaryWriter(str(folder / "train")) as log:
        for step in steps:
            log.add_scalar("loss", scale / (1 + step), step)


def make(folder: Path) -> Benchmark:
    """3 × 2 pairs with 2 seeds, of which unet × concat is the best, and the baselines grey and regression. st_lpips
    has values per image, which rise with the image's place; fid is a hole; colorfulness has no better side."""
    table, runs, photos = folder / "t.csv", folder / "runs", faces()
    generator, some, means = np.random.default_rng(0), [], {}
    made = [("diffusion", encoder, cond, seed) for encoder in ENCODERS for cond in CONDS for seed in SEEDS]
    made += [("regression", "unet", "concat", seed) for seed in SEEDS] + [("grey", "", "", 0)]
    for number, (method, encoder, cond, seed) in enumerate(made):
        run_id = f"{number:012x}"
        (runs / run_id).mkdir(parents=True)
        level = 5.0 if method == "grey" else 1.0 - 0.3 * (encoder == "unet") - 0.1 * (cond == "concat")
        values = level + np.arange(IMAGES) / 10 + 0.01 * generator.normal(size=IMAGES) + 0.01 * seed
        write_values(runs / run_id, photos, values)
        write_grid(runs / run_id, photos, 10 + number)
        (runs / run_id / "protocol.json").write_text(json.dumps({"sampler": {"name": "ddim", "steps": 10}}))
        if method != "grey":
            log_losses(runs / run_id, range(1, 60), 1 + 0.1 * number)
        some += _rows(run_id, values, method=method, encoder=encoder, cond=cond, seed=seed)
        if method == "diffusion":
            means.setdefault((encoder, cond), float(values.mean()))
    rows.write(table, some)
    return Benchmark(table, runs, means)


def _rows(run_id: str, values: np.ndarray, **cell: object) -> list[Row]:
    trains = cell["method"] != "grey"
    costs = {
        "params": 2_000_000 + 9_000 * len(str(cell["encoder"])) if trains else 0,
        "n_images": IMAGES,
        "git_sha": "c0ffee" * 6,
    }
    shared = {**costs, **cell}
    return [
        row(run_id, "colorfulness", 40.0 + values.mean(), higher_is_better=None, **shared),
        row(run_id, "st_lpips", float(values.mean()), higher_is_better=False, **shared),
        row(run_id, "fid", None, higher_is_better=False, note="no weights & none to be had", **shared),
    ]


@dataclass
class Page(HTMLParser):
    """What a browser makes of the text: tags with their attributes, and the text of each."""

    html: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.setdefault(tag, []).append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    @property
    def data(self) -> dict:
        return json.loads(next(text for text in self.texts["script"] if text.startswith("{")))

    @property
    def text(self) -> str:
        return " ".join(self.texts["body"][0].split())

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return main(list(map(str, arguments)), command="report")


def page_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: object) -> Page:
    out = tmp_path / "report.html"
    out.unlink(missing_ok=True)
    assert run(monkeypatch, *arguments, "--out", out) == 0
    return Page(out.read_text(encoding="utf-8"))


def table_of(tmp_path: Path, *some: rows.Row) -> Path:
    rows.write(tmp_path / "some.csv", some)
    return tmp_path / "some.csv"
