"""Options of a run that takes seconds."""

from __future__ import annotations

SMALL = [
    "image_size=16",
    "denoiser.width=32",
    "denoiser.mults=[1]",
    "train.steps=2",
    "train.batch_size=4",
    "train.log=[]",
    "train.checkpoint_every=1",
    "train.val_every=null",
    "data.limit=6",
    "eval.limit=3",
    "eval.grid=2",
    "sampler.steps=2",
    "metrics=[psnr]",
    "device=cpu",
]
