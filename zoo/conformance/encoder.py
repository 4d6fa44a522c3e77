"""Checks of every encoder; see `zoo.encoders.Encoder`."""

from __future__ import annotations

import re
from functools import cached_property

import torch
from torch import Tensor

from zoo.conformance._tensors import (
    demand_equal,
    demand_moved,
    demand_plausible,
    demand_trained,
    demand_unobtrusive,
    lightness,
    milliseconds,
    seeded,
)
from zoo.conformance.checks import Check, Moot, Subject, demand
from zoo.encoders import Encoder
from zoo.faces.framing import Box
from zoo.features import FeatureLevel, Features, FeatureSpec, disagreement

ODD = (37, 46)  # an image whose sides no stride divides
COST_BATCH = 4


class EncoderSubject(Subject):
    """An encoder to look at."""

    @cached_property
    def encoder(self) -> Encoder:
        """One in eval mode, for all who only look at it."""
        return self.fresh().eval()

    def fresh(self, seed: int = 0, **changes: object) -> Encoder:
        return seeded(lambda: self.build(**changes), seed)

    def view(self, encoder: Encoder, n: int = 2, seed: int = 0) -> Tensor:
        """L as the data pipeline would hand it over, (n, 1, H, W)."""
        side = encoder.spec.input_size or 32
        return lightness(n, side, side, seed)


def declares_features_that_can_be(subject: EncoderSubject) -> str:
    encoder = subject.encoder
    demand(isinstance(encoder, Encoder), f"{type(encoder).__qualname__} is no zoo.Encoder")
    spec = encoder.spec
    demand(isinstance(spec, FeatureSpec), f"spec is a {type(spec).__name__}, not a FeatureSpec")
    demand(bool(spec.levels) or spec.token_dim is not None, "it declares neither maps nor tokens")
    for level in spec.levels:
        demand(isinstance(level, FeatureLevel), f"a level is a {type(level).__name__}, not a FeatureLevel")
        demand(level.channels > 0 and level.stride > 0, f"{level} cannot be")
    strides = [level.stride for level in spec.levels]
    demand(strides == sorted(strides), f"levels must go from fine to coarse, not {strides}")
    demand(encoder.frame is None or isinstance(encoder.frame, Box), f"frame is {encoder.frame!r}, not a Box")
    levels = " ".join(f"{level.channels}@{level.stride}" for level in spec.levels)
    tokens = f"tokens of {spec.token_dim}" if spec.token_dim is not None else ""
    return ", ".join(part for part in (levels and f"channels@stride {levels}", tokens) if part)


