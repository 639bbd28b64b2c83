"""In-place writes, views and the gradients through them."""

import numpy as np
import pytest

import dispatch_core as dc


def leaf(*values, dtype=dc.float64):
    return dc.tensor(list(values), dtype=dtype, requires_grad=True)


# -- writes into tensors with history ----------------------------------------------------------


def test_an_in_place_operation_continues_the_history():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.mul_(x)
    y.add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_in_place_returns_the_tensor_itself_and_keeps_its_memory():
    y = leaf(1.0, 2.0) * 1
    alias = y.detach()
    assert y.exp_() is y
    assert alias.tolist() == y.tolist()
    assert y.grad_fn.name() == "ExpBackward0"


def test_a_leaf_that_requires_grad_is_not_written():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0] = 1.0
    with dc.no_grad():
        x.add_(1)
        x[0] += 1
    assert x.tolist() == [3.0]
    assert x.is_leaf


def test_writing_a_value_that_requires_grad_into_one_that_does_not():
    x = leaf(1.0, 2.0)
    y = dc.zeros(2, dtype=dc.float64)
    y.copy_(x)
    assert y.requires_grad
    (y * y).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_overwriting_cuts_the_history():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.zero_()
    z = (y + x).sum()
    z.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_filling_with_a_tensor_has_a_gradient():
    x = leaf(3.0)
    y = dc.zeros(2, 2, dtype=dc.float64)
    y.fill_(x[0])
    y.sum().backward()
    assert x.grad.tolist() == [4.0]


# -- views -------------------------------------------------------------------------------------


def test_a_write_into_a_view_reaches_its_base():
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1
    base[1:].mul_(10)
    base.sum().backward()
    assert x.grad.tolist() == [1.0, 10.0, 10.0]


def test_a_write_into_the_base_reaches_its_views():
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1
    view = base[1:]
    base.mul_(5)
    assert view.tolist() == [10.0, 15.0]
    view.sum().backward()
    assert x.grad.tolist() == [0.0, 5.0, 5.0]


def test_views_of_views():
    x = leaf(*range(12))
    base = (x * 1).reshape(3, 4)
    inner = base[1:][:, ::2].t()
    other = base[2]
    inner[0].mul_(7)
    assert other.tolist() == [56.0, 9.0, 10.0, 11.0]
    (other * dc.tensor([1.0, 2.0, 3.0, 4.0], dtype=dc.float64)).sum().backward()
    expected = np.zeros((3, 4))
    expected[2] = [7, 2, 3, 4]
    assert x.grad.tolist() == expected.reshape(-1).tolist()


def test_two_writes_through_different_views():
    x, w = leaf(1.0, 2.0, 3.0), leaf(4.0)
    base = x * 1
    base[:2].mul_(w)
    base[1:].mul_(w)
    base.sum().backward()
    assert x.grad.tolist() == [4.0, 16.0, 4.0]
    assert w.grad.tolist() == [1.0 + 2 * 2 * 4 + 3.0]


def test_a_write_of_a_gradient_into_a_plain_base():
    w = leaf(2.0, 3.0)
    base = dc.zeros(2, 3, dtype=dc.float64)
    row = base[1]
    row[1:] = w * w
    assert base.requires_grad
    assert row.requires_grad
    base.sum().backward()
    assert w.grad.tolist() == [4.0, 6.0]


def test_what_is_overwritten_gets_no_gradient():
    x, w = leaf(1.0, 2.0, 3.0), leaf(5.0)
    base = x * 1
    base[1] = w[0]
    base.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 1.0]
    assert w.grad.tolist() == [1.0]


def test_a_view_read_before_the_write_keeps_its_old_gradient():
    x = leaf(1.0, 2.0)
    base = x * 1
    before = base[0] * 3
    base[0] = 0.0
    (before + base.sum()).backward()
    assert x.grad.tolist() == [3.0, 1.0]


@pytest.mark.parametrize(
    "view",
    [
        lambda b: b.t(),
        lambda b: b.reshape(-1),
        lambda b: b.view(3, 2),
        lambda b: b[:, 1],
        lambda b: b.unsqueeze(1),
        lambda b: b.diagonal(),
        lambda b: b.transpose(0, 1)[1:],
        lambda b: b.as_strided((2, 2), (3, 1), 1),
        lambda b: b.unbind(0)[1],
        lambda b: b.split(1)[0],
        lambda b: b.narrow(1, 1, 2),
        lambda b: b.squeeze(),
        lambda b: b.permute(1, 0)[::2],
        lambda b: b.flatten()[2:],
        lambda b: b.movedim(0, 1),
    ],
)
def test_gradients_through_writes_into_every_kind_of_view(view):
    def write(x, w):
        base = x * 1
        target = view(base)
        target.mul_(w.expand(target.shape) if w.ndim == 0 else w)
        target.add_(x.sum())
        return base * base

    x = dc.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True)
    w = dc.tensor(1.5, dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(write, (x, w))
    assert dc.autograd.gradgradcheck(write, (x, w))


def test_a_transposed_base_written_through_a_reshape():
    def write(x):
        base = (x * 1).t().clone().t()  # stored by columns
        base.t().reshape(-1)[1:3].mul_(x[0, 0])
        return base

    x = dc.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True)
    assert dc.autograd.gradcheck(write, (x,))


