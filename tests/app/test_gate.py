"""The gate before the page: whoever tries to make the server read, fetch or run something does not get past it."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from zoo.app.address import Names
from zoo.app.gate import Gate
from zoo.app.store import Store

JOIN = "/gradio_api/queue/join"


class Inside:
    """What lies behind the gate: it notes what gets there."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.paths.append(request.url.path)
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.body())
        page = "<html><script>let known = 1</script><script src='/assets/a.js'></script></html>"
        answer = HTMLResponse(page) if scope["path"] == "/" else PlainTextResponse("inside")
        await answer(scope, receive, send)


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "served", 100_000)


class Visitor:
    def __init__(self, gate: Gate, host: str = "127.0.0.1:7860") -> None:
        self._gate, self._host = gate, host

    def asks(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._gate)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{self._host}") as client:
                return await client.request(method, path, **options)

        return anyio.run(ask)


@pytest.fixture
def visitor(inside: Inside, store: Store) -> Visitor:
    return Visitor(Gate(inside, Names.of("127.0.0.1"), store))


@pytest.mark.parametrize(
    "path", ["/", "/config", "/theme.css", "/assets/index.js", "/gradio_api/queue/data?session_hash=x"]
)
def test_what_the_page_needs_gets_through(visitor: Visitor, inside: Inside, path: str) -> None:
    assert visitor.asks("GET", path).status_code == 200
    assert len(inside.paths) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=http://example.org/"),
        ("GET", "/gradio_api/file=https%3A%2F%2Fexample.org%2F"),
        ("HEAD", "/gradio_api/file=http://example.org/"),
        ("GET", "/gradio_api/file=//example.org/x.png"),
        ("GET", "/gradio_api/file=file:///etc/hostname"),
        ("GET", "/gradio_api/proxy=https://someone.hf.space/x"),
        ("GET", "/gradio_api/file//etc/hostname"),
        ("POST", "/gradio_api/file=http://example.org/"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/call/color"),
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/custom_component/a/server/b/c"),
        ("GET", "/gradio_api/startup-events"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
        ("POST", "/login"),
        ("PUT", "/"),
        ("OPTIONS", JOIN),
    ],
)
def test_all_else_is_not_there(visitor: Visitor, inside: Inside, method: str, path: str) -> None:
    assert visitor.asks(method, path).status_code == 404
    assert inside.paths == []


@pytest.mark.parametrize(
    "value",
    [
        {"path": "http://example.org/x.png", "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}},
        {"path": "../../etc/hostname"},
        {"path": ["/etc/hostname"]},
        {"path": "nul\0byte"},
        {"path": "x" * 10_000},
        "https://example.org/x.png",
        "  HTTPS://example.org",
        "file:/etc/hostname",
        "data:image/svg+xml,<svg/>",
        "//example.org/share",
        "\\\\example.org\\share",
    ],
)
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/predict"])
def test_no_address_and_no_other_file_gets_through_in_what_controls_send(
    visitor: Visitor, inside: Inside, value: Any, path: str
) -> None:
    answer = visitor.asks("POST", path, json={"data": [[{"deep": value}]], "fn_index": 3, "session_hash": "x"})
    assert answer.status_code == 403
    assert inside.paths == []


def test_an_uploaded_file_gets_through_without_the_address_that_came_with_it(
    visitor: Visitor, inside: Inside, store: Store
) -> None:
    path = store.new_folder() / "a.png"
    path.write_bytes(b"x")
    sent = {"data": [{"path": str(path), "url": "http://example.org/evil.png", "size": 1}], "event_data": None}
    assert visitor.asks("POST", JOIN, json=sent).status_code == 200
    assert json.loads(inside.bodies[0]) == {"data": [{"path": str(path), "size": 1}], "event_data": None}


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[" * 100_000, 400), (b'"\xff"', 400), (b'"' + bytes(300_000), 413)]
)
def test_what_no_control_sends_is_refused(visitor: Visitor, inside: Inside, body: bytes, status: int) -> None:
    assert visitor.asks("POST", JOIN, content=body).status_code == status
    assert inside.paths == []


# Names


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:1", "[::1]:7860", "LOCALHOST"])
def test_this_machine_calls_it_by_its_own_names(visitor: Visitor, host: str) -> None:
    assert visitor.asks("GET", "/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.9", "["]
)
def test_a_foreign_host_is_refused(visitor: Visitor, inside: Inside, host: str) -> None:
    assert visitor.asks("GET", "/", headers={"Host": host}).status_code == 421
    assert inside.paths == []


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:7860", "https://127.0.0.1.evil"],
)
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/upload"])
def test_a_foreign_origin_is_refused(visitor: Visitor, inside: Inside, origin: str, path: str) -> None:
    assert visitor.asks("POST", path, json={}, headers={"Origin": origin}).status_code == 403
    assert inside.paths == []


