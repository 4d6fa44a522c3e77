"""facezoo app: the page in a browser."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

HELP = "serve a page that colours photos, in a browser"

_EPILOG = """\
examples
  %(prog)s                                    http://127.0.0.1:7860, for this machine only
  %(prog)s --open                             and show it in the browser
  %(prog)s --checkpoints model.safetensors    models beside the one in the package and those of results/runs
  %(prog)s --host 0.0.0.0 --port 8000         for everybody in the network (no password: mind who that is)
  %(prog)s --max-megapixels 12 --max-mb 20    smaller photos only
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
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    add("--open", action=argparse.BooleanOptionalAction, default=False, help="show it in the browser (default: no)")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or a SIGTERM.

    Raises:
        ZooError: no model file, or an option or address that cannot be.
    """
    from zoo.app.checkpoints import discover  # these bring in torch, and the last Gradio: not for --help
    from zoo.app.server import ServerConfig, serving

    config = ServerConfig(args.host, args.port, args.max_megapixels, args.max_mb, args.device, args.open)
    checkpoints = discover(args.checkpoints)
    signal.signal(signal.SIGTERM, _interrupt)  # so that visitors' photos are deleted then, too
    try:
        with serving(config, checkpoints) as url:
            print(f"{url}   (Ctrl-C ends it)", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
