"""Result rows: one per run and score, in tables that survive crashes and merge in any order."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.rows import row
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import COLUMNS, Row
from zoo.errors import ZooError

words = st.text("abc ,\"'é|", max_size=8).map(lambda text: " ".join(text.split()))
some_rows = st.builds(
    row,
    run=st.sampled_from(["1e10", "000000000012", "none", "abc"]),
    metric=st.sampled_from(["psnr", "fid", "lpips"]),
    value=st.sampled_from([None, 1 / 3]),
    train_seconds=st.floats(0, 1e6),
    device=words,
    note=words,
)
any_rows = st.builds(
    row,
    run=st.sampled_from(["1e10", "000000000012", "none", "abc"]),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    higher_is_better=st.sampled_from([True, False, None]),
    encoder=words,
    note=words,
    method=st.sampled_from(["diffusion", "grey"]),
    kept_step=st.none() | st.integers(0, 10**6),
)


def test_columns_are_those_of_the_design() -> None:
    assert ",".join(COLUMNS) == (
        "run_id,encoder,cond,seed,metric,value,higher_is_better,n_images,protocol_id,params,encoder_params,cond_params,"
        "train_seconds,images_seen,sample_seconds_per_image,peak_memory_mb,device,git_sha,weights_sha,note,method,"
        "feature_seconds,pretrain_seconds,steps_run,kept_step"
    )


@given(st.lists(any_rows, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_table_gives_back_what_was_written_to_it(some: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        rows.write(path, some)
        assert rows.read(path) == some
        pd.testing.assert_frame_equal(rows.read_frame(path), rows.frame(some), check_dtype=False)


@given(st.lists(some_rows, max_size=10), st.randoms(), st.integers(0, 10))
@settings(max_examples=40, deadline=None)
def test_appending_in_any_order_and_split_gives_the_same_rows(some: list[Row], random: object, cut: int) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        rows.append(path, shuffled[:cut])
        rows.append(path, shuffled[cut:])
        assert set(rows.read(path)) == set(rows.merge(some))


def test_the_same_run_repeated_is_kept_once_and_other_scores_of_it_are_refused(tmp_path: Path) -> None:
    once, again, other = row(train_seconds=1.0), row(train_seconds=2.0, device="b", git_sha="c"), row(value=1.25)
    assert rows.merge([once, again]) == rows.merge([again], [once]) == [once]
    with pytest.raises(ZooError, match=r"run a{12}, psnr: value is 1.5 in a.csv and 1.25 in c.csv") as told:
        rows.merge([once], [again], [other], names=["a.csv", "b.csv", "c.csv"])
    assert len(str(told.value).splitlines()) == 1
    path = tmp_path / "t.csv"
    rows.append(path, [once])
    with pytest.raises(ZooError, match="the new rows"):
        rows.append(path, [other])
    assert rows.read(path) == [once]


def test_one_run_scored_in_two_ways_is_a_conflict_even_where_one_is_a_hole() -> None:
    with pytest.raises(ZooError, match="protocol_id is 'p' and 'q'"):
        rows.merge([row()], [row(value=None, protocol_id="q")])


def cut(path: Path, columns: int) -> None:
    """Take the last columns away."""
    lines = (line.rsplit(",", columns)[0] for line in path.read_text().splitlines())
    path.write_text("\n".join(lines) + "\n")


def test_a_table_from_before_there_were_baselines_holds_runs_of_diffusion(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a"), row("b", value=None, note="no weights")])
    cut(path, 5)
    assert path.read_text().splitlines()[0].endswith("weights_sha,note")
    assert [r.method for r in rows.read(path)] == ["diffusion", "diffusion"]
    assert list(rows.read_frame(path)["method"]) == ["diffusion", "diffusion"]
    rows.append(path, [row("c", method="grey")])
    assert [r.method for r in rows.read(path)] == ["diffusion", "diffusion", "grey"]


def test_a_table_from_before_features_were_timed_does_not_know_their_seconds(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a"), row("b", method="grey")])
    cut(path, 4)
    pd.testing.assert_frame_equal(rows.read_frame(path), rows.frame(rows.read(path)), check_dtype=False)
    rows.append(path, [row("c", feature_seconds=3.5, pretrain_seconds=0.0)])
    assert [r.feature_seconds for r in rows.read(path)] == [None, None, 3.5]
    assert [r.method for r in rows.read(path)] == ["diffusion", "grey", "diffusion"]


def test_a_table_from_before_steps_were_told_does_not_know_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a", feature_seconds=2.5), row("b", method="grey")])
    cut(path, 2)
    pd.testing.assert_frame_equal(rows.read_frame(path), rows.frame(rows.read(path)), check_dtype=False)
    rows.append(path, [row("c", steps_run=30, kept_step=20)])
    assert [(r.feature_seconds, r.steps_run, r.kept_step) for r in rows.read(path)] == [
        (2.5, None, None),
        (None, None, None),
        (None, 30, 20),
    ]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("n_images", "many", "line 3: invalid literal for int"),
        ("n_images", "", "line 3: invalid literal for int"),
        ("value", "nan", "line 3: expected a finite number, not 'nan'"),
        ("value", "inf", "line 3: expected a finite number"),
        ("params", "1,2", "line 3: 26 fields, expected 25"),
        ("higher_is_better", "yes", "line 3: expected True or False, not 'yes'"),
    ],
)
def test_a_bad_cell_is_told_by_its_line_however_the_table_is_read(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a"), row("b")])
    head, first, second = path.read_text().splitlines()
    cells = second.split(",")
    cells[COLUMNS.index(column)] = cell
    path.write_text("\n".join([head, first, ",".join(cells)]) + "\n")
    for read in (rows.read, rows.read_frame):
        with pytest.raises(ZooError, match=said):
            read(path)


def test_records_of_runs_stand_beside_the_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.append(path, [row("a")], records={"a": {"spec": {"sampler": {"steps": 10}}}})
    rows.append(path, [row("b", protocol_id="q")], records={"b": {"spec": {"sampler": {"steps": 20}}}})
    assert json.loads((tmp_path / "t.specs.json").read_text()) == {
        "a": {"spec": {"sampler": {"steps": 10}}},
        "b": {"spec": {"sampler": {"steps": 20}}},
    }


def test_appending_the_same_rows_again_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.append(path, [row(), row(metric="fid", value=None, note="no weights")])
    before = path.read_bytes(), path.stat().st_ino
    rows.append(path, [row(metric="fid", value=None, note="no weights"), row()])
    assert (path.read_bytes(), path.stat().st_ino) == before


@pytest.mark.parametrize("first", [None, 2.0])
def test_a_value_takes_the_place_of_a_hole_and_never_the_reverse(tmp_path: Path, first: float | None) -> None:
    hole, filled = row(value=None, note="no weights"), row(value=2.0)
    for one in (hole, filled) if first is None else (filled, hole):
        rows.append(tmp_path / "t.csv", [one])
    assert rows.read(tmp_path / "t.csv") == [filled]


def test_a_line_that_a_crash_cut_off_is_set_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a"), row("b")])
    whole = path.read_text()
    path.write_text(whole[:-60])
    for read in (rows.read, rows.read_frame):
        with pytest.raises(ZooError, match="cut off"):
            read(path)
    warning = rows.append(path, [row("c")])
    assert "t.csv.broken" in warning
    assert [r.run_id for r in rows.read(path)] == ["a", "c"]
    assert path.with_name("t.csv.broken").read_text().startswith("b,none")


def test_a_last_line_without_newline_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("a"), row("b", note="said, so")])
    path.write_text(path.read_text().rstrip("\n"))
    assert rows.append(path, [row("c")]) == ""
    assert [r.run_id for r in rows.read(path)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("x,y\n1,2\n", "not a table of results"), (",".join(COLUMNS) + "\nonly,two\n", "line 2: 2 fields, expected 25")],
)
def test_what_is_no_table_is_left_alone(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ZooError, match=said):
        rows.append(path, [row()])
    with pytest.raises(ZooError, match=said):
        rows.read_frame(path)
    assert path.read_text() == text


def test_a_reason_of_several_lines_stays_in_one(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.append(path, [row(value=None, note="no\nweights")])
    assert len(path.read_text().splitlines()) == 2
    assert rows.read(path)[0].note == "no weights"


def _append_one_by_one(path: Path, who: int) -> None:
    for i in range(10):
        rows.append(path, [row(f"{who}-{i}")])


def test_processes_that_append_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append_one_by_one, args=(path, who)) for who in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(rows.read(path)) == 30


def test_numbers_and_names_come_to_pandas_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows.write(path, [row("000000000012"), row("1e10", value=None)])
    for table in (rows.frame(rows.read(path)), rows.read_frame(path)):
        assert list(table["run_id"]) == ["000000000012", "1e10"]
        assert list(table["encoder"]) == ["none", "none"]
        assert table["value"].isna().tolist() == [False, True]
        assert list(table["note"]) == ["", ""]


def spoiled(path: Path, how: str) -> None:
    """A file that is no table of ours, though it may look like one."""
    rows.write(path, [row("a", note="größer")])
    text = path.read_text(encoding="utf-8")
    if how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "semicolons":
        path.write_text(text.replace(",", ";"), encoding="utf-8")
    else:
        path.write_bytes(text.encode(how))


@pytest.mark.parametrize(
    ("how", "said"),
    [("a folder", "is a folder"), ("semicolons", "';'"), ("latin-1", "is not UTF-8"), ("utf-16", "is not UTF-8")],
)
def test_a_table_that_cannot_be_used_is_found_before_anything_trains(tmp_path: Path, how: str, said: str) -> None:
    spoiled(tmp_path / "t.csv", how)
    with pytest.raises(ZooError, match=said):
        rows.check_writable(tmp_path / "t.csv")


def test_a_place_where_nothing_can_be_written_is_no_place_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ZooError, match="nothing can be written"):
        rows.check_writable(tmp_path / "file" / "t.csv")
    rows.check_writable(tmp_path / "new" / "folder" / "t.csv")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_table_is_found_before_anything_trains(tmp_path: Path) -> None:
    rows.write(tmp_path / "t.csv", [row()])
    (tmp_path / "t.csv").chmod(0o400)
    with pytest.raises(ZooError, match="cannot be read and written"):
        rows.check_writable(tmp_path / "t.csv")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_mark_before_utf_8_and_line_ends_of_others_are_read_everywhere(tmp_path: Path, newline: str) -> None:
    path, given = tmp_path / "t.csv", row("a", note="größer")
    rows.write(path, [given])
    path.write_bytes(path.read_text(encoding="utf-8").replace("\n", newline).encode("utf-8-sig"))
    rows.check_writable(path)
    assert rows.read(path) == [given]
    assert list(rows.read_frame(path)["note"]) == ["größer"]
    rows.append(path, [row("b", seed=1)])
    assert [one.run_id for one in rows.read(path)] == ["a", "b"]


def test_a_run_that_does_not_fit_a_table_is_told_when_it_is_appended(tmp_path: Path) -> None:
    def spec(lr: float, seed: int) -> dict[str, object]:
        return {"spec": {"train": {"lr": lr}, "seed": seed}}

    path = tmp_path / "t.csv"
    assert rows.append(path, [row("a")], {"a": spec(0.001, 0)}) == ""
    assert rows.append(path, [row("b", seed=1)], {"b": spec(0.001, 1)}) == ""
    told = rows.append(path, [row("c", seed=2)], {"c": spec(0.01, 2)})
    assert "c fits not all rows along encoder × cond: train.lr is 0.001 in 2 runs (a, b), 0.01 in run c" in told
    assert len(rows.read(path)) == 3
