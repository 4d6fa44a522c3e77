"""How well an autoencoder gives back images that it has not learned from: scores, and a sample grid to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.cache.images import ImageCache
from zoo.color.lab import lab_to_rgb, uint8_to_lightness
from zoo.data import name_hash
from zoo.evaluation.evaluate import generator_of
from zoo.training.autoencoder import Autoencoder

_BATCH = 64


@dataclass(frozen=True)
class Reconstruction:
    """What came of it. PSNR is of L, whose range is 2, in dB, averaged over the images.

    Attributes:
        psnr: from the uncorrupted image.
        psnr_corrupted: from what training shows it, over the hidden pixels where some are hidden; None: it shows all.
        sample_grid: (K, 4, S, S, 3) uint8: image, what the encoder saw, reconstruction from that, and from the image.
    """

    psnr: float
    psnr_corrupted: float | None
    sample_grid: np.ndarray


@torch.no_grad()
def reconstruct(
    model: Autoencoder, images: ImageCache, *, device: str = "cpu", grid: int = 6, seed: int = 0
) -> Reconstruction:
    """Score ``model`` on ``images``; a hash of names chooses ``grid`` of them to show; noise depends on names too."""
    model.to(device).eval()
    clean: list[Tensor] = []
    corrupted: list[Tensor] = []
    for L, corruption in _batches(model, images, np.arange(len(images)), device, seed):
        clean.append(_psnr((model.reconstruct(L) - L) ** 2, None))
        if corruption is not None:
            error = (model.reconstruct(model.seen(L, corruption)) - L) ** 2
            corrupted.append(_psnr(error, corruption if corruption.dtype == torch.bool else None))
    by_hash = sorted(range(len(images)), key=lambda i: name_hash(images.keys[i]))
    chosen = np.array(sorted(by_hash[:grid]))
    shown = np.concatenate([_sample_grid(model, *batch) for batch in _batches(model, images, chosen, device, seed)])
    return Reconstruction(
        psnr=torch.cat(clean).mean().item(),
        psnr_corrupted=torch.cat(corrupted).mean().item() if corrupted else None,
        sample_grid=shown,
    )


def _batches(
    model: Autoencoder, images: ImageCache, indices: np.ndarray, device: str, seed: int
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """L (n, 1, S, S) and what corrupts it; the latter depends on each image's name alone."""
    for part in np.array_split(indices, -(-len(indices) // _BATCH)):
        L = uint8_to_lightness(torch.from_numpy(images.batch(part)).to(device))
        draws = [model.objective.draw(1, images.view.size, generator_of(seed, images.keys[i], 0)) for i in part]
        found = [draw.to(device) for draw in draws if draw is not None]
        yield L, torch.cat(found) if found else None


def _psnr(error: Tensor, where: Tensor | None) -> Tensor:
    """PSNR (N,) of squared errors (N, 1, S, S) of L, over the pixels ``where`` (bool) says so."""
    weight = torch.ones_like(error) if where is None else where.to(error)
    mse = (weight * error).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    return 10 * torch.log10(4 / mse.clamp_min(1e-10))


def _sample_grid(model: Autoencoder, L: Tensor, corruption: Tensor | None) -> np.ndarray:
    seen = model.seen(L, corruption)
    columns = torch.stack([L, seen, model.reconstruct(seen), model.reconstruct(L)], dim=1)  # (n, 4, 1, S, S)
    flat = columns.flatten(0, 1).clamp(-1, 1)
    rgb = lab_to_rgb(flat, flat.new_zeros(len(flat), 2, *flat.shape[2:])).unflatten(0, columns.shape[:2])
    return (rgb.permute(0, 1, 3, 4, 2).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
