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


def test_digits_are_recognised_by_one_picture_of_each():
    text = output_of("siamese.py", "--epochs", "2")
    right = [float(value) for value in re.findall(r"epochs ([\d.]+)%", text)]
    assert len(right) == 3
    assert right[2] > right[0] + 15


def test_small_pictures_become_sharper_than_by_interpolation():
    text = output_of("sharper.py", "--epochs", "4")
    bicubic, *learnt = [float(value) for value in re.findall(r"([\d.]+) dB", text)]
    assert learnt[-1] > bicubic + 0.5


def test_the_sides_of_the_club_are_found():
    text = output_of("factions.py", "--steps", "100")
    assert int(re.findall(r"(\d+) of 34", text)[-1]) >= 31


def test_the_pole_is_balanced_longer():
    text = output_of("balance.py", "--episodes", "60")
    steps = [float(value) for value in re.findall(r"([\d.]+) steps", text)]
    assert len(steps) == 3
    assert steps[-1] > 1.5 * steps[0]
