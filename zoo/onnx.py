"""A trained model as two ONNX graphs and a JSON file, for runtimes other than PyTorch; and run again.

encoder.onnx    L (N, 1, H, W), view (N, 1, S, S), box (N, 3) → context and null context, once per image
denoiser.onnx   x (N, 2, H/r, W/r), L (N, 1, H, W), t (N), context → prediction (N, 2, H/r, W/r), once per step; of a
                model that is told colours also hints (N, 3, H/r, W/r): normalised ab and a mask, 0 where none is told
model.json      the spec, the chroma's statistics, and how an image must be framed

``view`` is what the encoder looks at (for an encoder without a view of its own: L again) and ``box`` where it lies in
the image, as x0, y0, side in fractions of it. N, H and W are free; H and W are multiples of the coarsest stride.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from zoo import onnx_description as description
from zoo.denoisers import stages
from zoo.diffusion.chroma import ChromaSampler, Predict
from zoo.diffusion.hints import CHANNELS, Known
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import Callback, SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box, uncrop
from zoo.features import Features, FeatureSpec
from zoo.files import replacing
from zoo.model import ColorDiffusion
from zoo.tensor_file import FORMAT, FORMAT_VERSION

ENCODER, DENOISER, SPEC = "encoder.onnx", "denoiser.onnx", "model.json"
OPSET = 17


def export_onnx(model: ColorDiffusion, folder: Path) -> list[Path]:
    """Write ``model`` into ``folder``, which is made if it is missing.

    Returns:
        The files; without an encoder.onnx where the conditioner uses no features (``cond=none``).

    Raises:
        ZooError: an operation of the encoder or conditioner has no ONNX form; the text names it.
    """
    model = model.cpu().eval()
    coarsest = stages(model.spec["denoiser"])[-1].stride
    side = max(model.image_size, 2 * coarsest)
    view_side = model.encoder.spec.input_size or side
    L, view = torch.rand(2, 1, side, side) * 2 - 1, torch.rand(2, 1, view_side, view_side) * 2 - 1
    box = torch.tensor([[-0.1, -0.2, 1.2]]).expand(2, 3).contiguous()
    scale = model.denoiser.chroma_scale
    encoder, denoiser = _EncoderGraph(model).eval(), _DenoiserGraph(model).eval()
    with torch.no_grad():
        out = encoder(L, view, box)
    n = len(out) // 2
    context = [f"context_{i}" for i in range(n)]
    outputs = context + [f"null_{i}" for i in range(n)]
    batch, image, chroma = {0: "N"}, {0: "N", 2: "H", 3: "W"}, {0: "N", 2: "h", 3: "w"}
    axes = {name: _free_axes(name, x) for name, x in zip(outputs, out, strict=True)}
    folder.mkdir(parents=True, exist_ok=True)
    if n:
        inputs = {"L": image, "view": {0: "N", 2: "S", 3: "T"}, "box": batch}
        _write(encoder, (L, view, box), folder / ENCODER, inputs, {name: axes[name] for name in outputs})
    x, hints = torch.randn(2, 2, side // scale, side // scale), torch.rand(2, CHANNELS, side // scale, side // scale)
    told = {"hints": chroma} if model.hints else {}
    inputs = {"x": chroma, "L": image, "t": batch, **told, **{name: axes[name] for name in context}}
    arguments = (x, L, torch.tensor([0.3, 0.7]), *((hints,) if told else ()), *out[:n])
    _write(denoiser, arguments, folder / DENOISER, inputs, {"prediction": chroma})
    with replacing(folder / SPEC) as temporary:
        temporary.write_text(json.dumps(_description(model, coarsest), indent=2) + "\n", encoding="utf-8")
    return [folder / name for name in (ENCODER, DENOISER, SPEC) if n or name != ENCODER]


def _free_axes(name: str, x: Tensor) -> dict[int, str]:
    """A context tensor is a batch of maps, of tokens or of vectors: all but its channels may have any size. Sizes that
    differ must not share a name: onnxruntime takes them to be equal."""
    sizes = {2: {}, 3: {1: f"{name}_tokens"}, 4: {2: f"{name}_rows", 3: f"{name}_columns"}}
    return {0: "N", **sizes[x.dim()]}


def _write(
    graph: nn.Module,
    arguments: tuple[Tensor, ...],
    path: Path,
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
) -> None:
    """One graph with the named inputs and outputs and their free axes."""
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the tracer takes for constants: sizes are checked by those who call
        try:
            torch.onnx.export(
                graph,
                arguments,
                temporary,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=inputs | outputs,
                opset_version=OPSET,
                dynamo=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            raise ZooError(f"{path.name} cannot be made: {str(error).splitlines()[0]}") from error


def _description(model: ColorDiffusion, coarsest: int) -> dict[str, Any]:
    encoder = model.encoder
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "spec": model.spec,
        "face_box": model.face_box,
        "ab_mean": model.ab_mean.flatten().tolist(),
        "ab_std": model.ab_std.flatten().tolist(),
        "stride": coarsest,
        "chroma_scale": model.denoiser.chroma_scale,
        "uses_encoder": model.conditioner.uses_encoder,
        "hints": model.hints,
        "encoder_frame": encoder.frame,
        "encoder_input_size": encoder.spec.input_size,
        "parameters": model.parameter_counts(),
        "license": encoder.license,
    }


class _EncoderGraph(nn.Module):
    def __init__(self, model: ColorDiffusion) -> None:
        super().__init__()
        self.encoder, self.conditioner = model.encoder, model.conditioner
        self.has_view = model.encoder.spec.input_size is not None or model.encoder.frame is not None

    def forward(self, L: Tensor, view: Tensor, box: Tensor) -> tuple[Tensor, ...]:
        if not self.conditioner.uses_encoder:
            return ()
        features = self.encoder(view)
        if self.has_view:
            features = Features(uncrop(features.maps, box), features.tokens)
        context = self.conditioner.prepare(features, (L.shape[-2], L.shape[-1]))
        everywhere = torch.ones_like(L[:, 0, 0, 0], dtype=torch.bool)
        return (*context, *self.conditioner.drop(context, everywhere))


class _DenoiserGraph(nn.Module):
    def __init__(self, model: ColorDiffusion) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, L: Tensor, t: Tensor, *rest: Tensor) -> Tensor:
        hints, context = (rest[0], rest[1:]) if self.model.hints else (None, rest)
        return self.model.predict(x, L, t, context, hints)


class Seen(NamedTuple):
    """What the encoder graph needs beside L; it runs when L is known."""

    view: Tensor  # (N, 1, S, S)
    box: Tensor  # (N, 3)


@dataclass(frozen=True)
class OnnxColorDiffusion:
    """The part of `ColorDiffusion` that colouring needs, over two ONNX graphs.

    Attributes:
        spec, image_size, face_box, hints: as those of the model that was exported.
        encoder: ``frame`` and ``spec.input_size`` of its encoder.
    """

    spec: dict[str, Any]
    image_size: int
    face_box: Box | None
    hints: bool
    encoder: SimpleNamespace
    conditioner: SimpleNamespace
    denoiser: SimpleNamespace
    _counts: dict[str, int]
    _sessions: dict[str, Any]
    _sampler: ChromaSampler

    @classmethod
    def load(cls, folder: Path) -> OnnxColorDiffusion:
        """Read a folder that `export_onnx` wrote.

        Raises:
            ZooError: no such folder, a file is missing or unreadable, or another version wrote it.
        """
        about = description.read(folder / SPEC)
        try:
            sessions = {DENOISER: _open(folder / DENOISER)}
            if about["uses_encoder"]:
                sessions[ENCODER] = _open(folder / ENCODER)
            frame, face_box = about["encoder_frame"], about["face_box"]
            spec = about["spec"]
            scale = about.get("chroma_scale") or spec["denoiser"].get("chroma_scale", 4)
            mean, std = (torch.tensor(about[key])[:, None, None] for key in ("ab_mean", "ab_std"))
            return cls(
                spec=spec,
                image_size=spec["image_size"],
                face_box=None if face_box is None else Box(*face_box),
                hints=bool(about.get("hints")),
                encoder=SimpleNamespace(
                    frame=None if frame is None else Box(*frame),
                    spec=FeatureSpec(input_size=about["encoder_input_size"]),
                    license=about["license"],
                ),
                conditioner=SimpleNamespace(uses_encoder=about["uses_encoder"]),
                denoiser=SimpleNamespace(chroma_scale=scale),
                _counts=about["parameters"],
                _sessions=sessions,
                _sampler=ChromaSampler(
                    _predictor(sessions[DENOISER]), Diffusion(**spec["diffusion"]), mean, std, scale
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ZooError) and str(folder) in str(error):
                raise
            raise ZooError(f"{folder / SPEC}: its spec cannot be read ({description.line(error)})") from error

    def parameter_counts(self) -> dict[str, int]:
        """As those of the model that was exported."""
        return dict(self._counts)

    def encode(self, L: Tensor, box: Box | Tensor = WHOLE) -> Seen:
        """Keeps what the encoder is to see, (N, 1, S, S), and where that lies in the image."""
        return Seen(L, torch.as_tensor(box, dtype=torch.float32).reshape(-1, 3).expand(len(L), 3))

    def colorize(
        self,
        L: Tensor,
        features: Seen,
        sampler: SamplerConfig,
        generators: list[torch.Generator],
        callback: Callback | None = None,
        *,
        hints: Known | None = None,
    ) -> Tensor:
        """As `ColorDiffusion.colorize`, on the CPU."""
        context: tuple[Tensor, ...] = ()
        null: tuple[Tensor, ...] = ()
        if ENCODER in self._sessions:
            found = _run(self._sessions[ENCODER], {"L": L, "view": features.view, "box": features.box})
            context, null = found[: len(found) // 2], found[len(found) // 2 :]
        if self.hints and hints is None:
            side = self.denoiser.chroma_scale
            nothing = L.new_zeros(len(L), 2, L.shape[-2] // side, L.shape[-1] // side)
            hints = nothing, nothing[:, :1]
        return self._sampler(L, context, null, sampler, generators, callback, hints)


def _predictor(session: Any) -> Predict:
    def predict(x: Tensor, L: Tensor, t: Tensor, context: tuple[Tensor, ...], **told: Tensor) -> Tensor:
        named = {f"context_{i}": c for i, c in enumerate(context)}
        return _run(session, {"x": x, "L": L, "t": t, **told, **named})[0]

    return predict


def _run(session: Any, arguments: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """The outputs for named arguments; one that the graph has no use for is not among its inputs."""
    wanted = {i.name for i in session.get_inputs()}
    feed = {name: np.ascontiguousarray(x.numpy()) for name, x in arguments.items() if name in wanted}
    try:
        found = tuple(torch.from_numpy(x) for x in session.run(None, feed))
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise ZooError(
            f"the exported model cannot be run, it is damaged or edited ({description.line(error)})"
        ) from error
    if not all(x.isfinite().all() for x in found):
        raise ZooError("the exported model gives numbers that are not finite: it is damaged or edited")
    return found


def _open(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ZooError("onnxruntime is not installed; run pip install onnxruntime") from error
    if not path.is_file():
        raise ZooError(f"{path} does not exist; expected a folder written by python -m zoo export")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise ZooError(f"{path} is not a readable ONNX file ({description.line(error)})") from error
