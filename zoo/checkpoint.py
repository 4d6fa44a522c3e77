"""Model files: written, read, and where one comes from (the package, a file, a run's folder, ONNX files, the Hub)."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from zoo import tensor_file
from zoo.denoisers import create as create_denoiser
from zoo.denoisers import stages
from zoo.devices import pick_device
from zoo.diffusion.process import Diffusion
from zoo.errors import WeightsNotFoundError, ZooError
from zoo.faces.framing import Box
from zoo.model import ColorDiffusion
from zoo.registry import Registry, conditioners, denoisers, encoders, objectives, schedules
from zoo.tensor_file import BUNDLED, FORMAT, FORMAT_VERSION, MODEL, READABLE_VERSIONS, Header
from zoo.weights import offline

if TYPE_CHECKING:
    from zoo.onnx import OnnxColorDiffusion

HUB = "hf://"
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
_RENAMED_ENCODERS = ("unet", "unet_ae")  # whose tensors had other names in version 1
_SPEC = {"encoder": dict, "cond": dict, "denoiser": dict, "diffusion": dict, "image_size": int, "seed": int}
_ELSEWHERE = re.compile(r"[a-zA-Z][\w+.-]+:")  # hf-hub:someone/model, https://…; C:\ is a path
_LARGEST_SIDE, _LONGEST_NAME = 4096, 100


def save(model: ColorDiffusion, path: Path, *, half: bool = False) -> None:
    """Write one safetensors file with the spec in its metadata, atomically.

    Args:
        half: store float16, at half the size; `load` computes with float32 all the same.
    """
    encoder = model.spec["encoder"]
    if model.encoder.weights_stored and encoder.get("weights") is not None:
        encoder = encoder | {"weights": None}  # they are in here: reading it takes no other file
    metadata = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "spec": json.dumps(model.spec | {"encoder": encoder}, sort_keys=True),
        "encoder_sha256": model.encoder.weights_sha or "",
        "face_box": json.dumps(model.face_box),
    }
    state = model.stored_state()
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    tensor_file.write(path, state, metadata)


def load(path: Path, *, encoder: Mapping[str, Any] | None = None, device: str = "cpu") -> ColorDiffusion:
    """Read a file that `save` wrote. Executes nothing of it: names are looked up in the registries.

    Args:
        path: the file, or the folder of a run.
        encoder: options that replace the recorded ones, e.g. ``{"weights": "elsewhere.onnx"}``.

    Raises:
        ZooError: not such a file, of another version, damaged, of a plug-in that is not here, or its encoder's weights
            are not the recorded ones.
    """
    path = model_file(Path(path))
    what = f"checkpoint {path}"
    header = read_header(path)
    try:
        spec = _checked(tensor_file.plain(header.metadata["spec"]), header)
        face_box = tensor_file.plain(header.metadata.get("face_box", "null"))
        box = None if face_box is None else Box(*map(float, face_box))
        recorded = header.metadata["encoder_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ZooError(f"{what}: its spec cannot be read ({_line(error)})") from error
    _demand_known(what, spec)
    spec["encoder"] |= encoder or {}
    try:
        names = _names(header, spec)
        _compare(what, {names[name]: shape for name, shape in header.shapes.items()}, spec)
        model = ColorDiffusion(**spec)
    except (TypeError, KeyError, AttributeError, RuntimeError, ValueError) as error:  # of constructors
        if isinstance(error, WeightsNotFoundError) or str(error).startswith(what):
            raise
        if isinstance(error, ZooError):
            raise ZooError(f"{what}: its spec cannot be followed ({_line(error)})") from error
        raise ZooError(f"{what}: its spec asks for what this version does not have ({_line(error)})") from error
    if model.encoder.weights_stored and model.encoder.weights_sha is None:
        model.encoder.weights_sha = recorded or None  # they are among the tensors
    found = model.encoder.weights_sha or ""
    if recorded != found:
        was, now = (f"{sha[:12]}…" if sha else "none" for sha in (recorded, found))
        raise ZooError(f"{what} was trained with encoder weights of sha256 {was}, not {now}")
    expected = {name: tuple(tensor.shape) for name, tensor in model.stored_state().items()}
    if expected != {names[name]: shape for name, shape in header.shapes.items()}:
        raise _not_its_weights(what)
    state = tensor_file.read_tensors(path, what)
    model.load_state_dict(
        {names[name]: tensor for name, tensor in state.items()}, strict=False
    )  # frozen ones are there
    model.face_box = box
    return model.to(device).eval()


def read_header(path: Path) -> Header:
    """What a model file tells before any tensor of it is read. Raises `ZooError` where it is none of this project."""
    what = f"checkpoint {path}"
    if not Path(path).is_file():
        raise ZooError(f"{what} does not exist")
    header = tensor_file.read_header(Path(path), what)
    if header.metadata.get("format") != FORMAT:
        raise ZooError(f"{what} is a safetensors file, but not one of this project")
    version = header.metadata.get("version", "")
    if version not in READABLE_VERSIONS:
        raise ZooError(f"{what} has format {version[:20]}; this version reads {' and '.join(READABLE_VERSIONS)}")
    return header


def _checked(spec: Any, header: Header) -> dict[str, Any]:
    """``spec``, if it could be one. Raises `ValueError`."""
    if not isinstance(spec, dict) or spec.keys() != _SPEC.keys():
        raise ValueError(f"expected {', '.join(_SPEC)}")
    for key, kind in _SPEC.items():
        if not isinstance(spec[key], kind) or isinstance(spec[key], bool):
            raise ValueError(f"its {key} is of another kind")
    if not 0 < spec["image_size"] <= _LARGEST_SIDE:
        raise ValueError(f"image_size is {spec['image_size']}")
    if not 0 <= spec["seed"] < 2**63:
        raise ValueError(f"seed is {spec['seed']}")
    for part in ("encoder", "cond"):
        name = spec[part].get("name")
        if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"its {part} has no name")
    for part in ("encoder", "cond", "denoiser", "diffusion"):
        why = tensor_file.implausible(spec[part])
        if why:
            raise ValueError(f"{part}: {why}")
        for option in ("blocks", "depth"):
            if spec[part].get(option, 0) > len(header.shapes):  # each would have tensors of its own
                raise ValueError(f"{part}: {option}={spec[part][option]} is more than the file has tensors")
        for option, value in spec[part].items():
            if option != "weights" and isinstance(value, str) and _ELSEWHERE.match(value):
                raise ValueError(f"{part}.{option}={value[:100]} names something elsewhere, which is not fetched")
    return spec


def _demand_known(what: str, spec: Mapping[str, Any]) -> None:
    """Raises `ZooError` for a name that nobody registered here: a plug-in of another machine."""
    cond = spec["cond"]
    parts = cond.get("parts") if cond["name"] == "sum" else None
    wanted: list[tuple[Registry[Any], Any]] = [(encoders, spec["encoder"]["name"]), (conditioners, cond["name"])]
    wanted.append((denoisers, spec["denoiser"].get("name", "unet")))
    for names, field in ((schedules, "schedule"), (objectives, "parameterisation")):
        wanted.append((names, spec["diffusion"].get(field, getattr(Diffusion, field))))
    for key, options in parts.items() if isinstance(parts, dict) else ():
        wanted.append((conditioners, options.get("name", key) if isinstance(options, dict) else key))
    for names, named in wanted:
        name = named.get("name") if isinstance(named, dict) else named
        if name not in names.list():
            give = "give the file or module that registers it by --plugin, or zoo.plugins.import_plugins in Python"
            raise ZooError(f"{what} needs the {names.kind} {name!r}, a plug-in that is not here; {give}")


def _names(header: Header, spec: Mapping[str, Any]) -> dict[str, str]:
    """What the file calls its tensors → what they are called now."""
    if header.metadata["version"] == FORMAT_VERSION:
        return {name: name for name in header.shapes}
    renamed = ("denoiser", "encoder") if spec["encoder"]["name"] in _RENAMED_ENCODERS else ("denoiser",)
    return tensor_file.current_names(header.shapes, renamed)


def _compare(what: str, shapes: Mapping[str, tuple[int, ...]], spec: Mapping[str, Any]) -> None:
    """Hold what the spec implies against what the file holds, without allocating any of it."""
    levels = stages(spec["denoiser"])
    own = {k: v for k, v in spec["cond"].items() if k != "name"}
    stored = any(name.startswith("encoder.") for name in shapes)
    with torch.device("meta"), warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # that pretrained weights have no effect here
        if stored and spec["encoder"]["name"] in _RENAMED_ENCODERS:
            encoder = encoders.create(**spec["encoder"])
            _hold_against(what, "encoder", encoder, shapes)
        else:
            with torch.device("cpu"):  # others are as large as weights that are on this machine
                encoder = encoders.create(**spec["encoder"])
        conditioner = conditioners.create(spec["cond"]["name"], encoder.spec, levels, **own)
        _hold_against(what, "conditioner", conditioner, shapes)
        extra = [conditioner.extra_channels(i) for i in range(len(levels))]
        _hold_against(what, "denoiser", create_denoiser(spec["denoiser"], extra), shapes)


def _hold_against(what: str, part: str, module: torch.nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
    implied = {f"{part}.{name}": tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if implied != {name: shape for name, shape in shapes.items() if name.startswith(f"{part}.")}:
        raise _not_its_weights(what)


def _not_its_weights(what: str) -> ZooError:
    return ZooError(f"{what} does not hold the weights that its spec asks for: damaged or edited")


def _line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


def bundled() -> tuple[Path, ...]:
    """The model files of the package: that for faces and, if it is another, that for what lies around them.

    Raises `ZooError` if this installation has none.
    """
    for path in BUNDLED:
        if not path.is_file():
            raise ZooError(f"this installation has no model of its own ({path}); name a model file")
    return BUNDLED


def open_model(
    source: str | os.PathLike[str], device: str, encoder: Mapping[str, Any] | None
) -> tuple[ColorDiffusion | OnnxColorDiffusion, torch.device]:
    """The model of ``source`` and the device that it is on; see `zoo.Colorizer.load`."""
    path = resolved(source)
    if path.is_dir():
        return _open_exported(path, device, encoder), torch.device("cpu")
    if path.is_file() and _is_pickle(path):
        raise ZooError(f"checkpoint {path} is a pickle; those can run any code and are never loaded, .safetensors are")
    chosen = pick_device(device)
    return load(path, encoder=encoder, device=chosen), torch.device(chosen)


def _open_exported(folder: Path, device: str, encoder: Mapping[str, Any] | None) -> OnnxColorDiffusion:
    if encoder:
        raise ZooError(f"{folder}: an exported model holds its encoder; it takes no weights for it")
    if device not in ("auto", "cpu"):
        raise ZooError(f"{folder}: an exported model runs on the CPU only, not on {device}")
    from zoo.onnx import OnnxColorDiffusion

    return OnnxColorDiffusion.load(folder)


def resolved(source: str | os.PathLike[str]) -> Path:
    """The file, or folder of ONNX graphs, that ``source`` of `zoo.Colorizer.load` stands for; fetched if need be.

    Raises `ZooError` if there is none.
    """
    if isinstance(source, str) and source.startswith(HUB):
        return _from_hub(source)
    return model_file(Path(source))


def model_file(path: Path) -> Path:
    """``path``, or the model in it where it is the folder of a run."""
    return path / MODEL if (path / MODEL).is_file() else path


def _is_pickle(path: Path) -> bool:
    """By its name, or its content: torch's zip archives begin with PK, plain pickles with 0x80 (as may the length of a
    safetensors header, which "{" follows)."""
    with path.open("rb") as file:
        head = file.read(9)
    return path.suffix.lower() in _PICKLES or (head.startswith((b"\x80", b"PK")) and head[8:] != b"{")


def _from_hub(source: str) -> Path:
    organisation, name, *rest = f"{source.removeprefix(HUB)}/".split("/")
    file = "/".join(rest).strip("/") or MODEL
    if not (organisation and name):
        raise ZooError(f"{source} names no model; expected {HUB}organisation/name or {HUB}organisation/name/file")
    if not file.endswith(".safetensors"):
        raise ZooError(f"{source}: expected a .safetensors file; nothing else is loaded")
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise ZooError(f"{source} needs huggingface_hub; run pip install huggingface_hub, or give a file") from error
    try:
        return Path(hf_hub_download(f"{organisation}/{name}", file, local_files_only=offline()))
    except LocalEntryNotFoundError as error:
        why = "ZOO_OFFLINE forbids it" if offline() else "is this machine online?"
        raise ZooError(f"{source} is not in the cache and cannot be downloaded: {why}") from error
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise ZooError(f"{source} cannot be fetched ({str(error).strip().splitlines()[0]})") from error
