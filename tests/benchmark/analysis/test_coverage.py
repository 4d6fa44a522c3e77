"""Over many simulated tables whose truth is known, intervals and p values are what they say: docs/trust.md has the
table."""

from __future__ import annotations

import pytest

from support.simulation import DESIGNS, simulate

FIRST = {  # one of each way to estimate, where it has it hardest; the others are variations for `make test-long`
    "the baseline's seeds 3 times as noisy",
    "three cells, the baseline 3 times as noisy",
    "seeds and photos, the baseline 3 times as noisy",
    "5 photos of each person, one cell 4 times as noisy",
    "3 samplings prevail",
    "three cells, 3 samplings",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in FIRST else pytest.mark.long) for n in DESIGNS])
def test_intervals_hold_the_truth_as_often_as_they_say_and_no_table_claims_much(name: str) -> None:
    found = simulate(DESIGNS[name], 300 if DESIGNS[name].samplings else 1000)
    assert 0.93 <= found.coverage <= 0.98
    assert found.family <= 0.07
    assert not found.interaction > 0.09
