"""facezoo colorize --image-path old.jpg --output new.png: colour one photo, several, a folder or a glob."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.commands._plugins import add_plugin_option, key_value
from zoo.errors import ZooError
from zoo.plugins import import_plugins

if TYPE_CHECKING:
    import numpy as np

    from zoo.photos.colorizer import Colored, ColorizeOptions, Colorizer
    from zoo.photos.keeping import Kept
    from zoo.photos.outputs import Job
    from zoo.photos.photo import Photo

HELP = "colour photos"
INTERRUPTED = "interrupted: what was written is whole; --skip-existing goes on from there"
SOME_BROKEN = 1
ALL_BROKEN = 2
FORMATS = ("png", "jpg", "webp", "tif")
_OF_DRAWING = ("sampler", "sampler_options", "steps")
_PIXELS_AT_ONCE = 64_000_000  # of photos and their colourings that are in memory together (3 bytes each)

_EPILOG = """\
examples, each added to  %(prog)s --image-path old.jpg --output new.png
  (nothing)                         new.png, by the model that comes with the package
  --checkpoint model.safetensors    by a model of yours; hf://org/name fetches one
  --guidance 2                      listen more to the encoder, at twice the cost
  --vivid                           one colouring in full, not pale where the model is unsure
  --vivid --seed 7                  another one; the same seed gives the same picture
  --vivid --steps 20 --sampler ddim --sampler-option eta=0.5    by other steps; one without --vivid takes a single step
  --samples 4                       new-1.png ... new-4.png, each in full, and all of them on new-samples.png
  --saturation 1.3                  stronger colours; 0 gives grey
  --keep mask.png                   keep the colours that old.jpg has where mask.png is white, colour the rest anew
  --keep mask.png --keep-from new.png --vivid --seed 8     the same with the colours of new.png
  --no-detect                       look for no faces: colour the picture as a whole
  --hint 0.5,0.2,#a03020            that colour there: fractions of width and height, or whole pixels; any number
  --hints colours.txt               the same, one hint a line
  --compare                         also new-compare.png: grey, colour, and the truth if the photo has colour
  --gif                             also new.gif: the denoising; step by step with --vivid or --samples
  --device cuda                     on a GPU (auto takes one if there is one)
  --overwrite                       replace new.png if it is there, even if it is the photo itself
  --checkpoint edges.safetensors --plugin edges.py    by a model whose encoder or conditioning a file of yours registers
  --vivid --sampler mine --sampler-option gain=1.1 --plugin mine.py    by a sampler that a file of yours registers
  --encoder-weights w600k_r50.onnx  where the frozen encoder of that checkpoint is to be found

many photos
  %(prog)s --image-path album --output coloured            a folder with all below it; paths are kept
  %(prog)s --image-path "album/*.jpg" --output coloured    a glob; ** goes through folders
  %(prog)s --image-path a.jpg b.jpg --output coloured/ --format jpg
  %(prog)s --image-path album --output coloured --skip-existing --batch-size 32    go on where it stopped

  album/x.jpg becomes coloured/x.png; with an album/x.webp beside it they become x-jpg.png and x-webp.png. Hidden files
  are left out. A photo that cannot be read or written is named, and the others are done. --skip-existing leaves out
  photos whose files are all there; of the others, all files are made again.

PNG and TIFF keep the photo's lightness as it was; JPEG alters it a little. The pictures of --compare and of several
samples are at most 1024 pixels a side each.

