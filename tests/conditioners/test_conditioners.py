"""What every conditioner promises (`zoo.conformance.conditioner`), with encoders of every kind of spec."""

import pytest

import zoo
from zoo.conformance import assert_conforms
from zoo.conformance.conditioner import LEVELS, SPECS
from zoo.errors import ZooError


@pytest.mark.parametrize("name", zoo.list_conditioners())
def test_keeps_every_promise_of_a_conditioner(name: str) -> None:
    assert_conforms("conditioner", name)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("concat", {"channels": 10}, "multiple of 16"),
        ("xattn", {"dim": 6}, "multiple of 4"),
        ("xattn", {"maps": 0}, "leaves no token"),
        ("xattn", {"maps": 0, "embedding": False}, "leaves no token"),
        ("concat", {"source": "tokens"}, "expected maps or embedding"),
        ("concat", {"source": "embedding"}, "this encoder has no embedding"),
        ("film", {"hidden": 0}, "at least 1"),
        ("film", {"depth": 2}, "unexpected keyword argument 'depth'"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        zoo.create_conditioner(name, SPECS["maps"], LEVELS, **options)
