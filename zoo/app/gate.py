"""The gate before the page: what a visitor may ask for, and what browsers are told about the answers.

Gradio offers far more than the page needs, among it to fetch addresses of the web for whoever asks. Only what is listed
here gets through, whatever Gradio allows.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo.app.address import Names
from zoo.app.store import Store
from zoo.errors import ZooError

_API = "/gradio_api"
_READ = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?|/(assets|static|svelte)/.+"
    rf"|{_API}/(info|app_id|queue/data|upload_progress|theme\.css|heartbeat/\w+)/?"
)
_SENT = {f"{_API}/upload", f"{_API}/queue/join", f"{_API}/run/predict", f"{_API}/cancel", f"{_API}/reset"}
_FILE = f"{_API}/file="
_LONGEST_BODY = 1 << 18  # bytes of what controls send; photos are uploaded
_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]*:)?(//|\\\\|/\\|\\/)|\s*(data|file|https?):", re.IGNORECASE)
_UNTRUSTED = frozenset({b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-for", b"x-gradio-server"})
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

_POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Refused(Exception):
    """A request that is answered with a status and a line of text."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """An ASGI application around that of the page.

    Args:
        names: by which it may be called.
        store: the only files that are sent, and where uploads are put.
        script: that the page adds to itself; it runs beside those that it contains.
    """

    def __init__(self, app: ASGIApp, names: Names, store: Store, script: str = "") -> None:
        self._app, self._names, self._store, self._script = app, names, store, script.encode()
        self._uploading = 0  # bytes that are on their way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            send = _marked(send)
            try:
                await self._admit(scope, receive, send)
            except Refused as refused:
                await PlainTextResponse(str(refused), refused.status)(scope, receive, send)
        else:
            raise RuntimeError("the page has no web sockets")  # the server answers 500 and closes

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method, headers = scope["path"], scope["method"], Headers(scope=scope)
        self._check_names(headers)
        if method in ("GET", "HEAD") and path.startswith(_FILE):
            await self._file(path.removeprefix(_FILE))(scope, receive, send)
            return
        allowed = path.rstrip("/") in _SENT if method == "POST" else method in ("GET", "HEAD") and _READ.fullmatch(path)
        if not allowed:
            raise Refused(404, "there is nothing here")
        dropped = _UNTRUSTED | ({b"accept-encoding"} if path == "/" else set())
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}
        if path == "/":
            await self._app(scope, receive, _with_policy(send, self._script))
        elif path.rstrip("/") == f"{_API}/upload":
            await self._upload(scope, receive, send, headers)
        elif method == "POST":
            await self._app(scope, _again(self._checked(await _body(receive)), receive), send)
        else:
            await self._app(scope, receive, send)

    def _check_names(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._names.know(host):
            raise Refused(
                421, "this page has another address; behind a proxy, start it with --root-path https://NAME/PATH"
            )
        origin = headers.get("origin")
        if origin is not None and not self._names.same_site(origin, host):
            raise Refused(403, "requests from other sites are refused")

    def _file(self, path: str) -> FileResponse:
        """Pictures to be shown; all else only to be saved, so that no browser runs it."""
        if not self._store.holds(path):
            raise Refused(404, "there is no such file")
        kind = _PICTURES.get(Path(path).suffix.lower())
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private"}
        return FileResponse(
            path,
            headers=headers,
            media_type=kind or "application/octet-stream",
            filename=Path(path).name,
            content_disposition_type="inline" if kind else "attachment",
        )

    async def _upload(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        length = headers.get("content-length", "")
        if not length.isdecimal():
            raise Refused(411, "an upload must tell its length")
        size = int(length)
        try:
            self._store.need(self._uploading + size)
        except ZooError as error:
            raise Refused(413, str(error)) from error
        self._uploading += size
        try:
            await self._app(scope, receive, send)  # the server in front ends the body at its length
        finally:
            self._uploading -= size

    def _checked(self, body: bytes) -> bytes:
        """What a control sends, without addresses of the web and with no files but those that were uploaded."""
        try:
            return json.dumps(self._local(json.loads(body))).encode()
        except (ValueError, RecursionError):
            raise Refused(400, "not a message of this page") from None

    def _local(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._local(each) for each in value]
        if isinstance(value, dict):
            path = value.get("path")
            if path is not None and not (isinstance(path, str) and self._store.holds(path)):
                raise Refused(403, "no file that was uploaded here")
            return {key: self._local(each) for key, each in value.items() if key != "url"}  # it follows from the path
        if isinstance(value, str) and _ADDRESS.match(value):
            raise Refused(403, "addresses are not looked up here")
        return value


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "incomplete")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _LONGEST_BODY:
            raise Refused(413, "too long")
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives ``body``, and then what ``receive`` gives."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _marked(send: Send) -> Send:
    """With the headers that all answers have."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers[name] = value
            headers.setdefault("Content-Security-Policy", _POLICY.format(scripts=""))
        await send(message)

    return marked


def _with_policy(send: Send, script: bytes) -> Send:
    """Lets the scripts run that the page itself contains, by their hashes, and no other ones."""
    start: Message = {}
    page = b""

    async def policed(message: Message) -> None:
        nonlocal start, page
        if message["type"] == "http.response.start":
            start = message
            return
        page += message.get("body", b"")
        if message.get("more_body", False):
            return
        known = [*_INLINE_SCRIPT.findall(page), script]
        scripts = "".join(f" 'sha256-{b64encode(sha256(text).digest()).decode()}'" for text in known)
        MutableHeaders(scope=start)["Content-Security-Policy"] = _POLICY.format(scripts=scripts)
        await send(start)
        await send({"type": "http.response.body", "body": page})

    return policed
