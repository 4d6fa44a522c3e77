"""Serving the page to this machine, or, if asked, to a network; nothing is fetched from or sent to anywhere else."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.app.checkpoints import Checkpoint
from zoo.errors import ZooError

if TYPE_CHECKING:
    from gradio.themes import Base

_WAITING = 20  # requests in the queue; more are told to come back later
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
        device: as `zoo.photos.colorizer.Colorizer.load` takes it.
        open_browser: show the page in this machine's browser.

    Raises:
        ZooError: a port, limit or address that cannot be.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    max_megapixels: float = 50.0
    max_mb: int = 50
    device: str = "auto"
    open_browser: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ZooError(f"--port must lie in 0..65535, not {self.port}")
        if not self.max_megapixels > 0 or self.max_mb < 1:
            raise ZooError("--max-megapixels must be greater than 0, and --max-mb at least 1")


@contextmanager
def serving(config: ServerConfig, checkpoints: dict[str, Checkpoint]) -> Iterator[str]:
    """Serve the page while the block runs; yields its address.

    Uploads and results lie in a temporary folder that ends with the block. That folder is all that can be fetched.

    Raises:
        ZooError: the address cannot be listened on.
    """
    port = _free_port(config.host, config.port)  # before the imports, which take seconds
    with tempfile.TemporaryDirectory(prefix="zoo-app-") as folder:
        root = Path(folder).resolve()
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(root / "served")}
        from zoo.app.actions import Actions
        from zoo.app.examples import write_examples
        from zoo.app.page import build

        actions = Actions(checkpoints, root / "served", round(config.max_megapixels * 1e6), config.device)
        page = build(actions, write_examples(root / "examples"), max_mb=config.max_mb)
        page.queue(max_size=_WAITING, default_concurrency_limit=1, api_open=False)
        try:
            _, url, _ = page.launch(
                server_name=config.host,
                server_port=port,
                inbrowser=config.open_browser,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,  # needs no Node
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,  # or browsers would keep visitors' photos
                footer_links=[],
                max_file_size=f"{config.max_mb}mb",
                state_session_capacity=_SESSIONS,
                theme=_theme(),
                css=_CSS,
            )
            yield url
        finally:
            page.close(verbose=False)


def _theme() -> Base:
    """The fonts of the visitor's system; small print dark enough to read."""
    from gradio.themes import Default

    theme = Default(primary_hue="indigo", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))
    grey = {"body_text_color_subdued": "*neutral_500", "block_info_text_color": "*neutral_500"}
    return theme.set(**grey)


def _free_port(host: str, port: int) -> int:
    """``port``, or one that is free if it is 0; raises `ZooError` if nothing can listen there."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family) as claimed:
            return int(claimed.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ZooError(f"cannot listen on {host}, port {port}: {reason}; give another --port or --host") from error
