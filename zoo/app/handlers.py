"""What each control of the page sets going."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from zoo.app.actions import Actions, Opened, Results
from zoo.app.album import Album, Turn, color_album
from zoo.app.keeping import MOST as MOST_KEPT
from zoo.app.keeping import Keeping, Marking, framed
from zoo.app.layout import Changes, Inputs, Outputs, describe, line, ready
from zoo.app.live import Step
from zoo.app.saying import MOST, Saying, hint_at, marked
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.photos.colorizer import ColorizeOptions
    from zoo.photos.hints import Hint


@dataclass(frozen=True)
class Controls:
    inputs: Inputs
    outputs: Outputs
    saying: Saying
    marking: Marking


class Handlers:
    """From the values of controls to changes of controls."""

    def __init__(self, actions: Actions, examples: Sequence[Path], controls: Controls) -> None:
        self._actions = actions
        self._examples = examples
        self._in = controls.inputs
        self._out = controls.outputs
        self._say = controls.saying
        self._mark = controls.marking

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

    def say(self, opened: Opened, said: list[Any], color: str, keeping: Keeping, event: gr.SelectData) -> Changes:
        """One colour more, where the visitor clicked. Gradio finds the event by types: all here must be known."""
        if len(said) == MOST:
            raise gr.Error(f"no more than {MOST} colours can be said", print_exception=False)
        hint = hint_at(event.index, color, opened.shown_size)
        if keeping.last and keeping.last.holds(hint.x, hint.y):
            raise gr.Error("that place is in a part that stays as it is; undo that first", print_exception=False)
        return self._say.shown(opened.before, [*said, hint])

    def undo(self, opened: Opened, said: list[Hint]) -> Changes:
        return self._say.shown(opened.before, said[:-1])

    def forget(self, opened: Opened, said: list[Hint]) -> Changes:
        return self._say.shown(opened.before, ())

    def mark(self, opened: Opened, results: Any, keeping: Keeping, event: gr.SelectData) -> Changes:
        """One corner more of a part that is to be kept."""
        if len(keeping.parts) == MOST_KEPT:
            raise gr.Error(f"no more than {MOST_KEPT} parts can be kept", print_exception=False)
        return self._marked(results, keeping.tapped(event.index, opened.shown_size))

    def unmark(self, results: Results | None, keeping: Keeping) -> Changes:
        return self._marked(results, keeping.unmarked())

    def keep(self, results: Results | None, keeping: Keeping) -> Changes:
        """The marked parts of what is shown; then the rest is coloured anew."""
        return self._mark.changed(keeping.keep(_there(results).current))

    def undo_keep(self, keeping: Keeping) -> Changes:
        return self._mark.changed(keeping.undone())

    def _marked(self, results: Results | None, keeping: Keeping) -> Changes:
        picture = _there(results).current_shown
        return self._mark.changed(keeping) | {self._mark.photo: framed(picture, keeping)}

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
        keeping: Keeping,
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
                seed=(seed or 0) + len(keeping.kept),  # another rest each time, and the same one after "Undo"
                vivid=bool(keeping.kept),  # the colouring that can be trusted is nearly the same with any seed
                detect=detect,
                hints=told,
            )
            if len(several) > 1:
                yield from self._color_album(several, checkpoint, options)
            else:
                yield from self._color(opened, checkpoint, options, keeping)
        except ZooError as error:
            gr.Warning(escape(str(error)))
            yield {self._out.status: line(str(error), wrong=True)}

    def _color(self, opened: Opened, checkpoint: str, options: ColorizeOptions, keeping: Keeping) -> Iterator[Changes]:
        with closing(self._actions.color(opened, checkpoint, options, keeping.last)) as events:
            for event in events:
                if isinstance(event, Results):
                    picture = event.current_shown
                    shown = {self._say.photo: marked(picture, options.hints)} | self._mark.shown(picture, keeping)
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

    def sample(self, opened: Opened, results: Any, keeping: Keeping, event: gr.SelectData) -> Changes:
        chosen = replace(_there(results), chosen=event.index)
        shown = {self._out.results: chosen} | self._mark.shown(chosen.current_shown, keeping)
        return self._out.sample(opened, chosen) | shown

    def _opened(self, opened: Opened, checkpoint: str, photos: int = 1) -> Changes:
        before = str(opened.before)
        shown = {self._in.opened: opened, self._out.compared: (before, before), **self._say.shown(opened.before, ())}
        shown |= self._can_say(checkpoint, photos) | self._mark.cleared()
        return shown | {self._out.status: line(ready(opened, photos))} | self._out.cleared()

    def _step(self, opened: Opened, step: Step, steps: int) -> Changes:
        changes: Changes = {self._out.status: line(_doing(step.done, steps), done=min(1.0, step.done / steps))}
        if step.preview is not None:
            changes[self._out.compared] = (str(opened.before), step.preview)
        return changes


def _there(results: Results | None) -> Results:
    if results is None:
        raise gr.Error("there is no colouring yet; press “Colour”, or wait until it is done", print_exception=False)
    return results


def _doing(done: int, steps: int) -> str:
    if done == 0:
        return "Colouring the faces"
    return f"Step {done} of {steps}" if done < steps else "Putting the colours into the whole photo"
