"""Put the page together: npm install --prefix docs/demo --no-package-lock && python docs/demo/build.py OUT

It writes the page itself, the models of the package as ONNX graphs, and onnxruntime-web beside them. Any server of
files can serve OUT; docs/demo/README.md says how.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo import checkpoint
from zoo.diffusion.named import name_of
from zoo.errors import ZooError
from zoo.faces.box import TEMPLATE
from zoo.faces.detect import CENTERFACE
from zoo.onnx import SPEC, export_onnx
from zoo.photos.trust import STRENGTH

HERE = Path(__file__).parent
RUNTIME = HERE / "node_modules" / "onnxruntime-web" / "dist"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
PAGE = ("*.html", "*.css", "*.js", "*.txt")
_SMALL = 256  # numbers; smaller constants stay as they are


def build(out: Path, runtime: Path, models: tuple[Path, ...] | None = None) -> list[Path]:
    """Write the page into ``out``, which is made if it is missing.

    Args:
        runtime: the folder ``dist`` of the npm package onnxruntime-web.
        models: model files, one for faces and one for what lies around them; None: those of the package.

    Returns:
        The files.

    Raises:
        ZooError: no such runtime, or a model that the page cannot run.
    """
    missing = [name for name in (SCRIPT, WASM) if not (runtime / name).is_file()]
    if missing:
        raise ZooError(
            f"{runtime} has no {missing[0]}; run npm install --prefix docs/demo --no-package-lock, or give "
            "--runtime the folder dist of the npm package onnxruntime-web"
        )
    paths = models or checkpoint.bundled()
    options = {"strength": STRENGTH, "template": TEMPLATE.tolist()}
    about: dict[str, Any] = {"wasm": WASM, "detector": CENTERFACE.name, "options": options}
    written = []
    for role, path in zip(("faces", "around"), (paths[0], paths[-1]), strict=True):
        about[role] = _exported(path, out / "models" / role)
        written += [out / "models" / name for name in about[role]["files"]]
    told = out / "models" / "about.json"
    told.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (out / "runtime").mkdir(exist_ok=True)
    copies = {out / "runtime" / name: runtime / name for name in (SCRIPT, WASM)}
    copies[out / "models" / CENTERFACE.name] = CENTERFACE
    copies |= {out / source.name: source for pattern in PAGE for source in sorted(HERE.glob(pattern))}
    for target, source in copies.items():
        shutil.copyfile(source, target)
    return [*written, told, *copies]


def halved(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its weights in float16, made float32 when it is opened: the same numbers to rounding to
    float16, and for a model file that is in float16 itself, the very same."""
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= _SMALL:
            stored = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half")
            casts.append(helper.make_node("Cast", [stored.name], [tensor.name], to=TensorProto.FLOAT))
            kept.append(stored)
        else:
            kept.append(tensor)
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)
    return graph


def _exported(path: Path, folder: Path) -> dict[str, Any]:
    """Write the graphs of a model into ``folder``: what model.json says of it, and its ``files``."""
    model = checkpoint.load(path)
    spec = model.spec["diffusion"]
    schedule, says = name_of(spec.get("schedule", "cosine")), name_of(spec.get("parameterisation", "v"))
    if schedule != "cosine" or says not in ("v", "x0") or model.encoder.frame or model.encoder.spec.input_size:
        raise ZooError(f"{path}: the page runs models of v or x0 and the cosine schedule that see the picture itself")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        graphs = [file for file in export_onnx(model, Path(temporary)) if file.suffix == ".onnx"]
        for file in graphs:
            onnx.save(halved(onnx.load(file)), folder / file.name)
        about = json.loads((Path(temporary) / SPEC).read_text(encoding="utf-8"))
    return about | {"says": says, "files": [f"{folder.name}/{file.name}" for file in graphs]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the page that colours photos in a browser.")
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    parser.add_argument(
        "--runtime",
        type=Path,
        default=RUNTIME,
        metavar="DIST",
        help="the folder dist of the npm package onnxruntime-web",
    )
    parser.add_argument("--overwrite", action="store_true", help="write into a folder that is there already")
    args = parser.parse_args()
    try:
        if args.out.exists() and not args.overwrite:
            raise ZooError(f"{args.out} exists already; give another name or --overwrite")
        written = build(args.out, args.runtime)
    except (ZooError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{args.out}: {sum(path.stat().st_size for path in written) / 2**20:.1f} MB in {len(written)} files")
    print(f"python -m http.server --directory {args.out} --bind 127.0.0.1 8000")
    return 0


if __name__ == "__main__":
    sys.exit(main())
