"""Functions with several forms, named results, and results of unknown size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dispatch_core as dc

Call = Callable[[dc.Tensor], object]


def test_max_and_min_in_their_three_forms() -> None:
    x = dc.tensor([[1.0, 5.0], [7.0, 2.0]])
    assert dc.max(x).item() == 7
    values, indices = dc.max(x, 1)
    assert values.tolist() == [5, 7]
    assert indices.tolist() == [1, 0]
    assert x.min(dim=0, keepdim=True).values.tolist() == [[1, 2]]
    assert dc.max(x, dc.tensor(4.0)).tolist() == [[4, 5], [7, 4]]
    assert dc.min(x, other=dc.tensor(4.0)).tolist() == [[1, 4], [4, 2]]
    with pytest.raises(RuntimeError, match="dim"):
        dc.max(dc.empty(0))


def test_gradient_of_max_goes_to_one_element_along_a_dimension_and_is_shared_by_all() -> None:
    x = dc.tensor([2.0, 2.0], requires_grad=True)
    x.max(0).values.backward()
    assert x.grad.tolist() == [1, 0]
    x.grad = None
    x.max().backward()
    assert x.grad.tolist() == [0.5, 0.5]


def test_out_takes_named_results() -> None:
    values, indices = dc.empty(2), dc.empty(2, dtype=dc.int64)
    found = dc.sort(dc.tensor([2.0, 1.0]), out=(values, indices))
    assert found.values is values
    assert values.tolist() == [1, 2]
    assert indices.tolist() == [1, 0]


def test_where_with_one_argument_gives_indices() -> None:
    rows, columns = dc.where(dc.tensor([[0, 1], [1, 0]]) > 0)
    assert rows.tolist() == [0, 1]
    assert columns.tolist() == [1, 0]
    with pytest.raises(TypeError, match="both"):
        dc.where(dc.tensor([True]), dc.tensor([1]))


def test_where_of_two_numbers_has_their_dtype() -> None:
    condition = dc.tensor([True, False])
    assert dc.where(condition, 1.5, 0.0).tolist() == [1.5, 0.0]
    assert dc.where(condition, 1, 0).dtype is dc.int64


def test_nan_is_largest() -> None:
    x = dc.tensor([3.0, float("nan"), 1.0])
    assert dc.argsort(x).tolist() == [2, 0, 1]
    assert dc.sort(x, descending=True).indices.tolist() == [1, 0, 2]
    assert dc.topk(x, 1).indices.tolist() == [1]
    assert dc.median(x).isnan()
    assert dc.nanmedian(x).item() == 1


def test_sorting_is_stable_both_ways() -> None:
    x = dc.tensor([1, 0, 1, 0])
    assert dc.argsort(x).tolist() == [1, 3, 0, 2]
    assert dc.argsort(x, descending=True).tolist() == [0, 2, 1, 3]


def test_unique_tells_what_is_asked() -> None:
    x = dc.tensor([3, 1, 3, 2])
    values, inverse, counts = dc.unique(x, return_inverse=True, return_counts=True)
    assert values.tolist() == [1, 2, 3]
    assert inverse.tolist() == [2, 0, 2, 1]
    assert counts.tolist() == [1, 1, 2]
    assert isinstance(dc.unique(x), dc.Tensor)
    assert dc.unique_consecutive(dc.tensor([1, 1, 2, 1])).tolist() == [1, 2, 1]
    assert dc.unique(dc.tensor([[1, 2], [1, 2]]), dim=0).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.topk(9),
        lambda x: x.kthvalue(0),
        lambda x: x.quantile(2.0),
        lambda x: x.masked_select(x),
        lambda x: dc.bincount(dc.tensor([-1])),
        lambda x: dc.searchsorted(x, x, sorter=dc.tensor([0, 1])),
        lambda x: x.clamp(),
        lambda x: x.unfold(0, 9, 1),
        lambda x: x.tril(),
        lambda x: x.repeat_interleave(dc.tensor([1, 2])),
        lambda x: dc.meshgrid(x, indexing="ab"),
        lambda x: dc.isclose(x, x.double()),
        lambda x: x.scatter_reduce(0, dc.tensor([0]), x, "max"),
        lambda x: dc.view_as_complex(x),
        lambda x: dc.vsplit(x, 2),
        lambda x: x.resize_(2).requires_grad_().resize_(3),
    ],
)
def test_mistakes_raise_runtime_error(call: Call) -> None:
    with pytest.raises(RuntimeError):
        call(dc.tensor([1.0, 2.0, 3.0]))


def test_limits_may_be_tensors_numbers_or_missing() -> None:
    x = dc.tensor([-1.0, 0.5, 3.0])
    assert x.clamp(0, 1).tolist() == [0, 0.5, 1]
    assert x.clip(max=dc.tensor(0.0)).tolist() == [-1, 0, 0]
    assert x.clamp_(min=0).tolist() == [0, 0.5, 3]
    assert dc.arange(3).clamp(0.5).dtype is dc.float32


def test_scatter_forms() -> None:
    zeros, index = dc.zeros(3), dc.tensor([1, 1])
    assert zeros.scatter(0, index, 5.0).tolist() == [0, 5, 0]
    assert zeros.scatter(0, index, value=5.0).tolist() == [0, 5, 0]
    both = dc.tensor([2.0, 3.0])
    assert zeros.scatter(0, index, both, reduce="add").tolist() == [0, 5, 0]
    assert dc.ones(3).scatter_(0, index, both, reduce="multiply").tolist() == [1, 6, 1]
    with pytest.raises(TypeError, match="src"):
        zeros.scatter(0, index)


def test_index_put_takes_masks_and_integers() -> None:
    x = dc.zeros(2, 3)
    assert x.index_put((dc.tensor([0]), dc.tensor([2])), dc.tensor(1.0)).sum().item() == 1
    x.index_put_((x == 0,), dc.tensor(2.0))
    assert x.sum().item() == 12
    x.index_put_((dc.tensor([1, 1]),), dc.ones(3), accumulate=True)
    assert x[1].tolist() == [4, 4, 4]


def test_view_in_another_dtype_shares_memory() -> None:
    x = dc.ones(2, 2)
    bits = x.view(dc.int32)
    assert bits.shape == (2, 2)
    bits.zero_()
    assert x.sum().item() == 0
    assert dc.ones(2, 4, dtype=dc.uint8).view(dc.int32).shape == (2, 1)
    with pytest.raises(RuntimeError, match="size"):
        dc.ones(2, 3).view(dc.float64)


def test_shapes_changed_in_place() -> None:
    x = dc.arange(6).reshape(2, 3)
    assert x.t_().shape == (3, 2)
    assert x.unsqueeze_(0).squeeze_().shape == (3, 2)
    assert x.resize_(2, 2).tolist() == [[0, 3], [1, 4]]
    w = dc.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        w.t_()
    y = w * 2
    y.t_()
    (y * dc.arange(6.0).reshape(3, 2)).sum().backward()
    assert w.grad.tolist() == [[0, 4, 8], [2, 6, 10]]


def test_functions_of_several_tensors() -> None:
    a, b = dc.meshgrid(dc.arange(2), dc.arange(3), indexing="ij")
    assert a.shape == b.shape == (2, 3)
    assert dc.meshgrid(dc.arange(2), dc.arange(3), indexing="xy")[0].shape == (3, 2)
    assert dc.broadcast_shapes((2, 1), (3,)) == (2, 3)
    assert [t.shape for t in dc.broadcast_tensors(dc.ones(2, 1), dc.ones(3))] == [(2, 3)] * 2
    assert dc.cartesian_prod(dc.arange(2), dc.arange(3)).shape == (6, 2)
    assert dc.combinations(dc.arange(4)).shape == (6, 2)
    assert dc.block_diag(dc.ones(2, 2), dc.ones(3)).shape == (3, 5)
    assert dc.atleast_2d(dc.ones(3)).shape == (1, 3)


def test_plain_answers() -> None:
    x = dc.ones(2)
    assert dc.equal(x, dc.ones(2)) is True
    assert dc.allclose(x, x + 1e-9) is True
    assert dc.is_tensor(x)
    assert dc.numel(dc.ones(2, 3)) == 6
    assert dc.result_type(dc.tensor([1]), 1.0) is dc.float32
    assert dc.is_nonzero(dc.tensor([2]))
    with pytest.raises(RuntimeError, match="ambiguous"):
        dc.is_nonzero(x)


def test_shift_operators() -> None:
    x = dc.tensor([1, -8])
    assert (x << 1).tolist() == [2, -16]
    assert (x >> 2).tolist() == [0, -2]
    assert (1 << dc.tensor([3])).tolist() == [8]


def test_parts_of_complex_numbers_are_views() -> None:
    z = dc.tensor([1 + 2j, 3 - 1j])
    dc.view_as_real(z)[0, 1] = 5.0
    assert z.imag.tolist() == [5, -1]
    z.real = dc.zeros(2)
    assert z.tolist() == [5j, -1j]


def test_a_real_input_of_a_complex_result_has_a_real_gradient() -> None:
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    (x * dc.tensor([1 + 2j, 3 - 1j])).abs().sum().backward()
    assert x.grad.dtype is dc.float32
    assert x.grad.tolist() == pytest.approx([5**0.5, 10**0.5])


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_gradients_of_scatter_with_a_reduction(reduce: str, include_self: bool) -> None:
    x = dc.tensor([1.0, 0.0, 3.0, 4.0], dtype=dc.float64, requires_grad=True)
    src = dc.tensor([2.0, 0.5, -1.0], dtype=dc.float64, requires_grad=True)
    index = dc.tensor([0, 2, 2])

    def f(x: dc.Tensor, src: dc.Tensor) -> dc.Tensor:
        return x.scatter_reduce(0, index, src, reduce, include_self=include_self)

    assert dc.autograd.gradcheck(f, (x, src))
