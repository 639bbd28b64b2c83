"""`nn.functional.grouped_mm`: products of groups of different sizes."""

from __future__ import annotations

import pytest

import dispatch_core as dc

F = dc.nn.functional


def test_rows_columns_and_what_is_summed_over():
    offs = dc.tensor([2, 2, 5], dtype=dc.int32)
    a, b = dc.randn(6, 4), dc.randn(3, 4, 7)
    found = F.grouped_mm(a, b, offs=offs)
    expected = dc.cat([a[:2] @ b[0], a[2:5] @ b[2], dc.zeros(1, 7)])
    dc.testing.assert_close(found, expected)
    a, b = dc.randn(3, 2, 4), dc.randn(4, 6)
    found = F.grouped_mm(a, b, offs=offs)
    expected = dc.cat([a[0] @ b[:, :2], a[2] @ b[:, 2:5], dc.zeros(2, 1)], 1)
    dc.testing.assert_close(found, expected)
    a, b = dc.randn(2, 6), dc.randn(6, 7)
    found = F.grouped_mm(a, b, offs=offs)
    expected = dc.stack([a[:, :2] @ b[:2], dc.zeros(2, 7), a[:, 2:5] @ b[2:5]])
    dc.testing.assert_close(found, expected)


def test_batches_bias_dtype_and_gradients():
    a, b = dc.randn(3, 2, 4).bfloat16(), dc.randn(3, 4, 5).bfloat16()
    found = F.grouped_mm(a, b, bias=dc.ones(5).bfloat16(), out_dtype=dc.float32)
    assert found.dtype is dc.float32
    dc.testing.assert_close(found, (a @ b + 1).float())
    a, b = dc.randn(5, 4, requires_grad=True), dc.randn(2, 4, 3, requires_grad=True)
    offs = dc.tensor([2, 5])
    assert dc.autograd.gradcheck(
        lambda a, b: F.grouped_mm(a, b, offs=offs), (a.double(), b.double())
    )


def test_mistakes():
    a, b = dc.ones(4, 2), dc.ones(2, 2, 3)
    for arguments, offs, words in (
        ((a, b), None, "Have to provide offsets"),
        ((b, dc.ones(2, 3, 3)), dc.tensor([1, 2]), "Have to provide offsets"),
        ((a, b), dc.tensor([1]), "batch sizes have to match"),
        ((a, b), dc.tensor([1, 9]), "ends at 9, but there are 4"),
        ((a, b), dc.tensor([3, 1]), "must rise"),
        ((a, b), dc.tensor([1.0, 2.0]), "vector of integers"),
        ((dc.ones(4, 5), b), dc.tensor([1, 2]), "contraction dimension"),
        ((dc.ones(4), b), dc.tensor([1, 2]), "2 or 3 dimensions"),
    ):
        with pytest.raises(RuntimeError, match=words):
            F.grouped_mm(*arguments, offs=offs)
