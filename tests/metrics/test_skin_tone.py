"""The tone of skin, and scores by group of people."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from kornia.color import lab_to_rgb
from torch import Tensor

import zoo
from zoo.data._groups import group_reader
from zoo.errors import ZooError
from zoo.evaluation.scorer import by_group
from zoo.metrics import Score
from zoo.metrics.skin_tone import skin_mask, typology_angle


def skin(L: float = 65, a: float = 15, b: float = 20, side: int = 20) -> Tensor:
    """(1, 3, side, side) sRGB of one colour."""
    lab = torch.tensor([L, a, b])[None, :, None, None].expand(1, 3, side, side)
    return lab_to_rgb(lab.contiguous())


def scores(pred: Tensor, truth: Tensor) -> dict[str, Score]:
    metric = zoo.create_metric("skin_tone")
    metric.update(pred, truth)
    return {score.name: score for score in metric.compute()}


def test_the_typology_angle_is_the_published_formula() -> None:
    lab = torch.tensor([70.0, 10, 20])[None, :, None, None].expand(1, 3, 4, 4)
    everywhere = torch.ones(1, 4, 4, dtype=torch.bool)
    assert typology_angle(lab, everywhere).item() == pytest.approx(45)  # atan((70 − 50) / 20)
    assert typology_angle(lab - torch.tensor([40.0, 0, 0])[:, None, None], everywhere).item() == pytest.approx(-45)


def test_the_right_color_has_no_error() -> None:
    found = scores(skin(), skin())
    assert found["skin_tone_error"].value == 0
    assert found["skin_tone_bias"].value == 0


def test_skin_that_is_too_pale_has_a_positive_bias_and_skin_that_is_too_yellow_a_negative_one() -> None:
    pale, yellow = scores(skin(b=10), skin()), scores(skin(b=35), skin())
    expected = torch.rad2deg(torch.atan2(torch.tensor([15.0, 15.0]), torch.tensor([10.0, 20.0])))
    assert pale["skin_tone_bias"].value == pytest.approx((expected[0] - expected[1]).item(), abs=0.3)
    assert yellow["skin_tone_bias"].value is not None
    assert yellow["skin_tone_bias"].value < -5
    assert yellow["skin_tone_error"].value == pytest.approx(-yellow["skin_tone_bias"].value)


def test_only_skin_in_the_middle_of_the_truth_counts() -> None:
    truth = torch.zeros(1, 3, 20, 20) + torch.tensor([0.1, 0.3, 0.9])[:, None, None]  # a blue wall
    truth[:, :, 8:13, 8:13] = skin(side=5)
    truth[:, :, :2, :2] = skin(side=2)
    mask = skin_mask(zoo_lab(truth))
    assert mask[0, 8:13, 8:13].all()
    assert mask.sum() == 25
    pred = truth.clone()
    pred[:, :, :8] = 0.5
    assert scores(pred, truth)["skin_tone_error"].value == pytest.approx(0, abs=1e-4)


def zoo_lab(rgb: Tensor) -> Tensor:
    from kornia.color import rgb_to_lab

    return rgb_to_lab(rgb)


def test_an_image_without_skin_does_not_count_and_none_at_all_is_a_hole() -> None:
    grey = torch.full((1, 3, 20, 20), 0.5)
    found = scores(torch.cat([skin(b=30), grey]), torch.cat([skin(), grey]))["skin_tone_error"]
    assert found.note == "1 of 2 images have a value"
    assert found.per_image is not None
    assert found.per_image.isnan().tolist() == [False, True]
    assert found.value == found.per_image[0]
    assert scores(grey, grey)["skin_tone_error"].value is None


def test_scores_are_averaged_over_each_group() -> None:
    score = Score("skin_tone_error", 2.5, False, per_image=torch.tensor([1.0, 2.0, 3.0, 4.0, float("nan")]))
    found = by_group([score, Score("of the set", 1.0, None)], ["b", "a", "b", None, "b"])
    assert [(s.name, s.value, s.note) for s in found] == [
        ("skin_tone_error[a]", 2.0, "1 images"),
        ("skin_tone_error[b]", 2.0, "2 images"),
    ]


# where groups come from


def test_a_group_is_read_off_a_file_name() -> None:
    group = group_reader(r"^\d+_\d_(\d)_")
    assert group("test/26_1_3_2017.jpg") == "3"
    assert group("26_1_2017.jpg") is None  # a name that lacks the field


def test_a_group_is_read_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "groups.CSV").write_text("file,group,age\na.jpg,dark,3\ntest/b.jpg,light,4\nc.jpg,,5\n")
    group = group_reader(str(tmp_path / "groups.CSV"))
    assert [group(key) for key in ("test/a.jpg", "test/b.jpg", "c.jpg", "d.jpg")] == ["dark", "light", None, None]


@pytest.mark.parametrize(
    ("groups", "said"),
    [("missing.csv", "No such file"), ("(", "no regular expression"), ("[abc]", "one group"), ("(a)(b)", "one group")],
)
def test_unreadable_groups_are_one_clear_line(groups: str, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        group_reader(groups)


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("name,race\na,b\n")
    with pytest.raises(ZooError, match="columns file,group"):
        group_reader(str(tmp_path / "groups.csv"))
