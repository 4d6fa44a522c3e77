"""The page as it is served: it starts wherever it is asked to, and a visitor gets nothing but the page."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import httpx
import pytest
from PIL import Image

import app
from support.bombs import bomb, copied, write
from support.page_command import started
from zoo.app.actions import Actions, Opened

DEAD = "http://127.0.0.1:9"  # nobody listens there


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=30)


class Seen(NamedTuple):
    """The address that the command printed, the page's public one, and what was said on stderr."""

    url: str
    root: str
    said: str


@pytest.fixture
def visited(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Seen]:
    """Runs the command in this process until somebody has seen the page."""
    found: list[Seen] = []

    def visit() -> None:
        out, err = capsys.readouterr()
        url = out.split()[0]
        assert get(url).status_code == 200
        found.append(Seen(url, get(f"{url}/config").json()["root"], err))
        raise KeyboardInterrupt

    def run(*options: str) -> Seen:
        assert app.main(["--port", "0", "--checkpoints", str(checkpoint), *options]) == 0
        return found.pop()

    monkeypatch.setattr("zoo.commands.app.signal", SimpleNamespace(signal=lambda *_: None, SIGTERM=None))
    monkeypatch.setattr("zoo.commands.app.threading", SimpleNamespace(Event=lambda: SimpleNamespace(wait=visit)))
    return run


def test_it_starts_where_all_requests_go_through_a_proxy(checkpoint: Path, tmp_path: Path) -> None:
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), DEAD)
    proxies |= {"ALL_PROXY": DEAD.replace("http", "socks5"), "all_proxy": DEAD.replace("http", "socks5")}
    with started(checkpoint, tmp_path, **proxies) as (url, said):
        assert "Face colour zoo" in get(url).text
        assert said.read_text() == ""
    assert list(tmp_path.glob("zoo-app-*")) == []


@pytest.mark.parametrize(
    ("host", "shown", "warned"),
    [
        ("localhost", "http://localhost", False),
        ("::1", "http://[::1]", False),
        ("0.0.0.0", "http://127.0.0.1", True),
        ("::", "http://[::1]", True),
    ],
)
def test_it_starts_on_any_address_and_warns_where_others_can_reach_it(
    visited: Callable[..., Seen], host: str, shown: str, warned: bool
) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("no IPv6 here")
    seen = visited("--host", host)
    assert seen.url.startswith(f"{shown}:")
    assert bool(re.fullmatch(r"warning: .*no password\n", seen.said)) == warned


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_behind_a_proxy_the_page_names_its_public_address(visited: Callable[..., Seen]) -> None:
    assert visited("--root-path", "https://photos.example/zoo").root == "https://photos.example/zoo"


def test_files_of_the_machine_are_not_served(site: str, checkpoint: Path) -> None:
    for path in (checkpoint, Path(app.__file__).resolve(), Path("/etc/hostname"), Path.cwd() / "pyproject.toml"):
        assert get(f"{site}/gradio_api/file={path}").status_code == 404, path


def test_an_upload_over_the_limit_is_refused(site: str) -> None:
    large = {"files": ("large.png", bytes(2 * 2**20))}
    assert httpx.post(f"{site}/gradio_api/upload", files=large, trust_env=False).status_code == 413


def test_the_page_offers_no_interface_for_programs(site: str) -> None:
    assert get(f"{site}/gradio_api/info").json()["named_endpoints"] == {}


@pytest.mark.parametrize("name", ["../../outside.html", "/etc/outside.html", "..\\outside.html", "a.svg", "a.html"])
def test_an_upload_stays_in_its_folder_and_comes_back_only_to_be_saved(site: str, name: str) -> None:
    evil = {"files": (name, b"<script>alert(1)</script>", "text/html")}
    (path,) = httpx.post(f"{site}/gradio_api/upload", files=evil, trust_env=False).json()
    assert Path(path).resolve().parents[1].name == "served"
    answer = get(f"{site}/gradio_api/file={path}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


class Visitor:
    """Does what the page in a browser does when a photo is chosen, without a browser."""

    def __init__(self, site: str, name: str) -> None:
        self._api, self._name = f"{site}/gradio_api", name
        parts = get(f"{site}/config").json()["dependencies"]
        self._function = next(part["id"] for part in parts if any(event == "upload" for _, event in part["targets"]))
        dropdowns = [part for part in get(f"{site}/config").json()["components"] if part["type"] == "dropdown"]
        self._model = next(part["props"]["value"] for part in dropdowns if part["props"].get("value"))

    def chooses(self, content: bytes) -> None:
        files = {"files": (f"{self._name}.png", content)}
        (path,) = httpx.post(f"{self._api}/upload", files=files, trust_env=False).json()
        chosen = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = {"data": [[chosen], self._model], "fn_index": self._function, "session_hash": self._name}
        httpx.post(f"{self._api}/queue/join", json=asked, trust_env=False).raise_for_status()

    def is_answered(self) -> bool:
        url = f"{self._api}/queue/data?session_hash={self._name}"
        with httpx.stream("GET", url, trust_env=False, timeout=60) as answer:
            done = next(line for line in answer.iter_lines() if '"process_completed"' in line)
        return '"success":true' in done


@pytest.mark.filterwarnings("ignore:tags that overlap", "ignore:the EXIF data")
def test_a_photo_whose_exif_data_is_a_bomb_is_opened_like_any_other(site: str, tmp_path: Path) -> None:
    visitor = Visitor(site, "bomb")
    with copied() as counts:
        visitor.chooses(write(tmp_path / "a.jpg", bomb()).read_bytes())
        assert visitor.is_answered()
    assert counts
    assert sum(counts) < 100_000


def test_a_photo_that_takes_long_to_open_keeps_nobody_waiting(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()
    opened = Actions.open

    def slowly(actions: Actions, path: Path) -> Opened:
        if path.stem == "slow":
            begun.set()
            assert end.wait(20)
        return opened(actions, path)

    monkeypatch.setattr(Actions, "open", slowly)
    slow, quick = Visitor(site, "slow"), Visitor(site, "quick")
    picture = io.BytesIO()
    Image.new("L", (8, 8)).save(picture, "PNG")
    slow.chooses(picture.getvalue())
    try:
        assert begun.wait(60)
        quick.chooses(picture.getvalue())
        assert quick.is_answered()
    finally:
        end.set()
    assert slow.is_answered()


def test_all_uploads_together_are_capped(site: str) -> None:
    statuses = []
    for _ in range(5):
        files = {"files": ("noise.png", os.urandom(900_000))}
        statuses.append(httpx.post(f"{site}/gradio_api/upload", files=files, trust_env=False).status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 413
