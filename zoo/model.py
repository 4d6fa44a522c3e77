"""ColorDiffusion: encoder + conditioner + denoiser + diffusion, as one module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from zoo.color.upsample import downsample_chroma
from zoo.conditioners import Context
from zoo.denoisers import create as create_denoiser
from zoo.denoisers import stages
from zoo.diffusion.chroma import ChromaSampler
from zoo.diffusion.hints import Known, hint_channels
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import Callback, SamplerConfig
from zoo.errors import PlugInError, ZooError
from zoo.faces.framing import WHOLE, Box, uncrop
from zoo.features import Features
from zoo.registry import Registry, conditioners, encoders

P = TypeVar("P", bound=nn.Module)


class ColorDiffusion(nn.Module):
    """Diffuses the chroma of a photo whose lightness is known.

    Attributes:
        face_box: where the ArcFace template's square lay in the images that it was trained on (`Dataset.face_box`), so
            that a face in a photo can be shown to it in the same place; None: not known.
        started_from: sha256 of the model file whose weights it began with; None: random ones.

    Args:
        encoder: ``{"name": ..., **options}`` of a registered encoder.
        cond: the same for a conditioner.
        denoiser: options of a registered denoiser; without a ``name`` of unet.
        diffusion: options of `zoo.diffusion.process.Diffusion`.
        image_size: side in pixels at which it is trained.
        seed: of the initial weights. Encoder, conditioner and denoiser are each drawn from it afresh, so that the
            denoiser starts the same whatever is plugged into it.

    Raises:
        ZooError: an unknown name or option, missing weights, or a pair that cannot work.
    """

    ab_mean: Tensor
    ab_std: Tensor

    def __init__(
        self,
        *,
        encoder: Mapping[str, Any],
        cond: Mapping[str, Any],
        denoiser: Mapping[str, Any] | None = None,
        diffusion: Mapping[str, Any] | None = None,
        image_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__()
        denoiser, diffusion = dict(denoiser or {}), dict(diffusion or {})
        self.spec: dict[str, Any] = {
            "encoder": dict(encoder),
            "cond": dict(cond),
            "denoiser": denoiser,
            "diffusion": diffusion,
            "image_size": image_size,
            "seed": seed,
        }
        levels = stages(denoiser)
        if image_size < levels[-1].stride or image_size % levels[-1].stride:
            raise ZooError(f"image_size must be a multiple of {levels[-1].stride} for this denoiser, not {image_size}")
        self.image_size = image_size
        self.face_box: Box | None = None
        self.started_from: str | None = None
        self.diffusion = Diffusion(**diffusion)
        with _drawn_from(seed):
            self.encoder = _set_up(encoders, encoders.create(**encoder))
        options = conditioners.get(cond["name"]).in_use_for(_without_name(cond), self.encoder.spec)
        self.spec["cond"] = {"name": cond["name"], **options}
        with _drawn_from(seed):
            built = conditioners.create(cond["name"], self.encoder.spec, levels, **options)
            self.conditioner = _set_up(conditioners, built)
        with _drawn_from(seed):
            extra = [self.conditioner.extra_channels(i) for i in range(len(levels))]
            self.denoiser = create_denoiser(denoiser, extra)
        self.register_buffer("ab_mean", torch.zeros(2, 1, 1))
        self.register_buffer("ab_std", torch.full((2, 1, 1), 0.2))

    def encode(self, L: Tensor, box: Box | Tensor = WHOLE) -> Features:
        """Features of ``L`` (N, 1, H, W), on the image's own frame; ``box``: where ``L`` lies in the image."""
        if not self.conditioner.uses_encoder:
            return Features()
        features = self.encoder(L)
        return Features(uncrop(features.maps, box), features.tokens)

    def forward(
        self,
        L: Tensor,
        ab: Tensor,
        t: Tensor,
        noise: Tensor,
        dropped: Tensor,
        *,
        hinted: Tensor | None = None,
        features: Features | None = None,
        view: Tensor | None = None,
        box: Box | Tensor = WHOLE,
    ) -> Tensor:
        """The training loss, a scalar.

        Args:
            L: (N, 1, H, W).
            ab: (N, 2, H, W).
            t: (N,) in (0, 1].
            noise: (N, 2, H/r, W/r).
            dropped: (N,) bool: these see the learned null in place of their features.
            hinted: (N, 1, H/r, W/r), 1 where a model with hints is told the true chroma; None: nowhere.
            features: of the same images, computed before; None: they are computed here,
            view: from this, which lies at ``box`` in the images (default: from ``L``).
        """
        if features is None:
            features = self.encode(L if view is None else view, box)
        x0 = (downsample_chroma(ab, self.denoiser.chroma_scale) - self.ab_mean) / (2 * self.ab_std)
        context = self.conditioner.drop(self.context(features, L), dropped)
        t = self.diffusion.time(t)
        hints = None if hinted is None else hint_channels(x0, hinted)
        prediction = self.predict(self.diffusion.noisy(x0, noise, t), L, t, context, hints)
        return self.diffusion.loss(prediction, x0, noise, t)

    def context(self, features: Features, L: Tensor) -> Context:
        """What the conditioner makes of the features, once per image."""
        return self.conditioner.prepare(features, (L.shape[-2], L.shape[-1]))

    @torch.no_grad()
    def colorize(
        self,
        L: Tensor,
        features: Features,
        sampler: SamplerConfig,
        generators: list[torch.Generator],
        callback: Callback | None = None,
        *,
        hints: Known | None = None,
    ) -> Tensor:
        """One sample of ab (N, 2, H, W) for L (N, 1, H, W), H and W multiples of the coarsest stage's stride.

        Args:
            generators: one per image.
            callback: sees (steps done, ab at the chroma resolution) after each step.
            hints: ab (N, 2, H/r, W/r) that is known, and (N, 1, H/r, W/r), 1 where it is; for a model with `hints`.
        """
        context = self.context(features, L)
        null: Context = ()
        if sampler.guidance != 1:
            null = self.conditioner.drop(context, torch.ones(len(L), dtype=torch.bool, device=L.device))
        sample = ChromaSampler(self.predict, self.diffusion, self.ab_mean, self.ab_std, self.denoiser.chroma_scale)
        return sample(L, context, null, sampler, generators, callback, hints)

    def set_chroma_statistics(self, ab: Tensor) -> None:
        """Fix the mean and standard deviation by which ab is normalised, from training images' ab (N, 2, H, W),
        unless the denoiser brings its own or the weights are those of another model, which know its own."""
        if self.started_from is not None:
            return
        if self.denoiser.chroma_statistics is not None:
            mean, std = self.denoiser.chroma_statistics
            self.ab_mean.fill_(mean)
            self.ab_std.fill_(std)
            return
        low = downsample_chroma(ab, self.denoiser.chroma_scale).double()
        self.ab_mean.copy_(low.mean(dim=(0, 2, 3))[:, None, None])
        self.ab_std.copy_(low.std(dim=(0, 2, 3)).clamp_min(1e-3)[:, None, None])

    def parameter_counts(self) -> dict[str, int]:
        """Parameters in all, of the encoder and of the conditioner (with what it added to the denoiser)."""
        count = {name: sum(p.numel() for p in part.parameters()) for name, part in self.named_children()}
        plain = sum(p.numel() for p in create_denoiser(self.spec["denoiser"]).parameters())
        return {
            "params": sum(count.values()),
            "encoder_params": count["encoder"],
            "cond_params": count["conditioner"] + count["denoiser"] - plain,
        }

    def identity(self) -> dict[str, Any]:
        """The spec, with the encoder's pretrained weights by their sha256 and not by their path."""
        encoder = {k: v for k, v in self.spec["encoder"].items() if k != "weights"}
        started = {"started_from": self.started_from} if self.started_from else {}
        return self.spec | {"encoder": encoder, "weights_sha": self.encoder.weights_sha, **started}

    def stored_state(self) -> dict[str, Tensor]:
        """All tensors but frozen published weights, which are found again by their sha256."""
        published = self.encoder.weights_sha is not None and not self.encoder.weights_stored
        resolved_again = self.encoder.frozen and published
        return {k: v for k, v in self.state_dict().items() if not (resolved_again and k.startswith("encoder."))}

    @property
    def hints(self) -> bool:
        """Whether it can be told colours that are known at some places."""
        return self.denoiser.hints

    def predict(self, x_t: Tensor, L: Tensor, t: Tensor, context: Context, hints: Tensor | None = None) -> Tensor:
        """What the network says of x_t (N, 2, H/r, W/r), L (N, 1, H, W), t (N,) and, where it takes them, hints
        (N, 3, H/r, W/r): (N, 2, H/r, W/r)."""

        def inject(h: Tensor, level: int) -> Tensor:
            return self.conditioner.inject(h, level, context)

        told = {"hints": hints} if self.hints else {}  # other denoisers need not know of them
        return self.denoiser(x_t, L, t, inject, self.conditioner.embed(context), **told)


def _set_up(names: Registry[P], part: P) -> P:
    """``part``. Raises `PlugInError` where its constructor left out that of its base class, which sets its spec."""
    if not hasattr(part, "spec"):
        raise PlugInError(f"{names.described(type(part))} is not set up; call super().__init__(…) in its __init__")
    return part


@contextmanager
def _drawn_from(seed: int) -> Iterator[None]:
    """Random numbers of this block come from ``seed``; those outside are as if it had not run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _without_name(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if k != "name"}
