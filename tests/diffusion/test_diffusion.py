import math

import pytest
import torch

from zoo.diffusion.process import Diffusion
from zoo.errors import ZooError
from zoo.schedules.cosine import Cosine
from zoo.schedules.linear import Linear


@pytest.mark.parametrize("schedule", [Cosine(), Linear(350), Linear(1000)])
def test_signal_and_noise_keep_unit_variance_and_noise_grows(schedule: Cosine | Linear) -> None:
    t = torch.linspace(0, 1, 101)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones(101), atol=1e-5, rtol=0)
    assert (alpha[1:] <= alpha[:-1]).all()
    assert alpha[0] == 1
    assert sigma[0] == 0


def test_the_cosine_schedule_ends_without_signal() -> None:
    assert Cosine().alpha(torch.ones(1)).item() == 0.0


def test_the_linear_schedule_is_the_discrete_one_of_ddpm() -> None:
    beta = torch.linspace(1e-4, 0.02, 350, dtype=torch.float64)
    t = torch.arange(1, 351) / 350
    torch.testing.assert_close(Linear(350).alpha(t) ** 2, torch.cumprod(1 - beta, 0).float(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("t", [0.0001, 0.4, 0.4021, 1.0])
def test_the_network_is_told_the_step_of_the_linear_schedule_whose_noise_it_sees(t: float) -> None:
    diffusion = Diffusion("eps", "linear", T=350)
    told = diffusion.time(torch.tensor([t]))
    assert told.item() == pytest.approx(math.ceil(t * 350 - 1e-3) / 350)
    assert diffusion.noise_schedule.sigma(told) == diffusion.noise_schedule.sigma(torch.tensor([t]))


def test_the_originals_schedule_leaves_a_sixth_of_the_signal() -> None:
    assert Linear(350).alpha(torch.ones(1)).item() == pytest.approx(0.17, abs=0.01)


PAIRS = [("v", "cosine"), ("x0", "cosine"), ("v", "linear"), ("eps", "linear"), ("x0", "linear")]


@pytest.mark.parametrize(("parameterisation", "schedule"), PAIRS)
def test_a_perfect_prediction_gives_back_x0_and_no_loss(parameterisation: str, schedule: str) -> None:
    diffusion = Diffusion(parameterisation, schedule)
    x0, noise = torch.randn(2, 6, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    t = torch.linspace(0.05, 0.95, 6)
    x_t = diffusion.noisy(x0, noise, t)
    said = diffusion.target(x0, noise, t)
    torch.testing.assert_close(diffusion.to_x0(said, x_t, t), x0, atol=1e-3, rtol=1e-3)
    assert diffusion.loss(said, x0, noise, t) == 0


@pytest.mark.parametrize("parameterisation", ["v", "eps", "x0"])
def test_min_snr_weighs_the_error_of_x0_by_the_snr_up_to_five(parameterisation: str) -> None:
    diffusion = Diffusion(parameterisation, "linear", "min_snr")
    x0, noise, error = torch.randn(3, 1, 2, 4, 4, generator=torch.Generator().manual_seed(0))[:, :, None].unbind()
    x0, noise, error = x0.view(1, 2, 4, 4), noise.view(1, 2, 4, 4), error.view(1, 2, 4, 4)
    for time in (0.1, 0.5, 0.9):
        t = torch.tensor([time])
        x_t = diffusion.noisy(x0, noise, t)
        said = diffusion.target(x0, noise, t) + error
        x0_error = (diffusion.to_x0(said, x_t, t) - x0).square().mean()
        snr = (diffusion.noise_schedule.alpha(t) / diffusion.noise_schedule.sigma(t)) ** 2
        expected = snr.clamp_max(5) * x0_error
        torch.testing.assert_close(diffusion.loss(said, x0, noise, t), expected.squeeze(), rtol=1e-2, atol=1e-5)


def test_times_are_stratified_and_never_zero() -> None:
    t = Diffusion(times="uniform").draw_times(64, torch.Generator().manual_seed(0))
    assert sorted(math.ceil(x * 64 - 1e-4) for x in t.tolist()) == list(range(1, 65))
    assert t.min() > 0


def test_logit_normal_times_have_a_normal_logit_of_the_given_mean_and_scale() -> None:
    t = Diffusion(times="logit_normal", times_mean=1.5, times_scale=0.5).draw_times(4096, torch.Generator())
    assert t.logit().mean().item() == pytest.approx(1.5, abs=0.01)
    assert t.logit().std().item() == pytest.approx(0.5, abs=0.01)


def test_logit_normal_times_are_stratified_over_their_distribution() -> None:
    t = Diffusion(times="logit_normal", times_mean=0.0, times_scale=1.0).draw_times(
        64, torch.Generator().manual_seed(0)
    )
    u = torch.special.ndtr(t.logit())
    assert sorted(math.ceil(x * 64 - 1e-3) for x in u.tolist()) == list(range(1, 65))


def test_the_distribution_of_times_changes_no_other_draw() -> None:
    uniform, logit_normal = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    Diffusion(times="uniform").draw_times(8, uniform)
    Diffusion(times="logit_normal").draw_times(8, logit_normal)
    assert uniform.get_state().equal(logit_normal.get_state())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parameterisation": "velocity"}, "unknown objective 'velocity'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"loss_weight": "snr"}, "uniform, min_snr"),
        ({"times": "normal"}, "uniform, logit_normal"),
        ({"times": "logit_normal", "times_scale": 0}, "times_scale one above 0"),
        ({"schedule": "linear", "T": 0}, "at least 1"),
        ({"parameterisation": "eps"}, "use v or x0"),
        ({"schedule": "none"}, "use method=regression"),
        ({"parameterisation": "x0", "schedule": "none", "loss_weight": "min_snr"}, "uniform weights"),
    ],
)
def test_impossible_diffusions_are_refused_in_one_line(options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said) as error:
        Diffusion(**options)
    assert "\n" not in str(error.value)
