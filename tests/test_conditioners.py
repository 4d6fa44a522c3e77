"""The contract of every conditioner, with every encoder and with encoders of every kind of spec."""

import pytest
import torch
from torch import Tensor

import zoo
from zoo.conditioners import Conditioner
from zoo.denoiser import Denoiser, denoiser_levels
from zoo.errors import ZooError
from zoo.features import FeatureLevel, Features, FeatureSpec

LEVELS = denoiser_levels(32, (1, 2), 4)
SPECS = {
    "maps": FeatureSpec((FeatureLevel(16, 4), FeatureLevel(24, 8), FeatureLevel(40, 16))),
    "tokens": FeatureSpec((), 12),
    "both": FeatureSpec((FeatureLevel(8, 2), FeatureLevel(20, 16)), 12, input_size=112),
    "one constant": FeatureSpec((), 1),
}
PAIRS = [(cond, kind) for cond in zoo.list_conditioners() for kind in SPECS]


def features_of(spec: FeatureSpec, n: int = 3, seed: int = 0) -> Features:
    rng = torch.Generator().manual_seed(seed)
    size = spec.input_size or 32
    maps = tuple(
        torch.randn(n, x.channels, -(-size // x.stride), -(-size // x.stride), generator=rng) for x in spec.levels
    )
    tokens = None if spec.token_dim is None else torch.randn(n, 2, spec.token_dim, generator=rng)
    return Features(maps, tokens)


def conditioner_of(name: str, spec: FeatureSpec) -> Conditioner:
    torch.manual_seed(0)
    return zoo.create_conditioner(name, spec, LEVELS)


def denoise(conditioner: Conditioner, context: tuple[Tensor, ...], *, opened: bool = False) -> Tensor:
    torch.manual_seed(1)
    denoiser = Denoiser(width=32, extra=[conditioner.extra_channels(i) for i in range(len(LEVELS))])
    if opened:
        open_zeros(denoiser)
    else:
        torch.nn.init.normal_(denoiser.leave[2].weight, generator=torch.Generator().manual_seed(2))
    rng = torch.Generator().manual_seed(3)
    ab_t, L, t = torch.randn(3, 2, 8, 8, generator=rng), torch.randn(3, 1, 32, 32, generator=rng), torch.rand(3)
    return denoiser(
        ab_t, L, t * 0 + 0.5, lambda h, level: conditioner.inject(h, level, context), conditioner.embed(context)
    )


def open_zeros(module: torch.nn.Module) -> None:
    """Give every weight that starts at zero a value, as training would."""
    rng = torch.Generator().manual_seed(4)
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.add_((parameter == 0) * 0.1 * torch.randn(parameter.shape, generator=rng))


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_every_pair_starts_as_the_same_unconditioned_net(name: str, kind: str) -> None:
    plain = conditioner_of("none", SPECS[kind])
    conditioner = conditioner_of(name, SPECS[kind])
    context = conditioner.prepare(features_of(SPECS[kind]), (32, 32))
    torch.testing.assert_close(denoise(conditioner, context), denoise(plain, ()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "kind"), [p for p in PAIRS if p[0] != "none"])
def test_once_trained_the_features_matter(name: str, kind: str) -> None:
    conditioner = conditioner_of(name, SPECS[kind])
    open_zeros(conditioner)
    outputs = [
        denoise(conditioner, conditioner.prepare(features_of(SPECS[kind], seed=seed), (32, 32)), opened=True)
        for seed in (0, 1)
    ]
    differ = bool((outputs[0] - outputs[1]).abs().max() > 1e-4)
    assert differ == (kind != "one constant")  # a layer norm leaves nothing of a single number


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_dropped_context_knows_nothing_of_the_image(name: str, kind: str) -> None:
    conditioner = conditioner_of(name, SPECS[kind])
    contexts = [conditioner.prepare(features_of(SPECS[kind], seed=seed), (32, 32)) for seed in (0, 1)]
    dropped = [conditioner.drop(c, torch.tensor([True, False, True])) for c in contexts]
    for a, b, kept in zip(*dropped, contexts[0], strict=True):
        assert torch.equal(a[[0, 2]], b[[0, 2]])
        assert torch.equal(a[1], kept[1])


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_all_that_a_conditioner_adds_is_trained(name: str, kind: str) -> None:
    conditioner = conditioner_of(name, SPECS[kind])
    open_zeros(conditioner)
    context = conditioner.prepare(features_of(SPECS[kind]), (32, 32))
    context = conditioner.drop(context, torch.tensor([True, False, False]))
    denoise(conditioner, context, opened=True).square().sum().backward()
    idle = [n for n, p in conditioner.named_parameters() if p.grad is None]
    assert idle == []


def test_an_encoder_without_features_is_refused_with_the_reason() -> None:
    for name in zoo.list_conditioners("[!n]*"):
        with pytest.raises(ZooError, match="neither maps nor tokens"):
            zoo.create_conditioner(name, FeatureSpec(), LEVELS)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("concat", {"channels": 10}, "multiple of 16"),
        ("xattn", {"dim": 6}, "multiple of 4"),
        ("xattn", {"maps": 0}, "leaves no token"),
        ("film", {"hidden": 0}, "at least 1"),
        ("film", {"depth": 2}, "unexpected keyword argument 'depth'"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        zoo.create_conditioner(name, SPECS["maps"], LEVELS, **options)
