"""Does the zoo's contract hold? Run ``pytest`` once the package is installed."""

import pytest

from zoo.conformance import assert_conforms


@pytest.mark.parametrize("width", [16, 48])
def test_edges_keeps_what_an_encoder_promises(width: int) -> None:
    assert_conforms("encoder", "edges", width=width)


def test_shift_keeps_what_a_conditioner_promises() -> None:
    assert_conforms("conditioner", "shift")
