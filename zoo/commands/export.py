"""facezoo export CHECKPOINT --onnx FOLDER: a trained model as ONNX graphs; --half FILE: at half the size."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.commands._plugins import add_plugin_option
from zoo.errors import ZooError
from zoo.plugins import import_plugins

HELP = "write a trained model as ONNX graphs, or at half the size"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="a model.safetensors")
    parser.add_argument("--onnx", type=Path, metavar="FOLDER", help="write encoder.onnx, denoiser.onnx and model.json")
    parser.add_argument("--half", type=Path, metavar="FILE", help="write a model file with float16 weights")
    add_plugin_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace what is there already")


def run(args: argparse.Namespace) -> int:
    if not args.onnx and not args.half:
        raise ZooError("nothing to write; give --onnx FOLDER, --half FILE or both")
    import_plugins(args.plugin)
    from zoo import checkpoint  # these bring in torch: not for --help
    from zoo.onnx import DENOISER, ENCODER, SPEC, export_onnx

    targets = [args.onnx / name for name in (ENCODER, DENOISER, SPEC)] if args.onnx else []
    targets += [args.half] if args.half else []
    there = [path for path in targets if path.exists()]
    if there and not args.overwrite:
        raise ZooError(f"{there[0]} exists already; give another name or --overwrite")
    model = checkpoint.load(args.checkpoint)
    written = export_onnx(model, args.onnx) if args.onnx else []
    if args.half:
        checkpoint.save(model, args.half, half=True)
        written.append(args.half)
    for path in written:
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MB")
    return 0
