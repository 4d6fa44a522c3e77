"""Tables damaged in every way that can be thought of: whatever reads one ends with a line of ours, or has read it."""

from __future__ import annotations

import argparse
import shutil
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from support.damaged_tables import write_damaged
from support.rows import row
from zoo.benchmark.analysis.compare import compare
from zoo.benchmark.report.report import report
from zoo.benchmark.tables import merge, rows
from zoo.commands.compare import add_arguments as of_compare
from zoo.commands.report import add_arguments as of_report
from zoo.errors import ZooError

Use = Callable[[Path, Path], object]


def in_python(table: Path) -> pd.DataFrame:
    return rows.frame(rows.read(table))


def compared(table: Path, folder: Path) -> None:
    given = [str(table), "--baseline", "encoder=a,cond=c", "--runs", str(folder / "runs"), "--out", str(folder / "c")]
    parser = argparse.ArgumentParser()
    of_compare(parser)
    compare(parser.parse_args(given))


def reported(table: Path, folder: Path) -> None:
    parser = argparse.ArgumentParser()
    of_report(parser)
    report(parser.parse_args([str(table), "--runs", str(folder / "runs"), "--out", str(folder / "page.html")]))


def merged(table: Path, folder: Path) -> None:
    merge.merge([table], folder / "merged.csv", folder / "runs", per_image=True, hash_names=True)
    assert keys(folder / "merged.csv") == keys(table)


def keys(table: Path) -> set[str]:
    return {" ".join(" ".join(one.key).split()) for one in rows.read(table)}


def appended(table: Path, folder: Path) -> None:
    """As a run does: found unusable before it trains, or else its rows are in there in the end."""
    rows.check_writable(table)
    record = {"new": {"spec": {"train": {"lr": 0.1}}}}
    rows.append(table, [row("new", seed=7)], record)
    assert "new" in {one.run_id for one in rows.read(table)}


def outcome(use: Callable[[], object], seed: int) -> object:
    """What comes back; the error itself, where it is one of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return use()
        except ZooError as error:
            assert "\n" not in str(error), seed  # noqa: PT017
            assert len(str(error)) < 1000, seed  # noqa: PT017
            return error


def read_damaged(tmp_path: Path, seeds: range) -> None:
    uses: tuple[Use, ...] = (merged, compared, reported, appended)
    read = 0
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        table = write_damaged(folder, seed)
        slow, fast = outcome(partial(in_python, table), seed), outcome(partial(rows.read_frame, table), seed)
        if isinstance(slow, ZooError):
            assert isinstance(fast, ZooError), seed
        else:
            read += 1
            pd.testing.assert_frame_equal(slow, fast, obj=str(seed))
        outcome(partial(uses[seed % len(uses)], table, folder), seed)
        shutil.rmtree(folder)
    assert len(seeds) // 4 < read < len(seeds)


@pytest.mark.usefixtures("capsys")
def test_a_damaged_table_is_one_line_or_read_alike_by_both_readers(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100))


@pytest.mark.long
@pytest.mark.usefixtures("capsys")
def test_two_thousand_damaged_tables_are_one_line_or_read_alike_by_both_readers(tmp_path: Path) -> None:
    read_damaged(tmp_path, range(100, 2100))