def test_the_page_itself_may_send(visitor: Visitor) -> None:
    assert visitor.asks("POST", JOIN, json={}, headers={"Origin": "http://127.0.0.1:7860"}).status_code == 200


def test_behind_a_proxy_its_public_name_is_known_and_no_other(inside: Inside, store: Store) -> None:
    gate = Gate(inside, Names.of("127.0.0.1", "https://photos.example/zoo"), store)
    origin = {"Origin": "https://photos.example"}
    assert Visitor(gate).asks("POST", JOIN, json={}, headers=origin).status_code == 200
    assert Visitor(gate, "photos.example").asks("GET", "/", headers=origin).status_code == 200
    assert Visitor(gate).asks("POST", JOIN, json={}, headers={"Origin": "http://photos.example"}).status_code == 403


def test_a_visitor_cannot_say_under_what_name_the_page_is_served(visitor: Visitor, inside: Inside) -> None:
    visitor.asks("GET", "/", headers={"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "http://evil.example"})
    assert "evil" not in str(inside.headers)


# Files


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("a.png", "image/png", "inline"),
        ("a.webp", "image/webp", "inline"),
        ("a.svg", "application/octet-stream", "attachment"),
        ("a.html", "application/octet-stream", "attachment"),
        ("a.zip", "application/octet-stream", "attachment"),
        ("a", "application/octet-stream", "attachment"),
    ],
)
def test_only_pictures_are_shown_and_nothing_runs(
    visitor: Visitor, store: Store, name: str, kind: str, shown: str
) -> None:
    path = store.new_folder() / name
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    answer = visitor.asks("GET", f"/gradio_api/file={path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith(shown)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_files_elsewhere_are_not_sent(visitor: Visitor, store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_text("secret")
    link = store.new_folder() / "link.png"
    link.symlink_to(secret)
    folder = store.folder / "folder"
    folder.symlink_to(tmp_path)
    ways = [secret, link, folder / "secret.png", f"{store.folder}/../secret.png", f"{store.folder}/%2e%2e/secret.png"]
    for way in [*ways, store.folder, "secret.png", "%00", "x" * 5000]:
        assert visitor.asks("GET", f"/gradio_api/file={way}").status_code == 404, way


# Uploads


def test_uploads_end_where_there_is_no_more_room(visitor: Visitor, inside: Inside, store: Store) -> None:
    (store.new_folder() / "there.png").write_bytes(bytes(60_000))
    assert visitor.asks("POST", "/gradio_api/upload", content=bytes(40_000)).status_code == 200
    assert visitor.asks("POST", "/gradio_api/upload", content=bytes(40_001)).status_code == 413
    assert len(inside.paths) == 1


def test_an_upload_of_unknown_length_is_refused(visitor: Visitor, inside: Inside) -> None:
    async def chunks() -> Any:
        yield b"x"

    assert visitor.asks("POST", "/gradio_api/upload", content=chunks()).status_code == 411
    assert inside.paths == []


def test_uploads_that_are_on_their_way_are_counted(store: Store) -> None:
    statuses: list[int] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep(0.05)
        await PlainTextResponse("inside")(scope, receive, send)

    async def both() -> None:
        transport = httpx.ASGITransport(Gate(slow, Names.of("127.0.0.1"), store))
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
            anyio.create_task_group() as group,
        ):

            async def send_one() -> None:
                statuses.append((await client.post("/gradio_api/upload", content=bytes(60_000))).status_code)

            group.start_soon(send_one)
            group.start_soon(send_one)

    anyio.run(both)
    assert sorted(statuses) == [200, 413]


# What browsers are told


@pytest.mark.parametrize("path", ["/", "/theme.css", "/nothing"])
def test_no_answer_may_be_framed_or_guessed_at(visitor: Visitor, path: str) -> None:
    headers = visitor.asks("GET", path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_only_the_scripts_of_the_page_run(inside: Inside, store: Store) -> None:
    gate = Gate(inside, Names.of("127.0.0.1"), store, "let added = 2")
    policy = Visitor(gate).asks("GET", "/").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    known = [b64encode(sha256(text).digest()).decode() for text in (b"let known = 1", b"let added = 2")]
    assert scripts == f"script-src 'self' 'sha256-{known[0]}' 'sha256-{known[1]}'"
    assert "unsafe-eval" not in policy
