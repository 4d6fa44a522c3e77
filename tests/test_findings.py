"""What the page of findings says is what the rows beside it bear."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from zoo.errors import ZooError

RESULTS = Path(__file__).parents[1] / "results"


@pytest.fixture(scope="module")
def findings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("findings", RESULTS / "findings.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_number_of_the_page_is_recomputed_from_the_rows(findings: ModuleType) -> None:
    assert findings.PAGE.read_text(encoding="utf-8") == findings.rendered()


def test_the_table_of_the_first_page_is_that_of_the_findings(findings: ModuleType) -> None:
    page = findings.PAGE.read_text(encoding="utf-8")
    assert findings.README.read_text(encoding="utf-8") == findings.first_page(page)
    assert findings.MARKS[0] in page


def test_no_score_is_written_by_hand() -> None:
    """Whatever has a decimal point in the text is asked of the rows, but for levels and the sampler's setting."""
    text = re.sub(r"{{.*?}}", "", (RESULTS / "findings.md.j2").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert set(re.findall(r"[\w−]*\.\d+", text)) <= {".05", "2.5"}


def test_a_claim_that_the_rows_do_not_bear_is_named(findings: ModuleType) -> None:
    found = {
        row["verdict"]: row for row in findings.rows("pairs") if row["kind"] == "score" and row["metric"] == "st_lpips"
    }
    for claim in ("better", "worse", "undecided"):
        for verdict, row in found.items():
            cell = f"{row['row']} × {row['col']}" if row["method"] == "diffusion" else row["method"]
            if verdict and verdict != claim:
                with pytest.raises(ZooError, match=f"is called {claim} and is {verdict}"):
                    findings._claimed(claim)("pairs", cell, "st_lpips")


@pytest.mark.parametrize(
    ("value", "places", "sign", "text"),
    [(-0.0048, 4, False, "−.0048"), (0.42, 2, True, "+.42"), (24.986, 2, False, "24.99"), (0.0, 2, True, "+.00")],
)
def test_numbers_have_no_nought_before_the_point(
    findings: ModuleType, value: float, places: int, sign: bool, text: str
) -> None:
    assert findings.told(value, places, sign=sign) == text
