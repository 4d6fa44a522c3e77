"""What the page's controls do, apart from how they look."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from zoo.app.checkpoints import Checkpoint
from zoo.app.display import grey, resized, shown
from zoo.app.live import OnStep, Step, Turns, watch
from zoo.app.store import Store
from zoo.app.uncertainty import heat_map
from zoo.errors import PlugInError, ZooError
from zoo.plugins import blame, culprit

if TYPE_CHECKING:
    from zoo.app.parts import Keep
    from zoo.photos.colorizer import Colored, ColorizeOptions
    from zoo.photos.photo import Photo

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A photo that can be read.

    Attributes:
        path: the file.
        before: a grey picture of it, to be shown.
        size: (height, width) in pixels, of the photo and of what is shown.
    """

    path: Path
    before: Path
    size: tuple[int, int]
    shown_size: tuple[int, int]


@dataclass(frozen=True)
class Results:
    """Colourings of one photo.

    Attributes:
        files: one PNG of full size per sample.
        shown: a picture of each, to be shown, as large as the one before.
        note: what the user should know, or "".
        chosen: the index of the one that is compared with the photo.
        heat: of their disagreement (`heat_map`): a picture, as large, and the spread at its brightest; None with one.
    """

    files: tuple[Path, ...]
    shown: tuple[Path, ...]
    note: str
    heat: tuple[np.ndarray, float] | None
    chosen: int = 0

    @property
    def current(self) -> Path:
        """The file of the chosen one."""
        return self.files[self.chosen]

    @property
    def current_shown(self) -> Path:
        return self.shown[self.chosen]


class Actions:
    """Opens and colours photos.

    Args:
        checkpoints: by the name that the page shows.
        store: where pictures are put that the page may show.
        max_pixels: of a photo.
        device: as `Colorizer.load` takes it.
    """

    def __init__(self, checkpoints: dict[str, Checkpoint], store: Store, max_pixels: int, device: str) -> None:
        self.checkpoints = checkpoints
        self.store = store
        self.max_pixels = max_pixels
        self.device = device
        self.turns = Turns()

    def open(self, path: Path) -> Opened:
        """Raises `ZooError`, in a line that names the file and not the folder, if it is no photo."""
        photo = self._read(path)
        picture = grey(shown(photo.rgb))
        before = self.store.new_folder() / "before.webp"
        _save_shown(picture, before)
        height, width = photo.rgb.shape[:2]
        return Opened(path, before, (height, width), (picture.shape[0], picture.shape[1]))

    def color(
        self, opened: Opened, checkpoint: str, options: ColorizeOptions, keep: Keep | None = None
    ) -> Generator[Step | Results, None, None]:
        """A `Step`, its preview as large as the picture before, after each sampling step, and last the `Results`.

        What is to ``keep`` stays as it was, in each sample. Photos are coloured one at a time, in the order in which
        they were asked for, whoever it was.

        Raises:
            ZooError: the photo, the checkpoint or what is to be kept is gone, its encoder's weights are not
                here, no room is left, or a plug-in failed.
        """

        def work(on_step: OnStep) -> Results:
            photo = self._read(opened.path)
            kept = keep.read(opened.size) if keep else None
            with _plug_ins_named():
                colorizer = self.checkpoints[checkpoint].load(self.device)
                if kept:
                    colored = kept.recolor(photo, colorizer, options, on_step=on_step)
                else:
                    colored = colorizer.colorize_photos([photo], options, on_step=on_step)[0]
            return self._write(photo, colored, opened)

        with closing(watch(work, self.turns)) as events:
            for event in events:
                if isinstance(event, Step):
                    seen = None if event.preview is None else resized(event.preview, opened.shown_size)
                    yield Step(event.done, seen)
                else:
                    yield event

    def _read(self, path: Path) -> Photo:
        from zoo.photos.photo import read_photo

        try:
            return read_photo(path, max_pixels=self.max_pixels)
        except ZooError as error:
            raise ZooError(str(error).replace(str(path), path.name)) from error

    def _write(self, photo: Photo, colored: Colored, opened: Opened) -> Results:
        from zoo.photos.photo import write_photo

        self.store.need(len(colored.samples) * photo.rgb.nbytes)
        folder = self.store.new_folder()
        files, pictures = [], []
        for i, rgb in enumerate(colored.samples, start=1):
            number = f"-{i}" if len(colored.samples) > 1 else ""
            files.append(folder / f"{opened.path.stem}-coloured{number}.png")
            write_photo(files[-1], rgb, photo)
            pictures.append(folder / f"shown-{i}.webp")
            _save_shown(resized(rgb, opened.shown_size), pictures[-1])
        return Results(tuple(files), tuple(pictures), colored.note, _heat(colored.spread, opened.shown_size))


@contextmanager
def _plug_ins_named() -> Iterator[None]:
    """One that fails, or would end the server, is a `ZooError` that names it. Where and how it failed is for whoever
    runs the server, not for a visitor: it goes to the log."""
    try:
        yield
    except (Exception, SystemExit) as error:  # a plug-in may fail in any way
        found = culprit(error)
        if found is None:
            raise
        _LOG.error("%s", blame(error))
        raise PlugInError(f"{found[0]}, a plug-in of this model, failed; choose another model") from error


def _heat(spread: np.ndarray | None, size: tuple[int, int]) -> tuple[np.ndarray, float] | None:
    if spread is None:
        return None
    picture, top = heat_map(spread)
    return resized(picture, size), top


def _save_shown(rgb: np.ndarray, path: Path) -> None:
    Image.fromarray(rgb).save(path, quality=92)
