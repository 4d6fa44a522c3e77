"""ArcFace: face recognition networks of insightface, or any such .onnx file (Deng et al. 2019), as torch modules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from zoo.encoders._grey import grey_to_srgb, square, unit_tokens
from zoo.encoders._random import Adapting
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE
from zoo.features import FeatureLevel, Features, FeatureSpec
from zoo.registry import encoders
from zoo.weights import WeightsRecord, local_file, resolve, sha256_file

_RELEASE = "https://github.com/deepinsight/insightface/releases/download/model-zoo/"
_LICENSE = "insightface: non-commercial research"
RECORDS = {
    "buffalo_l": WeightsRecord(
        name="ArcFace (buffalo_l: ResNet50, WebFace600K)",
        filename="buffalo_l/w600k_r50.onnx",
        url=_RELEASE + "buffalo_l.zip",
        sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
        license=_LICENSE,
        megabytes=276,
        cache="insightface",
    ),
    "buffalo_s": WeightsRecord(
        name="ArcFace (buffalo_s: MobileFaceNet, WebFace600K)",
        filename="buffalo_s/w600k_mbf.onnx",
        url=_RELEASE + "buffalo_s.zip",
        sha256="9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
        license=_LICENSE,
        megabytes=122,
        cache="insightface",
    ),
}

INPUT_SIZE = 112


@encoders.register("arcface")
class ArcFace(Adapting):
    """Maps of the network's stages, and the embedding as one token of length √D.

    A stride's map is the last residual sum at that resolution, where a stage ends; without one, the last node there.
    Channels and D are read off the graph: the file is the only place that knows its architecture.

    Args:
        weights: an insightface pack, ``"buffalo_l"`` or ``"buffalo_s"``, or the path of an ArcFace ``.onnx``.
        pretrained: False: the same architecture with random weights. The file still says what that is.
        adapted: random and frozen, its batch normalisations have the statistics of training photos.
        frozen: no training. Unfrozen, all trains but the PReLU slopes.
        strides: which maps to give.

    Raises:
        WeightsNotFoundError: the file cannot be had.
        ZooError: the file is no face recogniser with a 112×112 input, or has no map at a stride.
    """

    frame = WHOLE

    def __init__(
        self,
        *,
        weights: str = "buffalo_l",
        pretrained: bool = True,
        adapted: bool = True,
        frozen: bool = True,
        strides: Sequence[int] = (4, 8, 16),
    ) -> None:
        path = _find(weights)
        net, mean, std = _read(path)
        try:
            levels, token_dim = _tap(net, tuple(sorted(strides)))
        except ZooError as error:
            raise ZooError(f"weights={path}: {error}") from error
        super().__init__(FeatureSpec(levels, token_dim, INPUT_SIZE), frozen=frozen)
        self.net, self.mean, self.std = net, mean, std
        self.adapts = adapted and frozen and not pretrained
        if pretrained:
            self.weights_sha = sha256_file(path)
            self.license = RECORDS[weights].license if weights in RECORDS else "of the file"
        else:
            _randomise(net)
        self.freeze()

    def forward(self, L: Tensor) -> Features:
        *maps, embedding = self._run(grey_to_srgb(square(L, INPUT_SIZE)).expand(-1, 3, -1, -1))
        return Features(tuple(maps), unit_tokens(embedding))

    def embed_rgb(self, rgb: Tensor) -> Tensor:
        """Embeddings (N, D), of any length, of sRGB (N, 3, 112, 112) in [0, 1]: for metrics, which see colour."""
        return self._run(rgb)[-1]

    def _run(self, rgb: Tensor) -> list[Tensor]:
        return list(self.net((255 * rgb - self.mean) / self.std))


def _find(weights: str) -> Path:
    if weights in RECORDS:
        return resolve(RECORDS[weights])
    if weights.endswith(".onnx"):
        return local_file(weights)
    raise ZooError(f"weights={weights}: expected {', '.join(RECORDS)}, or the path of an ArcFace .onnx")


def _read(path: Path) -> tuple[fx.GraphModule, float, float]:
    """The graph as a torch module, and the mean and standard deviation that it expects its 0..255 input to have lost.

    insightface's own rule: a graph that subtracts and scales among its first 8 nodes takes 0..255, any other
    (x − 127.5)/127.5. Nodes that only hold constants do not count.
    """
    import onnx
    from onnx2torch import convert

    try:
        graph = onnx.load(path)
        steps = [node.op_type for node in graph.graph.node if node.op_type not in {"Constant", "Identity"}]
        net = convert(graph)
    except Exception as error:  # protobuf's, onnx's and onnx2torch's errors have no common type
        raise ZooError(f"weights={path}: cannot be read as an ONNX network ({error})".splitlines()[0]) from error
    scales = "Sub" in steps[:8] and bool({"Mul", "Div"} & set(steps[:8]))
    return (net, 0.0, 1.0) if scales else (net, 127.5, 127.5)


def _tap(net: fx.GraphModule, strides: tuple[int, ...]) -> tuple[tuple[FeatureLevel, ...], int]:
    """Make ``net`` return (\\*maps, embedding); the levels of the maps and the width of the embedding."""
    shapes = _shapes(net)
    output = next(node for node in net.graph.nodes if node.op == "output")
    embedding = output.args[0]
    if not isinstance(embedding, fx.Node) or len(shapes[embedding]) != 2 or shapes[embedding][0] != 2:
        raise ZooError("not a face recogniser: expected one embedding (N, D) for any number N of images")
    taps = [_stage_end(shapes, -(-INPUT_SIZE // stride)) for stride in strides]
    if None in taps:
        raise ZooError(f"has no map at stride {strides[taps.index(None)]}")
    output.args = ((*taps, embedding),)
    net.graph.eliminate_dead_code()
    net.recompile()
    levels = tuple(FeatureLevel(shapes[tap][1], stride) for tap, stride in zip(taps, strides, strict=True) if tap)
    return levels, shapes[embedding][1]


def _shapes(net: fx.GraphModule) -> dict[fx.Node, tuple[int, ...]]:
    """What each node gives for two images, in order: two, because a graph may have been exported for one only."""

    class Record(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            if isinstance(value, Tensor) and n.op not in {"get_attr", "output"}:
                shapes[n] = tuple(value.shape)
            return value

    shapes: dict[fx.Node, tuple[int, ...]] = {}
    try:
        with torch.no_grad():
            Record(net.eval()).run(torch.zeros(2, 3, INPUT_SIZE, INPUT_SIZE))
    except RuntimeError as error:
        raise ZooError("not a face recogniser: it cannot take two RGB images of 112×112") from error
    return shapes


def _stage_end(shapes: dict[fx.Node, tuple[int, ...]], side: int) -> fx.Node | None:
    here = [node for node, shape in shapes.items() if len(shape) == 4 and shape[-2:] == (side, side)]
    sums = [node for node in here if [shapes.get(parent) for parent in node.all_input_nodes] == [shapes[node]] * 2]
    found = sums or here
    return found[-1] if found else None


def _randomise(net: fx.GraphModule) -> None:
    """Fresh weights as torch would draw them, and PReLU slopes, which the converter keeps as buffers, at its 0.25."""
    for module in net.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
    for node in net.graph.nodes:
        if node.op == "call_module" and type(net.get_submodule(node.target)).__name__ == "OnnxPReLU":
            slope = node.args[1]
            while slope.op != "get_attr":  # exporters let equal tensors share one through Identity nodes
                slope = slope.args[0]
            net.get_buffer(slope.target).fill_(0.25)
