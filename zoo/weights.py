"""Where pretrained weights come from: the user's path, the upstream library's own cache, a download; in that order.

Nothing that is loaded is ever executed: state dicts are read with ``weights_only`` or as safetensors.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from zoo.errors import WeightsNotFoundError, ZooError

CONNECT_SECONDS, READ_SECONDS = 3, 30  # a machine without a network must say so at once


def torch_home() -> Path:
    """``$TORCH_HOME``, else ``~/.cache/torch``: facenet-pytorch puts its files into ``checkpoints/`` below it."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", default)).expanduser()


def _torch_hub() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _facenet() -> Path:
    return torch_home() / "checkpoints"


def _insightface() -> Path:
    return Path(os.environ.get("INSIGHTFACE_HOME", "~/.insightface")).expanduser() / "models"


_CACHES: Mapping[str, Callable[[], Path]] = {
    "torch_hub": _torch_hub,
    "facenet": _facenet,
    "insightface": _insightface,
}


@dataclass(frozen=True)
class WeightsRecord:
    """One published file of weights.

    Attributes:
        name: for messages, e.g. ``"FaceNet (VGGFace2)"``.
        filename: relative to the cache's folder, as the upstream library names it.
        url: the file itself, or a ``.zip`` that holds it (its ``.onnx`` files are then unpacked beside it).
        sha256: of the file, in hex; its first digits do, ``""`` if none was published. Checks downloads only: a file
            of the user's own is taken as it is, and results record its own hash.
        licence: of the weights.
        megabytes: size of the download; 0 where it is not known beforehand.
        cache: whose cache holds it.
    """

    name: str
    filename: str
    url: str
    sha256: str
    license: str
    megabytes: int
    cache: Literal["torch_hub", "facenet", "insightface"] = "torch_hub"

    @property
    def cached(self) -> Path:
        """Where the upstream library keeps the file, whether it is there or not."""
        return _CACHES[self.cache]() / self.filename

    @property
    def sha(self) -> str | None:
        """sha256 of what is read under this name, here or once it is fetched, see `known_sha`; None: not yet known."""
        return known_sha(self.cached, self) or self.sha256 or None


def resolve(record: WeightsRecord, path: str | Path | None = None) -> Path:
    """A local file with the weights of ``record``.

    Args:
        record: what is wanted.
        path: given by the user as an option ``weights``; wins, and is an error if it does not exist.

    Raises:
        WeightsNotFoundError: neither given, nor cached, nor to be downloaded.
    """
    if path is not None:
        return local_file(path)
    target = record.cached
    if target.is_file():
        return target
    if offline():
        reason = "downloads are off (ZOO_OFFLINE or HF_HUB_OFFLINE)"
    else:
        try:
            _download(record, target)
            return target
        except (OSError, zipfile.BadZipFile) as error:  # requests' errors are OSErrors
            size = f" ({record.megabytes} MB)" if record.megabytes else ""
            reason = f"downloading {record.url}{size} failed ({type(error).__name__})"
    raise WeightsNotFoundError(
        f"the weights of {record.name}: {target.name} is not in {target.parent} and {reason}; "
        "put it there, or give its path with weights=PATH",
        record.license,
    )


def local_file(path: str | Path, option: str = "weights") -> Path:
    """``path`` if it is a file; raises `WeightsNotFoundError` naming ``option`` if not."""
    found = Path(path).expanduser()
    if not found.is_file():
        raise WeightsNotFoundError(f"{option}={path}: there is no such file")
    return found


def offline() -> bool:
    """Whether ZOO_OFFLINE or HF_HUB_OFFLINE forbids downloads."""
    return any(
        os.environ.get(name, "").lower() in {"1", "true", "yes", "on"} for name in ("ZOO_OFFLINE", "HF_HUB_OFFLINE")
    )


@contextmanager
def no_downloads() -> Iterator[None]:
    """Inside, weights that are not on this machine are an error, as with ZOO_OFFLINE=1."""
    before = os.environ.get("ZOO_OFFLINE")
    os.environ["ZOO_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["ZOO_OFFLINE"]
        else:
            os.environ["ZOO_OFFLINE"] = before


def sha256_file(path: str | Path) -> str:
    """sha256 of a file, 64 hex digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def known_sha(path: str | Path, *records: WeightsRecord) -> str | None:
    """sha256 of a file as identities have it: of a published file as many digits as were published, so that it is the
    same before it is fetched and wherever it lies; of any other all; None: there is no such file."""
    file = Path(path).expanduser()
    if not file.is_file():
        return None
    found = sha256_file(file)
    return next((r.sha256 for r in records if r.sha256 and found.startswith(r.sha256)), found)


def packaged_sha(package: str, file: str) -> str | None:
    """sha256 of weights that lie inside an installed package, which is not imported; None: it is not there."""
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    return sha256_file(path) if path and path.is_file() else None


def sha256_module(module: nn.Module) -> str:
    """Over the names and values of a module's tensors, 64 hex digits: what they are, wherever they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of a ``.safetensors`` or torch file, on the CPU. Raises `ZooError` for any other file."""
    state: Any
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each way of being no such file has its own exception type
        raise ZooError(f"weights={path}: not a state dict, or a damaged one ({type(error).__name__})") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ZooError(f"weights={path}: expected a state dict (names → tensors), found {type(state).__name__}")
    return state


def fill(module: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Load ``state`` into ``module``: every name and shape must fit. Raises `ZooError` naming the first that does not.

    Batch norms' ``num_batches_tracked`` may be missing, as in files older than it.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    foreign = [name for name in state if name not in own]
    wrong = [name for name in own if name in state and state[name].shape != own[name].shape]
    if missing or foreign or wrong:
        counts = f"{len(missing)} tensors missing, {len(foreign)} unknown, {len(wrong)} of another shape"
        raise ZooError(f"weights: not the weights of {what} ({counts}; first: {(missing + foreign + wrong)[0]})")
    module.load_state_dict(dict(state), strict=False)


def _download(record: WeightsRecord, target: Path) -> None:
    """Fetch into ``target`` atomically: a killed download leaves no half file under its name.

    Not by ``pooch.retrieve``, which wants a file's whole sum beforehand: torch's hub publishes its first eight digits,
    and of a pack the sum of the network in it is known. Nor by insightface, which checks nothing, waits without limit
    and takes a pack that it was killed over for complete.
    """
    from pooch import HTTPDownloader

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        fetched = Path(folder) / record.url.rsplit("/", 1)[-1]
        fetch = HTTPDownloader(progressbar=True, chunk_size=1 << 16, timeout=(CONNECT_SECONDS, READ_SECONDS))
        fetch(record.url, str(fetched), None)
        files = _unzip(fetched) if fetched.suffix == ".zip" else {target.name: fetched}
        if target.name not in files:
            raise ZooError(f"the weights of {record.name}: {record.url} holds no {target.name}")
        found = sha256_file(files[target.name])
        if not found.startswith(record.sha256):
            raise ZooError(
                f"the weights of {record.name}: {record.url} gave sha256 {found[:12]}…, expected "
                f"{record.sha256[:12]}…; it was not kept"
            )
        for name, file in files.items():
            os.replace(file, target.parent / name)


def _unzip(archive: Path) -> dict[str, Path]:
    """All ``.onnx`` files: insightface takes a pack's folder, once it exists, for complete."""
    files = {}
    with zipfile.ZipFile(archive) as pack:
        for member in pack.namelist():
            name = member.rsplit("/", 1)[-1]  # flat: a name in the archive never picks the folder
            if name.endswith(".onnx"):
                files[name] = archive.parent / name
                files[name].write_bytes(pack.read(member))
    return files
