"""Result rows for tests."""

from __future__ import annotations

from zoo.benchmark.tables.rows import Row


def row(run: str = "a" * 12, metric: str = "psnr", value: float | None = 1.5, **changes: object) -> Row:
    fields: dict[str, object] = {
        "run_id": run,
        "encoder": "none",
        "cond": "none",
        "seed": 0,
        "metric": metric,
        "value": value,
        "higher_is_better": True,
        "n_images": 8,
        "protocol_id": "p",
        "params": 10,
        "encoder_params": 1,
        "cond_params": 2,
        "train_seconds": 3.25,
        "images_seen": 64,
        "sample_seconds_per_image": 0.1,
        "peak_memory_mb": 100.0,
        "device": "a CPU",
        "git_sha": "",
        "weights_sha": "",
        "note": "",
    }
    return Row(**{**fields, **changes})  # type: ignore[arg-type]
