"""Features on disk: what the encoder would have given, each image and mirror image encoded once."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.cache.features import FeatureCache, open_features
from zoo.cache.images import ImageCache, View, open_images
from zoo.encoders import Encoder
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, uncrop
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import datasets

N, SIZE = 7, 32
INDICES = np.array([5, 0, 3, 5])
FLIPPED = np.array([False, True, True, True])


class Strided(Encoder):
    """Two maps and three tokens from fixed random weights; counts the images it sees."""

    def __init__(self, *, gain: float = 1.0, maps: bool = True, tokens: bool = True) -> None:
        levels = (FeatureLevel(3, 4), FeatureLevel(5, 16)) if maps else ()
        super().__init__(FeatureSpec(levels, token_dim=8 if tokens else None), frozen=True)
        generator = torch.Generator().manual_seed(0)
        self.fine, self.coarse = nn.Conv2d(1, 3, 4, 4), nn.Conv2d(1, 5, 16, 16)
        for parameter in self.parameters():
            parameter.data.normal_(generator=generator).mul_(gain / 4)
        self.seen = 0
        self.weights_sha = "f" * 64
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        self.seen += len(L)
        assert L.shape[1] == 1
        assert L.abs().max() <= 1
        maps = (self.fine(L), self.coarse(L))
        tokens = L.flatten(1)[:, :24].reshape(-1, 3, 8)
        return Features(maps if self.spec.levels else (), tokens if self.spec.token_dim else None)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> ImageCache:
    faces = datasets.create("synthetic", n_train=N, size=48)
    view = View(SIZE, Box(0.1, 0.05, 0.8), grey=True)
    return open_images(faces, "train", view, tmp_path_factory.mktemp("images"), drop_grey=True)


def open_cache(encoder: Encoder, views: ImageCache, folder: Path, **options: object) -> FeatureCache:
    cache = open_features(encoder, views, views.view.box, folder, **{**DEFAULTS, **options})  # type: ignore[arg-type]
    assert cache is not None
    return cache


DEFAULTS = {"identity": "strided", "max_gb": 1.0, "device": "cpu", "batch_size": 3}


@pytest.mark.parametrize("parts", [{}, {"maps": False}, {"tokens": False}])
def test_a_batch_is_what_the_encoder_gives_put_back_on_the_image(
    views: ImageCache, tmp_path: Path, parts: dict[str, bool]
) -> None:
    encoder = Strided(**parts)
    cached = open_cache(encoder, views, tmp_path).batch(INDICES, FLIPPED)
    L = torch.from_numpy(views.batch(INDICES)).permute(0, 3, 1, 2) / 127.5 - 1
    mirrored = torch.from_numpy(FLIPPED)
    L[mirrored] = L[mirrored].flip(3)
    box = views.view.box
    boxes = torch.tensor([box.flipped() if flip else box for flip in FLIPPED])
    direct = encoder(L)
    assert (cached.tokens is None) == (direct.tokens is None)
    expected = [*uncrop(direct.maps, boxes), *([] if direct.tokens is None else [direct.tokens])]
    found = [*cached.maps, *([] if cached.tokens is None else [cached.tokens])]
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert (a.dtype, a.shape, a.is_contiguous()) == (torch.float32, b.shape, True)
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)  # float16


def test_each_image_and_mirror_image_is_encoded_once_ever(views: ImageCache, tmp_path: Path) -> None:
    encoder = Strided()
    cache = open_cache(encoder, views, tmp_path)
    assert encoder.seen == 2 * N
    assert len(cache) == N
    open_cache(encoder, views, tmp_path).batch(INDICES, FLIPPED)
    assert encoder.seen == 2 * N


def test_without_flips_half_is_computed_and_mirrors_are_refused(views: ImageCache, tmp_path: Path) -> None:
    encoder = Strided()
    cache = open_cache(encoder, views, tmp_path, flips=False)
    assert (encoder.seen, len(cache)) == (N, N)
    cache.batch(INDICES, np.zeros(4, bool))
    with pytest.raises(ValueError, match="flips=True"):
        cache.batch(INDICES, FLIPPED)


def test_other_weights_versions_options_and_boxes_have_their_own_cache(views: ImageCache, tmp_path: Path) -> None:
    def build(encoder: Strided, box: Box = WHOLE, identity: str = "strided") -> int:
        open_features(encoder, views, box, tmp_path, **{**DEFAULTS, "identity": identity})  # type: ignore[arg-type]
        return encoder.seen

    other_weights, newer = Strided(), Strided()
    other_weights.weights_sha, newer.version = "0" * 64, 2
    assert build(Strided()) == 2 * N
    assert build(Strided()) == 0
    assert [build(other_weights), build(newer), build(Strided(), Box(0, 0, 0.5))] == [2 * N] * 3
    assert build(Strided(), identity="strided(other)") == 2 * N


def test_color_views_give_the_encoder_their_lightness(tmp_path: Path) -> None:
    faces = datasets.create("synthetic", n_train=2, size=SIZE)
    features = []
    for grey in (False, True):
        images = open_images(faces, "train", View(SIZE, grey=grey), tmp_path, drop_grey=True)
        features.append(open_cache(Strided(), images, tmp_path).batch(np.arange(2), np.zeros(2, bool)))
    torch.testing.assert_close(features[0].maps[0], features[1].maps[0], rtol=0, atol=0.02)


def test_features_that_would_not_fit_give_none_and_name_the_option(views: ImageCache, tmp_path: Path) -> None:
    encoder = Strided()
    with pytest.warns(UserWarning, match=r"would take 6.61e-06 GB, but feature_cache_gb=1e-06"):
        assert open_features(encoder, views, WHOLE, tmp_path, **{**DEFAULTS, "max_gb": 1e-6}) is None  # type: ignore[arg-type]
    assert encoder.seen <= 2 * 3  # no more than a batch to learn the size
    assert not list(tmp_path.iterdir())


def test_a_limit_of_zero_turns_the_cache_off_without_a_word(views: ImageCache, tmp_path: Path) -> None:
    encoder = Strided()
    assert open_features(encoder, views, WHOLE, tmp_path, **{**DEFAULTS, "max_gb": 0}) is None  # type: ignore[arg-type]
    assert encoder.seen == 0


def test_a_limit_of_zero_reads_no_cache_that_is_there(views: ImageCache, tmp_path: Path) -> None:
    assert open_features(Strided(), views, WHOLE, tmp_path, **DEFAULTS) is not None  # type: ignore[arg-type]
    assert open_features(Strided(), views, WHOLE, tmp_path, **{**DEFAULTS, "max_gb": 0}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("gain", [1e6, float("nan")])
def test_features_beyond_float16_are_refused(views: ImageCache, tmp_path: Path, gain: float) -> None:
    with pytest.raises(ZooError, match=r"float16.*set feature_cache_gb=0"):
        open_cache(Strided(gain=gain), views, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_build_that_dies_leaves_nothing(views: ImageCache, tmp_path: Path) -> None:
    class Dying(Strided):
        def forward(self, L: Tensor) -> Features:
            if self.seen > 6:
                raise KeyboardInterrupt
            return super().forward(L)

    with pytest.raises(KeyboardInterrupt):
        open_cache(Dying(), views, tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(open_cache(Strided(), views, tmp_path)) == N


def test_progress_counts_batches_and_sizes_are_told(views: ImageCache, tmp_path: Path) -> None:
    totals: list[int] = []

    def progress(items: object, total: int, what: str) -> object:
        totals.append(total)
        return items

    cache = open_cache(Strided(), views, tmp_path, progress=progress)
    assert totals == [3]
    assert cache.row_bytes == 2 * (3 * 8 * 8 + 5 * 2 * 2 + 3 * 8)
    assert 0 < cache.nbytes - 2 * N * cache.row_bytes < 500


class _Alike(Strided):
    def forward(self, L: Tensor) -> Features:
        maps, tokens = super().forward(L)
        assert tokens is not None
        return Features((1e-4 * maps[0], maps[1]), 1 + 1e-4 * tokens.softmax(-1))


def test_an_encoder_to_whom_all_photos_are_alike_is_told_of_once(views: ImageCache, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"hardly depends on the photo \(map of 3×8×8: .*, tokens: .*; 1 is"):
        open_cache(_Alike(), views, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_cache(_Alike(), views, tmp_path)
        open_cache(Strided(), views, tmp_path / "others")
