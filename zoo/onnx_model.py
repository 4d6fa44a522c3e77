"""A model that `zoo.onnx_export` wrote, run by onnxruntime; it colours as `ColorDiffusion` does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zoo.diffusion.chroma import ChromaSampler, Predict
from zoo.diffusion.process import Diffusion
from zoo.diffusion.samplers import Callback, SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import WHOLE, Box
from zoo.features import FeatureSpec
from zoo.model import FORMAT, FORMAT_VERSION
from zoo.onnx_export import DENOISER, ENCODER, SPEC


class Seen(NamedTuple):
    """What the encoder graph needs beside L; it runs when L is known."""

    view: Tensor  # (N, 1, S, S)
    box: Tensor  # (N, 3)


@dataclass(frozen=True)
class OnnxColorDiffusion:
    """The part of `ColorDiffusion` that colouring needs, over two ONNX graphs.

    Attributes:
        spec, image_size, face_box: as those of the model that was exported.
        encoder: ``frame`` and ``spec.input_size`` of its encoder.
    """

    spec: dict[str, Any]
    image_size: int
    face_box: Box | None
    encoder: SimpleNamespace
    conditioner: SimpleNamespace
    denoiser: SimpleNamespace
    _counts: dict[str, int]
    _sessions: dict[str, Any]
    _sampler: ChromaSampler

    @classmethod
    def load(cls, folder: Path) -> OnnxColorDiffusion:
        """Read a folder that `zoo.onnx_export.export_onnx` wrote.

        Raises:
            ZooError: no such folder, a file is missing or unreadable, or another version wrote it.
        """
        about = _read(folder / SPEC)
        try:
            sessions = {DENOISER: _open(folder / DENOISER)}
            if about["uses_encoder"]:
                sessions[ENCODER] = _open(folder / ENCODER)
            frame, face_box = about["encoder_frame"], about["face_box"]
            spec = about["spec"]
            scale = spec["denoiser"].get("chroma_scale", 4)
            mean, std = (torch.tensor(about[key])[:, None, None] for key in ("ab_mean", "ab_std"))
            return cls(
                spec=spec,
                image_size=spec["image_size"],
                face_box=None if face_box is None else Box(*face_box),
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
            raise ZooError(f"{folder / SPEC}: its spec cannot be read ({error!r})") from error

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
    ) -> Tensor:
        """As `ColorDiffusion.colorize`, on the CPU."""
        context: tuple[Tensor, ...] = ()
        null: tuple[Tensor, ...] = ()
        if ENCODER in self._sessions:
            found = _run(self._sessions[ENCODER], {"L": L, "view": features.view, "box": features.box})
            context, null = found[: len(found) // 2], found[len(found) // 2 :]
        return self._sampler(L, context, null, sampler, generators, callback)


def _predictor(session: Any) -> Predict:
    def predict(x: Tensor, L: Tensor, t: Tensor, context: tuple[Tensor, ...]) -> Tensor:
        named = {f"context_{i}": c for i, c in enumerate(context)}
        return _run(session, {"x": x, "L": L, "t": t, **named})[0]

    return predict


def _run(session: Any, arguments: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """The outputs for named arguments; one that the graph has no use for is not among its inputs."""
    wanted = {i.name for i in session.get_inputs()}
    feed = {name: np.ascontiguousarray(x.numpy()) for name, x in arguments.items() if name in wanted}
    return tuple(torch.from_numpy(x) for x in session.run(None, feed))


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
        raise ZooError(f"{path} is not a readable ONNX file ({str(error).splitlines()[0]})") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        found = (about["format"], about["version"])
    except OSError as error:
        raise ZooError(f"{path} does not exist; expected a folder written by python -m zoo export") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ZooError(f"{path} cannot be read ({error!r})") from error
    if found != (FORMAT, FORMAT_VERSION):
        raise ZooError(f"{path} is of {found[0]} version {found[1]}; this reads {FORMAT} version {FORMAT_VERSION}")
    return about
