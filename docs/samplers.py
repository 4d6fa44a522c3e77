"""Makes the tables of docs/samplers.md, to the digit the same everywhere: python docs/samplers.py"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from zoo.diffusion.samplers import SamplerConfig
from zoo.schedules.cosine import Cosine

PAGE = Path(__file__).with_suffix(".md")
START = "<!-- made by samplers.py -->"
DEVIATIONS = (0.5, 0.2)
POWERS = (1.0, 1.5, 2.0, 2.5)
STEPS = {"ddpm": (20, 50, 100, 350)}
FEW = (4, 5, 6, 8, 10, 20, 64)


def kept(config: SamplerConfig, std: float) -> float:
    """The standard deviation of samples over that of the data, a Gaussian whose best denoiser is known."""
    schedule = Cosine()

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = (f(t)[:, None, None, None] for f in (schedule.alpha, schedule.sigma))
        return alpha * std**2 / (alpha**2 * std**2 + sigma**2) * x

    noise = torch.randn(1, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    found = config(denoise, noise / noise.std(), schedule, generators=[torch.Generator().manual_seed(1)])
    return (found.std() / std).item()


def table(std: float) -> str:
    lines = [
        f"Standard deviation {std}:",
        "",
        "| sampler | steps | " + " | ".join(f"power {p:g}" for p in POWERS) + " |",
    ]
    lines.append("|---|" + "---:|" * (1 + len(POWERS)))
    for name in ("ddim", "ddpm", "deis", "dpmpp_2m"):
        for steps in STEPS.get(name, FEW):
            values = [kept(SamplerConfig(name, steps, time_power=power), std) for power in POWERS]
            lines.append(f"| {name} | {steps} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write the page anew below its mark."""
    text = PAGE.read_text(encoding="utf-8").split(START)[0]
    tables = "\n\n".join(table(std) for std in DEVIATIONS)
    PAGE.write_text(f"{text}{START}\n\n{tables}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
