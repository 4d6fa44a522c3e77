"""Where groups of people, and who is on a photo, come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.data._labels import Labels
from zoo.errors import ZooError

KINDS = [("group", "groups"), ("person", "people")]


def test_a_label_is_read_off_a_file_name() -> None:
    group = Labels(r"^\d+_\d_(\d)_", "group", "groups").of
    assert group("test/26_1_3_2017.jpg") == "3"
    assert group("26_1_2017.jpg") is None  # a name that lacks the field


def test_a_label_is_read_off_a_whole_path_where_folders_are_asked_for() -> None:
    expression = r"^test/(\w+)/"
    assert Labels(expression, "person", "people", path=True).of("test/ada/1.jpg") == "ada"
    assert Labels(expression, "person", "people").of("test/ada/1.jpg") is None


@pytest.mark.parametrize(("column", "option"), KINDS)
def test_a_label_is_read_from_a_table(tmp_path: Path, column: str, option: str) -> None:
    (tmp_path / "t.CSV").write_text(f"file,{column},age\na.jpg,dark,3\ntest/b.jpg,light,4\nc.jpg,,5\n")
    label = Labels(str(tmp_path / "t.CSV"), column, option).of
    assert [label(key) for key in ("test/a.jpg", "test/b.jpg", "c.jpg", "d.jpg")] == ["dark", "light", None, None]


@pytest.mark.parametrize(("column", "option"), KINDS)
@pytest.mark.parametrize(
    ("given", "said"),
    [("missing.csv", "No such file"), ("(", "no regular expression"), ("[abc]", "one group"), ("(a)(b)", "one group")],
)
def test_unreadable_labels_are_one_clear_line(column: str, option: str, given: str, said: str) -> None:
    with pytest.raises(ZooError, match=said) as told:
        Labels(given, column, option)
    assert str(told.value).startswith(f"{option}=")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("column", "option"), KINDS)
def test_a_table_of_other_columns_is_refused(tmp_path: Path, column: str, option: str) -> None:
    (tmp_path / "t.csv").write_text("name,race\na,b\n")
    with pytest.raises(ZooError, match=f"columns file,{column}"):
        Labels(str(tmp_path / "t.csv"), column, option)
