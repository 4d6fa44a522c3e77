"""One run, from its configuration to its rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zoo import registry
from zoo.benchmark.config.labels import label
from zoo.benchmark.config.options import under
from zoo.benchmark.config.processes import MAIN_PROCESS
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs import environment
from zoo.benchmark.runs.again import show_again, taken_from
from zoo.benchmark.runs.folder import RunFolder
from zoo.benchmark.runs.grid import save_grid
from zoo.benchmark.runs.identity import Identity, protocol_id
from zoo.benchmark.runs.photos import RunPhotos, without_idle_limits
from zoo.benchmark.runs.plugged_in import try_out
from zoo.benchmark.runs.progress import TrainingBar, bar, one_line_warning
from zoo.benchmark.runs.showing import appended, log_results, show
from zoo.benchmark.runs.specified import specified
from zoo.benchmark.runs.taking_over import start_from, take_over
from zoo.benchmark.runs.validating import validator
from zoo.benchmark.tables import rows
from zoo.benchmark.tables.rows import Row
from zoo.data import Dataset, printable
from zoo.denoisers import chroma_scale
from zoo.errors import below
from zoo.evaluation.evaluate import Evaluation, evaluate
from zoo.methods import Materials, Method
from zoo.metrics import Score, at
from zoo.model import ColorDiffusion
from zoo.training.batches import Batches, Costs
from zoo.training.diffusion import open_batches, train
from zoo.training.trainer import TrainResult

OnClaimed = Callable[[str, bool], object]  # (a run's id, whether it is done already)

_SHOWN = 8  # photos in the picture of a run


@dataclass(frozen=True)
class Run:
    """A run that has been checked and opened, but not started."""

    spec: Spec
    labels: dict[str, str]
    model: ColorDiffusion | None  # None: a baseline that trains nothing
    dataset: Dataset
    photos: RunPhotos
    device: str
    contents: dict[str, str]  # of the method's options that are paths, what is read there
    weights_sha: str | None  # of the weights that were given; an encoder may pretrain its own later

    @classmethod
    def open(cls, config: DictConfig) -> Run:
        """Raises `ZooError` for something that the user can mend, before anything heavy is done."""
        spec, device = specified(config)
        environment.reset_peak_memory(device)
        model = spec.build_model() if registry.methods.get(spec.method).trains else None
        if model:
            spec = spec.with_cond(model.spec["cond"])
            config = OmegaConf.merge(config, {"cond": model.spec["cond"]})  # type: ignore[assignment]
        if model and spec.train.init is not None:
            start_from(model, spec.train.init)
        warnings.showwarning = partial(one_line_warning, options=registry.datasets.options(spec.data.name))
        with under("data", registry.datasets, spec.data.name):
            dataset = registry.datasets.create(spec.data.name, **spec.data.options)
            dataset.prepare(spec.machine.cache, bar)
            spec = without_idle_limits(spec, dataset)
            photos = RunPhotos.open(spec, dataset)
        labels = {group: label(config, group) if model else "" for group in ("encoder", "cond")}
        if model and spec.encoder.name == "none":  # what was asked for may be another, that the conditioner never sees
            labels["encoder"] = "none"
        with under("method", registry.methods, spec.method):
            contents = registry.methods.get(spec.method).contents(
                _materials(spec, model, dataset, photos), **spec.method_options
            )
        weights_sha = model.encoder.weights_sha if model else None
        return cls(spec, labels, model, dataset, photos, device, contents, weights_sha)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        pair = f"encoder={self.labels['encoder']} cond={self.labels['cond']}" if self.model else ""
        return pair if self.spec.method == "diffusion" else f"method={self.spec.method_label} {pair}".strip()

    @property
    def people(self) -> dict[str, str]:
        """Who is on which of the photos that are scored, as far as that is known."""
        found = {key: self.dataset.person(key) for key in self.photos.images["eval"].keys}
        return {printable(key): printable(person) for key, person in found.items() if person is not None}

    @cached_property
    def identity(self) -> Identity:
        """What its numbers depend on."""
        manifests = {role: cache.manifest for role, cache in self.photos.images.items()}
        framed = self.model is not None and self.model.encoder.frame is not None
        return Identity(
            self.spec,
            manifests=manifests,
            weights_sha=self.weights_sha,
            find_face=lambda: self.dataset.face_box,
            framed=framed,
            contents=self.contents,
        )

    def open_batches(self, model: ColorDiffusion) -> Batches:
        """What ``model`` trains on; an encoder that has to learn something first does so here."""
        with TrainingBar("pretraining") as pretraining:
            batches = open_batches(
                model,
                self.dataset,
                self.spec.train,
                seed=self.spec.seed,
                cache_dir=self.spec.machine.cache,
                device=self.device,
                limit=self.spec.data_limit,
                unlike=self.photos.unlike,
                crop=self.spec.data_crop,
                progress=bar,
                on_step=pretraining,  # in whichever process does it
            )
        model.face_box = self.dataset.face_box  # for photos in which the face lies elsewhere
        return batches

    def score(self) -> Evaluation:
        """Colour and score. The notes of metrics that are missing name options as they stand in the configuration."""
        found = evaluate(
            self._method(),
            self.dataset,
            list(self.spec.open_metrics().values()),
            self.spec.eval,
            image_size=self.spec.image_size,
            device=self.device,
            cache_dir=self.spec.machine.cache,
            progress=bar,
        )
        return replace(
            found, scores=[score if score.value is not None else self._named(score) for score in found.scores]
        )

    def _named(self, score: Score) -> Score:
        key = self.score_names[score.name.partition("[")[0]]
        return replace(
            score, note=below(f"metrics.{key}", registry.metrics.options(self.spec.metrics[key].name), score.note)
        )

    @cached_property
    def score_names(self) -> dict[str, str]:
        """The score of each name → the key of its metric in the configuration."""
        opened = self.spec.open_metrics().items()
        return {at(name, metric.hints): key for key, metric in opened for name in metric.names()}

    def _method(self) -> Method:
        materials = _materials(self.spec, self.model, self.dataset, self.photos)
        return registry.methods.get(self.spec.method).of(materials, **self.spec.method_options)

    def record(self, found: Evaluation) -> dict[str, Any]:
        """What a row of its table leads to: all that its numbers depend on, and what else one may want to know."""
        scores = [score.name for score in found.scores]
        return {
            "spec": {**self.identity.settings, "manifests": self.identity.training_photos},
            "protocols": {name: self.identity.protocols[self.score_names[name.partition("[")[0]]] for name in scores},
            "samplings": {score.name: list(score.samplings) for score in found.scores if score.samplings},
            "commit": environment.git_sha(),
            "device": environment.device_name(self.device),
            "weights": (self.model.encoder.weights_sha if self.model else None) or "",
        }

    def rows(
        self, record: Mapping[str, Any], trained: TrainResult, costs: Costs, found: Evaluation, peak: float
    ) -> list[Row]:
        counts = {"params": 0, "encoder_params": 0, "cond_params": 0}
        shared: dict[str, Any] = {
            "run_id": self.identity.run_id,
            "method": self.spec.method_label,
            "encoder": self.labels["encoder"],
            "cond": self.labels["cond"],
            "seed": self.spec.seed if self.model else 0,
            "n_images": found.n_images,
            **(self.model.parameter_counts() if self.model else counts),
            "train_seconds": round(trained.seconds, 3),
            "feature_seconds": costs.features,
            "pretrain_seconds": costs.pretraining,
            "images_seen": trained.images_seen,
            "steps_run": trained.steps if self.model else None,
            "kept_step": trained.kept,
            "sample_seconds_per_image": round(found.seconds_per_image, 6),
            "peak_memory_mb": round(peak, 1),
            "device": record["device"],
            "git_sha": record["commit"],
            "weights_sha": record["weights"],
        }
        made = []
        for score in found.scores:
            usable = score.value is not None and math.isfinite(score.value)
            note = score.note if usable or score.value is None else f"the value is {score.value}; {score.note}"
            made.append(
                Row(
                    metric=score.name,
                    protocol_id=protocol_id(record["protocols"][score.name]),
                    value=float(score.value) if usable and score.value is not None else None,
                    higher_is_better=score.higher_is_better,
                    note=note,
                    **shared,
                )
            )
        return made


def _materials(spec: Spec, model: ColorDiffusion | None, dataset: Dataset, photos: RunPhotos) -> Materials:
    images, scale = photos.images, chroma_scale(spec.denoiser)
    given = (images.get("train"), images["eval"], dataset, spec.machine.cache)
    return Materials(model, spec.sampler, scale, *given)


def run(config: DictConfig, on_claimed: OnClaimed | None = None) -> None:
    """Check, open, train, score and write; a run that is done already only shows its rows.

    Args:
        on_claimed: told the run's id and whether it is done already, once no other process may work on it.

    Raises:
        ZooError: something that the user can mend, as early as it can be known.
        HeldError: another process is at work on this run.
    """
    warnings.showwarning = one_line_warning
    with environment.out_of_memory_told("train.batch_size or eval.batch_size"):
        opened = Run.open(config)
        folder = RunFolder(Path(opened.spec.machine.results_dir), opened.identity.run_id)
        with folder.claimed() if MAIN_PROCESS else nullcontext():
            table = opened.spec.machine.table if on_claimed else None  # what a sweep has done, it need not do again
            if on_claimed and MAIN_PROCESS:
                if table and not folder.done:
                    taken_from(Path(table), folder, opened.score_names)
                on_claimed(folder.path.name, folder.done)
            if folder.done:
                show_again(folder, primary=opened.spec.primary, people=opened.people, table=table)
            else:
                _begin(opened, folder)
                trained, costs = TrainResult(0, 0, 0.0), Costs()
                if opened.model is not None:  # here, so that few calls lie between a command and a step of training
                    batches = opened.open_batches(opened.model)
                    costs = batches.costs
                    with TrainingBar("training", folder.progress) as training:
                        on_step = training if MAIN_PROCESS else None
                        look = validator(opened.spec, opened.model, opened.dataset, folder) if MAIN_PROCESS else None
                        given = (opened.model, batches, opened.spec.train, folder.path)
                        trained = train(*given, device=opened.device, on_step=on_step, on_validate=look)
                if MAIN_PROCESS:
                    _score(opened, folder, trained, costs)
    if MAIN_PROCESS:
        show(appended(folder, opened.spec.machine.table), folder)


def _begin(opened: Run, folder: RunFolder) -> None:
    """Write down what is known before training, and take over that of another run if it is the same."""
    if not MAIN_PROCESS:
        return
    try_out(opened.spec, opened.model, opened.dataset, opened.photos.images["eval"], opened.device)
    print(f"run {folder.path.name}: {opened.name} on {opened.device}")
    identity, ids = opened.identity, {"training_id": opened.identity.training_id}
    if opened.model:
        ids |= {"course_id": identity.course_id, "any_budget_id": identity.any_budget_id}
    folder.describe(opened.spec.as_dict(), environment.describe(opened.device), {**ids, **opened.photos.facts()})
    if opened.model and (line := take_over(folder, opened.spec.train, identity)):
        print(line)


def _score(opened: Run, folder: RunFolder, trained: TrainResult, costs: Costs) -> None:
    folder.remember_peak(environment.peak_memory_mb(opened.device))
    if opened.model is not None:
        folder.share_model(opened.identity.training_id)
    found = opened.score()
    save_grid(folder.grid, found.sample_grid[:_SHOWN])
    record = opened.record(found)
    folder.keep(found, record)
    folder.name_people(opened.people)
    peak = folder.remember_peak(environment.peak_memory_mb(opened.device))
    if opened.model:
        log_results(opened.spec.train.log, folder.path, record, found.scores, trained.steps)
    rows.write(folder.rows, opened.rows(record, trained, costs, found, peak))
