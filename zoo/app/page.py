"""The page: its controls, and what each sets going."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from zoo.app.actions import Actions, Opened, Results
from zoo.app.album import Album, Turn, color_album
from zoo.app.layout import Changes, Inputs, Outputs, describe, lay_inputs, lay_outputs, line, ready
from zoo.app.live import Step
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.photos.colorizer import ColorizeOptions

TITLE = "Face colour zoo"

SHOW_RESULT = """
document.addEventListener("click", (event) => {
    if (event.target.closest("#color"))
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
        _connect(inputs, outputs, _Handlers(actions, examples, inputs, outputs))
    return page


def _connect(inputs: Inputs, outputs: Outputs, handlers: _Handlers) -> None:
    """Handlers are private: the page is no public API."""
    show = [inputs.opened, inputs.upload, outputs.compared, outputs.status, *outputs.of_results]
    hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
    inputs.checkpoint.change(handlers.about, inputs.checkpoint, inputs.about, queue=False, **hidden)
    inputs.new_seed.click(lambda: secrets.randbelow(2**31), None, inputs.seed, queue=False, **hidden)
    filled = [outputs.compared, outputs.status, outputs.gallery, outputs.heat, outputs.legend, inputs.stop]
    run = inputs.color.click(
        handlers.color,
        inputs.settings,
        [*outputs.of_results, *filled],
        show_progress="minimal",  # the place in the queue, beside our own bar
        show_progress_on=outputs.status,
        concurrency_limit=None,  # each photo waits for its turn by itself, so that no album is before all others
        api_visibility="private",
    )
    run.then(lambda: gr.Button(interactive=False), None, inputs.stop, queue=False, **hidden)
    gr.on([inputs.upload.upload, inputs.upload.delete], handlers.upload, inputs.upload, show, cancels=run, **hidden)
    inputs.examples.select(handlers.example, None, show, cancels=run, **hidden)
    inputs.stop.click(handlers.stopped, None, [inputs.stop, outputs.status], cancels=run, queue=False, **hidden)
    chosen = [outputs.compared, outputs.download]
    outputs.gallery.select(handlers.sample, [inputs.opened, outputs.results], chosen, queue=False, **hidden)


class _Handlers:
    """From the values of controls to changes of controls."""

    def __init__(self, actions: Actions, examples: Sequence[Path], inputs: Inputs, outputs: Outputs) -> None:
        self._actions = actions
        self._examples = examples
        self._in = inputs
        self._out = outputs

    def upload(self, paths: list[str] | None) -> Changes:
        """The first photo that can be read is shown; if there is none, that is said, and what was there stays."""
        refused: ZooError | None = None
        for path in paths or ():
            try:
                return self._opened(self._actions.open(Path(path)), len(paths or ()))
            except ZooError as error:
                refused = refused or error
        if refused is None:
            return {}
        gr.Warning(escape(str(refused)))
        return {self._in.upload: None, self._out.status: line(str(refused), wrong=True)}

    def example(self, event: gr.SelectData) -> Changes:
        return self._opened(self._actions.open(self._examples[event.index])) | {self._in.upload: None}

    def about(self, name: str) -> str:
        return describe(self._actions.checkpoints[name])

    def color(
        self,
        opened: Opened,
        uploaded: list[str] | None,
        checkpoint: str,
        samples: int,
        steps: int,
        guidance: float,
        saturation: float,
        seed: int | None,
        detect: bool,
    ) -> Iterator[Changes]:
        from zoo.photos.colorizer import ColorizeOptions

        started = self._out.cleared() | {self._in.stop: gr.Button(interactive=True)}
        first = "Others are before you" if len(self._actions.turns) else "Loading the model"
        yield started | {self._out.status: line(first, done=0)}
        try:
            options = ColorizeOptions(
                samples=samples,
                steps=steps,
                guidance=guidance,
                saturation=saturation,
                seed=seed or 0,
                detect=detect,
            )
            several = [Path(path) for path in uploaded or ()]
            if len(several) > 1:
                yield from self._color_album(several, checkpoint, options)
            else:
                yield from self._color(opened, checkpoint, options)
        except ZooError as error:
            gr.Warning(escape(str(error)))
            yield {self._out.status: line(str(error), wrong=True)}

    def _color(self, opened: Opened, checkpoint: str, options: ColorizeOptions) -> Iterator[Changes]:
        with closing(self._actions.color(opened, checkpoint, options)) as events:
            for event in events:
                if isinstance(event, Results):
                    yield self._out.filled(opened, event)
                else:
                    yield self._step(opened, event, options.steps)

    def _color_album(self, paths: list[Path], checkpoint: str, options: ColorizeOptions) -> Iterator[Changes]:
        turn: Turn | None = None
        with closing(color_album(self._actions, paths, checkpoint, options)) as events:
            for event in events:
                if isinstance(event, Turn):
                    turn = event
                    before = str(turn.opened.before)
                    words = f"Photo {turn.number} of {turn.total}: {turn.opened.path.name}"
                    share = (turn.number - 1) / turn.total
                    yield {self._out.compared: (before, before), self._out.status: line(words, done=share)}
                elif isinstance(event, Album):
                    yield self._out.of_album(event)
                elif turn and event.preview is not None:
                    yield {self._out.compared: (str(turn.opened.before), event.preview)}

    def stopped(self) -> Changes:
        return {self._in.stop: gr.Button(interactive=False), self._out.status: line("Stopped.")}

    def sample(self, opened: Opened, results: Results, event: gr.SelectData) -> Changes:
        return self._out.sample(opened, results, event.index)

    def _opened(self, opened: Opened, photos: int = 1) -> Changes:
        before = str(opened.before)
        shown = {self._in.opened: opened, self._out.compared: (before, before)}
        return shown | {self._out.status: line(ready(opened, photos))} | self._out.cleared()

    def _step(self, opened: Opened, step: Step, steps: int) -> Changes:
        changes: Changes = {self._out.status: line(_doing(step.done, steps), done=min(1.0, step.done / steps))}
        if step.preview is not None:
            changes[self._out.compared] = (str(opened.before), step.preview)
        return changes


def _doing(done: int, steps: int) -> str:
    if done == 0:
        return "Colouring the faces"
    return f"Step {done} of {steps}" if done < steps else "Putting the colours into the whole photo"
