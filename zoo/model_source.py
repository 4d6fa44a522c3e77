"""Where a trained model comes from: the package, a file, a folder of ONNX files, or the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from zoo.errors import ZooError
from zoo.model import ColorDiffusion

if TYPE_CHECKING:
    from zoo.onnx_model import OnnxColorDiffusion

BUNDLED = Path(__file__).parent / "bundled" / "faces128.safetensors"
HUB = "hf://"
_HUB_FILE = "model.safetensors"
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")


def open_model(
    source: str | Path | None, device: str, encoder: Mapping[str, Any] | None
) -> tuple[ColorDiffusion | OnnxColorDiffusion, torch.device]:
    """The model of ``source`` and the device that it is on; see `zoo.Colorizer.load`."""
    path = _resolved(source)
    if path.is_dir():
        return _open_exported(path, device, encoder), torch.device("cpu")
    if path.is_file() and _is_pickle(path):
        raise ZooError(f"checkpoint {path} is a pickle; those can run any code and are never loaded, .safetensors are")
    chosen = _pick_device(device)
    try:
        return ColorDiffusion.load(path, encoder=encoder, device=str(chosen)), chosen
    except (TypeError, KeyError, AttributeError) as error:  # of a constructor that is given what it does not know
        raise ZooError(f"checkpoint {path}: its spec asks for what this version does not have ({error})") from error


def _open_exported(folder: Path, device: str, encoder: Mapping[str, Any] | None) -> OnnxColorDiffusion:
    if encoder:
        raise ZooError(f"{folder}: an exported model holds its encoder; it takes no weights for it")
    if device not in ("auto", "cpu"):
        raise ZooError(f"{folder}: an exported model runs on the CPU only, not on {device}")
    from zoo.onnx_model import OnnxColorDiffusion

    return OnnxColorDiffusion.load(folder)


def _pick_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch's ways to say that there is none
        reason = str(error).splitlines()[0]
        raise ZooError(f"device {name!r} cannot be used ({reason}); expected auto, cpu, cuda, cuda:1, mps") from error
    return device


def _resolved(source: str | Path | None) -> Path:
    if source is None:
        if not BUNDLED.is_file():
            raise ZooError(f"this installation has no model of its own ({BUNDLED}); name a model file")
        return BUNDLED
    if isinstance(source, str) and source.startswith(HUB):
        return _from_hub(source)
    return Path(source)


def _is_pickle(path: Path) -> bool:
    """By its name, or its content: torch's zip archives begin with PK, plain pickles with 0x80 (as may the length of a
    safetensors header, which "{" follows)."""
    with path.open("rb") as file:
        head = file.read(9)
    return path.suffix.lower() in _PICKLES or (head.startswith((b"\x80", b"PK")) and head[8:] != b"{")


def _from_hub(source: str) -> Path:
    organisation, name, *rest = f"{source.removeprefix(HUB)}/".split("/")
    file = "/".join(rest).strip("/") or _HUB_FILE
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
        return Path(hf_hub_download(f"{organisation}/{name}", file))
    except LocalEntryNotFoundError as error:
        raise ZooError(f"{source} is not in the cache and cannot be downloaded: is this machine online?") from error
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise ZooError(f"{source} cannot be fetched ({str(error).strip().splitlines()[0]})") from error
