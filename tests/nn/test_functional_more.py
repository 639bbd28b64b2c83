"""Attention of several heads, fractional pools, PyTorch's internal names."""

from __future__ import annotations

import math
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core.nn import functional as F


def _attention(query: dc.Tensor, key: dc.Tensor, **more: Any) -> Any:
    dc.manual_seed(0)
    return F.multi_head_attention_forward(
        query, key, key, 4, 2, dc.randn(12, 4), dc.randn(12), None, None, False, 0.0,
        dc.randn(4, 4), dc.randn(4), **more,
    )  # fmt: skip


def test_instance_norm_of_no_channels_is_empty():
    x = dc.ones(2, 0, 3, requires_grad=True)
    out = F.instance_norm(x)
    assert out.shape == (2, 0, 3)
    out.sum().backward()
    assert x.grad.shape == (2, 0, 3)


def test_many_adaptive_windows_are_not_counted_one_by_one(monkeypatch):
    counted = []
    monkeypatch.setattr(
        "dispatch_core.ops.nn.pool.range", lambda *n: counted.append(n) or range(*n), raising=False
    )
    x = dc.tensor([[[1.0, 3.0, 2.0]]])
    out = F.adaptive_max_pool1d(x, 100_000)
    assert out.shape == (1, 1, 100_000)
    assert sorted(set(out.flatten().tolist())) == [1.0, 2.0, 3.0]
    assert all(n[0] < 1000 for n in counted)
    for size in range(1, 12):
        row = dc.arange(size, dtype=dc.float32)
        for n in range(1, 12):
            ends = [-(-(i + 1) * size // n) - 1 for i in range(n)]
            assert F.adaptive_max_pool1d(row[None], n).tolist() == [ends]


def test_mvlgamma_of_many_dimensions():
    x = dc.tensor([50.0, 60.0], dtype=dc.float64)
    steps = sum(dc.lgamma(x - 0.5 * j) for j in range(40))
    want = steps + 40 * 39 / 4 * math.log(math.pi)
    assert dc.allclose(dc.mvlgamma(x, 40), want)
    assert dc.mvlgamma(x * 1e6, 100_000).isfinite().all()  # in one call, not in 100 000


def test_attention_with_and_without_weights_is_the_same() -> None:
    query, key = dc.randn(3, 2, 4), dc.randn(5, 2, 4)
    hidden = dc.tensor([[False] * 5, [False, False, True, True, True]])
    for more in ({}, {"key_padding_mask": hidden}, {"attn_mask": dc.randn(3, 5)}):
        out, weights = _attention(query, key, **more)
        alone, nothing = _attention(query, key, need_weights=False, **more)
        assert nothing is None
        assert dc.allclose(out, alone, atol=1e-5)
        assert dc.allclose(weights.sum(-1), dc.ones(2, 3))
    _, weights = _attention(query, key, key_padding_mask=hidden, average_attn_weights=False)
    assert weights.shape == (2, 2, 3, 5)
    assert weights[1, :, :, 2:].abs().sum().item() == 0


def test_attention_without_batch() -> None:
    query, key = dc.randn(3, 1, 4), dc.randn(5, 1, 4)
    out, weights = _attention(query, key)
    single, single_weights = _attention(query[:, 0], key[:, 0])
    assert dc.allclose(single, out[:, 0])
    assert dc.allclose(single_weights, weights[0])


def test_attention_refuses_wrong_shapes() -> None:
    with pytest.raises(AssertionError, match="embedding dimension"):
        _attention(dc.randn(3, 2, 5), dc.randn(5, 2, 5))
    with pytest.raises(RuntimeError, match="2D attn_mask"):
        _attention(dc.randn(3, 2, 4), dc.randn(5, 2, 4), attn_mask=dc.zeros(2, 2))
    with pytest.raises(RuntimeError, match="is_causal"):
        _attention(dc.randn(3, 2, 4), dc.randn(5, 2, 4), is_causal=True)


def test_fractional_pool_takes_its_windows_where_samples_say() -> None:
    x = dc.arange(36.0).reshape(1, 1, 6, 6)
    samples = dc.full((1, 1, 2), 0.5)
    out, places = F.fractional_max_pool2d(
        x, 2, output_size=3, return_indices=True, _random_samples=samples
    )
    assert out.flatten().tolist() == places.flatten().tolist()
    assert out[0, 0, -1, -1].item() == 35  # the last window is at the end
    assert F.fractional_max_pool3d(dc.randn(2, 4, 4, 4), 2, output_ratio=(0.5,) * 3).shape == (
        2, 2, 2, 2,
    )  # fmt: skip
    with pytest.raises(ValueError, match="output_size or an output_ratio"):
        F.fractional_max_pool2d(x, 2)


def test_old_names_of_interpolate_warn() -> None:
    x = dc.randn(1, 1, 2, 2)
    with pytest.warns(UserWarning, match="deprecated"):
        assert dc.equal(F.upsample_nearest(x, scale_factor=2), F.interpolate(x, scale_factor=2))


def test_native_norms_return_their_statistics() -> None:
    x = dc.randn(4, 3, 5)
    running = dc.zeros(3)
    out, mean, rstd = dc.native_batch_norm(x, None, None, running, None, True, 0.5, 1e-5)
    assert dc.allclose(out, F.batch_norm(x, None, None, training=True))
    assert dc.allclose(running, mean * 0.5)
    assert rstd.shape == (3,)
    assert dc.native_layer_norm(x.half(), (5,), None, None, 1e-5)[1].dtype is dc.float16
    assert dc.native_group_norm(x, None, None, 4, 3, 5, 3, 1e-5)[2].shape == (4, 3)


def test_linear_cross_entropy() -> None:
    x, weight, target = dc.randn(4, 3), dc.randn(5, 3), dc.tensor([0, 1, 2, 4])
    expected = F.cross_entropy(F.linear(x, weight), target)
    assert dc.allclose(F.linear_cross_entropy(x, weight, target), expected)
