"""python -m zoo export CHECKPOINT --onnx FOLDER: a trained model as ONNX graphs."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.errors import ZooError

HELP = "write a trained model as ONNX graphs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="a model.safetensors")
    parser.add_argument("--onnx", type=Path, required=True, metavar="FOLDER", help="for the graphs; made if missing")
    parser.add_argument("--overwrite", action="store_true", help="replace an export that is there already")


def run(args: argparse.Namespace) -> int:
    from zoo.export import DENOISER, ENCODER, SPEC, export_onnx
    from zoo.model import ColorDiffusion

    there = [args.onnx / name for name in (ENCODER, DENOISER, SPEC) if (args.onnx / name).exists()]
    if there and not args.overwrite:
        raise ZooError(f"{there[0]} exists already; give another folder or --overwrite")
    for path in export_onnx(ColorDiffusion.load(args.checkpoint), args.onnx):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MB")
    return 0
