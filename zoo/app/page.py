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
from zoo.app.saying import MOST, Saying, hint_at, lay_saying, marked
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.photos.colorizer import ColorizeOptions
    from zoo.photos.hints import Hint

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
                saying = lay_saying(first.before, visible=next(iter(actions.checkpoints.values())).hints)
        _connect(inputs, outputs, saying, _Handlers(actions, examples, inputs, outputs, saying))
    return page


def _connect(inputs: Inputs, outputs: Outputs, saying: Saying, handlers: _Handlers) -> None:
    """Handlers are private: the page is no public API."""
    marks = [saying.said, saying.photo, saying.undo, saying.forget]
    show = [inputs.opened, inputs.upload, outputs.compared, outputs.status, *outputs.of_results, saying.place, *marks]
    hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
    inputs.checkpoint.change(
        handlers.about, [inputs.checkpoint, inputs.upload], [inputs.about, saying.place], queue=False, **hidden
    )
    inputs.new_seed.click(lambda: secrets.randbelow(2**31), None, inputs.seed, queue=False, **hidden)
    filled = [outputs.compared, outputs.status, outputs.gallery, outputs.heat, outputs.legend, inputs.stop]
    coloring: Any = {
        "fn": handlers.color,
        "inputs": [*inputs.settings, saying.said],
        "outputs": [*outputs.of_results, *filled, saying.photo],
        "show_progress": "minimal",  # the place in the queue, beside our own bar
        "show_progress_on": outputs.status,
        "concurrency_limit": None,  # each photo waits for its turn by itself, so that no album is before all others
        "api_visibility": "private",
    }
    run: list[Any] = [inputs.color.click(**coloring)]
    told = [inputs.opened, saying.said]
    for said in (
        saying.photo.select(handlers.say, [*told, saying.color], marks, queue=False, **hidden),
        saying.undo.click(handlers.undo, told, marks, queue=False, **hidden),
        saying.forget.click(handlers.forget, told, marks, queue=False, **hidden),
    ):
        run.append(said.success(**coloring))
    for each in run:
        each.then(lambda: gr.Button(interactive=False), None, inputs.stop, queue=False, **hidden)
    given = [inputs.upload, inputs.checkpoint]
    gr.on([inputs.upload.upload, inputs.upload.delete], handlers.upload, given, show, cancels=run, **hidden)
    inputs.examples.select(handlers.example, inputs.checkpoint, show, cancels=run, **hidden)
    inputs.stop.click(handlers.stopped, None, [inputs.stop, outputs.status], cancels=run, queue=False, **hidden)
    chosen = [outputs.compared, outputs.download]
    outputs.gallery.select(handlers.sample, [inputs.opened, outputs.results], chosen, queue=False, **hidden)


class _Handlers:
    """From the values of controls to changes of controls."""

    def __init__(
        self, actions: Actions, examples: Sequence[Path], inputs: Inputs, outputs: Outputs, saying: Saying
    ) -> None:
        self._actions = actions
        self._examples = examples
        self._in = inputs
        self._out = outputs
        self._say = saying

    def upload(self, paths: list[str] | None, checkpoint: str) -> Changes:
        """The first photo that can be read is shown; if there is none, that is said, and what was there stays."""
        refused: ZooError | None = None
        for path in paths or ():
            try:
                return self._opened(self._actions.open(Path(path)), checkpoint, len(paths or ()))
            except ZooError as error:
                refused = refused or error
        if refused is None:
            return {}
        gr.Warning(escape(str(refused)))
        return {self._in.upload: None, self._out.status: line(str(refused), wrong=True)}

    def example(self, checkpoint: str, event: gr.SelectData) -> Changes:
        return self._opened(self._actions.open(self._examples[event.index]), checkpoint) | {self._in.upload: None}

    def about(self, name: str, uploaded: list[str] | None) -> Changes:
        return {self._in.about: describe(self._actions.checkpoints[name]), **self._can_say(name, len(uploaded or ()))}

    def _can_say(self, checkpoint: str, photos: int) -> Changes:
        """Colours can be said of one photo, to a model that listens."""
        return {self._say.place: gr.Column(visible=self._actions.checkpoints[checkpoint].hints and photos < 2)}

    def say(self, opened: Opened, said: list[Any], color: str, event: gr.SelectData) -> Changes:
        """One colour more, where the visitor clicked. Gradio finds the event by types: all here must be known."""
        if len(said) == MOST:
            raise gr.Error(f"no more than {MOST} colours can be said")
        return self._say.shown(opened.before, [*said, hint_at(event.index, color, opened.shown_size)])

    def undo(self, opened: Opened, said: list[Hint]) -> Changes:
        return self._say.shown(opened.before, said[:-1])

    def forget(self, opened: Opened, said: list[Hint]) -> Changes:
        return self._say.shown(opened.before, ())

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
        said: list[Hint],
    ) -> Iterator[Changes]:
        from zoo.photos.colorizer import ColorizeOptions

        started = self._out.cleared() | {self._in.stop: gr.Button(interactive=True)}
        first = "Others are before you" if len(self._actions.turns) else "Loading the model"
        yield started | {self._out.status: line(first, done=0)}
        several = [Path(path) for path in uploaded or ()]
        told = said if self._actions.checkpoints[checkpoint].hints and len(several) < 2 else ()
        try:
            options = ColorizeOptions(
                samples=samples,
                steps=steps,
                guidance=guidance,
                saturation=saturation,
                seed=seed or 0,
                detect=detect,
                hints=told,
            )
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
                    shown = {self._say.photo: marked(event.shown[0], options.hints)}
                    yield self._out.filled(opened, event) | shown
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

    def _opened(self, opened: Opened, checkpoint: str, photos: int = 1) -> Changes:
        before = str(opened.before)
        shown = {self._in.opened: opened, self._out.compared: (before, before), **self._say.shown(opened.before, ())}
        shown |= self._can_say(checkpoint, photos)
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
