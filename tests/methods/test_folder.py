"""What other systems left in a folder is found by name, checked, and scored as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.outputs import outputs_of, painted
from zoo.cache.images import View, open_images
from zoo.data import Dataset
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.evaluation.evaluate import EvalConfig, evaluate
from zoo.methods import Materials, Method
from zoo.methods._outputs import find_outputs
from zoo.methods.folder import FolderMethod
from zoo.methods.grey import GreyMethod
from zoo.methods.truth import TruthMethod
from zoo.metrics.ciede2000 import CIEDE2000
from zoo.metrics.lightness_shift import LightnessShift
from zoo.metrics.psnr import PSNR

SIDE = 16


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return painted(4)


def materials(dataset: Dataset, folder: Path) -> Materials:
    scored = open_images(dataset, "test", View(SIDE), folder / "cache", drop_grey=False)
    return Materials(None, SamplerConfig(), 4, None, scored, dataset, folder / "cache")


def scores(method: Method, dataset: Dataset, folder: Path) -> dict[str, Any]:
    metrics = [PSNR(), CIEDE2000(), LightnessShift()]
    given: dict[str, Any] = {"image_size": SIDE, "cache_dir": folder / "cache"}
    found = evaluate(method, dataset, metrics, EvalConfig(grid=1, samples=1), **given)
    return {score.name: score.value for score in found.scores}


def of_folder(dataset: Dataset, folder: Path, root: Path, **options: Any) -> dict[str, Any]:
    return scores(FolderMethod.of(materials(dataset, folder), root, **options), dataset, folder)


def written(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_outputs_that_are_the_photos_score_as_the_truth_does(dataset: Dataset, tmp_path: Path) -> None:
    root = outputs_of(dataset, tmp_path / "out")
    assert of_folder(dataset, tmp_path, root) == pytest.approx(scores(TruthMethod(1), dataset, tmp_path), abs=1e-3)


def test_outputs_without_colour_score_as_grey_does(dataset: Dataset, tmp_path: Path) -> None:
    from zoo.color.lab import lab_to_rgb, uint8_to_lab

    def grey(picture: np.ndarray) -> np.ndarray:
        import torch

        L, ab = uint8_to_lab(torch.from_numpy(picture[None]))
        return (lab_to_rgb(L, 0 * ab)[0] * 255).round().byte().permute(1, 2, 0).numpy()

    found = of_folder(dataset, tmp_path, outputs_of(dataset, tmp_path / "out", grey))
    expected = scores(GreyMethod(), dataset, tmp_path)
    assert found["psnr"] == pytest.approx(expected["psnr"], abs=0.1)
    assert found["ciede2000"] == pytest.approx(expected["ciede2000"], rel=0.02)


def test_lightness_is_that_of_the_outputs_and_its_shift_is_a_score(dataset: Dataset, tmp_path: Path) -> None:
    darker = outputs_of(dataset, tmp_path / "out", lambda picture: (picture * 0.8).astype(np.uint8))
    found = of_folder(dataset, tmp_path, darker)
    as_photos = of_folder(dataset, tmp_path, outputs_of(dataset, tmp_path / "same"))
    assert as_photos["lightness_shift"] < 0.1
    assert 5 < found["lightness_shift"] < 20
    assert found["psnr"] < as_photos["psnr"] - 10


def test_a_shift_of_lightness_is_in_units_of_l_star() -> None:
    import torch

    from zoo.color.lab import lab_to_rgb

    L, ab = torch.zeros(2, 1, 4, 4), torch.zeros(2, 2, 4, 4)
    metric = LightnessShift()
    metric.update(lab_to_rgb(L + 0.1, ab), lab_to_rgb(L, ab))  # L* of 55 and 50
    (score,) = metric.compute()
    assert score.value == pytest.approx(5, abs=1e-3)


def test_outputs_are_resampled_as_photos_are(dataset: Dataset, tmp_path: Path) -> None:
    wide = outputs_of(dataset, tmp_path / "out", lambda picture: np.pad(picture, ((0, 0), (6, 6), (0, 0))))
    method = FolderMethod.of(materials(dataset, tmp_path), wide)
    assert isinstance(method, FolderMethod)
    found, truth = method.images.images, materials(dataset, tmp_path).scored.images
    np.testing.assert_array_equal(found, truth)  # 32 pixels, of which the middle square is seen at 16


@pytest.mark.parametrize("side", [16, 24, 32, 64])
def test_outputs_may_have_the_size_at_which_they_are_scored_or_more(
    side: int, dataset: Dataset, tmp_path: Path
) -> None:
    def resized(picture: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))

    found = of_folder(dataset, tmp_path, outputs_of(dataset, tmp_path / "out", resized))
    assert found["psnr"] > 25


def test_an_output_that_would_be_enlarged_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    root = outputs_of(dataset, tmp_path / "out", lambda picture: picture[:15, :15])
    with pytest.raises(ZooError, match=r"a side of 15 pixels, its photo one of 32; expected .* at least the 16"):
        of_folder(dataset, tmp_path, root)


def test_an_output_that_cannot_be_read_is_named(dataset: Dataset, tmp_path: Path) -> None:
    root = outputs_of(dataset, tmp_path / "out")
    broken = sorted(root.rglob("*.png"))[1]
    broken.write_bytes(b"no picture")
    with pytest.raises(ZooError, match=f"output {broken} cannot be used"):
        of_folder(dataset, tmp_path, root)


def test_what_outputs_are_is_their_pixels_and_neither_path_nor_kind_of_file(dataset: Dataset, tmp_path: Path) -> None:
    def contents(root: Path) -> dict[str, str]:
        return FolderMethod.contents(materials(dataset, tmp_path), root=root)

    first = contents(outputs_of(dataset, tmp_path / "out"))
    assert contents(outputs_of(dataset, tmp_path / "elsewhere", suffix=".tif")) == first
    root = outputs_of(dataset, tmp_path / "other", lambda picture: picture // 2 * 2)
    assert contents(root) != first


def test_outputs_that_change_are_read_anew(dataset: Dataset, tmp_path: Path) -> None:
    root = outputs_of(dataset, tmp_path / "out")
    before = of_folder(dataset, tmp_path, root)
    outputs_of(dataset, root, lambda picture: 255 - picture)
    assert of_folder(dataset, tmp_path, root)["psnr"] < before["psnr"] - 10


def test_outputs_of_other_photos_are_told_by_their_lightness(dataset: Dataset, tmp_path: Path) -> None:
    root = outputs_of(dataset, tmp_path / "out")
    files = sorted(root.rglob("*.png"))
    Image.fromarray(255 - np.asarray(Image.open(files[2]))).save(files[2])
    named = dataset.keys("test")[2]
    with pytest.warns(UserWarning, match=f"outputs of 1 photos differ .* by more than 10 of 100.*: {named}"):
        FolderMethod.contents(materials(dataset, tmp_path), root=root)


@pytest.mark.parametrize("label", ["", "a" * 41, "a,b", "a(b)", "two\nlines", " x"])
def test_a_label_that_no_table_can_hold_is_refused(label: str, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="expected up to 40 letters"):
        of_folder(dataset, tmp_path, outputs_of(dataset, tmp_path / "out"), label=label)


def test_the_suffix_is_of_no_concern_and_a_name_may_have_dots(tmp_path: Path) -> None:
    root = written(tmp_path, "a/anna.1.png", "a/bert.PNG")
    assert find_outputs(root, ["a/anna.1.jpg", "a/bert.webp"]) == {
        "a/anna.1.jpg": "a/anna.1.png",
        "a/bert.webp": "a/bert.PNG",
    }


def test_a_name_in_another_folder_will_do_where_only_one_photo_has_it(tmp_path: Path) -> None:
    root = written(tmp_path, "flat/anna.png")
    assert find_outputs(root, ["test/anna.jpg"]) == {"test/anna.jpg": "flat/anna.png"}
    with pytest.raises(ZooError, match=r"2 photos of 2 without an output: one/anna\.jpg, two/anna\.jpg"):
        find_outputs(root, ["one/anna.jpg", "two/anna.jpg"])
    with pytest.raises(ZooError, match="1 photo of 1 without an output"):  # it is another's
        find_outputs(written(tmp_path / "b", "train/anna.png"), ["test/anna.jpg"], ["train/anna.jpg"])


def test_all_that_is_missing_is_counted_and_some_of_it_named(tmp_path: Path) -> None:
    keys = [f"{i}.jpg" for i in range(9)]
    with pytest.raises(ZooError, match=r"8 photos of 9 without an output: 1\.jpg, .*, 5\.jpg and 3 more$"):
        find_outputs(written(tmp_path, "0.png"), keys)


def test_what_is_missing_is_told_with_what_may_be_misnamed(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"1 photo of 1 without an output: a\.jpg; 1 output of no photo: a-1\.png$"):
        find_outputs(written(tmp_path, "a-1.png"), ["a.jpg"])


def test_photos_that_differ_by_their_suffix_have_outputs_of_their_own(tmp_path: Path) -> None:
    photos = ["a.jpg", "a.png"]
    with pytest.raises(ZooError, match=r"2 photos that share an output: a\.jpg, a\.png$"):
        find_outputs(written(tmp_path / "one", "a.webp"), photos)
    own = {name: name for name in photos}
    assert find_outputs(written(tmp_path / "two", *photos), photos) == own


def test_two_outputs_of_one_photo_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"1 photo with several outputs: a\.jpg \(a\.png and a\.webp\)"):
        find_outputs(written(tmp_path, "a.png", "a.webp"), ["a.jpg"])


def test_what_colours_no_photo_is_named_and_what_colours_one_that_is_not_asked_for_is_not(tmp_path: Path) -> None:
    root = written(tmp_path, "a.png", "b.png", "c.png", "notes.txt")
    with pytest.warns(UserWarning, match=r"1 output of no photo: c\.png$"):
        find_outputs(root, ["a.jpg"], ["b.jpg"])


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="is not a folder"):
        find_outputs(tmp_path / "nowhere", ["a.jpg"])


def test_names_are_compared_composed(tmp_path: Path) -> None:
    root = written(tmp_path, "Zoe\u0308.png")
    assert find_outputs(root, ["Zo\u00eb.jpg"]) == {"Zo\u00eb.jpg": "Zoe\u0308.png"}


def test_other_photos_of_another_size_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    method = FolderMethod.of(materials(dataset, tmp_path), outputs_of(dataset, tmp_path / "out"))
    with pytest.raises(ZooError, match="of other photos, or of another size"):
        scores(method, painted(2), tmp_path)
