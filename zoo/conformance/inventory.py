"""What there is: every registered name, where it comes from and what it takes, without fetching anything."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import WeightsNotFoundError, ZooError
from zoo.registry import REGISTRIES, denoisers
from zoo.weights import no_downloads

if TYPE_CHECKING:
    from zoo.encoders import Encoder
    from zoo.features import FeatureLevel

Row = dict[str, str]
KINDS = tuple(REGISTRIES)
UNKNOWN = "–"
_OF_ENCODERS = ("parameters", "input", "levels", "tokens", "license", "weights")
COLUMNS = ("kind", "name", "from", *_OF_ENCODERS, "trains", "seeds", "needs", "what")


def inventory(pattern: str = "*", kinds: tuple[str, ...] = KINDS) -> Iterator[Row]:
    """A row for each name that matches a shell-style pattern, with the columns of its kind out of `COLUMNS`.

    * ``parameters``: with default options; of a conditioner those that it adds, denoiser's included, to the default
      model with encoder unet.
    * ``input``: side in pixels at which an encoder wants L; "image": that of the image.
    * ``levels``: channels/stride of its maps, or of a denoiser's stages. ``tokens``: their width.
    * ``weights``: "here", "absent" (then not all can be known), or "–" where none are needed.
    * ``trains``, ``seeds``: of a method: whether a model is trained for it, and whether seeds change its colours.
    * ``needs``: options that must be given; without them nothing more is known.
    * ``what``: the first paragraph of its docstring, or why it cannot be used.
    """
    describe = {
        "encoder": _encoder,
        "conditioner": _conditioner,
        "metric": _metric,
        "method": _method,
        "denoiser": _denoiser,
    }
    with no_downloads():
        for kind in kinds:
            for name in REGISTRIES[kind].list(pattern):
                row = {"kind": kind, "name": name, "from": _origin(kind, name)}
                try:
                    row |= {"needs": _needed(kind, name), "what": _summary(REGISTRIES[kind].get(name))}
                    yield row | ({} if row["needs"] else (describe[kind](name) if kind in describe else {}))
                except (Exception, SystemExit) as error:  # a broken plug-in must not hide the others
                    yield row | {"what": f"broken: {error}" if isinstance(error, ZooError) else f"broken: {error!r}"}


def _encoder(name: str) -> Row:
    cls = REGISTRIES["encoder"].get(name)
    try:
        encoder = cls()
        weights = "here" if encoder.weights_sha else UNKNOWN
    except WeightsNotFoundError as error:
        absent = {"weights": "absent", "license": error.license or UNKNOWN}
        if "pretrained" not in inspect.signature(cls).parameters:
            return absent
        try:
            return _declared(cls(pretrained=False)) | absent
        except WeightsNotFoundError:  # its file is the only place that knows its architecture
            return absent
    return _declared(encoder) | {"weights": weights}


def _declared(encoder: Encoder) -> Row:
    spec = encoder.spec
    return {
        "parameters": _parameters(sum(p.numel() for p in encoder.parameters())),
        "input": str(spec.input_size or "image"),
        "levels": _levels(spec.levels),
        "tokens": str(spec.token_dim or UNKNOWN),
        "license": encoder.license if encoder.weights_sha else UNKNOWN,
    }


def _conditioner(name: str) -> Row:
    from zoo.model import ColorDiffusion

    model = ColorDiffusion(encoder={"name": "unet"}, cond={"name": name}, denoiser={}, diffusion={}, image_size=64)
    return {"parameters": _parameters(model.parameter_counts()["cond_params"])}


def _metric(name: str) -> Row:
    from zoo.metrics import Metric

    metric = REGISTRIES["metric"].create(name)
    if type(metric).load is Metric.load:
        return {"weights": UNKNOWN}
    try:
        metric.load("cpu")
    except WeightsNotFoundError:
        return {"weights": "absent"}
    return {"weights": "here"}


def _method(name: str) -> Row:
    cls = REGISTRIES["method"].get(name)
    return {"trains": "a model" if cls.trains else UNKNOWN, "seeds": "matter" if cls.draws else UNKNOWN}


def _denoiser(name: str) -> Row:
    network = denoisers.create(name)
    return {
        "parameters": _parameters(sum(p.numel() for p in network.parameters())),
        "levels": _levels(denoisers.get(name).levels()),
    }


def _levels(levels: Sequence[FeatureLevel]) -> str:
    return " ".join(f"{level.channels}/{level.stride}" for level in levels) or UNKNOWN


def _needed(kind: str, name: str) -> str:
    return " ".join(f"{option}=…" for option in REGISTRIES[kind].options(name, required=True))


def _summary(what: Callable[..., Any]) -> str:
    paragraph = (inspect.getdoc(what) or UNKNOWN).split("\n\n")[0]
    return " ".join(paragraph.replace("``", "").split())


def _origin(kind: str, name: str) -> str:
    """Files below the current folder by their relative path."""
    origin = REGISTRIES[kind].origin(name)
    path = Path(origin)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else origin


def _parameters(number: int) -> str:
    if number == 0:
        return UNKNOWN
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)
