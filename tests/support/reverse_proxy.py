"""A reverse proxy as people have them: it takes a path away and asks a server of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_HOPS = {"host", "connection", "transfer-encoding", "keep-alive"}


@contextmanager
def reverse_proxy(listening: socket.socket, path: str, target: str) -> Iterator[None]:
    """Serves on ``listening`` what lies below ``path``, from ``target``, until the block ends."""
    client = httpx.AsyncClient(trust_env=False, timeout=None)

    async def forward(request: Request) -> Response:
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOPS]
        url = f"{target}/" + request.path_params["rest"]
        asked = client.build_request(
            request.method, url, params=request.query_params, headers=headers, content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in _HOPS}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    route = Route(f"{path}/{{rest:path}}", forward, methods=["GET", "HEAD", "POST"])
    app = Starlette(routes=[route], lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
