"""Ids of a few fixed configurations, and the numbers that they stand for: neither changes by itself.

Where the golden numbers of training or of sampling change, the same settings give other results: a version has to be
raised (`zoo.training.config.VERSION`, `zoo.diffusion.samplers.VERSION`, or that of an encoder, conditioner or metric),
which changes the ids. ZOO_WRITE_GOLDEN=1 writes both down anew: a decision, and not an accident.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from support.composing import plain
from support.golden import WRITE
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.identity import Identity, digest
from zoo.diffusion import samplers
from zoo.training import config as training

TESTS = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("golden_ids.json")
CASES = {
    "default": [],
    "xattn": ["preset=quick", "cond=xattn"],
    "no conditioning": ["cond=none"],
    "hog, spade": ["encoder=hog", "cond=spade"],
    "regression": ["method=regression"],
    "grey": ["method=grey"],
}
LOSSES = ("cond=none", "cond=concat", "method=regression", "method=origin")
SAMPLES = ("ddim, cosine", "ddim, eta, cosine", "ddpm, linear", "dpmpp_2m, cosine", "deis, cosine", "chroma, v")


def check(case: str, found: Any) -> None:
    known = json.loads(TABLE.read_text()) if TABLE.is_file() else {}
    if os.environ.get(WRITE):
        TABLE.write_text(json.dumps({**known, case: found}, indent=1, sort_keys=True) + "\n")
        return
    assert found == known[case], "raise a version where numbers changed, or measure anew; see the head of this test"


@pytest.mark.parametrize("case", CASES)
def test_a_fixed_configuration_keeps_its_ids(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.metrics._spaces.st_lpips_sha", lambda: None)  # whether its package is there or not
    spec = Spec.from_config(plain("metrics=[psnr,fd]", *CASES[case]))
    found = Identity(spec, manifests={"train": "t", "eval": "e"})
    check(case, [found.run_id, found.training_id, digest(found.protocols)])


def test_other_numbers_of_training_come_with_another_version_of_it() -> None:
    golden = json.loads((TESTS / "training" / "golden_losses.json").read_text())
    check("training", [training.VERSION, digest({case: golden[case] for case in LOSSES})])


def test_other_samples_come_with_another_version_of_the_samplers() -> None:
    golden = json.loads((TESTS / "diffusion" / "golden_samples.json").read_text())
    check("samples", [samplers.VERSION, digest({case: golden[case] for case in SAMPLES})])
