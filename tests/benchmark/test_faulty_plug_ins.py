"""Whatever a plug-in does wrong, the run ends with one line that names it, before it trains."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from support.plugged import NODES, SOURCES
from support.small import SMALL
from zoo.benchmark.config.mending import Refused, refusing
from zoo.benchmark.config.plugins import CONFIGS
from zoo.benchmark.runs import experiment
from zoo.commands import main
from zoo.registry import REGISTRIES

RAISES = 'raise RuntimeError("a bug\\nof mine")'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a cache; what a test registers is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("zoo_plugin_"):
            del sys.modules[name]
    for registry in REGISTRIES.values():
        registry._classes.pop("mine", None)
    for group in NODES:
        ConfigStore.instance().repo.get(group, {}).pop("mine.yaml", None)


@cache
def small() -> DictConfig:
    """Composing takes longer than all else."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("config", [*SMALL, "encoder=none", "cond=film", "plugins=[mine.py]"])


def run(kind: str, source: str) -> None:
    Path("mine.py").write_text(source)
    config = small().copy()
    OmegaConf.update(config, kind, NODES[kind], merge=False, force_add=True)
    with refusing(sweep=False):
        experiment.run(config)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_sound_one_runs(kind: str, folder: Path) -> None:
    run(kind, SOURCES[kind])
    assert len(list(folder.glob("results/runs/*/rows.csv"))) == 1


AT_WORK = {  # what each does when it is used
    "encoder": "x = self.conv(L)",
    "cond": "return (self.shift",
    "metrics": "self.seen += len(pred)",
    "data": "return np.random",
    "method": "return torch",
}
FAILURES = {
    "raises": (RAISES, "failed: RuntimeError: a bug of mine"),
    "exits": ("sys.exit(3)", "failed: it ends the process (SystemExit: 3)"),
    "opens nothing": ("open('no')", "failed: FileNotFoundError"),
}
FAULTS = {  # of each kind: what is there, what takes its place, what is said of it
    "encoder": {
        "raises at import": ("import zoo\n", f"import zoo\n{RAISES}\n", "plugins: cannot import 'mine.py' (Runtime"),
        "raises when built": ("super().__init__(", f"{RAISES}; (", "cannot be built: RuntimeError: a bug of mine"),
        "exits when built": ("super().__init__(", "sys.exit(0); (", "cannot be built: it ends the process"),
        "forgets super": ("super().__init__(", "(", "cannot be built: AttributeError: cannot assign module"),
        "is something else": ("zoo.Encoder)", "nn.Module)", "cannot be built: "),
        "forgets super, and has no layers": ("super().__init__(", "return; (", "is not set up; call super().__init__"),
        "has no forward": ("def forward", "def backward", "cannot be built: TypeError: Can't instantiate"),
        "has a strange spec": (
            "(zoo.FeatureLevel(width, 2),)",
            "((width, 2),)",
            "must be a tuple of FeatureLevel, not ((16, 2),)",
        ),
        "lies about channels": (
            "Level(width, 2)",
            "Level(width + 1, 2)",
            "declared map 0 as (2, 17, 8, 8), gave (2, 16, 8, 8)",
        ),
        "lies about stride": ("Level(width, 2)", "Level(width, 4)", "declared map 0 as (2, 16, 4, 4), gave"),
        "lies about tokens": ("token_dim=width", "token_dim=9", "declared tokens (2, T, 9), gave (2, 1, 16)"),
        "forgets its tokens": ("x.mean((2, 3))[:, None]", "None", "declared tokens of 16, gave none"),
        "gives more maps": ("((x,)", "((x, x)", "declared 1 maps, gave 2"),
        "gives a tensor": ("return zoo", "return x; zoo", "forward gives a Tensor, not zoo.Features(maps, tokens)"),
    },
    "cond": {
        "forgets super": ("super().__init__(spec, denoiser_levels)", "pass", "cannot be built: Attr"),
        "lies about its channels": ("return h + ", "return h[:, 1:] + ", "conditioner 'mine' ("),
        "joins what it does not say": (
            "return h +",
            "return torch.cat([h, h], 1); h +",
            "must give (2, 32, 4, 4), and gave (2, 64, 4, 4)",
        ),
        "has no null": ("self.null =", "self.nothing =", "prepare() gives 1 tensors, for which it has 0 nulls"),
        "gives no context": (
            "return (self.shift(features.tokens.mean(1)),)",
            "return None",
            "a tuple of tensors (2, ...)",
        ),
    },
    "metrics": {
        "exits at import": ("import zoo\n", "import zoo\nsys.exit(0)\n", "'mine.py' (it ends the process (SystemEx"),
        "raises at the end": ("return [Score", f"{RAISES}; [Score", "failed: RuntimeError: a bug of mine"),
        "names others": ('{"mine": True}', '{"ours": True}', "names() has ours; compute() must give their"),
    },
    "data": {
        "gives floats": (
            "dtype=np.uint8",
            "dtype=np.int64",
            "must give (S, S, 3) of uint8, and gave int64 of (16,",
        ),
        "gives no squares": (
            "(16, 16, 3)",
            "(16, 8, 3)",
            "must give (S, S, 3) of uint8, and gave uint8 of (16, 8",
        ),
        "names one twice": ('"a", "b"', '"a", "a"', "keys('train') must give a list of texts, each once"),
    },
    "method": {
        "gives another size": (
            "(photos.ab)",
            "(photos.L)",
            "sample() must give ab (3, 2, 16, 16), and gave (3, 1, 16, 16)",
        ),
    },
}
CASES = {
    f"{kind} {name}": (kind, line, f"{failure}; {line}", said)
    for kind, line in AT_WORK.items()
    for name, (failure, said) in FAILURES.items()
} | {f"{kind} {name}": (kind, *fault) for kind, faults in FAULTS.items() for name, fault in faults.items()}


