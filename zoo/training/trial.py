"""The parts of a model on two images, before it trains: what a plug-in gives is held against what it declared."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.conditioners import Conditioner, Context
from zoo.errors import PlugInError
from zoo.features import Features, disagreement
from zoo.model import ColorDiffusion
from zoo.registry import conditioners, encoders


@torch.no_grad()
def try_out(model: ColorDiffusion, L: Tensor) -> None:
    """Run encoder and conditioner once, in eval mode and without a trace in the random numbers of the process.

    Args:
        L: (N, 1, S, S) in [-1, 1], of the size at which the model trains, on its device.

    Raises:
        PlugInError: maps, tokens, context or channels of one of them are not the declared ones.
    """
    training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(devices=[]):
            _demand_injected(model, _demand_prepared(model, _encoded(model, L), L), L)
    finally:
        model.train(training)


def _encoded(model: ColorDiffusion, L: Tensor) -> Features:
    if not model.conditioner.uses_encoder:
        return Features()
    side = model.encoder.spec.input_size or L.shape[-1]
    view = L if side == L.shape[-1] else F.interpolate(L, (side, side), mode="area")
    features = model.encoder(view)
    otherwise = disagreement(features, model.encoder.spec, (side, side), len(L))
    if otherwise:
        raise _encoder_error(model, otherwise)
    return features


def _demand_prepared(model: ColorDiffusion, features: Features, L: Tensor) -> Context:
    context = model.context(features, L)
    n = len(L)
    if not isinstance(context, tuple) or not all(isinstance(c, Tensor) and c.dim() and len(c) == n for c in context):
        raise _conditioner_error(model, f"prepare() must give a tuple of tensors ({n}, ...) for {n} images")
    parts = [part for part in model.conditioner.modules() if isinstance(part, Conditioner)]  # of a sum, several
    nulls = sum(len(part.null) for part in parts)
    if len(context) != nulls:
        raise _conditioner_error(model, f"prepare() gives {len(context)} tensors, for which it has {nulls} nulls")
    return context


def _demand_injected(model: ColorDiffusion, context: Context, L: Tensor) -> None:
    for i, level in enumerate(model.conditioner.denoiser_levels):
        h = L.new_zeros(len(L), level.channels, *(-(-side // level.stride) for side in L.shape[2:]))
        expected = (len(L), level.channels + model.conditioner.extra_channels(i), *h.shape[2:])
        found = tuple(model.conditioner.inject(h, i, context).shape)
        if found != expected:
            raise _conditioner_error(model, f"inject() at stage {i} must give {expected}, and gave {found}")
    embedding, expected = model.conditioner.embed(context), (len(L), model.denoiser.embed_dim)
    if embedding is not None and tuple(embedding.shape) != expected:
        raise _conditioner_error(model, f"embed() must give {expected} or None, and gave {tuple(embedding.shape)}")


def _encoder_error(model: ColorDiffusion, why: str) -> PlugInError:
    return PlugInError(f"{encoders.described(type(model.encoder))}: {why}")


def _conditioner_error(model: ColorDiffusion, why: str) -> PlugInError:
    return PlugInError(f"{conditioners.described(type(model.conditioner))}: {why}")
