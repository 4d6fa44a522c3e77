"""Colorizer: photos of any size in, colour photos out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zoo.checkpoint import open_model
from zoo.diffusion.samplers import Callback, SamplerConfig
from zoo.errors import ZooError
from zoo.faces.detect import Face
from zoo.model import ColorDiffusion
from zoo.photos.composite import Spread, chroma, compose, paint
from zoo.photos.interchange import as_pictures
from zoo.photos.photo import Photo
from zoo.photos.previews import OnStep, Previews, Task
from zoo.photos.scene import Scene, Sight
from zoo.seeds import seed_of

if TYPE_CHECKING:
    from zoo.onnx import OnnxColorDiffusion

NO_FACE = "no face found: the whole picture was coloured at once"
_TIME_POWER = {"ddim": 2.5}  # as configs/sampler; 1 for the others


@dataclass(frozen=True)
class ColorizeOptions:
    """How to colour.

    Args:
        samples: different colourings of each photo.
        sampler: "ddim", "dpmpp_2m" or "ddpm".
        steps: of sampling. By default half as many as the benchmark takes with ddim, by a solver of second order: as
            good on faces of the validation split, in half the time (zoo/bundled/README.md).
        guidance: classifier-free, on the encoder's features; 1 is none.
        time_power: see `SamplerConfig`; None: what suits the sampler.
        seed: of the noise, which depends on it and on the photo: no two photos share their blotches.
        saturation: factor on the chroma; 0 gives grey.
        detect: look for faces, and colour each by itself.
        batch_size: pictures that go through the network at once.

    Raises:
        ZooError: a value that cannot be.
    """

    samples: int = 1
    sampler: str = "dpmpp_2m"
    steps: int = 5
    guidance: float = 1.0
    time_power: float | None = None
    seed: int = 0
    saturation: float = 1.0
    detect: bool = True
    batch_size: int = 16

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("steps", 1), ("seed", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ZooError(f"{name} must be a whole number, at least {least}, not {value!r}")
        for name in ("guidance", "saturation"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise ZooError(f"{name} must be a number, at least 0, not {value!r}")
        self.sampling()

    def sampling(self) -> SamplerConfig:
        power = _TIME_POWER.get(self.sampler, 1.0) if self.time_power is None else self.time_power
        return SamplerConfig(self.sampler, self.steps, self.guidance, power)


@dataclass(frozen=True, eq=False)
class Colored:
    """Colourings of one photo.

    Attributes:
        samples: each (H, W, 3) uint8 sRGB.
        faces: those found, largest first.
        spread: where the samples disagree: (h, w) float32, no more than 1024 pixels a side, the mean over a* and b* of
            their standard deviation in Lab units; None with one sample.
        note: what the user should know, or "".
    """

    samples: list[np.ndarray]
    faces: list[Face] = field(default_factory=list)
    spread: np.ndarray | None = None
    note: str = ""


class Colorizer:
    """Colours photos with one model.

    Faces are found and each is coloured in the frame that the model was trained on; what is around them gets its
    colours from the same model, which sees the whole photo at low resolution. L of a result is L of the photo, to
    within rounding.

    On the CPU a result depends on the photo, the options and the model alone, to the bit.

    Args:
        model: in eval mode, on ``device``.
        name: for people.
    """

    def __init__(
        self, model: ColorDiffusion | OnnxColorDiffusion, *, device: torch.device | None = None, name: str = ""
    ) -> None:
        self.model, self.device, self.name = model, device or torch.device("cpu"), name
        self._sight = Sight.of(model)

    @classmethod
    def load(
        cls, source: str | Path | None = None, *, device: str = "auto", encoder: Mapping[str, Any] | None = None
    ) -> Colorizer:
        """Load a model. Nothing of a file is executed.

        Args:
            source: a .safetensors file; a folder that ``python -m zoo export`` wrote; ``hf://organisation/name`` for
                model.safetensors in that repository of the Hugging Face Hub, or ``hf://organisation/name/file``; None:
                the model that comes with the package.
            device: "auto" takes a GPU if there is one.
            encoder: options that replace those of the file, such as ``{"weights": "w600k_r50.onnx"}``.

        Raises:
            ZooError: there is no such model, it is damaged or of another version, or weights that it needs are missing.
        """
        model, chosen = open_model(source, device, encoder)
        return cls(model, device=chosen, name="faces128" if source is None else str(source))

    @property
    def info(self) -> dict[str, Any]:
        """What it is: name, encoder, cond, image_size, parameters, licence (of its encoder's weights), device."""
        spec = self.model.spec
        return {
            "name": self.name,
            "encoder": spec["encoder"]["name"],
            "cond": spec["cond"]["name"],
            "image_size": self.model.image_size,
            "parameters": self.model.parameter_counts()["params"],
            "license": self.model.encoder.license,
            "device": str(self.device),
        }

    @overload
    def colorize(self, image: Image.Image | str | Path, *, samples: Literal[1] = 1, **options: Any) -> Image.Image: ...
    @overload
    def colorize(self, image: Image.Image | str | Path, *, samples: int, **options: Any) -> list[Image.Image]: ...
    @overload
    def colorize(self, image: np.ndarray, *, samples: Literal[1] = 1, **options: Any) -> np.ndarray: ...
    @overload
    def colorize(self, image: np.ndarray, *, samples: int, **options: Any) -> list[np.ndarray]: ...
    @overload
    def colorize(self, image: Tensor, *, samples: Literal[1] = 1, **options: Any) -> Tensor: ...
    @overload
    def colorize(self, image: Tensor, *, samples: int, **options: Any) -> list[Tensor]: ...
    @overload
    def colorize(self, image: Sequence[Any], **options: Any) -> list[Any]: ...
    def colorize(self, image: Any, **options: Any) -> Any:
        """Colour a picture, or several, and give back the same kind.

        Args:
            image: a path; a PIL image; an array (H, W), (H, W, 1), (H, W, 3), (H, W, 4) or a batch (N, H, W, C) of
                those; a tensor (C, H, W) or (N, C, H, W) with 1 or 3 channels, or with channels last where that cannot
                be mistaken; arrays and tensors are uint8, or float in [0, 1]; or a list of those.
            options: of `ColorizeOptions`.

        Returns:
            A colour picture of the same kind, size and type, a PIL image for a path; with ``samples`` above 1 a list of
            so many; for a list, or a batch with samples, a list of those.

        Raises:
            ZooError: not such a picture, or an option that cannot be.
        """
        try:
            chosen = ColorizeOptions(**options)
        except TypeError as error:
            raise ZooError(f"{error}; options are {', '.join(ColorizeOptions.__dataclass_fields__)}") from error
        pictures, several, join = as_pictures(image)
        found = self.colorize_photos([picture.photo for picture in pictures], chosen)
        results = [[picture.back(rgb) for rgb in colored.samples] for picture, colored in zip(pictures, found)]
        if chosen.samples > 1:
            return results if several else results[0]
        return join([samples[0] for samples in results])

    @torch.inference_mode()
    def colorize_photos(
        self, photos: Sequence[Photo], options: ColorizeOptions, *, on_step: OnStep | None = None
    ) -> list[Colored]:
        """Colour photos; on a GPU their faces go through the network together.

        Args:
            on_step: called with (0, None) after steps that show nothing yet; then, while the last pictures are
                sampled, with the steps done and of each photo what its first sample looks like now, (h, w, 3) uint8, no
                more than 256 pixels a side.
        """
        scenes = [self._sight.scene(photo, detect=options.detect) for photo in photos]
        batches = list(self._batches(scenes, options))
        previews = Previews(scenes, options.saturation, on_step) if on_step else None
        sampled: dict[Task, Tensor] = {}
        for i, batch in enumerate(batches):
            callback = previews.follow(batch, last=i == len(batches) - 1) if previews else None
            sampled |= zip(batch, self._sample(scenes, batch, options, callback).split(1))
        return [_finished(scene, i, sampled, options) for i, scene in enumerate(scenes)]

    def _batches(self, scenes: Sequence[Scene], options: ColorizeOptions) -> Iterator[list[Task]]:
        """Pictures of one size and framing that are sampled together; faces before the photos that they are in.

        The last bits of a sum depend on what else is in a batch. On the CPU, where batches gain little, no batch holds
        pictures of two photos, so that a photo's colours depend on nothing but itself.
        """
        groups: dict[Any, list[Task]] = defaultdict(list)
        for i, scene in enumerate(scenes):
            for j, seen in enumerate(scene.pictures):
                key = (i if self.device.type == "cpu" else 0, j == 0, seen.L.shape, seen.view.shape, seen.box)
                groups[key] += [Task(i, j, k) for k in range(options.samples)]
        for key in sorted(groups):
            tasks = groups[key]
            yield from (tasks[n : n + options.batch_size] for n in range(0, len(tasks), options.batch_size))

    def _sample(
        self, scenes: Sequence[Scene], tasks: list[Task], options: ColorizeOptions, callback: Callback | None
    ) -> Tensor:
        """ab (N, 2, h, w) on the CPU. Samples of one picture share what the encoder made of it."""
        wanted = [(task.scene, task.picture) for task in tasks]
        distinct = list(dict.fromkeys(wanted))
        pictures = [scenes[i].pictures[j] for i, j in distinct]
        rows = torch.tensor([distinct.index(key) for key in wanted], device=self.device)
        view = torch.cat([seen.view for seen in pictures]).to(self.device)
        features = _rows(self.model.encode(view, pictures[0].box), rows)
        L = torch.cat([seen.L for seen in pictures]).to(self.device)[rows]
        seeds = [seed_of("colorize", options.seed, scenes[t.scene].key, t.sample, t.picture) for t in tasks]
        noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        return self.model.colorize(L, features, options.sampling(), noise, callback).cpu()


def _finished(scene: Scene, index: int, sampled: Mapping[Task, Tensor], options: ColorizeOptions) -> Colored:
    """Put the sampled pictures of a photo together, one sample after the other."""
    samples: list[np.ndarray] = []
    disagreement = Spread()
    placed = scene.placed(scene.canvas)
    for k in range(options.samples):
        whole, *faces = (sampled[Task(index, j, k)] for j in range(len(scene.pictures)))
        chroma_field = options.saturation * compose(scene.canvas, whole, list(zip(placed, faces)))
        disagreement.add(chroma(scene.canvas, chroma_field))
        samples.append(paint(scene.photo, chroma_field))
    note = NO_FACE if options.detect and not scene.faces else ""
    return Colored(samples, scene.faces, disagreement.map() if options.samples > 1 else None, note)


def _rows(features: Any, rows: Tensor) -> Any:
    """``rows`` of all tensors in what `encode` gave."""
    if features is None:
        return None
    if isinstance(features, Tensor):
        return features[rows]
    parts = [_rows(part, rows) for part in features]
    return type(features)(*parts) if hasattr(features, "_fields") else tuple(parts)
