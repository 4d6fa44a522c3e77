"""FaceNet: InceptionResnetV1 of facenet-pytorch, trained to tell people apart (Schroff et al. 2015, Sandberg 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from zoo.encoders import drawn
from zoo.encoders._grey import grey_to_srgb, square, unit_tokens
from zoo.encoders._random import Adapting
from zoo.errors import ZooError
from zoo.faces.framing import Box, crop
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders
from zoo.weights import WeightsRecord, fill, local_file, read_state_dict, resolve, sha256_file

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
RECORDS = {
    "vggface2": WeightsRecord(
        name="FaceNet (VGGFace2)",
        filename="20180402-114759-vggface2.pt",
        url=_RELEASE + "20180402-114759-vggface2.pt",
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        license="MIT (network); VGGFace2: research",
        megabytes=107,
        cache="facenet",
    ),
    "casia-webface": WeightsRecord(
        name="FaceNet (CASIA-WebFace)",
        filename="20180408-102900-casia-webface.pt",
        url=_RELEASE + "20180408-102900-casia-webface.pt",
        sha256="",
        license="MIT (network); CASIA-WebFace: research",
        megabytes=111,
        cache="facenet",
    ),
}

INPUT_SIZE = 160
CHANNELS = {8: 256, 16: 896, 32: 1792}  # of the three residual stages, by stride
EMBEDDING = 512

# Nothing is padded on the way to a stage's output, so its cells do not tile the input: they lie `stride` apart, and
# cover this square of it. (First centre, cells): (13.5, 17), (21.5, 8), (37.5, 3) in pixels of 160.
_CELLS = {8: (13.5, 17), 16: (21.5, 8), 32: (37.5, 3)}
COVERED = {
    stride: Box((first - stride / 2) / INPUT_SIZE, (first - stride / 2) / INPUT_SIZE, cells * stride / INPUT_SIZE)
    for stride, (first, cells) in _CELLS.items()
}


@encoders.register("facenet")
class FaceNet(Adapting):
    """Maps of the three stages, and the embedding as one token of length √512.

    Every stage's map is resampled so that cell i of stride s is centred at s/2 + s·i, as its spec says.

    Args:
        weights: ``"vggface2"``, ``"casia-webface"``, or the path of a state dict of facenet-pytorch's layout.
        pretrained: False: random weights, and no file is needed.
        adapted: random and frozen, its batch normalisations have the statistics of training photos.
        frozen: no training.
        strides: which maps to give, out of 8, 16, 32.

    Raises:
        WeightsNotFoundError: the weights cannot be had.
        ZooError: a stride that there is not, or a file of other weights.
    """

    # FaceNet saw MTCNN's box and a margin: 44 of 182 pixels, cut to 160, so 160/138 of the box. Medians over 82
    # UTKFace crops (padded black, as MTCNN cannot look outside) of that square in the template's, which is fitted to
    # MTCNN's five landmarks: x0 .026, y0 .129, side .931; one full portrait (skimage's astronaut): .020, .124, .937.
    frame = Box(0.03, 0.13, 0.93)

    def __init__(
        self,
        *,
        weights: str = "vggface2",
        pretrained: bool = True,
        adapted: bool = True,
        frozen: bool = True,
        strides: Sequence[int] = (8, 16, 32),
    ) -> None:
        unknown = [stride for stride in strides if stride not in CHANNELS]
        if unknown:
            raise ZooError(f"encoder facenet has maps at strides {list(CHANNELS)}, not {unknown}")
        levels = tuple(FeatureLevel(CHANNELS[stride], stride) for stride in sorted(strides))
        super().__init__(FeatureSpec(levels, EMBEDDING, INPUT_SIZE), frozen=frozen)
        self.net = _network()
        self.adapts = adapted and frozen and not pretrained
        if pretrained:
            self._load(weights)
        self.freeze()

    @classmethod
    def in_use(cls, options: dict[str, Any]) -> dict[str, Any]:
        return super().in_use(drawn(options))

    def forward(self, L: Tensor) -> Features:
        maps, embedding = self._run(grey_to_srgb(square(L, INPUT_SIZE)).expand(-1, 3, -1, -1))
        levels = tuple(_even(maps[level.stride], level.stride) for level in self.spec.levels)
        return Features(levels, unit_tokens(embedding))

    def embed_rgb(self, rgb: Tensor) -> Tensor:
        """Embeddings (N, 512), of any length, of sRGB (N, 3, 160, 160) in [0, 1]: for metrics, which see colour."""
        return self._run(rgb)[1]

    def _run(self, rgb: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        """The last map of each stride, and the embedding (N, 512)."""
        x = (255 * rgb - 127.5) / 128
        net, maps = self.net, {}
        x = net.conv2d_2b(net.conv2d_2a(net.conv2d_1a(x)))
        x = net.conv2d_4b(net.conv2d_4a(net.conv2d_3b(net.maxpool_3a(x))))
        maps[8] = x = net.repeat_1(x)  # (N, 256, 17, 17)
        maps[16] = x = net.repeat_2(net.mixed_6a(x))  # (N, 896, 8, 8)
        maps[32] = x = net.block8(net.repeat_3(net.mixed_7a(x)))  # (N, 1792, 3, 3)
        x = net.dropout(net.avgpool_1a(x)).flatten(1)
        return maps, net.last_bn(net.last_linear(x))

    def _load(self, weights: str) -> None:
        if weights in RECORDS:
            path = resolve(RECORDS[weights])
            self.license = RECORDS[weights].license
        elif weights.endswith((".pt", ".pth", ".safetensors")):
            path = local_file(weights)
            self.license = "of the file"
        else:
            raise ZooError(f"weights={weights}: expected {', '.join(RECORDS)}, or a path (.pt, .safetensors)")
        state = {k: v for k, v in read_state_dict(path).items() if not k.startswith("logits.")}
        fill(self.net, state, f"FaceNet (InceptionResnetV1), in {path}")
        self.weights_sha = sha256_file(path)


def _network() -> Any:
    from facenet_pytorch import InceptionResnetV1

    return InceptionResnetV1(pretrained=None, classify=False)


def _even(x: Tensor, stride: int) -> Tensor:
    """A stage's map on the cells that tile the input: (N, C, 160/stride, 160/stride); its edge is repeated."""
    return crop(x, COVERED[stride].inverse(), INPUT_SIZE // stride)
