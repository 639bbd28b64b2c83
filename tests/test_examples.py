"""The example programs run as a reader would run them, and learn."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def output_of(script: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def test_the_writer_does_better_than_guessing():
    text = output_of("writer.py", "--steps", "25")
    held_out = [float(value) for value in re.findall(r"held out ([\d.]+)", text)]
    guessing = float(re.search(r"guessing costs ([\d.]+)", text).group(1))
    assert len(held_out) == 5
    assert held_out[-1] < guessing - 0.5
    assert text.splitlines()[-1].startswith("#") or "#" in text


def test_the_autoencoder_learns_to_draw():
    text = output_of("vae.py", "--epochs", "2")
    losses = [float(value) for value in re.findall(r"loss of a digit ([\d.]+)", text)]
    assert losses[1] < losses[0] < 45
    assert len(text.splitlines()) > 16
