"""What a run that is done tells: its rows go to a table, its scores to the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row
from zoo.benchmark.tables.specs import flat
from zoo.benchmark.tables.text_table import number, render
from zoo.metrics import Score
from zoo.tensor_file import MODEL
from zoo.training.log import open_logs


def appended(folder: RunFolder, table: str | None) -> list[Row]:
    """The rows of a run that is done, once they are in ``table``, too."""
    results = rows.read(folder.rows)
    record = folder.record()
    warning = rows.append(Path(table), results, {results[0].run_id: record} if record else None) if table else ""
    if warning:
        print(f"warning: {warning}")
    return results


def log_results(
    names: Sequence[str], folder: Path, record: Mapping[str, Any], scores: Sequence[Score], steps: int
) -> None:
    """The settings and the scores of a training, where its losses are: TensorBoard's HPARAMS, the summary of W&B."""
    found = {score.name: score.value for score in scores if score.value is not None}
    with open_logs(names, folder) as logs:
        for log in logs:
            log.results(dict(flat(record["spec"])), found, steps)


def show(results: Sequence[Row], folder: RunFolder) -> None:
    """The scores, and where the picture is."""
    arrows = {True: "higher", False: "lower", None: ""}
    table = [["metric", "value", "better", ""]]
    for row in results:
        table.append(
            [row.metric, "–" if row.value is None else number(row.value), arrows[row.higher_is_better], row.note]
        )
    print("\n" + render(table, left=(0, 2, 3)))
    first = results[0]
    once = {"features": first.feature_seconds, "pretraining": first.pretrain_seconds}
    before = "".join(f" after {seconds:.0f} s of {what}, once" for what, seconds in once.items() if seconds)
    steps = "" if first.steps_run is None else f" {first.steps_run} steps,"
    print(
        f"\n{first.n_images} images, {first.params / 1e6:.2f} M parameters (encoder {first.encoder_params / 1e6:.2f}, "
        f"conditioner {first.cond_params / 1e6:.2f}), {first.images_seen} images seen in{steps} "
        f"{first.train_seconds:.0f} s{before}, {1e3 * first.sample_seconds_per_image:.1f} ms to colour one"
    )
    if first.kept_step != first.steps_run:
        print(f"kept: the averaged weights of step {first.kept_step} of {first.steps_run}, the best on photos of val")
    model = folder.path / MODEL
    print(f"rows:    {folder.rows}\npicture: {folder.grid}" + (f"\nmodel:   {model}" if model.is_file() else ""))
