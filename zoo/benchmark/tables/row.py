"""One score of one run: a row of a table of results."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Row:
    """One score of one run.

    Attributes:
        value: None is a hole, and ``note`` says why.
        higher_is_better: None where neither is.
        n_images: that were scored.
        params, encoder_params, cond_params: numbers of parameters.
        train_seconds: of training alone, over all sittings.
        images_seen: in training, repetitions counted.
        peak_memory_mb: of the process, or of the GPU where there is one.
        weights_sha: of the encoder's pretrained weights; empty: it has none.
        method: how colours come about: ``diffusion`` by the pair, or a baseline. Those that train nothing have neither
            encoder nor cond.
        steps_run, kept_step: of training, and the one whose averaged weights were kept: the last, or the best by its
            validation loss (``train.keep=best``). None: not known.
        feature_seconds, pretrain_seconds: of computing cached features, and of pretraining the encoder, before
            training; once for all runs that share them, each of which says the same. None: not known.
    """

    run_id: str
    encoder: str
    cond: str
    seed: int
    metric: str
    value: float | None
    higher_is_better: bool | None
    n_images: int
    protocol_id: str
    params: int
    encoder_params: int
    cond_params: int
    train_seconds: float
    images_seen: int
    sample_seconds_per_image: float
    peak_memory_mb: float
    device: str
    git_sha: str
    weights_sha: str
    note: str = ""
    method: str = "diffusion"
    feature_seconds: float | None = None
    pretrain_seconds: float | None = None
    steps_run: int | None = None
    kept_step: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.run_id, self.metric


COLUMNS = [field.name for field in fields(Row)]
