"""Several photos, one after the other, into one ZIP: there is never more than one of them in memory."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from zoo.app.actions import Actions, Opened, Results
from zoo.app.live import Step
from zoo.errors import ZooError
from zoo.files import replacing

if TYPE_CHECKING:
    from zoo.photos.colorizer import ColorizeOptions

MOST = 100  # photos at once


@dataclass(frozen=True)
class Turn:
    """The next photo is opened: number ``number``, from 1, of ``total``."""

    number: int
    total: int
    opened: Opened


@dataclass(frozen=True)
class Album:
    """All photos are done.

    Attributes:
        file: the ZIP; in it a PNG of full size per photo and sample.
        done: photos in it.
        broken: of each that is not, a line that names it and says why.
        last: the last one that is, as it is shown.
    """

    file: Path
    done: int
    broken: tuple[str, ...]
    last: tuple[Opened, Results]


def color_album(
    actions: Actions, paths: Sequence[Path], checkpoint: str, options: ColorizeOptions
) -> Generator[Turn | Step | Album, None, None]:
    """Colour each photo: a `Turn` and its `Step`s, and last the `Album`. What cannot be coloured is left out and named.

    Closing the iterator stops the work and leaves no file.

    Raises:
        ZooError: too many photos, or none of them could be coloured.
    """
    if len(paths) > MOST:
        raise ZooError(f"{len(paths)} photos are too many; give at most {MOST} at once")
    file = actions.store.new_folder() / "coloured.zip"
    broken: list[str] = []
    last: tuple[Opened, Results] | None = None
    with replacing(file) as temporary, ZipFile(temporary, "w") as archive:  # not compressed: PNGs are
        for number, path in enumerate(paths, start=1):
            try:
                opened = actions.open(path)
                yield Turn(number, len(paths), opened)
                with closing(actions.color(opened, checkpoint, options)) as events:
                    for event in events:
                        if isinstance(event, Step):
                            yield event
                        else:
                            _pack(archive, event)
                            last = opened, event
            except ZooError as error:
                broken.append(str(error))
        if last is None:
            raise ZooError(broken[0] if len(broken) == 1 else f"none of {len(paths)} photos was coloured: {broken[0]}")
    yield Album(file, len(paths) - len(broken), tuple(broken), last)


def _pack(archive: ZipFile, results: Results) -> None:
    """Move the files into the archive; of two of one name the second becomes name-2.png."""
    taken = {name.casefold() for name in archive.namelist()}
    for path in results.files:
        name, number = path.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        archive.write(path, name)
        path.unlink()