def test_complex_parts_are_views_with_gradients():
    def write(z, w):
        base = z * 1
        base.real.mul_(w)
        base.imag[0] = w[1]
        return base * base

    z = dc.tensor([1 + 2j, 3 - 1j], dtype=dc.complex128, requires_grad=True)
    w = leaf(2.0, 0.5)
    assert dc.autograd.gradcheck(write, (z, w))
    assert dc.autograd.gradgradcheck(write, (z, w))


def test_write_into_a_view_made_without_recording():
    x = leaf(1.0, 2.0)
    base = x * 1
    with dc.no_grad():
        view = base[0]
    with pytest.raises(RuntimeError, match="no_grad"):
        view.mul_(2)


def test_detach_shares_memory_and_counts_writes():
    x = leaf(1.0, 2.0)
    y = x * x
    other = y.detach()
    assert not other.requires_grad
    other[0] = 9.0
    assert y.tolist() == [9.0, 4.0]
    assert y._version == other._version == 1
    y.sum().backward()  # mul saves its arguments, not its result
    assert x.grad.tolist() == [2.0, 4.0]


def test_detach_in_place():
    x = leaf(1.0, 2.0)
    y = x * x
    assert y.detach_() is y
    assert not y.requires_grad
    assert y.grad_fn is None
    with pytest.raises(RuntimeError, match="views"):
        (x * x)[0].detach_()


# -- the version counter -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda y: y.add_(1),
        lambda y: y[0].zero_(),
        lambda y: y.detach().mul_(2),
        lambda y: y.data.mul_(2) if False else y.view(-1)[1:].zero_(),
        lambda y: y.__setitem__(0, 3.0),
    ],
)
def test_a_saved_result_that_was_written_is_noticed(spoil):
    x = leaf(1.0, 2.0)
    y = x.exp()
    spoil(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_saved_argument_that_was_written_is_noticed():
    x, w = leaf(1.0), dc.tensor([2.0], dtype=dc.float64)
    y = x * w
    w.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*MulBackward0"):
        y.backward()


def test_writing_what_nothing_saved_is_fine():
    x = leaf(1.0)
    w = dc.tensor([2.0], dtype=dc.float64)
    y = x + w
    w.add_(1)
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_a_write_without_recording_counts_too():
    x = leaf(1.0, 2.0)
    y = x.exp()
    with dc.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_versions_count_writes_of_the_memory():
    x = dc.zeros(4)
    assert x._version == 0
    x.add_(1)
    x[1:3] = 5
    v = x.view(2, 2)
    v.mul_(2)
    assert x._version == v._version == 3


def test_in_place_operations_that_need_their_own_old_value():
    x = leaf(0.5, 1.5)
    for name in ("sin_", "log_", "square_", "abs_", "tanh_", "sigmoid_", "sqrt_", "exp_"):
        x.grad = None
        y = x * 2
        getattr(y, name)()
        y.sum().backward()
        found = x.grad.tolist()
        x.grad = None
        getattr(x * 2, name[:-1])().sum().backward()
        assert found == x.grad.tolist(), name


# -- shapes and dtypes -------------------------------------------------------------------------


def test_in_place_results_must_fit():
    x = dc.zeros(2)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        x.add_(dc.zeros(3, 2))
    with pytest.raises(RuntimeError, match=r"result type float32 can't be cast .* int64"):
        dc.zeros(2, dtype=dc.int64).add_(1.5)
    y = dc.zeros(2, dtype=dc.int32)
    y += dc.ones(2, dtype=dc.int64)
    assert y.dtype is dc.int32


def test_expanded_memory_is_not_written():
    x = dc.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match="single memory location"):
        x.add_(1)


def test_augmented_assignment_writes_in_place():
    x = dc.ones(3)
    alias = x
    x += 1
    x *= 3
    x -= dc.ones(3)
    x /= 5
    x **= 2
    assert alias is x
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_overlapping_copies_read_before_they_write():
    x = dc.arange(5)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]


def test_a_copied_value_keeps_a_node_of_its_own():
    w = dc.ones(2, requires_grad=True)
    z = dc.zeros(2)
    z.copy_(w)
    assert not z.is_leaf
    z.mul_(2)
    z.sum().backward()
    assert w.grad.tolist() == [2, 2]


def test_a_hook_on_a_copy_is_not_one_on_its_source():
    w = dc.ones(2, requires_grad=True)
    w2, z = w * 2, dc.zeros(2)
    z.copy_(w2)
    z.register_hook(lambda g: g * 10)
    (z.sum() + w2.sum()).backward()
    assert w.grad.tolist() == [22, 22]


def test_a_copy_into_another_dtype_and_shape_sends_its_gradient_back():
    w = dc.ones(2, dtype=dc.float64, requires_grad=True)
    z = dc.zeros(3, 2)
    z.copy_(w)
    (z * 2).sum().backward()
    assert w.grad.tolist() == [6, 6]
    assert w.grad.dtype is dc.float64