exit code: 0 all done; 1 some photos could not be done, and are named; 2 nothing was done; 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s --image-path IMG [IMG ...] --output OUT [--checkpoint CKPT] [options]"
    parser.description = "Colour photos of faces. Lightness is kept; colours are plausible, not true."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--image-path", nargs="+", action="extend", required=True, metavar="IMG", help="photos, folders or globs")
    add("--output", required=True, metavar="OUT", help="a file for one photo (.png .jpg .webp .tif), or a folder")
    add("--checkpoint", metavar="CKPT", help="a model file, or hf://org/name[/file] (default: the one in the package)")
    add("--encoder-weights", metavar="PATH", help="weights of the checkpoint's frozen encoder, if not where it was")
    add_plugin_option(parser)
    add("--steps", type=int, default=5, help="sampling steps; ddpm wants some 350 (default: %(default)s)")
    add("--sampler", default="dpmpp_2m", help="dpmpp_2m, deis, ddim, ddpm, or a plug-in's (default: %(default)s)")
    of_sampler = "of that sampler, as eta=0.5 of ddim; may be repeated"
    add("--sampler-option", action="append", default=[], metavar="KEY=VALUE", help=of_sampler)
    add("--guidance", type=float, default=1.0, help="classifier-free guidance; 1 is none (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    add("--samples", type=int, default=1, metavar="N", help="N different colourings (default: %(default)s)")
    add("--vivid", action="store_true", help="one of them, where the default is their mean, pale where they disagree")
    add("--saturation", type=float, default=1.0, help="factor on the chroma (default: %(default)s)")
    add("--keep", type=Path, metavar="MASK", help="of one photo, keep the colours that it has where MASK is white")
    add("--keep-from", type=Path, metavar="IMG", help="with --keep: those of this earlier colouring")
    add("--detect", action=argparse.BooleanOptionalAction, default=True, help="look for faces (default: yes)")
    add("--hint", action="append", default=[], metavar="X,Y,#RRGGBB", help="say a colour at a place of the photo")
    add("--hints", type=Path, metavar="FILE", help="a file with a hint a line")
    add("--batch-size", type=int, default=16, metavar="N", help="faces coloured at once (default: %(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    add("--compare", action="store_true", help="also a picture of grey, colour and truth side by side")
    add("--gif", action="store_true", help="also the denoising as an animation")
    add("--format", choices=FORMATS, help="of the files in a folder (default: png)")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace files that are there")
    existing.add_argument("--skip-existing", action="store_true", help="leave out photos that are done")


def run(args: argparse.Namespace) -> int:
    """Colour what ``args`` names; the exit code.

    Raises:
        ZooError: an option, the model or the place for the results is not usable, or a file cannot be written.
    """
    import_plugins(args.plugin)
    from zoo.photos.colorizer import ColorizeOptions, Colorizer  # these bring in torch: not for --help
    from zoo.photos.hints import read_hints
    from zoo.photos.outputs import Existing, Wanted, plan

    options = ColorizeOptions(
        samples=args.samples,
        vivid=args.vivid,
        sampler=args.sampler,
        steps=args.steps,
        guidance=args.guidance,
        seed=args.seed,
        saturation=args.saturation,
        detect=args.detect,
        batch_size=args.batch_size,
        hints=[*args.hint, *(read_hints(args.hints) if args.hints else [])],
        sampler_options=dict(key_value(text) for text in args.sampler_option),
    )
    usual = ColorizeOptions()
    if not options.as_drawn and any(getattr(options, name) != getattr(usual, name) for name in _OF_DRAWING):
        _tell("what the model expects on average takes one step; --vivid draws a colouring by --sampler and --steps")
    wanted = Wanted(options.samples, args.compare, args.gif, args.format and f".{args.format}")
    existing: Existing = "overwrite" if args.overwrite else "skip" if args.skip_existing else "refuse"
    with _telling():
        jobs, skipped = plan(args.image_path, args.output, wanted, existing)
    if options.hints and len(jobs) + skipped > 1:
        raise ZooError(f"--hint says a colour at a place of one photo, and {len(jobs) + skipped} were given")
    kept = _kept(args, jobs)
    encoder = {"weights": args.encoder_weights} if args.encoder_weights else None
    load = partial(Colorizer.load, args.checkpoint, device=args.device, encoder=encoder)
    broken = _color(jobs, load, options, kept)
    done = len(jobs) - broken
    if len(jobs) + skipped > 1 or skipped:
        _tell(_summary(done, broken, skipped))
    if not broken:
        return 0
    return SOME_BROKEN if done + skipped else ALL_BROKEN


def _kept(args: argparse.Namespace, jobs: Sequence[Job]) -> Kept | None:
    """What ``--keep`` keeps. Raises `ZooError` for files that do not fit."""
    from zoo.photos.keeping import Kept

    if args.keep is None:
        if args.keep_from is not None:
            raise ZooError("--keep-from needs --keep MASK, which says what of it is kept")
        return None
    if len(args.image_path) > 1 or len(jobs) > 1:
        raise ZooError("--keep is for one photo: a mask fits no other")
    return Kept.read(jobs[0].source, args.keep, args.keep_from) if jobs else None


def _color(
    jobs: Sequence[Job], load: Callable[[], Colorizer], options: ColorizeOptions, kept: Kept | None = None
) -> int:
    """Make the files of all ``jobs``; how many photos could not be read or written (each is named on stderr)."""
    from tqdm import tqdm

    from zoo.photos.photo import UnwritablePhotoError

    colorizer = None
    broken = 0
    with tqdm(total=len(jobs), unit="photo", disable=None if len(jobs) > 1 else True) as bar:

        def refuse(error: ZooError) -> None:
            nonlocal broken
            broken += 1
            _tell(f"error: {error}")
            bar.update()

        for group in _groups(jobs, options, refuse):
            colorizer = colorizer or load()  # not before a photo is there to be coloured
            denoising = _Denoising(len(group)) if jobs[0].animation else None
            if kept:  # of the one photo that is given
                results = [kept.recolor(group[0][1], colorizer, options, on_step=denoising)]
            else:
                results = colorizer.colorize_photos([photo for _, photo in group], options, on_step=denoising)
            for i, ((job, photo), result) in enumerate(zip(group, results)):
                try:
                    _write(job, photo, result, denoising.frames[i] if denoising else [])
                except UnwritablePhotoError as error:
                    refuse(error)
                    continue
                if result.note:
                    _tell(f"{job.source}: {result.note}")
                bar.update()
    return broken


class _Denoising:
    """Keeps what is shown of each photo after each sampling step."""

    def __init__(self, photos: int) -> None:
        self.frames: list[list[np.ndarray]] = [[] for _ in range(photos)]

    def __call__(self, step: int, previews: list[np.ndarray] | None) -> None:
        for frames, preview in zip(self.frames, previews or ()):
            frames.append(preview)


def _groups(
    jobs: Sequence[Job], options: ColorizeOptions, refuse: Callable[[ZooError], None]
) -> Iterator[list[tuple[Job, Photo]]]:
    """Photos to colour together: at most a batch, and few enough pixels that they fit in memory."""
    group: list[tuple[Job, Photo]] = []
    pixels = 0
    for job in jobs:
        try:
            photo = _read(job.source)
        except ZooError as error:
            refuse(error)
            continue
        height, width, _ = photo.rgb.shape
        needed = height * width * (1 + options.samples)
        if group and (len(group) == options.batch_size or pixels + needed > _PIXELS_AT_ONCE):
            yield group
            group, pixels = [], 0
        group.append((job, photo))
        pixels += needed
    if group:
        yield group


def _read(path: Path) -> Photo:
    """A photo; what it warns of is told with its name."""
    from zoo.photos.photo import read_photo

    with _telling(f"{path}: "):
        return read_photo(path)


@contextmanager
def _telling(prefix: str = "") -> Iterator[None]:
    """Warnings of the block go to stderr, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        _tell(f"{prefix}{text}")


def _write(job: Job, photo: Photo, result: Colored, frames: Sequence[np.ndarray]) -> None:
    from zoo.photos.image_grid import animation, comparison, samples_grid, save_animation
    from zoo.photos.photo import UnwritablePhotoError, write_photo

    try:
        job.samples[0].parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePhotoError(f"cannot make the folder {job.samples[0].parent}: {error.strerror}") from error
    for path, rgb in zip(job.samples, result.samples):
        write_photo(path, rgb, photo)
    if job.grid:
        write_photo(job.grid, samples_grid(photo.rgb, result.samples))
    if job.comparison:
        write_photo(job.comparison, comparison(photo.rgb, result.samples[0], has_color=photo.has_color))
    if job.animation:
        save_animation(job.animation, animation(photo.rgb, frames, result.samples[0]))


def _summary(done: int, broken: int, skipped: int) -> str:
    parts = [f"{done} coloured"]
    parts += [f"{skipped} already there"] if skipped else []
    parts += [f"{broken} could not be done"] if broken else []
    return f"{done + broken + skipped} photos: {', '.join(parts)}"


def _tell(text: str) -> None:
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)  # above the bar, if there is one
