"""Functions of nn.functional against PyTorch 2.13: results and gradients of one-line calls.

functional.json maps each call to what PyTorch made of it. In a call, x(2, 3) is a leaf of that
shape, u one in (0, 1), c one without gradient, n(5, 2, 3) integers below 5, s(4) signs, b(2, 3)
booleans. To add a call, add a line to CALLS and, where PyTorch is installed, run this file with
argument `torch`.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import dispatch_core as dc

GOLDEN = Path(__file__).with_name("functional.json")

CALLS = [
    *(f"{name}(x(3, 4) * 3)" for name in (
        "relu", "relu6", "elu", "selu", "celu", "silu", "mish", "gelu", "softplus", "softsign",
        "tanhshrink", "logsigmoid", "hardswish", "hardsigmoid", "hardtanh", "hardshrink",
        "softshrink", "leaky_relu", "glu",
    )),
    "gelu(x(3, 4) * 3, approximate='tanh')",
    "softplus(x(3, 4) * 3, 2.0, 3.0)",
    "threshold(x(3, 4), 0.1, 5.0)",
    "prelu(x(3, 4, 2), x(4))",
    "celu(x(3, 4), 0.5)",
    "softmax(x(3, 4), 0)",
    "log_softmax(x(2, 3, 4), -1)",
    "softmin(x(3, 4), 1)",
    *(f"interpolate(x(2, 3, 5, 6), (7, 3), mode='{mode}')" for mode in (
        "nearest", "nearest-exact", "area", "bilinear", "bicubic"
    )),
    *(f"interpolate(x(1, 2, 5, 6), scale_factor=1.7, mode='{mode}', align_corners={corners})"
      for mode in ("bilinear", "bicubic") for corners in (True, False)),
    *(f"interpolate(x(1, 2, 9, 16), (4, 5), mode='{mode}', antialias=True)"
      for mode in ("bilinear", "bicubic")),
    "interpolate(x(2, 3, 5), 7, mode='linear')",
    "interpolate(x(1, 2, 2, 3, 4), (3, 4, 2), mode='trilinear')",
    "interpolate(x(1, 2, 5, 6), scale_factor=(0.5, 2.3), recompute_scale_factor=True)",
    *(f"pad(x(1, 2, 3, 4), (1, 2, 2, 0), '{mode}')" for mode in (
        "constant", "reflect", "replicate", "circular"
    )),
    "pad(x(2, 3, 4), (1, 2, -1, 1, 0, 2), 'constant', 3.5)",
    "pad(x(2, 4), (-1, 2), 'circular')",
    "unfold(x(2, 3, 6, 7), (2, 3), 2, 1, 2)",
    "fold(x(2, 12, 12), (4, 5), (2, 2))",
    "pixel_shuffle(x(2, 8, 3, 4), 2)",
    "pixel_unshuffle(x(8, 4, 6), 2)",
    "channel_shuffle(x(2, 6, 4, 3), 3)",
    *(f"grid_sample(x(2, 3, 4, 5), x(2, 3, 4, 2) * 1.3, '{mode}', '{padding}', {corners})"
      for mode in ("bilinear", "nearest", "bicubic")
      for padding, corners in (("zeros", False), ("border", True), ("reflection", False))),
    "affine_grid(x(2, 2, 3), (2, 3, 4, 5), align_corners=False)",
    "conv1d(x(2, 4, 7), x(6, 2, 2), x(6), 2, 1, 2, 2)",
    "conv2d(x(2, 4, 7, 6), x(6, 2, 2, 3), x(6), (1, 2), (1, 0), (2, 1), 2)",
    "conv2d(x(4, 7, 6), x(6, 4, 2, 3), None, 1, 'same')",
    "conv3d(x(1, 2, 4, 5, 3), x(2, 2, 2, 3, 2), None, 1, 1)",
    "conv_transpose1d(x(2, 4, 5), x(4, 3, 3), x(6), 2, 1, 1, 2)",
    "conv_transpose2d(x(2, 4, 5, 4), x(4, 3, 3, 3), None, 1, 0, 1, 1, 2)",
    "conv_transpose3d(x(1, 2, 2, 3, 2), x(2, 2, 2, 2, 2), x(2), 2)",
    "max_pool1d(x(2, 3, 9), 3, 2, 1, 1, True)",
    "max_pool2d(x(2, 3, 9, 8), (3, 2), (2, 3), (1, 0), 1, False, True)",
    "max_pool3d(x(3, 4, 5, 6), 2)",
    "avg_pool1d(x(2, 3, 9), 3, 2, 1, True, False)",
    "avg_pool2d(x(2, 3, 9, 8), (3, 2), (2, 3), (1, 0), True)",
    "avg_pool3d(x(1, 2, 4, 5, 6), 2, divisor_override=3)",
    "lp_pool2d(u(2, 3, 5, 6), 3, 2)",
    "adaptive_avg_pool2d(x(2, 3, 7, 8), (None, 3))",
    "adaptive_max_pool2d(x(2, 3, 7, 8), (3, 4), True)",
    "max_unpool1d(x(1, 1, 3), c_int([[[1, 4, 5]]]), 2)",
    "local_response_norm(x(2, 6, 3, 3), 4)",
    "rms_norm(x(2, 3, 4), (4,), x(4))",
    "layer_norm(x(2, 3, 4), (3, 4), x(3, 4))",
    "layer_norm(x(4), (4,))",
    "group_norm(x(2, 6, 3), 3, x(6), x(6))",
    "instance_norm(x(2, 3, 4, 5))",
    "batch_norm(x(3, 4, 2), None, None, x(4), x(4), True)",
    "normalize(x(3, 4), 1.0, 0)",
    "linear(x(2, 3, 4), x(5, 4), x(5))",
    "linear(x(4), x(5, 4))",
    "bilinear(x(2, 3, 4), x(2, 3, 5), x(6, 4, 5), x(6))",
    "scaled_dot_product_attention(x(2, 4, 3, 5), x(2, 4, 6, 5), x(2, 4, 6, 7))",
    "scaled_dot_product_attention(x(2, 3, 5), x(2, 6, 5), x(2, 6, 7), is_causal=True, scale=0.3)",
    "scaled_dot_product_attention(x(2, 4, 3, 5), x(2, 2, 6, 5), x(2, 2, 6, 7), enable_gqa=True)",
    "scaled_dot_product_attention(x(2, 3, 5), x(2, 6, 5), x(2, 6, 7), b(3, 6))",
    "embedding(n(6, 2, 3), x(6, 5), padding_idx=-2)",
    "embedding(n(6, 2, 3), x(6, 5), scale_grad_by_freq=True)",
    *(f"embedding_bag(n(6, 4, 3), x(6, 5), mode='{mode}', padding_idx=2)"
      for mode in ("sum", "mean", "max")),
    "embedding_bag(n(6, 9), x(6, 5), c_int([0, 3, 3, 7]), mode='mean')",
    "embedding_bag(n(6, 4, 3), x(6, 5), mode='sum', per_sample_weights=x(4, 3))",
    "one_hot(n(5, 3, 4))",
    "cosine_similarity(x(3, 4, 2), x(3, 4, 2), -1)",
    "pairwise_distance(x(3, 4), x(3, 4), 3.0)",
    "pdist(x(5, 3))",
    *(f"cross_entropy(x(6, 5), n(5, 6), {weight}, reduction='{way}', label_smoothing={smooth})"
      for weight in ("None", "c(5) + 2")
      for way in ("none", "mean", "sum") for smooth in (0.0, 0.2)),
    "cross_entropy(x(2, 5, 3), n(5, 2, 3), ignore_index=2)",
    "cross_entropy(x(5), c_int(3))",
    "cross_entropy(x(4, 5), c(4, 5).softmax(1), label_smoothing=0.1)",
    "nll_loss(x(2, 5, 3, 2), n(5, 2, 3, 2), c(5) + 2, ignore_index=1)",
    *(f"{name}(x(3, 4), x(3, 4))" for name in (
        "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss"
    )),
    "mse_loss(x(3, 4), x(3, 4), weight=c(3, 4) + 2)",
    "smooth_l1_loss(x(3, 4), x(3, 4), reduction='sum', beta=0.3)",
    "kl_div(x(3, 4), u(3, 4), reduction='batchmean')",
    "kl_div(x(3, 4), x(3, 4), reduction='sum', log_target=True)",
    "poisson_nll_loss(u(3, 4), u(3, 4) * 4, False, True)",
    "gaussian_nll_loss(x(3, 4), x(3, 4), u(3, 4), full=True)",
    "binary_cross_entropy(u(3, 4), u(3, 4), c(3, 4) + 2)",
    "binary_cross_entropy_with_logits(x(3, 4), u(3, 4), pos_weight=c(4) + 2)",
    "hinge_embedding_loss(x(4), s(4))",
    "margin_ranking_loss(x(4), x(4), s(4), 0.1)",
    "cosine_embedding_loss(x(4, 3), x(4, 3), s(4), 0.1)",
    "soft_margin_loss(x(4), s(4))",
    "multi_margin_loss(x(4, 3), n(3, 4), 2, 0.7)",
    "multilabel_margin_loss(x(2, 4), c_int([[3, 0, -1, 1], [2, -1, 0, 1]]))",
    "multilabel_soft_margin_loss(x(3, 4), c(3, 4).abs().round())",
    "triplet_margin_loss(x(4, 3), x(4, 3), x(4, 3), swap=True)",
    "ctc_loss(x(8, 3, 5).log_softmax(2), n(4, 3, 3) + 1, (8, 7, 5), (3, 2, 1))",
    "ctc_loss(x(5, 3).log_softmax(1), n(2, 2) + 1, (5,), (2,), reduction='sum')",
]  # fmt: skip


class Maker:
    """Makes the tensors of one call, and remembers the leaves."""

    def __init__(self, framework: Any) -> None:
        self.framework = framework
        self.leaves: list[Any] = []
        self.count = 0

    def values(self, shape: tuple[int, ...]) -> list[float]:
        self.count += 1
        return [math.sin(0.7 * i + 1.1 * self.count) for i in range(math.prod(shape))]

    def c(self, *shape: int) -> Any:
        made = self.framework.tensor(self.values(shape), dtype=self.framework.float64)
        return made.reshape(shape)

    def x(self, *shape: int) -> Any:
        self.leaves.append(self.c(*shape).requires_grad_())
        return self.leaves[-1]

    def u(self, *shape: int) -> Any:
        self.leaves.append((self.c(*shape) * 0.45 + 0.5).requires_grad_())
        return self.leaves[-1]

    def n(self, high: int, *shape: int) -> Any:
        numbers = [(i * 7 + 2) % high for i in range(math.prod(shape))]
        return self.framework.tensor(numbers).reshape(shape)

    def s(self, *shape: int) -> Any:
        return self.framework.tensor(
            [1.0 if i % 3 else -1.0 for i in range(math.prod(shape))], dtype=self.framework.float64
        ).reshape(shape)

    def b(self, *shape: int) -> Any:
        """The first row is all False."""
        return (self.n(3, *shape) > 0) & (self.framework.arange(shape[0])[:, None] > 0)

    def c_int(self, values: Any) -> Any:
        return self.framework.tensor(values)

    def run(self, call: str) -> tuple[list[Any], list[Any]]:
        """The results of a call, and the gradients of a mixture of them for the leaves."""
        functional = self.framework.nn.functional
        names = {name: getattr(self, name) for name in ("c", "x", "u", "n", "s", "b", "c_int")}
        name = call.partition("(")[0]
        found = eval(call, {name: getattr(functional, name), **names})
        results = list(found) if isinstance(found, tuple) else [found]
        total: Any = 0
        for i, result in enumerate(results):
            if result.requires_grad:
                total = total + (result * self.mixture(i, tuple(result.shape))).sum()
        if isinstance(total, int):
            return results, []
        return results, list(
            self.framework.autograd.grad(total, self.leaves, materialize_grads=True)
        )

    def mixture(self, i: int, shape: tuple[int, ...]) -> Any:
        values = [math.cos(0.37 * k + i) for k in range(math.prod(shape))]
        return self.framework.tensor(values, dtype=self.framework.float64).reshape(shape)


def summary(tensor: Any) -> dict[str, Any]:
    """Shape, sum and some elements."""
    values = [float(value) for value in tensor.detach().reshape(-1).tolist()]
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).rpartition(".")[2],
        "sum": float(f"{math.fsum(values):.9g}"),
        "values": [float(f"{value:.9g}") for value in values[:: max(1, len(values) // 5)]],
    }


@pytest.mark.parametrize("call", CALLS)
def test_like_pytorch(call: str) -> None:
    record = json.loads(GOLDEN.read_text())[call]
    for kind, found in zip(("results", "gradients"), Maker(dc).run(call), strict=True):
        assert len(found) == len(record[kind]), kind
        for tensor, expected in zip(found, record[kind], strict=True):
            got = summary(tensor)
            assert (got["shape"], got["dtype"]) == (expected["shape"], expected["dtype"])
            assert got["values"] == pytest.approx(expected["values"], rel=1e-6, abs=1e-8)
            assert got["sum"] == pytest.approx(expected["sum"], rel=1e-6, abs=1e-7)


def write_golden(framework: Any) -> None:
    """Fill functional.json with what `framework` makes of the calls."""
    lines = []
    for call in CALLS:
        results, gradients = Maker(framework).run(call)
        record = {
            "results": [summary(t) for t in results], "gradients": [summary(t) for t in gradients]
        }  # fmt: skip
        lines.append(f"{json.dumps(call)}: {json.dumps(record)}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_golden(importlib.import_module(sys.argv[1]))
