"""The page: its controls, and what each sets going."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from zoo.app.actions import Actions
from zoo.app.handlers import Controls, Handlers
from zoo.app.keeping import Marking, lay_marking
from zoo.app.layout import Inputs, Outputs, lay_inputs, lay_outputs
from zoo.app.saying import Saying, lay_saying

TITLE = "Face colour zoo"

SHOW_RESULT = """
document.addEventListener("click", (event) => {
    if (event.target.closest("#color, #keep, #keep-undo"))
        document.querySelector("#compared").scrollIntoView({block: "nearest", behavior: "smooth"});
});
"""  # a script: on a phone the result lies below the controls; Gradio's own way needs `eval`

_INTRODUCTION = f"""
# {TITLE}
Give it a grey photo of a face, or several; it answers with colours. They are *plausible, not true*: the colour of skin,
eyes and hair cannot be read off a grey photo for certain. Lightness stays as it was.
"""


def build(actions: Actions, examples: Sequence[Path], *, max_mb: int) -> gr.Blocks:
    """The page, not yet served; the first example is there to be coloured."""
    first = actions.open(examples[0])
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.Markdown(_INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=2, min_width=290):
                inputs = lay_inputs(actions, examples, first, max_mb)
            with gr.Column(scale=3, min_width=290):
                outputs = lay_outputs(first)
                saying = lay_saying(first.before, visible=next(iter(actions.checkpoints.values())).hints)
                marking = lay_marking()
        controls = Controls(inputs, outputs, saying, marking)
        _connect(controls, Handlers(actions, examples, controls))
    return page


def _connect(controls: Controls, handlers: Handlers) -> None:
    """Handlers are private: the page is no public API."""
    inputs, outputs, saying, marking = controls.inputs, controls.outputs, controls.saying, controls.marking
    marks = [saying.said, saying.photo, saying.undo, saying.forget]
    show = [inputs.opened, inputs.upload, outputs.compared, outputs.status, *outputs.of_results, saying.place, *marks]
    show += [marking.place, *marking.all]
    hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
    at_once: Any = {**hidden, "queue": False}
    refusing = hidden  # only out of the queue does Gradio show why
    inputs.checkpoint.change(
        handlers.about, [inputs.checkpoint, inputs.upload], [inputs.about, saying.place], **at_once
    )
    inputs.new_seed.click(lambda: secrets.randbelow(2**31), None, inputs.seed, **at_once)
    coloring = _coloring(inputs, outputs, saying, marking) | {"fn": handlers.color}
    run: list[Any] = [inputs.color.click(**coloring)]
    told, kept = [inputs.opened, saying.said], [outputs.results, marking.keeping]
    for changed in (
        saying.photo.select(handlers.say, [*told, saying.color, marking.keeping], marks, **refusing),
        saying.undo.click(handlers.undo, told, marks, **at_once),
        saying.forget.click(handlers.forget, told, marks, **at_once),
        marking.keep.click(handlers.keep, kept, marking.all, **refusing),
        marking.undo.click(handlers.undo_keep, marking.keeping, marking.all, **at_once),
    ):
        run.append(changed.success(**coloring))
    for each in run:
        each.then(lambda: gr.Button(interactive=False), None, inputs.stop, **at_once)
    marking.photo.select(handlers.mark, [inputs.opened, *kept], marking.all, **refusing)
    marking.unmark.click(handlers.unmark, kept, marking.all, **refusing)
    given = [inputs.upload, inputs.checkpoint]
    gr.on([inputs.upload.upload, inputs.upload.delete], handlers.upload, given, show, cancels=run, **hidden)
    inputs.examples.select(handlers.example, inputs.checkpoint, show, cancels=run, **hidden)
    inputs.stop.click(handlers.stopped, None, [inputs.stop, outputs.status], cancels=run, **at_once)
    chosen = [outputs.results, outputs.compared, outputs.download, marking.place, marking.photo]
    outputs.gallery.select(handlers.sample, [inputs.opened, *kept], chosen, **at_once)


def _coloring(inputs: Inputs, outputs: Outputs, saying: Saying, marking: Marking) -> dict[str, Any]:
    """What an event that colours takes and changes."""
    filled = [outputs.compared, outputs.status, outputs.gallery, outputs.heat, outputs.legend, inputs.stop]
    return {
        "inputs": [*inputs.settings, saying.said, marking.keeping],
        "outputs": [*outputs.of_results, *filled, saying.photo, marking.place, marking.photo],
        "show_progress": "minimal",  # the place in the queue, beside our own bar
        "show_progress_on": outputs.status,
        "concurrency_limit": None,  # each photo waits for its turn by itself, so that no album is before all others
        "api_visibility": "private",
    }