@pytest.mark.parametrize(("kind", "old", "new", "said"), CASES.values(), ids=CASES)
def test_a_fault_is_one_line_that_names_it(kind: str, old: str, new: str, said: str, folder: Path) -> None:
    assert old in SOURCES[kind]
    with pytest.raises(Refused) as refused:
        run(kind, SOURCES[kind].replace(old, new))
    told = str(refused.value)
    assert said in told
    assert "mine.py" in told
    assert len(told.splitlines()) == 1
    assert not list(folder.glob("results/runs/*/checkpoint.pt"))  # nothing was trained


def test_on_the_command_line_that_is_all_that_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(SOURCES["encoder"].replace(AT_WORK["encoder"], RAISES))
    assert main(["run", *SMALL, "encoder=mine", "plugins=[mine.py]"]) == 2
    *before, told = capsys.readouterr().err.splitlines()
    line = len(SOURCES["encoder"].partition(AT_WORK["encoder"])[0].splitlines())
    assert told == f"error: encoder 'mine' ({folder}/mine.py, line {line}) failed: RuntimeError: a bug of mine"
    assert not [line for line in before if "rror" in line]


def test_in_a_sweep_the_other_cells_are_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(SOURCES["encoder"].replace(AT_WORK["encoder"], "sys.exit(0)"))
    assert main(["run", "-m", *SMALL, "encoder=mine,none", "cond=film", "plugins=[mine.py]"]) == 2
    told = capsys.readouterr()
    assert "1 of 2 cells done" in told.out
    assert "failed: encoder=mine: encoder 'mine' (" in told.err
    assert "Traceback" not in told.err


def test_a_metric_that_fails_after_training_is_a_missing_score_with_its_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = 'self.seen += len(pred); assert self.seen < 3, "too many"'  # the first two do not tell
    run("metrics", SOURCES["metrics"].replace(AT_WORK["metrics"], later))
    (file,) = folder.glob("results/runs/*/rows.csv")
    rows = pd.read_csv(file).set_index("metric")
    assert rows.value.notna().to_dict() == {"psnr": True, "mine": False}
    assert "failed: AssertionError: too many" in rows.note["mine"]
    assert "failed: AssertionError: too many" in capsys.readouterr().out
