"""The page's controls, where they stand, and the words on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr

from zoo.app.actions import Actions, Opened, Results
from zoo.app.album import MOST, Album
from zoo.app.checkpoints import Checkpoint
from zoo.app.uncertainty import legend
from zoo.reading.kinds import suffixes

_NAMED = 5  # photos that could not be coloured, by name
_SAMPLES = 6  # at most, at once: each is written as a file of full size

Changes: TypeAlias = dict[Any, Any]  # component → its new value


@dataclass(frozen=True)
class Inputs:
    opened: gr.State
    upload: gr.File
    examples: gr.Gallery
    checkpoint: gr.Dropdown
    about: gr.Markdown
    samples: gr.Slider
    steps: gr.Slider
    guidance: gr.Slider
    saturation: gr.Slider
    seed: gr.Number
    new_seed: gr.Button
    detect: gr.Checkbox
    color: gr.Button
    stop: gr.Button

    @property
    def settings(self) -> list[Any]:
        """In the order of `zoo.app.page.Handlers.color`, before what is said."""
        chosen = [self.opened, self.upload, self.checkpoint, self.samples, self.steps]
        return [*chosen, self.guidance, self.saturation, self.seed, self.detect]


@dataclass(frozen=True)
class Outputs:
    results: gr.State
    compared: gr.ImageSlider
    status: gr.Markdown
    download: gr.DownloadButton
    several: gr.Column
    gallery: gr.Gallery
    heat: gr.Image
    legend: gr.Markdown

    @property
    def of_results(self) -> list[Any]:
        return [self.results, self.download, self.several]

    def cleared(self) -> Changes:
        """Nothing is coloured."""
        nothing = gr.DownloadButton("Download", value=None, interactive=False)
        return {self.results: None, self.download: nothing, self.several: gr.Column(visible=False)}

    def filled(self, opened: Opened, results: Results) -> Changes:
        changes: Changes = {
            self.results: results,
            self.status: line(_done(results)),
            self.several: gr.Column(visible=len(results.files) > 1),
            self.gallery: gr.Gallery([(str(path), str(i)) for i, path in enumerate(results.shown, 1)]),
        }
        if results.heat:
            picture, top = results.heat
            changes |= {self.heat: picture, self.legend: legend(top)}
        return changes | self.sample(opened, results)

    def of_album(self, album: Album) -> Changes:
        opened, results = album.last
        label = f"Download {album.done} photos (ZIP, {_megabytes(album.file)} MB)"
        return {
            self.compared: (str(opened.before), str(results.shown[0])),
            self.status: line(_done_all(album)),
            self.download: gr.DownloadButton(label, value=album.file, interactive=True),
        }

    def sample(self, opened: Opened, results: Results) -> Changes:
        """The chosen sample is compared with the photo, and downloaded."""
        height, width = opened.size
        number = f"sample {results.chosen + 1}, " if len(results.files) > 1 else ""
        label = f"Download ({number}PNG, {width} × {height})"
        return {
            self.compared: (str(opened.before), str(results.current_shown)),
            self.download: gr.DownloadButton(label, value=results.current, interactive=True),
        }


def lay_inputs(actions: Actions, examples: Sequence[Path], first: Opened, max_mb: int) -> Inputs:
    names = list(actions.checkpoints)
    limits = f"Up to {MOST}, each of at most {max_mb} MB and {actions.max_pixels / 1e6:.3g} megapixels"
    upload = gr.File(
        label="Photo, or several",
        file_types=["image", *sorted(suffixes())],
        file_count="multiple",
        height=170,
        elem_id="upload",
    )
    gr.Markdown(f"{limits}. Or try one of these:", elem_classes="small")
    gallery = _thumbnails([str(path) for path in examples], "Examples", "cover", "examples")
    with gr.Row():
        color = gr.Button("Colour", variant="primary", min_width=120, scale=2, elem_id="color")
        stop = gr.Button("Stop", interactive=False, min_width=80, scale=1, elem_id="stop")
    samples = _slider("Samples", (1, _SAMPLES), 1, "different colourings of the same photo")
    checkpoint = gr.Dropdown(names, value=names[0], label="Model", interactive=len(names) > 1, elem_id="checkpoint")
    about = gr.Markdown(describe(actions.checkpoints[names[0]]), elem_id="about", elem_classes="small")
    with gr.Accordion("More settings", open=False, elem_id="more"):
        return Inputs(
            opened=gr.State(first),
            upload=upload,
            examples=gallery,
            checkpoint=checkpoint,
            about=about,
            samples=samples,
            steps=_slider("Steps", (1, 50), 5, "of sampling: fewer are quicker and duller"),
            guidance=_slider("Guidance", (0, 5), 1, "by the encoder's features; 1 is none", digits=1),
            saturation=_slider("Saturation", (0, 2), 1, "factor on the strength of colours", digits=2),
            seed=gr.Number(0, label="Seed", info="the same seed gives the same colours", precision=0, minimum=0),
            new_seed=gr.Button("New seed", size="sm"),
            detect=gr.Checkbox(True, label="Look for faces", info="off: the picture is coloured as a whole"),
            color=color,
            stop=stop,
        )


def _slider(label: str, ends: tuple[int, int], value: int, info: str, *, digits: int = 0) -> gr.Slider:
    """A number with so many ``digits`` after the point; a whole one without."""
    return gr.Slider(*ends, value=value, step=10**-digits, precision=digits, label=label, info=info)


def lay_outputs(first: Opened) -> Outputs:
    compared = gr.ImageSlider(
        (str(first.before), str(first.before)),
        label="Before and after",
        type="filepath",
        interactive=False,
        max_height=560,
        buttons=["fullscreen"],
        elem_id="compared",
    )
    status = _words(line(ready(first)), "status")
    download = gr.DownloadButton("Download", interactive=False, elem_id="download")
    with gr.Column(visible=False, elem_id="several") as several:
        gr.Markdown("### Samples\nTap one to compare it with the photo, and to download it.")
        gallery = _thumbnails([], "Samples", "contain", "samples")
        gr.Markdown("### Where they disagree")
        heat = gr.Image(show_label=False, interactive=False, buttons=["fullscreen"], height=320, elem_id="heat")
        return Outputs(gr.State(None), compared, status, download, several, gallery, heat, _words("", "legend"))


def _words(html: str, name: str) -> gr.Markdown:
    """HTML in a block; `gr.HTML` evaluates strings as scripts, which the page's policy forbids."""
    return gr.Markdown(html, elem_id=name, latex_delimiters=[])


