"""Colours a folder of colour photos from their lightness, and says how far each system's colours are from the truth."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from zoo.benchmark.photos.coloring import maker
from zoo.benchmark.photos.measures import LINES, Interval, ab_of, measure, told
from zoo.benchmark.photos.pictures import by_stem, chosen, matched
from zoo.benchmark.photos.regions import regions
from zoo.benchmark.tables.text_table import few, render
from zoo.errors import ZooError
from zoo.faces.detect import find_faces
from zoo.files import write_text
from zoo.photos.colorizer import ColorizeOptions
from zoo.photos.image_grid import grey, reduced
from zoo.photos.photo import Photo, read_photo

OURS, GREY = "ours", "grey"
_LARGEST = 1024  # pixels of the longer side at which pictures are compared

Values = dict[str, dict[str, dict[str, float]]]  # of each system, photo and measure
System = Callable[[str, Photo], np.ndarray]  # name of a photo, the photo → its colouring


def compare(args: argparse.Namespace) -> None:
    """What the command ``photos`` does, with its arguments: print a table, and write one if asked to."""
    everything = by_stem(args.truth)
    truths = chosen(everything, args.limit)
    outputs = _folders(args.outputs)
    found = {name: matched(name, folder, truths, [*everything]) for name, folder in outputs.items()}
    systems: dict[str, System] = {}
    if args.ours:
        options = ColorizeOptions(vivid=args.vivid, seed=args.seed, saturation=args.saturation)
        systems[OURS] = maker(args.checkpoint, args.device, options, args.keep)
    systems |= {name: _reader(paths) for name, paths in found.items()}
    values, faces = _measured(truths, systems)
    if args.table:
        write_text(args.table, _csv(values))
    print(table(values))
    shown = next(iter(values.values()))
    print(f"\n{len(shown)} photos, {faces} faces found in the truth; 95 % intervals over photos")


def table(values: Values) -> str:
    """A line for each number that is told, a column for each system."""
    columns = {
        name: {m: np.array([measured[m] for measured in photos.values()]) for m in next(iter(photos.values()))}
        for name, photos in values.items()
    }
    rows = [["", "photos", *columns]]
    for line in LINES:
        cells = [told(line, of_system) for of_system in columns.values()]
        rows.append([line.title, str(cells[0].n), *map(_text, cells)])
    return render(rows)


def _measured(truths: Mapping[str, Path], systems: Mapping[str, System]) -> tuple[Values, int]:
    """Of each system, grey last, what was measured of each photo that has colour; and how many faces there were."""
    values: Values = {name: {} for name in (*systems, GREY)}
    grey_ones, faces = [], 0
    for name, path in tqdm(truths.items(), unit="photo", disable=None):
        photo = read_photo(path)
        if not photo.has_color:
            grey_ones.append(name)
            continue
        truth = reduced(photo.rgb, _LARGEST)
        found = find_faces(truth)
        faces += len(found)
        where = regions(ab_of(truth), found)
        for system, coloring in systems.items():
            values[system][name] = measure(reduced(coloring(name, photo), _LARGEST), truth, where)
        values[GREY][name] = measure(grey(truth), truth, where)
    if len(grey_ones) == len(truths):
        raise ZooError("none of the photos has colour, so that there is no truth to compare with")
    if grey_ones:
        tqdm.write(f"{len(grey_ones)} photos without colour left out: {few(grey_ones)}")
    return values, faces


def _folders(given: list[str]) -> dict[str, Path]:
    """``NAME=DIR`` of each other system. Raises `ZooError` for what is none, or names one twice."""
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise ZooError(f"--outputs {text}: expected NAME=DIR")
        if name in found or name in (OURS, GREY):
            raise ZooError(f"--outputs {text}: there is a system {name} already")
        found[name] = Path(folder)
    return found


def _reader(paths: Mapping[str, Path]) -> System:
    return lambda name, photo: read_photo(paths[name]).rgb


def _text(cell: Interval) -> str:
    if np.isnan(cell.value):
        return "–"
    digits = 0 if max(map(abs, cell[:3])) >= 1000 else 1
    value, low, high = (f"{x:.{digits}f}" for x in cell[:3])
    return f"{value} [{low}, {high}]"


def _csv(values: Values) -> str:
    """A row for each photo, system and measure; places that a photo does not have are left out."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "system", "measure", "value"])
    for system, photos in values.items():
        for photo, measured in photos.items():
            writer.writerows([photo, system, name, f"{x:.6g}"] for name, x in measured.items() if not np.isnan(x))
    return text.getvalue()
