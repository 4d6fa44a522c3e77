"""How fast, as ratios measured in one process in alternation.

Absolute times depend on the machine and its other load; a ratio of two medians taken in turn does not.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor

from zoo import registry
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.speed import rivals, speed_photos
from zoo.benchmark.speed.processes import measured
from zoo.benchmark.tables.text_table import render
from zoo.features import Features
from zoo.model import ColorDiffusion
from zoo.training.batches import Batch, Batches, inputs
from zoo.training.config import TrainConfig
from zoo.training.diffusion import open_batches

ROOT = Path(__file__).resolve().parents[3]  # where ``python -m zoo`` finds this zoo
SEED = 0


def measure(options: argparse.Namespace) -> None:
    """What the command ``speed`` does, with its arguments: print a table."""
    with tempfile.TemporaryDirectory() as cache:
        table = [["what", "measured", "wanted"]]
        for row in (
            training_against_origin(options.device, options.rounds),
            coloring_against_origin(options.device, options.rounds, options.origin_steps),
            bundled_against_origin(options.device, options.rounds, options.origin_steps),
            process("one 64 px face, start to file", speed_photos.one_face, "< 8 s", options.rounds),
            process("a photo of 12 megapixels, start to file", speed_photos.large_photo, "< 10 s, < 2048 MiB", 1),
            cached_against_memory(options.device, options.rounds, Path(cache)),
            input_share(options.device, options.rounds, Path(cache)),
            start_up(["-c", "import zoo"], "import zoo, beyond the interpreter", "< 0.3 s", options.rounds),
            start_up(["-m", "zoo", "run", "--help"], "facezoo run --help", "< 3 s", options.rounds),
            *(against(name, options.device, options.rounds) for name in rivals.RIVALS),
        ):
            table.append(list(row))
            print(f"{row[0]}: {row[1]}", flush=True)
    print("\n" + render(table, left=(0, 1, 2)))


def training_against_origin(device: str, rounds: int) -> tuple[str, str, str]:
    """Training images/s of the default configuration over those of preset=origin, at 64 px."""
    ours = _training_step(_model([], device), 64, device)
    origin = _training_step(_model(["preset=origin"], device), 2, device)
    ratio = _ratio(origin, ours, rounds) * 64 / 2
    return "training images/s, default / preset=origin", f"{ratio:.0f} ×", "≥ 40 ×"


def coloring_against_origin(device: str, rounds: int, origin_steps: int) -> tuple[str, str, str]:
    """Images coloured per second, default (10 steps, batches of 64) over preset=origin (350 steps, one by one)."""
    spec, origin_spec = _spec([]), _spec(["preset=origin", f"sampler.steps={origin_steps}"])
    ours = _coloring(_model([], device), spec, 64, device)
    origin = _coloring(_model(["preset=origin"], device), origin_spec, 1, device)
    ratio = _ratio(origin, ours, rounds) * 64 * 350 / origin_steps
    return "coloured images/s, default / preset=origin", f"{ratio:.0f} ×", "≥ 1500 ×"


def bundled_against_origin(device: str, rounds: int, origin_steps: int) -> tuple[str, str, str]:
    """64 px faces coloured per second by the bundled model, photos in and photos out, over preset=origin."""
    origin_spec = _spec(["preset=origin", f"sampler.steps={origin_steps}"])
    origin = _coloring(_model(["preset=origin"], device), origin_spec, 1, device)
    ratio = _ratio(origin, speed_photos.bundled_coloring(64), rounds) * 64 * 350 / origin_steps
    return "coloured images/s, bundled model / preset=origin", f"{ratio:.0f} ×", "≥ 1500 ×"


def process(what: str, work: Callable[[], tuple[float, float]], wanted: str, rounds: int) -> tuple[str, str, str]:
    """Median seconds and peak memory of a process of its own."""
    seconds, mebibytes = zip(*(work() for _ in range(rounds)), strict=True)
    return what, f"{statistics.median(seconds):.1f} s, {statistics.median(mebibytes):.0f} MiB", wanted


def cached_against_memory(device: str, rounds: int, cache: Path) -> tuple[str, str, str]:
    """A training step that reads a frozen encoder's features from disk over one on features held in memory."""
    options = ["encoder=timm", "encoder.model=resnet18", "encoder.pretrained=false", "cond=concat"]
    model, batches = _opened(options, device, cache)
    held = batches.at(0)
    assert held.features is not None
    random = held._replace(features=Features(tuple(map(torch.randn_like, held.features.maps)), held.features.tokens))
    steps = iter(range(10**9))

    def from_disk() -> None:
        _optimise(model, batches.at(next(steps)), device)

    def from_memory() -> None:
        _optimise(model, random, device)

    return "training step, cached features / in memory", f"{_ratio(from_disk, from_memory, rounds):.3f} ×", "≤ 1.1 ×"


