"""The page of docs/demo in Chromium: built, served on this machine, its modules called with numbers."""

from __future__ import annotations

import base64
import http.server
import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

DEMO = Path(__file__).parents[2] / "docs" / "demo"
RUNTIME = Path(os.environ.get("ZOO_TEST_ORT_WEB") or DEMO / "node_modules" / "onnxruntime-web" / "dist")
WITH_RUNTIME = pytest.mark.skipif(
    not RUNTIME.is_dir(), reason="needs onnxruntime-web: npm install --prefix docs/demo, or ZOO_TEST_ORT_WEB=DIST"
)

_TO_PLANES = """
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const floats = text => new Float32Array(bytes(text).buffer);
const planes = ({ shape, data }) => new Planes(...shape, floats(data));
const text = data => {  // base64, for playwright is slow with long lists
  const all = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let characters = "";
  for (let i = 0; i < all.length; i += 8192) characters += String.fromCharCode(...all.subarray(i, i + 8192));
  return btoa(characters);
};
const given = x => ({ shape: [x.channels, x.height, x.width], data: text(x.data) });
"""


def build_module() -> ModuleType:
    """docs/demo/build.py, which lies in no package."""
    spec = importlib.util.spec_from_file_location("demo_build", DEMO / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Site(NamedTuple):
    """A plain server of files, and what it was asked for."""

    address: str
    asked: list[str]


class _Noting(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, asked: list[str], **options: Any) -> None:
        self.asked = asked
        super().__init__(*args, **options)

    def log_message(self, *args: Any) -> None:
        self.asked.append(self.path)


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """``folder`` at an address of this machine."""
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Noting, asked=asked, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Modules:
    """The page's modules in a browser, without the page.

    Args:
        page: of playwright.
        address: where they are served.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        page.goto(f"{address}/style.css")  # a document of that origin, without scripts and policy of its own

    def call(self, body: str, **arguments: Any) -> Any:
        """What the body of an async function returns.

        It has the arguments, the modules by their names as in ``photo$``, `Planes`, and `planes` (of an array
        (C, H, W)), `bytes` (of an array of them) `given` (Planes → what `array` reads) and
        `text` (bytes → what `pixels` reads).
        """
        names = sorted(path.stem for path in DEMO.glob("*.js") if path.stem not in ("page", "worker"))
        imports = "\n".join(f"const {name}$ = await import('/{name}.js');" for name in names)
        known = ", ".join(arguments)
        script = f"async ({{ {known} }}) => {{ {imports}\nconst {{ Planes }} = raster$; {_TO_PLANES} {body} }}"
        return self.page.evaluate(script, {name: _encoded(value) for name, value in arguments.items()})


def _encoded(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return base64.b64encode(np.ascontiguousarray(value)).decode()
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value, np.float32)).decode()
        return {"shape": list(value.shape), "data": data}
    if isinstance(value, dict):
        return {key: _encoded(each) for key, each in value.items()}
    return [_encoded(each) for each in value] if isinstance(value, list | tuple) else value


def array(found: dict[str, Any]) -> np.ndarray:
    """(C, H, W) float32 of what `given` gave."""
    return np.frombuffer(base64.b64decode(found["data"]), np.float32).reshape(found["shape"])


def pixels(found: str, height: int, width: int) -> np.ndarray:
    """(H, W, 4) uint8 of bytes that went through ``text``."""
    return np.frombuffer(base64.b64decode(found), np.uint8).reshape(height, width, 4)


def rgba(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → (H, W, 4), opaque."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
