"""Colorizer: photos of any size in, colour photos out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zoo.checkpoint import bundled, open_model
from zoo.diffusion.hints import Known
from zoo.diffusion.samplers import Callback
from zoo.errors import ZooError
from zoo.faces.detect import Face
from zoo.model import ColorDiffusion
from zoo.photos.assemble import assemble
from zoo.photos.composite import Spread, chroma, paint
from zoo.photos.hints import Hint, known
from zoo.photos.interchange import as_pictures
from zoo.photos.options import ColorizeOptions, Keywords
from zoo.photos.photo import Photo
from zoo.photos.previews import OnStep, Previews, Task
from zoo.photos.scene import Scene, Seen, Sight, look_at
from zoo.photos.trust import says_at_once, trusted
from zoo.seeds import seed_of

if TYPE_CHECKING:
    from typing import Unpack  # there from Python 3.11 on, which is for type checkers to know

    from zoo.onnx import OnnxColorDiffusion

Model: TypeAlias = "ColorDiffusion | OnnxColorDiffusion"
File: TypeAlias = "str | os.PathLike[str]"
A = TypeVar("A", np.ndarray, Tensor)  # these come back as what they were
P = TypeVar("P", bound="Image.Image | File")  # these as PIL images
NO_FACE = "no face found: the whole picture was coloured at once"


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
    """Colours photos with one model, or with one for faces and one for what lies around them.

    Faces are found and each is coloured in the frame that its model was trained on; the other one sees the whole photo
    at low resolution. L of a result is L of the photo, to within rounding.

    On the CPU a result depends on the photo, the options and the models alone, to the bit.

    Args:
        model: in eval mode, on ``device``.
        around: the model for what lies around faces; None: ``model``.
        name: for people.
    """

    def __init__(
        self, model: Model, around: Model | None = None, *, device: torch.device | None = None, name: str = ""
    ) -> None:
        self.model, self.around = model, around or model
        self.device, self.name = device or torch.device("cpu"), name
        self._sights = Sight.of(self.model), Sight.of(self.around)

    @classmethod
    def load(
        cls, source: File | None = None, *, device: str = "auto", encoder: Mapping[str, Any] | None = None
    ) -> Colorizer:
        """Load a model. Nothing of a file is executed.

        Args:
            source: a .safetensors file; a folder that ``python -m zoo export`` wrote; ``hf://organisation/name`` for
                model.safetensors in that repository of the Hugging Face Hub, or ``hf://organisation/name/file``; one
                model for all of a photo. None: what comes with the package.
            device: "auto" takes a GPU if there is one.
            encoder: options that replace those of the file, such as ``{"weights": "w600k_r50.onnx"}``.

        Raises:
            ZooError: there is no such model, it is damaged or of another version, or weights that it needs are missing.
        """
        sources = bundled() if source is None else (source,)
        models, devices = zip(*(open_model(each, device, encoder) for each in sources), strict=True)
        name = " + ".join(path.stem for path in bundled()) if source is None else str(source)
        return cls(*models, device=devices[0], name=name)

    @property
    def info(self) -> dict[str, Any]:
        """What it is: name, encoder, cond, image_size, parameters, licence (of its encoder's weights), device."""
        spec = self.model.spec
        return {
            "name": self.name,
            "encoder": spec["encoder"]["name"],
            "cond": spec["cond"]["name"],
            "image_size": self.model.image_size,
            "parameters": sum(model.parameter_counts()["params"] for model in {self.model, self.around}),
            "license": self.model.encoder.license,
            "device": str(self.device),
        }

    # 1 is an int, too: the first of each two overlaps with the second
    @overload
    def colorize(  # type: ignore[overload-overlap]
        self, image: Image.Image | File, *, samples: Literal[1] = 1, **options: Unpack[Keywords]
    ) -> Image.Image: ...
    @overload
    def colorize(
        self, image: Image.Image | File, *, samples: int, **options: Unpack[Keywords]
    ) -> list[Image.Image]: ...
    @overload
    def colorize(  # type: ignore[overload-overlap]
        self, image: A, *, samples: Literal[1] = 1, **options: Unpack[Keywords]
    ) -> A: ...
    @overload
    def colorize(self, image: A, *, samples: int, **options: Unpack[Keywords]) -> list[A]: ...
    @overload
    def colorize(  # type: ignore[overload-overlap]
        self, image: list[P] | tuple[P, ...], *, samples: Literal[1] = 1, **options: Unpack[Keywords]
    ) -> list[Image.Image]: ...
    @overload
    def colorize(
        self, image: list[P] | tuple[P, ...], *, samples: int, **options: Unpack[Keywords]
    ) -> list[list[Image.Image]]: ...
    @overload
    def colorize(  # type: ignore[overload-overlap]
        self, image: list[A] | tuple[A, ...], *, samples: Literal[1] = 1, **options: Unpack[Keywords]
    ) -> list[A]: ...
    @overload
    def colorize(
        self, image: list[A] | tuple[A, ...], *, samples: int, **options: Unpack[Keywords]
    ) -> list[list[A]]: ...
    def colorize(self, image: Any, **options: Any) -> Any:
        """Colour a picture, or several, and give back the same kind.

        Args:
            image: a path; a PIL image; an array (H, W), (H, W, 1), (H, W, 3), (H, W, 4) or a batch (N, H, W, C) of
                those; a tensor (C, H, W) or (N, C, H, W) with 1 or 3 channels, or with channels last where that cannot
                be mistaken; or a list of those, of one kind. Arrays and tensors are uint8, uint16 (0 to 65535), or
                float in [0, 1]: of 16 bits greys keep all, colours are read as 8.
            options: of `ColorizeOptions`.

        Returns:
            A colour picture of the same kind, size and type, a PIL image for a path; with ``samples`` above 1 a list of
            so many pictures, or batches; for a list, a list of those.

        Raises:
            ZooError: not such a picture (its place in a list is told), or an option that cannot be.
        """
        try:
            chosen = ColorizeOptions(**options)
        except TypeError as error:
            raise ZooError(f"{error}; options are {', '.join(ColorizeOptions.__dataclass_fields__)}") from error
        pictures, listed, join = as_pictures(image)
        found = self.colorize_photos([picture.photo for picture in pictures], chosen)
        results = [[picture.back(rgb) for rgb in colored.samples] for picture, colored in zip(pictures, found)]
        if listed and chosen.samples > 1:
            return results
        drawn = [join(list(colorings)) for colorings in zip(*results, strict=True)] or [[]]
        return drawn if chosen.samples > 1 else drawn[0]

    @torch.inference_mode()
    def colorize_photos(
        self, photos: Sequence[Photo], options: ColorizeOptions, *, on_step: OnStep | None = None
    ) -> list[Colored]:
        """Colour photos; on a GPU their faces go through the network together.

        Args:
            on_step: called with (0, None) after steps that show nothing yet; then, while the last pictures are
                sampled, with the steps done and of each photo what its first colouring looks like now, (h, w, 3) uint8,
                no more than 256 pixels a side.

        Raises:
            ZooError: hints that cannot be followed: of several photos, outside, or for a model that is not told.
        """
        self._check(photos, options.hints)
        scenes = [look_at(photo, *self._sights, detect=options.detect) for photo in photos]
        batches = list(self._batches(scenes, options))
        previews = Previews(scenes, options, on_step) if on_step else None
        sampled: dict[Task, Tensor] = {}
        for i, batch in enumerate(batches):
            callback = previews.follow(batch, last=i == len(batches) - 1) if previews else None
            sampled |= zip(batch, self._sample(scenes, batch, options, callback))
        return [self._finished(scene, i, sampled, options) for i, scene in enumerate(scenes)]

    @property
    def hints(self) -> bool:
        """Whether it can be told colours."""
        return self.model.hints and self.around.hints

    def _check(self, photos: Sequence[Photo], hints: Sequence[Hint]) -> None:
        """Raises `ZooError` where ``hints`` cannot be followed."""
        if hints and not self.hints:
            name = self.name or "this model"
            raise ZooError(f"{name} cannot be told colours (--hint): it was trained without hints")
        if hints and len(photos) != 1:
            raise ZooError(f"hints are places of one photo, and {len(photos)} photos were given")
        for hint in hints:
            hint.place(*photos[0].rgb.shape[:2])

    def _batches(self, scenes: Sequence[Scene], options: ColorizeOptions) -> Iterator[list[Task]]:
        """Pictures of one size and framing that are sampled together; faces before the photos that they are in.

        The last bits of a sum depend on what else is in a batch. On the CPU, where batches gain little, no batch holds
        pictures of two photos, so that a photo's colours depend on nothing but itself.
        """
        groups: dict[Any, list[Task]] = defaultdict(list)
        for i, scene in enumerate(scenes):
            for j, seen in enumerate(scene.pictures):
                place = (i if self.device.type == "cpu" else 0, j == 0)
                key = (*place, seen.face, seen.L.shape, seen.view.shape, seen.box)
                groups[key] += [Task(i, j, k) for k in range(options.samples)]
        for key in sorted(groups):
            tasks = groups[key]
            yield from (tasks[n : n + options.batch_size] for n in range(0, len(tasks), options.batch_size))

    def _sample(
        self, scenes: Sequence[Scene], tasks: list[Task], options: ColorizeOptions, callback: Callback | None
    ) -> list[Tensor]:
        """On the CPU. Draws of one picture share what the encoder made of it."""
        wanted = [(task.scene, task.picture) for task in tasks]
        distinct = list(dict.fromkeys(wanted))
        pictures = [scenes[i].pictures[j] for i, j in distinct]
        model = self._model(pictures[0])
        rows = torch.tensor([distinct.index(key) for key in wanted], device=self.device)
        view = torch.cat([seen.view for seen in pictures]).to(self.device)
        features = _rows(model.encode(view, pictures[0].box), rows)
        L = torch.cat([seen.L for seen in pictures]).to(self.device)[rows]
        seeds = [seed_of("colorize", options.seed, scenes[t.scene].key, t.draw, t.picture) for t in tasks]
        noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        hints = None
        if options.hints:
            maps = [self._known(scenes[i], j, options) for i, j in distinct]
            ab, mask = (torch.cat(part).to(self.device)[rows] for part in zip(*maps, strict=True))
            hints = ab, mask
        sampling = options.sampling(at_once=self._at_once(pictures[0], options))
        return list(model.colorize(L, features, sampling, noise, callback, hints=hints).cpu().split(1))

    def _model(self, seen: Seen) -> Model:
        return self.model if seen.face else self.around

    def _at_once(self, seen: Seen, options: ColorizeOptions) -> bool:
        """Whether the mean of all colourings is shown, and not one that was drawn."""
        return not options.as_drawn and says_at_once(self._model(seen).spec["diffusion"])

    def _finished(self, scene: Scene, index: int, sampled: Mapping[Task, Tensor], options: ColorizeOptions) -> Colored:
        """Put the sampled pictures of a photo together: the colouring to be trusted, or each as it was drawn."""
        drawn: list[list[Tensor]] = [[] for _ in scene.pictures]  # in the order of the tasks
        for task, ab in sampled.items():
            if task.scene == index:
                seen = scene.pictures[task.picture]
                if self._at_once(seen, options):
                    ab = trusted(ab, seen.L, face=seen.face, told=bool(options.hints))
                drawn[task.picture].append(ab)
        samples: list[np.ndarray] = []
        disagreement = Spread()
        for whole, *faces in zip(*drawn, strict=True):
            field = assemble(scene, scene.canvas, whole, faces, options.saturation)
            disagreement.add(chroma(scene.canvas, field))
            samples.append(paint(scene.photo, field))
        note = NO_FACE if options.detect and not scene.faces else ""
        return Colored(samples, scene.faces, disagreement.map() if len(samples) > 1 else None, note)

    def _known(self, scene: Scene, picture: int, options: ColorizeOptions) -> Known:
        return known(scene, picture, options.hints, self._model(scene.pictures[picture]).denoiser.chroma_scale)


def _rows(features: Any, rows: Tensor) -> Any:
    """``rows`` of all tensors in what `encode` gave."""
    if features is None:
        return None
    if isinstance(features, Tensor):
        return features[rows]
    parts = [_rows(part, rows) for part in features]
    return type(features)(*parts) if hasattr(features, "_fields") else tuple(parts)
