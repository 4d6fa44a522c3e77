"""Benchmarks drawn from a model whose truth is known: how often intervals hold it, and how often nothing is claimed to
be something. Run as a script it prints the table of docs/trust.md."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from zoo.benchmark.analysis import samplings
from zoo.benchmark.analysis.contrasts import Additive
from zoo.benchmark.analysis.holm import holm
from zoo.benchmark.analysis.interaction import interaction
from zoo.benchmark.analysis.intervals import estimate
from zoo.benchmark.analysis.samplings import Samplings


@dataclass(frozen=True)
class Design:
    """Standard deviations of what a score is made of; those of seeds are of the mean over images.

    Attributes:
        shared: of seeds, the same for all cells (0: seeds are nested in cells).
        own: of seeds in each cell; ``noisy``: the first cell (the baseline) has so many times that, ``odd``: another.
        image: of a cell on an image; ``rest``: of a run on an image.
        images: their number; 0: the metric has no values per image.
        cluster: images of one person.
        samplings: the score is of a set, and ``images`` are so many samplings of it.
    """

    rows: int = 4
    cols: int = 3
    seeds: int = 3
    shared: float = 0.5
    own: float = 0.05
    noisy: float = 1.0
    odd: float = 1.0
    image: float = 0.5
    rest: float = 0.5
    images: int = 150
    cluster: int = 1
    samplings: bool = False


DESIGNS = {
    "equal variances, seeds alone": Design(images=0),
    "the baseline's seeds twice as noisy": Design(images=0, noisy=2),
    "the baseline's seeds 3 times as noisy": Design(images=0, noisy=3),
    "one other cell 4 times as noisy": Design(images=0, odd=4),
    "seeds nested in cells, nothing shared": Design(images=0, shared=0),
    "three cells, the baseline 3 times as noisy": Design(rows=3, cols=1, images=0, noisy=3),
    "five seeds, the baseline 3 times as noisy": Design(seeds=5, images=0, noisy=3),
    "seeds and photos": Design(),
    "seeds and photos, the baseline 3 times as noisy": Design(noisy=3),
    "photos prevail": Design(own=0.005, image=1.0),
    "noise of single runs on single photos prevails": Design(own=0.0, image=0.0, rest=1.0),
    "5 photos of each person": Design(cluster=5, image=1.0),
    "5 photos of each person, one cell 4 times as noisy": Design(cluster=5, odd=4),
    "seeds and 3 samplings of a set": Design(samplings=True, images=3, image=0.1, rest=0.05),
    "3 samplings prevail": Design(samplings=True, images=3, image=0.5, rest=0.05),
    "5 samplings, the baseline's seeds 3 times as noisy": Design(
        samplings=True, images=5, image=0.1, rest=0.05, noisy=3
    ),
    "5 samplings, five seeds": Design(samplings=True, seeds=5, images=5, image=0.1, rest=0.05),
    "5 samplings, noise of single runs in them prevails": Design(samplings=True, images=5, image=0.02, rest=0.1),
    "three cells, 3 samplings": Design(samplings=True, rows=3, cols=1, images=3, image=0.1, rest=0.05),
}


@dataclass(frozen=True)
class Outcome:
    """Shares of simulated tables: intervals that hold the truth, lines with p below .05, tables with any claim after
    Holm, interaction tests below .05."""

    coverage: float
    false: float
    family: float
    interaction: float


def simulate(design: Design, tables: int, seed: int = 0) -> Outcome:
    """Of ``tables`` in which no cell differs from any other."""
    generator = np.random.default_rng(seed)
    n, inside, p, family, crossed = design.rows * design.cols, [], [], [], []
    cell, block = np.repeat(np.arange(n), design.seeds), np.tile(np.arange(design.seeds), n)
    people = np.arange(design.images) // design.cluster if design.cluster > 1 else None
    for _ in range(tables):
        y, images = _scores(design, cell, block, generator)
        model = Additive(cell, block, y)
        contrasts = [model.contrast(np.eye(n)[c] - np.eye(n)[0]) for c in range(1, n)]
        known = [one for one in contrasts if one is not None]
        noise = Samplings(images, cell, [True] * n) if design.samplings and images is not None else None
        if noise is not None:
            images, found = None, samplings.estimate(known, y, noise)
        else:
            found = estimate(known, y, images, people)
        inside += [one.low <= 0 <= one.high for one in found]
        p += [one.p < 0.05 for one in found]
        family.append(min(holm([one.p for one in found])) < 0.05)
        if design.cols > 1:
            test = interaction(cell // design.cols, cell % design.cols, block, y, images, people, noise)
            crossed.append(test[3] < 0.05)
    return Outcome(*(float(np.mean(some)) if some else float("nan") for some in (inside, p, family, crossed)))


def _scores(
    design: Design, cell: np.ndarray, block: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    noise = np.ones(cell.max() + 1)
    noise[0], noise[-1] = design.noisy, design.odd
    shared = design.shared * generator.normal(size=design.seeds)[block]
    y = shared + design.own * noise[cell] * generator.normal(size=len(cell))
    if not design.images:
        return y, None
    people = generator.normal(size=(len(noise), -(-design.images // design.cluster)))
    each = design.image * np.repeat(people, design.cluster, axis=1)[:, : design.images]
    rest = design.rest * generator.normal(size=(len(cell), design.images))
    images = y[:, None] + 3 * generator.normal(size=design.images) + each[cell] + rest
    return images.mean(axis=1), images


if __name__ == "__main__":
    lines = ["| design | coverage of 95 % | p < .05 | any claim (Holm) | interaction p < .05 |\n|---|---|---|---|---|"]
    for name, one in DESIGNS.items():
        found = simulate(one, 1000)
        shares = (found.coverage, found.false, found.family, found.interaction)
        lines.append(f"| {name} | {' | '.join('–' if np.isnan(share) else f'{share:.3f}' for share in shares)} |")
    sys.stdout.write("\n".join(lines) + "\n")
