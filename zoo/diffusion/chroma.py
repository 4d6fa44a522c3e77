"""From a network's predictions to the chroma of photos: guidance, sampling, upsampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from zoo.color.upsample import upsample_chroma
from zoo.diffusion.hints import Known, hint_channels
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import Callback, SamplerConfig
from zoo.samplers import noise_like

Predict = Callable[..., Tensor]  # (x_t, L, t, context) → prediction; where colours are known, with hints=(N, 3, h, w)


@dataclass(frozen=True)
class ChromaSampler:
    """All that sampling needs of a model, whatever runs it.

    Args:
        predict: the network: x_t (N, 2, h, w), L (N, 1, H, W), t (N,) and a context → prediction (N, 2, h, w).
        diffusion: how a prediction is read.
        ab_mean: of the training images' ab, (2, 1, 1).
        ab_std: their standard deviation; x is (ab − mean) / (2·std).
        scale: ab is sampled at 1/scale of L's size.
    """

    predict: Predict
    diffusion: Diffusion
    ab_mean: Tensor
    ab_std: Tensor
    scale: int

    @torch.no_grad()
    def __call__(
        self,
        L: Tensor,
        context: tuple[Tensor, ...],
        null: tuple[Tensor, ...],
        sampler: SamplerConfig,
        generators: Sequence[torch.Generator],
        callback: Callback | None = None,
        hints: Known | None = None,
    ) -> Tensor:
        """One sample of ab (N, 2, H, W) for L (N, 1, H, W).

        Args:
            context: what the conditioner made of the images' features.
            null: the same shapes without any information; used with guidance alone, may be () without.
            generators: one per image.
            callback: sees (steps done, ab at the chroma resolution) after each step.
            hints: colours that are known, at the chroma resolution; for a network that is told them.
        """
        predict = self.predict if hints is None else partial(self.predict, hints=self._told(*hints))
        guided = sampler.guidance != 1 and len(context) > 0

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            t = self.diffusion.time(t)
            x0 = self.diffusion.to_x0(predict(x, L, t, context), x, t)
            if guided:
                free = self.diffusion.to_x0(predict(x, L, t, null), x, t)
                x0 = free + sampler.guidance * (x0 - free)
            return x0 if sampler.dynamic_threshold is None else dynamic_threshold(x0, sampler.dynamic_threshold)

        def shown(step: int, x0: Tensor) -> None:
            if callback:
                callback(step, self._to_ab(x0))

        x = L.new_zeros(len(L), 2, L.shape[-2] // self.scale, L.shape[-1] // self.scale)
        if self.diffusion.regression:
            x0 = denoise(x, L.new_ones(len(L)))
            shown(1, x0)
        else:
            noise = noise_like(x, generators)
            x0 = sampler(denoise, noise, self.diffusion.noise_schedule, generators=generators, callback=shown)
        return upsample_chroma(self._to_ab(x0), L)

    def _told(self, ab: Tensor, mask: Tensor) -> Tensor:
        return hint_channels((ab - self.ab_mean) / (2 * self.ab_std), mask)

    def _to_ab(self, x0: Tensor) -> Tensor:
        return x0 * (2 * self.ab_std) + self.ab_mean


def dynamic_threshold(x0: Tensor, percentile: float) -> Tensor:
    """Dynamic thresholding (Saharia et al. 2022): each image is scaled so that its percentile of |x0| is at most 1."""
    bound = x0.abs().flatten(1).quantile(percentile, dim=1).clamp_min(1)[:, None, None, None]
    return x0.clamp(-bound, bound) / bound
