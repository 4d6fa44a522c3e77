# %% [markdown]
# # From a sweep to a figure
#
# A notebook as a script: Jupyter (with jupytext), VS Code and PyCharm open it in cells, and
# `python examples/sweep_to_figure.py` runs it all; it needs matplotlib. It trains four tiny networks on painted faces
# for a few steps: enough to see how it goes, and far too little to find anything out.

# %% The sweep: two encoders with two seeds, in a folder where this was started
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws into files; leave it out to see figures here
import matplotlib.pyplot as plt

import zoo.results
from zoo.commands import main

FOLDER = Path("sweep_to_figure")
TABLE, RUNS = FOLDER / "table.csv", FOLDER / "runs"
OPTIONS = ["preset=quick", "train.steps=10", "train.batch_size=4", "denoiser.width=32", "image_size=32"]
DATA = ["data.n_train=16", "data.n_test=8", "metrics=[psnr,colorfulness]"]
PLACES = [f"results_dir={RUNS}", f"cache_dir={FOLDER}/cache", f"table={TABLE}"]
assert main(["run", "-m", "encoder=none,unet", "cond=film", "seed=0,1", *OPTIONS, *DATA, *PLACES]) == 0

# %% What `facezoo compare` says of it: with so few seeds, hardly anything
given = ["--runs", str(RUNS), "--baseline", "encoder=none,cond=film", "--metric", "psnr"]
assert main(["compare", str(TABLE), *given]) == 0

# %% The same as a pandas frame, with a column for each setting
scores = zoo.results.load(TABLE)
psnr = scores[scores["metric"] == "psnr"]
print(psnr.groupby(["encoder.name", "cond.name", "train.steps"])["value"].agg(["mean", "std", "count"]))

# %% A figure: each run is a point, and lines join those of the same seed
figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
for seed, part in psnr.groupby("seed"):
    part = part.sort_values("encoder")
    axes.plot(part["encoder"], part["value"], "o-", label=f"seed {seed}")
axes.set_xlabel("encoder")
axes.set_ylabel("PSNR (dB)")
axes.legend()
figure.savefig(FOLDER / "figure.png", dpi=150)
