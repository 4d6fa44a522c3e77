"""What a run keeps beside its rows, so that its scores can be compared photo by photo and looked at.

protocol.json       how it was scored: what ``protocol_id`` hashes
per_image.parquet   ``image`` and, for each score that is a mean over images, its value for each (NaN: it has none)
strips.npz          ``keys`` (K,) and ``strips`` (K, 2 + S, H, W, 3) uint8: grey, S samples and truth of K images
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.benchmark.runs.identity import protocol_id
from zoo.benchmark.tables import protocols
from zoo.data import printable
from zoo.evaluation.evaluate import Evaluation
from zoo.files import replacing

PROTOCOL, PER_IMAGE, STRIPS = protocols.FILE, "per_image.parquet", "strips.npz"


def write_artifacts(folder: Path, scored: Mapping[str, Any], found: Evaluation) -> None:
    """Write all three into a run's folder, each atomically."""
    with replacing(folder / PROTOCOL) as temporary:
        temporary.write_text(json.dumps(scored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    values = {score.name: score.per_image.numpy() for score in found.scores if score.per_image is not None}
    with replacing(folder / PER_IMAGE) as temporary:
        images = {"image": [printable(key) for key in found.keys]}
        pd.DataFrame(images | values).to_parquet(temporary, compression="zstd", index=False)
    with replacing(folder / STRIPS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, keys=np.array([printable(key) for key in found.strip_keys]), strips=found.strips)


def read_protocol(folder: Path) -> dict[str, dict[str, Any]]:
    """protocol_id → what it hashes, of the run in ``folder``; empty for a run from before it was kept."""
    scored = protocols.read(folder / PROTOCOL)
    return {protocol_id(scored): scored} if scored else {}
