"""facezoo app: the page in a browser."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from zoo.commands._plugins import add_plugin_option

HELP = "serve a page that colours photos, in a browser"

_EPILOG = """\
examples
  %(prog)s                                    http://127.0.0.1:7860, for this machine only
  %(prog)s --open                             and show it in the browser
  %(prog)s --checkpoints model.safetensors    models beside the one in the package and those of results/runs
  %(prog)s --host 0.0.0.0 --port 8000         for everybody in the network (no password: mind who that is)
  %(prog)s --max-megapixels 12 --max-mb 20    smaller photos only
  %(prog)s --root-path https://example.org/colour    behind a reverse proxy that serves it there and takes the path away
  %(prog)s --plugin edges.py                  for models whose encoder or conditioning a file of yours registers
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Serve a page that colours photos. Nothing leaves this machine."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=int, default=7860, help="0: any that is free (default: %(default)s)")
    add(
        "--checkpoints",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="model files, or folders of them, to choose from",
    )
    add("--max-megapixels", type=float, default=50.0, metavar="N", help="size of a photo (default: %(default)g)")
    add("--max-mb", type=int, default=50, metavar="N", help="size of an uploaded file (default: %(default)s)")
    add("--max-total-mb", type=int, default=4000, metavar="N", help="all uploads and results (default: %(default)s)")
    add("--root-path", default="", metavar="URL", help="the page's public address, behind a reverse proxy")
    add_plugin_option(parser)
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    add("--open", action=argparse.BooleanOptionalAction, default=False, help="show it in the browser (default: no)")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or a SIGTERM.

    Raises:
        ZooError: no model file, or an option or address that cannot be.
    """
    from zoo.app.address import is_loopback  # these bring in torch, and the last Gradio: not for --help
    from zoo.app.checkpoints import discover
    from zoo.app.server import ServerConfig, serving
    from zoo.devices import pick_device
    from zoo.plugins import import_plugins

    config = ServerConfig(
        host=args.host,
        port=args.port,
        max_megapixels=args.max_megapixels,
        max_mb=args.max_mb,
        max_total_mb=args.max_total_mb,
        device=pick_device(args.device),
        open_browser=args.open,
        root_path=args.root_path,
    )
    import_plugins(args.plugin)
    checkpoints = discover(args.checkpoints, on_skip=lambda error: _tell(f"left out: {error}"))
    signal.signal(signal.SIGTERM, _interrupt)  # so that visitors' photos are deleted then, too
    try:
        with serving(config, checkpoints) as url:
            if not is_loopback(args.host):
                _tell(f"warning: {args.host} can be reached from other machines, and the page has no password")
            print(f"{url}   (Ctrl-C ends it)", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
