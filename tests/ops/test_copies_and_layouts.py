"""Copies of views, tensors laid out by strides, memory formats."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from dispatch_core.ops.copies import _VIEWS


@pytest.mark.parametrize("name", sorted(_VIEWS))
def test_every_copy_is_public_and_says_what_it_copies(name: str) -> None:
    copied = getattr(dc, name)
    assert copied.__name__ == name
    assert f"What `{_VIEWS[name]}` shows, as a copy" in copied.__doc__


def test_a_copy_shares_no_memory_and_lies_in_order() -> None:
    x = dc.arange(12.0).reshape(3, 4)
    copied = dc.transpose_copy(x, 0, 1)
    assert copied.stride() == (3, 1)
    copied.zero_()
    assert x.sum().item() == 66


def test_a_copy_of_parts_is_a_tuple_of_copies() -> None:
    x = dc.zeros(3, 2)
    first, second = dc.split_with_sizes_copy(x, (1, 2))
    first.add_(1)
    assert x.sum().item() == 0
    assert second.shape == (2, 2)


def test_copies_are_differentiated_through_their_view() -> None:
    x = dc.arange(4.0, requires_grad=True)
    dc.slice_copy(x, 0, 1, None, 2).sum().backward()
    assert x.grad.tolist() == [0, 1, 0, 1]


def test_contiguous_of_a_transpose_is_contiguous() -> None:
    assert dc.zeros(2, 3).t().contiguous().stride() == (2, 1)


def test_parts_of_given_sizes_are_views() -> None:
    x = dc.zeros(3)
    x.split_with_sizes((1, 2))[1].add_(1)
    assert x.tolist() == [0, 1, 1]


def test_strided_factories() -> None:
    x = dc.empty_strided((2, 3), (1, 2), dtype=dc.int32)
    assert x.stride() == (1, 2)
    assert x._is_view_of is None
    assert dc.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)
    assert x.new_empty_strided((2, 2), (2, 1)).dtype is dc.int32
    with pytest.raises(RuntimeError, match="must match dimensionality of strides"):
        dc.empty_strided((2, 3), (1,))
    with pytest.raises(RuntimeError, match="duplicate"):
        dc.empty_permuted((2, 3), (0, 0))


def test_as_strided_scatter_has_the_gradient_of_what_is_left() -> None:
    # PyTorch 2.13 returns the opposite here: the gradient at the places that were overwritten.
    x = dc.zeros(2, 3, requires_grad=True)
    src = dc.ones(2, requires_grad=True)
    dc.as_strided_scatter(x, src, (2,), (3,)).sum().backward()
    assert x.grad.tolist() == [[0, 1, 1], [0, 1, 1]]
    assert src.grad.tolist() == [1, 1]


def test_sum_to_size() -> None:
    x = dc.ones(2, 3, 4)
    assert x.sum_to_size(3, 1).tolist() == [[8], [8], [8]]
    assert x.sum_to_size(2, 3, 4) is x
    assert dc.ones(2, 2, dtype=dc.bool).sum_to_size(2).dtype is dc.int64
    with pytest.raises(RuntimeError, match="is not expandable"):
        x.sum_to_size(2, 4)


def test_memory_formats() -> None:
    x = dc.zeros(1, 2, 3, 4)
    last = x.contiguous(memory_format=dc.channels_last)
    assert last.stride() == (24, 1, 8, 2)
    assert last.is_contiguous(memory_format=dc.channels_last)
    assert not last.is_contiguous()
    assert last.clone().stride() == last.stride()
    assert last.clone(memory_format=dc.contiguous_format).is_contiguous()
    with pytest.raises(RuntimeError, match="required rank 4"):
        dc.zeros(2).contiguous(memory_format=dc.channels_last)


def test_unravel_index() -> None:
    rows, columns = dc.unravel_index(dc.tensor([5, 11]), (3, 4))
    assert (rows.tolist(), columns.tolist()) == ([1, 2], [1, 3])
    with pytest.raises(TypeError, match="integer dtype"):
        dc.unravel_index(dc.zeros(2), (3, 4))
    with pytest.raises(ValueError, match="negative"):
        dc.unravel_index(dc.tensor([1]), (-1,))


def test_elements_by_python_functions() -> None:
    x = dc.arange(4).reshape(2, 2)
    assert x.apply_(lambda v: 2 * v) is x
    assert x.map_(dc.tensor([1, 2]), lambda a, b: a + b).tolist() == [[1, 4], [5, 8]]
    with pytest.raises(RuntimeError, match="requires grad"):
        dc.ones(1, requires_grad=True).apply_(abs)


def test_fill_diagonal_begins_anew_below() -> None:
    filled = dc.zeros(7, 3).fill_diagonal_(1, wrap=True)
    assert filled.sum(1).tolist() == [1, 1, 1, 0, 1, 1, 1]
    assert dc.zeros(3, 3, 3).fill_diagonal_(2).sum().item() == 6


def test_set_shows_other_memory() -> None:
    x, y = dc.zeros(2), dc.ones(3)
    assert x.set_(y).is_set_to(y)
    y.add_(1)
    assert x.tolist() == [2, 2, 2]
