"""The command that serves the page: what it refuses, what it says, and how it ends."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app


def test_help_needs_neither_torch_nor_gradio() -> None:
    script = "import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'torch', 'gradio'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(app.__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--max-megapixels" in done.stdout


def test_a_port_in_use_is_one_line(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert app.main(["--port", str(port), "--checkpoints", str(checkpoint)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: cannot listen on 127.0.0.1, port {port}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "70000"],
        ["--max-mb", "0"],
        ["--max-megapixels", "nan"],
        ["--checkpoints", "gone"],
        ["--max-total-mb", "5"],
        ["--host", "no such name"],
        ["--root-path", "ftp://x/y"],
        ["--root-path", "https://x/y?z"],
        ["--root-path", "https://x:99999/y"],
        ["--root-path", "https://[::1/y"],
        ["--plugin", "gone.py"],
    ],
)
def test_options_that_cannot_be_are_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(options) == 2
    assert re.fullmatch(r"error: .*\n", capsys.readouterr().err)


def test_options_come_with_their_plugins(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    plugin = tmp_path / "mine.py"
    plugin.write_text("raise RuntimeError('it was imported')")
    assert app.main(["--plugin", str(plugin), "--checkpoints", str(checkpoint)]) == 2
    assert "it was imported" in capsys.readouterr().err
