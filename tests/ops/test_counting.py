"""Histograms, gradients on grids, hashes, segments."""

from __future__ import annotations

import numpy as np
import pytest

import dispatch_core as dc

X = np.random.default_rng(0).normal(size=(40, 2))


@pytest.mark.parametrize("density", [False, True])
def test_histogram(density: bool) -> None:
    counts, edges = np.histogram(X, 7, density=density)
    found = dc.histogram(dc.from_numpy(X), 7, density=density)
    assert np.allclose(found.hist.numpy(), counts)
    assert np.allclose(found.bin_edges.numpy(), edges)


def test_histogram_between_given_edges() -> None:
    edges, weight = np.array([-1.0, 0, 0.2, 2]), np.abs(X)
    counts, _ = np.histogram(X, edges, weights=weight)
    found = dc.from_numpy(X).histogram(dc.from_numpy(edges), weight=dc.from_numpy(weight))
    assert np.allclose(found.hist.numpy(), counts)


def test_histogram_refuses_what_makes_no_sense() -> None:
    with pytest.raises(RuntimeError, match="bins must be > 0"):
        dc.histogram(dc.ones(2), 0)
    with pytest.raises(RuntimeError, match="not finite"):
        dc.histogram(dc.tensor([1.0, float("inf")]), 2)
    with pytest.raises(RuntimeError, match="same shape"):
        dc.histogram(dc.ones(2), 2, weight=dc.ones(3))


def test_histogramdd() -> None:
    counts, edges = np.histogramdd(X, [3, 4], density=True)
    found = dc.histogramdd(dc.from_numpy(X), [3, 4], density=True)
    assert np.allclose(found.hist.numpy(), counts)
    for one, other in zip(found.bin_edges, edges, strict=True):
        assert np.allclose(one.numpy(), other)


@pytest.mark.parametrize("order", [1, 2])
def test_gradient(order: int) -> None:
    y = X[:12].reshape(4, 6)
    places = [np.array([0.0, 1, 3, 4]), np.array([0.0, 2, 3, 5, 6, 9])]
    expected = np.gradient(y, *places, edge_order=order)
    found = dc.gradient(
        dc.from_numpy(y), spacing=[dc.from_numpy(p) for p in places], edge_order=order
    )
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one.numpy(), other)


def test_hash() -> None:
    x = dc.tensor([[1, 2, 4], [8, 16, 32]])
    assert dc.hash_tensor(x).item() == 63
    assert x.hash_tensor(1).tolist() == [7, 56]
    assert dc.hash_tensor(dc.tensor([1.0])).item() == 0x3FF0000000000000
    with pytest.raises(RuntimeError, match="mode"):
        dc.hash_tensor(x, mode=1)


def test_segments() -> None:
    x, lengths = dc.arange(1.0, 6), dc.tensor([2, 0, 3])
    assert dc.segment_reduce(x, "sum", lengths=lengths).tolist() == [3, 0, 12]
    assert dc.segment_reduce(x, "max", offsets=dc.tensor([0, 2, 5])).tolist() == [2, 5]
    assert dc.segment_reduce(x, "prod", lengths=lengths, initial=2).tolist() == [4, 2, 120]
    with pytest.raises(RuntimeError, match="sum to"):
        dc.segment_reduce(x, "sum", lengths=dc.tensor([2, 2]))