def _thumbnails(pictures: list[str], label: str, fit: Any, name: str) -> gr.Gallery:
    """Pictures to choose one of."""
    return gr.Gallery(
        pictures,
        label=label,
        show_label=False,
        container=False,
        object_fit=fit,
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id=name,
    )


def _megabytes(path: Path) -> str:
    return f"{max(0.1, path.stat().st_size / 1e6):.1f}"


def describe(checkpoint: Checkpoint) -> str:
    return (
        f"encoder `{checkpoint.encoder}` · conditioning `{checkpoint.cond}` · "
        f"{checkpoint.image_size} px · {checkpoint.parameters / 1e6:.1f} M parameters"
    )


def ready(opened: Opened, photos: int = 1) -> str:
    height, width = opened.size
    size = f"{width} × {height} pixels" if photos == 1 else f"{photos} photos, to be had as one ZIP"
    return f"{size}. Press “Colour”."


def _done(results: Results) -> str:
    several = len(results.files) > 1
    next_step = f"Done: {len(results.files)} samples." if several else "Done: move the handle to compare."
    return f"{next_step} Note: {results.note}." if results.note else next_step


def _done_all(album: Album) -> str:
    total = album.done + len(album.broken)
    if not album.broken:
        return f"Done: {total} photos. The last one is shown."
    more = f"; and {len(album.broken) - _NAMED} more" if len(album.broken) > _NAMED else ""
    return f"Done: {album.done} of {total} photos. Left out: {'; '.join(album.broken[:_NAMED])}{more}."


def line(text: str, *, done: float | None = None, wrong: bool = False) -> str:
    """A line of text as HTML, with a progress bar while something is ``done`` by a fraction."""
    bar = "" if done is None else f'<progress max="1" value="{done:.3f}"></progress>'
    role = "alert" if wrong else "status"
    return f'<div class="line {role}" role="{role}">{bar}<span>{escape(text.strip())}</span></div>'
