"""Weights: the user's path, the upstream cache, a download; and one clear error."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from zoo.errors import WeightsNotFoundError, ZooError
from zoo.weights import CONNECT_SECONDS, READ_SECONDS, WeightsRecord, fill, read_state_dict, resolve, sha256_file

BODY = b"weights" * 1000


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pack/face.onnx", BODY)
        archive.writestr("pack/detector.onnx", b"another")
        archive.writestr("../../outside.onnx", b"climbs")
        archive.writestr("readme.txt", b"text")
    return buffer.getvalue()


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"/net.pth": BODY, "/pack.zip": packed()}.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture
def record(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsRecord:
    for name in ("ZOO_OFFLINE", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path / "insightface"))
    sha = hashlib.sha256(BODY).hexdigest()
    return WeightsRecord("Net (test)", "net.pth", f"{server}/net.pth", sha, "MIT", megabytes=1)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_path_of_the_user_wins_over_the_cache(record: WeightsRecord, tmp_path: Path) -> None:
    put(record.cached, b"cached")
    mine = put(tmp_path / "mine.pth", b"mine")
    assert resolve(record, mine) == mine
    assert resolve(record, str(mine)) == mine


def test_a_path_that_is_not_there_is_an_error_whatever_the_cache_holds(record: WeightsRecord, tmp_path: Path) -> None:
    put(record.cached, b"cached")
    with pytest.raises(WeightsNotFoundError, match=r"^weights=.*nowhere\.pth: there is no such file"):
        resolve(record, tmp_path / "nowhere.pth")


@pytest.mark.parametrize(
    ("cache", "folder"),
    [
        ("torch_hub", "torch/hub/checkpoints"),
        ("facenet", "torch/checkpoints"),
        ("insightface", "insightface/models"),
    ],
)
def test_the_upstream_librarys_cache_wins_over_a_download(
    record: WeightsRecord, tmp_path: Path, cache: str, folder: str
) -> None:
    elsewhere = replace(record, cache=cache)  # type: ignore[arg-type]
    cached = put(tmp_path / folder / "net.pth", b"as it is, though its hash is another")
    assert resolve(elsewhere) == cached
    assert cached.read_bytes() != BODY


def test_a_download_lands_in_the_cache(record: WeightsRecord) -> None:
    assert resolve(record) == record.cached
    assert record.cached.read_bytes() == BODY
    assert [file.name for file in record.cached.parent.iterdir()] == ["net.pth"]


@pytest.mark.parametrize("digits", [0, 8, 64])
def test_the_first_digits_of_a_hash_are_enough(record: WeightsRecord, digits: int) -> None:
    assert resolve(replace(record, sha256=record.sha256[:digits])).is_file()


def test_a_download_of_other_content_is_refused_and_not_kept(record: WeightsRecord) -> None:
    with pytest.raises(ZooError, match="expected 000000"):
        resolve(replace(record, sha256="0" * 64))
    assert list(record.cached.parent.iterdir()) == []


def test_a_pack_is_unpacked_whole_into_its_own_folder(record: WeightsRecord, tmp_path: Path, server: str) -> None:
    pack = replace(record, filename="pack/face.onnx", url=f"{server}/pack.zip", cache="insightface")
    assert resolve(pack).read_bytes() == BODY
    files = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.onnx"))
    folder = "insightface/models/pack/"
    assert files == [folder + "detector.onnx", folder + "face.onnx", folder + "outside.onnx"]


@pytest.mark.parametrize("variable", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_names_the_file_the_folder_and_the_option(
    record: WeightsRecord, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsNotFoundError) as caught:
        resolve(record)
    text = str(caught.value)
    for part in ("Net (test)", "net.pth", str(record.cached.parent), " weights=PATH", variable):
        assert part in text
    assert "\n" not in text
    assert not record.cached.parent.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/net.pth", "http://host.invalid/net.pth", "{server}/gone.pth"])
def test_a_failed_download_says_so(record: WeightsRecord, server: str, url: str) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"downloading http.* failed .* weights=PATH"):
        resolve(replace(record, url=url.format(server=server)))
    assert not record.cached.exists()


def test_a_download_does_not_wait_for_ever(record: WeightsRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}

    def downloader(**options: object) -> None:
        given.update(options)
        raise ConnectionError

    monkeypatch.setattr(pooch, "HTTPDownloader", downloader)
    with pytest.raises(WeightsNotFoundError, match="ConnectionError"):
        resolve(record)
    assert given["timeout"] == (CONNECT_SECONDS, READ_SECONDS)


def test_sha256_of_a_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than one block
    assert sha256_file(put(tmp_path / "x", content)) == hashlib.sha256(content).hexdigest()


def test_a_state_dict_is_read_from_either_format_and_from_a_checkpoint(tmp_path: Path) -> None:
    state = nn.Linear(2, 3).state_dict()
    torch.save(state, tmp_path / "a.pth")
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "b.pth")
    save_file(state, tmp_path / "c.safetensors")
    for name in ("a.pth", "b.pth", "c.safetensors"):
        read = read_state_dict(tmp_path / name)
        assert all(torch.equal(read[key], state[key]) for key in state)


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, (str(Path(__file__).parent / "never-written"),))


def test_reading_executes_nothing(tmp_path: Path) -> None:
    torch.save({"weight": Payload()}, tmp_path / "evil.pth")
    with pytest.raises(ZooError, match=r"evil.pth: not a state dict"):
        read_state_dict(tmp_path / "evil.pth")


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ZooError, match=r"^weights=.*not a state dict, or a damaged one") as caught:
        read_state_dict(put(tmp_path / name, b"damaged"))
    assert "\n" not in str(caught.value)


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(ZooError, match="found list"):
        read_state_dict(tmp_path / "list.pth")


def test_fill_takes_only_what_fits_in_name_and_shape() -> None:
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    fill(target, source.state_dict(), "a Linear")
    assert torch.equal(source.weight, target.weight)
    state = source.state_dict()
    for wrong in ({"weight": state["weight"]}, {**state, "extra": torch.zeros(1)}, nn.Linear(3, 3).state_dict()):
        with pytest.raises(ZooError, match=r"not the weights of a Linear \("):
            fill(target, wrong, "a Linear")
