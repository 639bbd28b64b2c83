"""The first values of every layer's parameters against those of PyTorch 2.13.

initial.json holds, for large layers, the mean, deviation and extremes of each parameter there. To add a
case, add it to CASES and, where PyTorch is installed, run this file with argument `torch`.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import dispatch_core as dc

GOLDEN = Path(__file__).with_name("initial.json")
CASES = [
    "Linear(300, 200)",
    "Bilinear(40, 50, 60)",
    "Conv1d(40, 50, 7)",
    "Conv2d(30, 40, 5, groups=2)",
    "Conv3d(20, 30, 3)",
    "ConvTranspose1d(60, 50, 7)",
    "ConvTranspose2d(30, 40, 5)",
    "ConvTranspose3d(10, 20, 3)",
    "Embedding(300, 200, padding_idx=3)",
    "EmbeddingBag(300, 200)",
    "RNN(100, 120, 2)",
    "LSTM(80, 90, 2, bidirectional=True)",
    "LSTM(80, 90, proj_size=20)",
    "GRU(80, 90)",
    "RNNCell(100, 120)",
    "LSTMCell(90, 80)",
    "GRUCell(90, 80)",
    "MultiheadAttention(120, 4)",
    "MultiheadAttention(120, 4, kdim=80, vdim=90, add_bias_kv=True)",
    "TransformerEncoderLayer(96, 4, 300)",
    "TransformerDecoderLayer(96, 4, 300)",
    "Transformer(64, 4, 1, 1, 200)",
    "AdaptiveLogSoftmaxWithLoss(160, 1000, [100, 400])",
    "LinearCrossEntropyLoss(200, 300)",
    "PReLU(5)",
    "BatchNorm2d(30)",
    "LayerNorm((20, 30))",
    "GroupNorm(3, 30)",
    "InstanceNorm2d(30, affine=True)",
    "RMSNorm(50)",
]


def moments(framework: Any, case: str) -> dict[str, list[float]]:
    """Count, mean, deviation, smallest and largest of each parameter of a fresh layer."""
    framework.manual_seed(0)
    state = eval(f"nn.{case}", {"nn": framework.nn}).state_dict()
    found = {}
    for name, tensor in state.items():
        values = tensor.double()
        spread = values.std(correction=0).item()
        parts = [values.mean().item(), spread, values.min().item(), values.max().item()]
        found[name] = [values.numel(), *(round(part, 6) for part in parts)]
    return found


@pytest.mark.parametrize("case", CASES)
def test_first_values(case: str) -> None:
    expected = json.loads(GOLDEN.read_text())[case]
    found = moments(dc, case)
    assert list(found) == list(expected)
    for name, (count, mean, spread, least, most) in expected.items():
        error = 5 * spread / count**0.5  # of a mean; that of a deviation is smaller
        assert found[name][0] == count
        assert found[name][1] == pytest.approx(mean, abs=2 * error + 1e-6), name
        assert found[name][2] == pytest.approx(spread, abs=error + 1e-6), name
        if count > 1000 or spread == 0:
            extreme = 0.35 if most > 2 * spread else 0.02  # of normal values, of uniform ones
            assert found[name][3] == pytest.approx(least, rel=extreme, abs=1e-6), name
            assert found[name][4] == pytest.approx(most, rel=extreme, abs=1e-6), name


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    framework = importlib.import_module(sys.argv[1])
    golden = {case: moments(framework, case) for case in CASES}
    lines = [f"{json.dumps(case)}: {json.dumps(found)}" for case, found in golden.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
