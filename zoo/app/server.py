"""Serving the page to this machine, or, if asked, to a network; nothing is fetched from or sent to anywhere else."""

from __future__ import annotations

import os
import socket
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.app.address import Names, listen
from zoo.app.checkpoints import Checkpoint
from zoo.app.gate import Gate
from zoo.app.store import Store, temporary_folder
from zoo.errors import ZooError

if TYPE_CHECKING:
    from gradio import Blocks
    from gradio.themes import Base
    from starlette.types import ASGIApp

_WAITING = 20  # requests in the queue; more are told to come back later
_OPENED_AT_ONCE = 4  # uploads that are decoded; colouring is one at a time
_SESSIONS = 500  # visitors whose choice is remembered (a few paths each)

_CSS = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; }
.small p, #legend p { font-size: var(--text-sm); color: var(--body-text-color-subdued); }
#examples .grid-wrap, #samples .grid-wrap { height: auto; min-height: 0; max-height: none; padding: 0; }
#examples .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; }
#examples .grid-container, #samples .grid-container { height: auto; grid-template-rows: auto !important; }
#examples .thumbnail-item { aspect-ratio: 1; height: auto; }
#samples .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
#status .line { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; min-height: 1.75rem; }
#status progress { flex: 1 1 140px; height: .5rem; border: none; border-radius: .25rem; overflow: hidden;
  appearance: none; background: var(--border-color-primary); }
#status progress::-webkit-progress-bar { background: var(--border-color-primary); }
#status progress::-webkit-progress-value { background: var(--color-accent); }
#status progress::-moz-progress-bar { background: var(--color-accent); }
#status .alert span { color: var(--error-icon-color); font-weight: 600; }
#legend .scale { height: .7rem; border-radius: .35rem; }
#legend .ends { display: flex; justify-content: space-between; gap: 1rem; font-size: var(--text-sm); }
#legend p { margin-top: .5rem; }
"""


@dataclass(frozen=True)
class ServerConfig:
    """Where and what to serve.

    Args:
        host: the address to listen on; the default can be reached from this machine only.
        port: 0: any that is free.
        max_megapixels: of a photo.
        max_mb: of an uploaded file.
        max_total_mb: of all uploads and results together.
        device: as `zoo.photos.colorizer.Colorizer.load` takes it.
        open_browser: show the page in this machine's browser.
        root_path: the page's public address, where a reverse proxy stands before it and takes the path away.

    Raises:
        ZooError: a port, limit or address that cannot be.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    max_megapixels: float = 50.0
    max_mb: int = 50
    max_total_mb: int = 4000
    device: str = "auto"
    open_browser: bool = False
    root_path: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ZooError(f"--port must lie in 0..65535, not {self.port}")
        if not self.max_megapixels > 0 or self.max_mb < 1 or self.max_total_mb < self.max_mb:
            raise ZooError(
                "--max-megapixels must be greater than 0, --max-mb at least 1, --max-total-mb at least --max-mb"
            )
        self.names()

    def names(self) -> Names:
        return Names.of(self.host, self.root_path)


@contextmanager
def serving(config: ServerConfig, checkpoints: dict[str, Checkpoint]) -> Iterator[str]:
    """Serve the page while the block runs; yields its address.

    Uploads and results lie in a temporary folder that ends with the block. That folder is all that can be fetched.

    Raises:
        ZooError: the address cannot be listened on.
    """
    with temporary_folder() as root:
        listening, url = listen(config.host, config.port)  # before the imports, which take seconds
        with listening:
            store = Store(root / "served", config.max_total_mb * 10**6)
            os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(store.folder)}
            page = _page(config, checkpoints, store, root / "examples")
            app = _guarded(page, config, store)
            store.keep_these()
            with store.swept(), _running(app, listening):
                if config.open_browser:
                    webbrowser.open(url)
                try:
                    yield url
                finally:
                    page.close(verbose=False)


def _page(config: ServerConfig, checkpoints: dict[str, Checkpoint], store: Store, examples: Path) -> Blocks:
    from zoo.app.actions import Actions
    from zoo.app.examples import write_examples

    with _no_proxies():
        from zoo.app.page import build

    actions = Actions(checkpoints, store, round(config.max_megapixels * 1e6), config.device)
    page = build(actions, write_examples(examples), max_mb=config.max_mb)
    page.queue(max_size=_WAITING, default_concurrency_limit=_OPENED_AT_ONCE, api_open=False)
    page.state_session_capacity = _SESSIONS
    page.has_launched = True  # only then does Gradio check whose files it is given
    return page


@contextmanager
def _no_proxies() -> Iterator[None]:
    """Gradio makes clients when it is imported, which cannot be made where a proxy is of a kind that is not installed
    (SOCKS). The page asks nobody for anything."""
    found = {name: os.environ.pop(name) for name in list(os.environ) if name.lower().endswith("_proxy")}
    try:
        yield
    finally:
        os.environ |= found


def _guarded(page: Blocks, config: ServerConfig, store: Store) -> Gate:
    """Not by ``Blocks.launch``, which asks itself over the network whether it is there, by way of any proxy."""
    from fastapi import FastAPI
    from gradio import mount_gradio_app

    from zoo.app.page import SHOW_RESULT

    app = mount_gradio_app(
        FastAPI(openapi_url=None),
        page,
        path="/",
        root_path=config.root_path or None,
        footer_links=[],
        run_history=False,  # or browsers would keep visitors' photos
        show_error=False,
        max_file_size=f"{config.max_mb}mb",
        ssr_mode=False,  # needs no Node
        mcp_server=False,
        enable_monitoring=False,
        theme=_theme(),
        css=_CSS,
        head=f"<script>{SHOW_RESULT}</script>",
    )
    return Gate(app, config.names(), store, SHOW_RESULT)


@contextmanager
def _running(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """A server in a thread of its own."""
    import uvicorn

    config = uvicorn.Config(
        app, log_level="warning", server_header=False, proxy_headers=False, ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise ZooError("the server did not start; what it said is above")
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _theme() -> Base:
    """The fonts of the visitor's system; small print dark enough to read."""
    from gradio.themes import Default

    theme = Default(primary_hue="indigo", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))
    grey = {"body_text_color_subdued": "*neutral_500", "block_info_text_color": "*neutral_500"}
    return theme.set(**grey)
