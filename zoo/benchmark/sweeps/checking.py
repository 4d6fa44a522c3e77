"""Whether the cells of a sweep can run, as far as that is known before the first one trains."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict

from zoo import registry
from zoo.benchmark.config.mending import MENDABLE, one_line
from zoo.benchmark.config.options import under
from zoo.benchmark.config.spec import Spec
from zoo.benchmark.runs.experiment import Run
from zoo.benchmark.runs.identity import digest
from zoo.benchmark.runs.photos import without_idle_limits
from zoo.benchmark.runs.progress import bar
from zoo.benchmark.runs.specified import specified
from zoo.benchmark.runs.taking_over import start_from
from zoo.cache.contract import keys_of
from zoo.errors import ZooError
from zoo.plugins import blame

_SEED = re.compile(r"seed=\d+")  # of options: no check depends on it


def check(cells: Sequence[Sequence[str]], compose: Callable[[Sequence[str]], DictConfig], *, of: int) -> None:
    """Settings, weights and photos of all cells, each once.

    Args:
        cells: the options of those that are not done.
        of: how many there are with those that are.

    Raises:
        ZooError: some cannot run; where their reasons differ each was told.
    """
    seen, failed = _Seen(), {}
    for cell in cells:
        without_seed = tuple(option for option in cell if not _SEED.fullmatch(option))
        if seen.first("cell", list(without_seed)):
            try:
                _check(compose(cell), seen)
            except (Exception, SystemExit) as error:
                if not (isinstance(error, MENDABLE) or blame(error)):
                    raise
                failed[without_seed] = one_line(error)
    if not failed:
        return
    count = f"{len(failed)} of {of} cells cannot run" if of > 1 else "it cannot run"
    reasons = list(dict.fromkeys(failed.values()))
    if len(reasons) == 1:
        raise ZooError(f"{reasons[0]} ({count}; none was started)" if of > 1 else reasons[0])
    for options, reason in failed.items():
        print(f"error: {' '.join(_telling(options, list(failed)))}: {reason}", file=sys.stderr)
    raise ZooError(f"{count}, for the reasons above; none was started")


class _Seen:
    """What was checked already, of one cell or another."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def first(self, kind: str, settings: Any) -> bool:
        """Whether ``settings``, plain values, were not seen before."""
        key = kind, digest({"settings": settings})
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _check(config: DictConfig, seen: _Seen) -> None:
    with open_dict(config):
        config.pop("hydra", None)
    spec, _ = specified(config)
    plain, method = spec.as_dict(), registry.methods.get(spec.method)
    network = {key: plain[key] for key in ("encoder", "cond", "denoiser", "diffusion", "image_size")}
    if method.trains and seen.first("network", [network, plain["train"]["init"]]):
        model = spec.build_model()  # which opens its weights
        if spec.train.init is not None:
            start_from(model, spec.train.init)
    if spec.method_options:
        if seen.first("method", [plain["method"], plain["data"], plain["eval"], plain["image_size"]]):
            Run.open(config)  # whose options may name photos, too
    elif seen.first("photos", [spec.method, plain["data"], plain["eval"]["split"]]):
        _check_photos(spec)


def _check_photos(spec: Spec) -> None:
    with under("data", registry.datasets, spec.data.name):
        dataset = registry.datasets.create(spec.data.name, **spec.data.options)
        dataset.prepare(Path(spec.machine.cache), bar)
        without_idle_limits(spec, dataset)
        for split in {"train", spec.eval.split} if registry.methods.get(spec.method).learns else {spec.eval.split}:
            keys_of(dataset, split)


def _telling(options: Sequence[str], others: Sequence[Sequence[str]]) -> list[str]:
    """Those that not all of the others have."""
    shared = set.intersection(*map(set, others))
    return [option for option in options if option not in shared]
