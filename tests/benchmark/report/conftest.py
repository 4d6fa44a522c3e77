"""A benchmark that was run, and the report of it."""

from __future__ import annotations

import pytest

from support.reporting import BASELINE, Benchmark, Page, make, page_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def page(made: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Page:
    with pytest.MonkeyPatch.context() as patch:
        arguments = (made.table, "--runs", made.runs, "--baseline", BASELINE)
        return page_of(patch, tmp_path_factory.mktemp("page"), *arguments)