def input_share(device: str, rounds: int, cache: Path) -> tuple[str, str, str]:
    """Reading a batch from the caches, as a share of a training step of the default configuration."""
    model, batches = _opened([], device, cache)
    steps = iter(range(10**9))
    share = _ratio(lambda: batches.at(next(steps)), lambda: _optimise(model, batches.at(0), device), rounds)
    return "reading a batch / a training step", f"{100 * share:.1f} %", "< 5 %"


def start_up(arguments: list[str], what: str, wanted: str, rounds: int) -> tuple[str, str, str]:
    """Seconds of an interpreter with ``arguments``; for an import, beyond those of the interpreter alone."""

    def taken(*given: str) -> float:
        return measured([sys.executable, *given], cwd=ROOT)[0]

    bare = ("-c", "") if arguments[0] == "-c" else None
    seconds = [taken(*arguments) - (taken(*bare) if bare else 0) for _ in range(rounds)]
    return what, f"{statistics.median(seconds):.2f} s", wanted


def against(name: str, device: str, rounds: int) -> tuple[str, str, str]:
    """A training step of another project's UNet over ours with the default options: as many parameters, 16 images."""
    what = f"training step, {name} / default"
    try:
        rival = rivals.RIVALS[name]()
    except ModuleNotFoundError as missing:
        return what, f"– ({missing.name} is not installed)", "≥ 3 ×"
    ratio = _ratio(rivals.step(rival, 16, device), _training_step(_model([], device), 16, device), rounds)
    return what, f"{ratio:.1f} ×", "≥ 3 ×"


def _ratio(a: Callable[[], object], b: Callable[[], object], rounds: int) -> float:
    """Median over rounds of (time of a) / (time of b), run in turn; one round of warm-up."""
    ratios = []
    for _ in range(rounds + 1):
        times = []
        for work in (a, b):
            started = time.perf_counter()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.perf_counter() - started)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios[1:])


def _spec(overrides: list[str]) -> Spec:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return Spec.from_config(OmegaConf.to_container(compose("config", overrides=overrides), resolve=True))  # type: ignore[arg-type]


def _model(overrides: list[str], device: str) -> ColorDiffusion:
    return _spec(overrides).build_model().to(device)


def _opened(overrides: list[str], device: str, cache: Path) -> tuple[ColorDiffusion, Batches]:
    model = _model(overrides, device)
    dataset = registry.datasets.create("synthetic", n_train=256, n_val=1, n_test=1)
    batches = open_batches(model, dataset, TrainConfig(), seed=SEED, cache_dir=cache, device=device)
    return model.train(), batches


def _training_step(model: ColorDiffusion, n: int, device: str) -> Callable[[], None]:
    """Forward, backward and a plain gradient step on ``n`` random images, the encoder's pass included.

    Neither side has AdamW's, the clipping's or the average's share, which grows with the parameters.
    """
    chroma = model.image_size // model.denoiser.chroma_scale
    rng = np.random.default_rng(SEED)
    images = torch.from_numpy(rng.integers(0, 256, (n, model.image_size, model.image_size, 3), dtype=np.uint8))
    batch = Batch(
        images=images,
        features=None,
        views=None,
        boxes=torch.tensor([[0.0, 0.0, 1.0]]).expand(n, 3),
        t=torch.rand(n),
        noise=torch.randn(n, 2, chroma, chroma),
        dropped=torch.zeros(n, dtype=torch.bool),
        saturation=torch.ones(n),
    )
    model.train()
    return lambda: _optimise(model, batch, device)


def _optimise(model: ColorDiffusion, batch: Batch, device: str) -> None:
    loss = model(**inputs(batch, device))
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None:
                p.sub_(1e-6 * p.grad)
                p.grad = None


def _coloring(model: ColorDiffusion, spec: Spec, n: int, device: str) -> Callable[[], Tensor]:
    L = torch.rand(n, 1, model.image_size, model.image_size, device=device) * 2 - 1
    generators = [torch.Generator().manual_seed(i) for i in range(n)]
    model.eval()

    def color() -> Tensor:
        with torch.no_grad():
            features = model.encode(L)
        return model.colorize(L, features, spec.sampler, generators)

    return color
