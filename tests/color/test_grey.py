from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zoo.color.grey import is_grey, stored_lightness
from zoo.color.lab import uint8_to_lab


def test_lightness_is_that_of_the_models_color_space() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    rgb[0, 0, :2] = [[0, 0, 0], [255, 255, 255]]
    L = uint8_to_lab(torch.from_numpy(rgb))[0].permute(0, 2, 3, 1).numpy()  # [-1, 1]
    assert np.abs((L + 1) * 127.5 - stored_lightness(rgb)).max() < 0.51


def test_jpegs_chroma_noise_is_grey_and_a_faint_tint_is_not(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (50, 50), np.uint8)
    Image.fromarray(values).convert("RGB").save(tmp_path / "grey.jpg", quality=30)
    assert is_grey(np.asarray(Image.open(tmp_path / "grey.jpg").convert("RGB")))
    assert not is_grey(np.full((50, 50, 3), (140, 128, 120), np.uint8))