def gives_the_features_that_it_declares(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    L = subject.view(encoder)
    _demand_declared(encoder(L), encoder.spec, (L.shape[2], L.shape[3]), 2)


def takes_images_of_any_size(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    side = encoder.spec.input_size
    # one that names its size has to resize whatever else it gets; all others follow it, rounding up
    _demand_declared(encoder(lightness(1, *ODD)), encoder.spec, (side, side) if side else ODD, 1)


def gives_finite_values_of_a_usable_size(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    L = subject.view(encoder)
    for what, seen in (("noise", L), ("black", -torch.ones_like(L)), ("white", torch.ones_like(L))):
        demand_plausible(_flat(encoder(seen)), f"features of {what}")


def gives_the_same_twice(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    L = subject.view(encoder)
    with torch.no_grad():
        demand_equal(_flat(encoder(L)), _flat(encoder(L)), "two passes in eval mode", exactly=True)


def sees_each_image_by_itself(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    L = subject.view(encoder, n=3)
    with torch.no_grad():
        together, alone = encoder(L), encoder(L[1:2])
    demand_equal([x[1:2] for x in _flat(together)], _flat(alone), "an image among others and by itself")


def leaves_its_input_as_it_was(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    L = subject.view(encoder)
    before = L.clone()
    with torch.no_grad():
        encoder(L)
    demand_equal([L], [before], "L before and after", exactly=True)


def sees_L(subject: EncoderSubject) -> None:
    encoder = subject.encoder
    if not encoder.spec.levels and encoder.spec.token_dim == 1:
        raise Moot("it declares a constant, as a control does")
    with torch.no_grad():
        one, other = (_flat(encoder(subject.view(encoder, seed=seed))) for seed in (0, 1))
    demand(not all(torch.equal(a, b) for a, b in zip(one, other)), "other images give the same features: it ignores L")


def prints_nothing_and_sets_no_seed(subject: EncoderSubject) -> None:
    def run() -> None:
        encoder = subject.build().eval()
        with torch.no_grad():
            encoder(subject.view(encoder))

    demand_unobtrusive(run)


def stays_in_eval_mode_without_gradients_when_frozen(subject: EncoderSubject) -> None:
    encoder = subject.fresh(frozen=True) if "frozen" in subject.parameters else subject.fresh()
    if not encoder.frozen:
        raise Moot("it always trains")
    encoder.train()
    training = [name or "itself" for name, module in encoder.named_modules() if module.training]
    demand(not training, f"train() puts {training[:1]} into training mode")
    demand(not any(p.requires_grad for p in encoder.parameters()), "parameters want gradients; call self.freeze()")
    features = _flat(encoder(subject.view(encoder)))
    demand(not any(x.requires_grad for x in features), "its features want gradients")


def trains_every_parameter_when_not_frozen(subject: EncoderSubject) -> None:
    encoder = subject.fresh(frozen=False) if "frozen" in subject.parameters else subject.fresh()
    if encoder.frozen or not list(encoder.parameters()):
        raise Moot("nothing to train")
    encoder.train()
    demand(encoder.training, "train() leaves it in eval mode")
    stuck = [name for name, p in encoder.named_parameters() if not p.requires_grad]
    demand(not stuck, f"{stuck[:1]} wants no gradient")
    sum(((x - 0.3) ** 3).mean() for x in _flat(encoder(subject.view(encoder)))).backward()  # type: ignore[union-attr]
    demand_trained(encoder)


def draws_its_weights_from_the_seed_of_torch(subject: EncoderSubject) -> None:
    one, other = subject.encoder.state_dict(), subject.fresh().state_dict()
    demand_equal([*one.values()], [*other.values()], "weights of two that are built under one seed", exactly=True)


def is_all_in_its_options_and_state_dict(subject: EncoderSubject) -> None:
    one, other = subject.encoder, subject.fresh(seed=1).eval()
    other.load_state_dict(one.state_dict())
    L = subject.view(one)
    with torch.no_grad():
        demand_equal(_flat(one(L)), _flat(other(L)), "features of it and of a copy by its state_dict")


def follows_to_another_device(subject: EncoderSubject) -> str:
    encoder = subject.fresh().eval()
    L = subject.view(encoder)

    def run(device: str) -> list[Tensor]:
        with torch.no_grad():
            return _flat(encoder(L.to(device)))

    return demand_moved(encoder, run)


def names_its_pretrained_weights_by_their_hash(subject: EncoderSubject) -> str:
    if "pretrained" not in subject.parameters:
        raise Moot("it has no option pretrained")
    sha = subject.fresh(pretrained=False).weights_sha
    demand(sha is None, f"weights_sha is {sha!r} with pretrained=False; expected None")
    sha = subject.encoder.weights_sha
    learned, random = subject.encoder.state_dict(), subject.fresh(pretrained=False).state_dict()
    loads = any(not torch.equal(learned[key], random[key]) for key in learned.keys() & random.keys())
    demand(sha is not None or not loads, "it loads pretrained weights and leaves weights_sha None; set their sha256")
    demand(sha is None or bool(re.fullmatch("[0-9a-f]{64}", sha)), f"weights_sha is {sha!r}; expected 64 hex digits")
    return f"sha256 {sha[:12]}…" if sha else ""


def costs(subject: EncoderSubject) -> str:
    encoder = subject.encoder.to(subject.device)
    L = subject.view(encoder, n=COST_BATCH).to(subject.device)
    with torch.no_grad():
        spent = milliseconds(lambda: encoder(L)) / COST_BATCH
    parameters = sum(p.numel() for p in encoder.parameters())
    return f"{spent:.2f} ms per image of {L.shape[-1]}×{L.shape[-1]} on {subject.device}, {parameters:,} parameters"


SUBJECT = EncoderSubject
CHECKS: tuple[Check[EncoderSubject], ...] = (
    declares_features_that_can_be,
    gives_the_features_that_it_declares,
    takes_images_of_any_size,
    gives_finite_values_of_a_usable_size,
    gives_the_same_twice,
    sees_each_image_by_itself,
    leaves_its_input_as_it_was,
    sees_L,
    prints_nothing_and_sets_no_seed,
    stays_in_eval_mode_without_gradients_when_frozen,
    trains_every_parameter_when_not_frozen,
    draws_its_weights_from_the_seed_of_torch,
    is_all_in_its_options_and_state_dict,
    follows_to_another_device,
    names_its_pretrained_weights_by_their_hash,
)
COSTS: tuple[Check[EncoderSubject], ...] = (costs,)


def _flat(features: Features) -> list[Tensor]:
    return [*features.maps, *([] if features.tokens is None else [features.tokens])]


def _demand_declared(features: Features, spec: FeatureSpec, size: tuple[int, int], n: int) -> None:
    """What comes of ``n`` images, seen at ``size``, has the declared shapes."""
    otherwise = disagreement(features, spec, size, n)
    demand(otherwise is None, otherwise or "")
