"""Indexing with brackets: reading, writing, gradients, mistakes."""

import numpy as np
import pytest

import dispatch_core as dc


def grid(*shape):
    return dc.arange(int(np.prod(shape))).reshape(*shape)


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        slice(None),
        slice(1, None, 2),
        (0, 1),
        (slice(None), 1),
        (..., 0),
        (0, ...),
        (None, slice(None), None, 1),
        (slice(0, 0),),
        (),
        ...,
        None,
        True,
        False,
        ([0, 2],),
        [0, 2],
        ([[0, 1], [1, 2]],),
        ([0, 1], [1, 3]),
        ([0, 2], slice(None), [1, 0]),
        (slice(None), [1, 0], [[0], [1]]),
        (1, [0, 1]),
        ([0, 1], 1),
        ([0, 1], None, [1, 1]),
        (..., [True, False, True, False], slice(None)),
        ([True, False, True],),
        (slice(None), slice(None), [True, False]),
        np.array([0, 2]),
        (np.int64(1), slice(None)),
        range(2),
    ],
    ids=str,
)
def test_reading_and_writing_as_numpy_does(index):
    x = grid(3, 4, 2)
    array = x.numpy().copy()
    expected = array[index]
    assert x[index].tolist() == expected.tolist()
    assert tuple(x[index].shape) == expected.shape
    y = x.clone()
    y[index] = -7
    array[index] = -7
    assert y.tolist() == array.tolist()


def test_masks_and_tensors():
    x = grid(3, 4)
    mask = x > 5
    assert x[mask].tolist() == [6, 7, 8, 9, 10, 11]
    assert x[dc.tensor([0, -1])].tolist() == x.numpy()[[0, -1]].tolist()
    assert x[dc.tensor(1)].tolist() == [4, 5, 6, 7]
    assert x[dc.tensor([True, False, True])].tolist() == x.numpy()[[0, 2]].tolist()
    assert x[dc.tensor(True)].shape == (1, 3, 4)
    x[mask] = 0
    assert x.sum().item() == 15
    x[x == 0] = dc.arange(7)
    assert x[0, 0].item() == 0
    assert x[2].tolist() == [3, 4, 5, 6]


def test_basic_indices_are_views_and_others_copies():
    x = dc.zeros(3, 4)
    x[1][2] = 5.0
    assert x[1, 2].item() == 5.0
    assert x[1:]._is_view_of is x
    copy = x[[0, 1]]
    copy.fill_(9)
    assert x.sum().item() == 5.0


def test_written_values_broadcast_and_are_cast():
    x = dc.zeros(2, 3, dtype=dc.int64)
    x[0] = dc.tensor([1.9, 2.9, -3.9])
    assert x.tolist() == [[1, 2, -3], [0, 0, 0]]
    x[:, 0] = 7
    x[:, 1:] = dc.tensor([[1, 2]])
    assert x.tolist() == [[7, 1, 2], [7, 1, 2]]
    x[0] = np.array([5, 5, 5])
    x[1] = [6, 6, 6]
    assert x.tolist() == [[5, 5, 5], [6, 6, 6]]
    x[[0, 1], [0, 1]] = dc.tensor([8, 9])
    assert (x[0, 0].item(), x[1, 1].item()) == (8, 9)
    x[0] = dc.ones(1, 1, 3)
    assert x[0].tolist() == [1, 1, 1]


def test_repeated_indices_keep_the_last_or_accumulate():
    x = dc.zeros(3)
    x.index_put_((dc.tensor([0, 0, 2]),), dc.tensor([1.0, 2.0, 3.0]), accumulate=True)
    assert x.tolist() == [3.0, 0.0, 3.0]


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        (-4, IndexError, "index -4 is out of bounds for dimension 0 with size 3"),
        ((0, 4), IndexError, "index 4 is out of bounds for dimension 1 with size 4"),
        ((0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
        ([0, 3], IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (slice(None, None, 0), ValueError, "step"),
        (1.5, IndexError, "only integers, slices"),
        ((..., ..., 0), IndexError, "behind a second ellipsis"),
        ((..., ..., None), IndexError, "behind a second ellipsis"),
        ((..., ..., slice(0, 1)), IndexError, "behind a second ellipsis"),
        (dc.tensor([0], dtype=dc.int16), IndexError, "tensors used as indices must be"),
        (dc.tensor([1.5]), IndexError, "tensors used as indices must be"),
        (dc.tensor([True, False]), IndexError, "shape of the mask"),
        (([0, 1], [0, 1, 2]), IndexError, "could not be broadcast"),
    ],
    ids=str,
)
def test_mistakes(index, error, message):
    x = grid(3, 4)
    with pytest.raises(error, match=message):
        x[index]
    with pytest.raises(error, match=message):
        x[index] = 0


@pytest.mark.parametrize(
    ("index", "same"),
    [
        ((..., ...), ()),
        ((0, ..., ...), (0,)),
        ((..., 0, ...), (..., 0)),
        ((..., ..., slice(None)), ()),
        ((None, ..., ..., ...), (None,)),
        ((..., 0, ..., slice(None)), (slice(None), 0)),
        ((0, ..., 1, ..., 2, None), (0, 1, 2, None)),
        ((..., [0, 1], ...), (..., [0, 1])),
    ],
    ids=str,
)
def test_further_ellipses_stand_for_no_dimension(index, same):
    x = dc.arange(1, 25).reshape(2, 3, 4)
    assert x[index].tolist() == x[same].tolist()
    x[index] = 0
    assert not x[same].any()


def test_mistakes_in_written_values():
    x = dc.zeros(3, 4)
    with pytest.raises(RuntimeError, match=r"shape|size"):
        x[0] = dc.ones(3)
    with pytest.raises((RuntimeError, IndexError), match=r"shape|broadcast|size"):
        x[[0, 1]] = dc.ones(3, 4)
    with pytest.raises(IndexError, match=r"0-dim|too many"):
        dc.tensor(1.0)[0]
    with pytest.raises(TypeError):
        x[0] = "text"


@pytest.mark.parametrize(
    "index",
    [
        (slice(1, None), slice(None, None, 2)),
        0,
        (..., 1),
        ([0, 0, 2],),
        ([0, 1], slice(None)),
        (slice(None), [3, 1]),
        ([0, 2], [1, 1]),
        (1, [0, 0]),
        (None, [0, 2], 1),
        np.array([[True, False, True, False]] * 3),
    ],
    ids=str,
)
def test_gradients_of_reading_and_writing(index):
    x = dc.tensor(np.random.default_rng(0).normal(size=(3, 4)), requires_grad=True)
    w = x.detach()[index].clone().requires_grad_()

    def write(x, w):
        y = x * 1
        y[index] = w * w
        return y * y

    assert dc.autograd.gradcheck(lambda x: x[index] * 2, (x,))
    assert dc.autograd.gradgradcheck(lambda x: x[index] ** 2, (x,))
    positions = np.arange(12).reshape(3, 4)[index]
    if len(np.unique(positions)) == positions.size:
        assert dc.autograd.gradcheck(write, (x, w))
        assert dc.autograd.gradgradcheck(write, (x, w))


def test_the_gradient_of_a_written_value_that_was_broadcast():
    w = dc.tensor([2.0], requires_grad=True)
    y = dc.zeros(2, 3)
    y[:, 1:] = w
    y[[0], [0]] = w * 3
    y.sum().backward()
    assert w.grad.tolist() == [7.0]


def test_accumulating_writes_have_gradients():
    x = dc.ones(3, dtype=dc.float64, requires_grad=True)
    v = dc.tensor([1.0, 2.0, 3.0], dtype=dc.float64, requires_grad=True)
    at = dc.tensor([0, 0, 2])

    def function(x, v):
        return (x * 1).index_put_((at,), v, accumulate=True) ** 2

    assert dc.autograd.gradcheck(function, (x, v))


def test_iteration_unpacking_and_membership():
    x = grid(2, 3)
    assert [row.tolist() for row in x] == x.tolist()
    _, b = x
    assert b.tolist() == [3, 4, 5]
    assert 4 in x
    assert 9 not in x
    assert len(x) == 2
    with pytest.raises(TypeError, match="0-d"):
        iter(dc.tensor(1))
    with pytest.raises(TypeError, match="0-d"):
        len(dc.tensor(1))
    assert [[1, 2], [3, 4]][dc.tensor(1)] == [3, 4]


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([[0, 1], [1, 0]], [1, 3]),
        ([0, None], [[0, 1, 2]]),
        ([None], [[[0, 1, 2], [3, 4, 5]]]),
        ([slice(0, 1)], [[0, 1, 2]]),
        ([[0, 1], [1]], [1, 4]),
        ([0, [1]], [1]),
        ([(0, 1)], [[0, 1, 2], [3, 4, 5]]),
        ([..., 0], [0, 3]),
        ([dc.tensor([0, 1]), dc.tensor([1, 0])], [1, 3]),
        ([[[0, 1], [1, 0]]], [[[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]]),
    ],
)
def test_a_list_stands_for_a_tuple_where_it_holds_more_than_numbers(index, expected):
    x = dc.arange(6).reshape(2, 3)
    with pytest.warns(UserWarning, match="non-tuple sequence for multidimensional indexing"):
        found = x[index]
    assert found.tolist() == expected == x[tuple(index)].tolist()


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([0, 1], [[0, 1, 2], [3, 4, 5]]),
        ([True, False], [[0, 1, 2]]),
        (([0, 1],), [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_a_list_of_numbers_is_one_index(index, expected):
    assert dc.arange(6).reshape(2, 3)[index].tolist() == expected


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        ((slice(None, 2.0), 0), TypeError),
        ((0, slice("a")), TypeError),
        (slice("a"), TypeError),
        ("a", TypeError),
        ((0, 2**70), ValueError),
        (slice(None, None, 0), ValueError),
        (1.5, IndexError),
        (object(), IndexError),
    ],
)
def test_what_is_no_index(index, kind):
    with pytest.raises(kind):
        dc.arange(6).reshape(2, 3)[index]


@pytest.mark.parametrize("index", [..., None, True, slice(None), [], slice(0, 0)])
def test_writing_into_nothing_is_nothing(index):
    x = dc.zeros(0, 3)
    x[index] = 7
    assert x.shape == (0, 3)


def test_advanced_indexing_writes_its_own_dtype_only():
    x = dc.arange(6)
    with pytest.raises(RuntimeError, match="source and destination dtypes match"):
        x[[0, 1]] = dc.ones(2) * 1.5
    x[0:2] = dc.ones(2) * 1.5  # a slice is written as by copy_
    x[[4]] = 9.5
    assert x.tolist() == [1, 1, 2, 3, 9, 5]


def test_one_value_goes_where_a_mask_says_without_looking_for_places():
    x = dc.arange(6.0).reshape(2, 3)
    x[x > 3] = -1
    assert x.tolist() == [[0, 1, 2], [3, -1, -1]]
    x[dc.tensor([False, True])] = dc.tensor(9.0)
    assert x.tolist() == [[0, 1, 2], [9, 9, 9]]
    w, v = dc.ones(3, requires_grad=True), dc.tensor(2.0, requires_grad=True)
    y = w * 3
    y[dc.tensor([True, False, True])] = v
    y.sum().backward()
    assert w.grad.tolist() == [0, 3, 0]
    assert v.grad.item() == 2
    whole = dc.ones(3, dtype=dc.int64)
    whole[whole > 0] = 2.9
    assert whole.tolist() == [2, 2, 2]
    with pytest.raises(IndexError, match="shape of the mask"):
        x[dc.ones(5, dtype=dc.bool)] = 0
    empty = dc.empty(2, 3, device="meta")
    empty[empty > 0] = 1

    def clipped(a):
        b = a.clone()
        b[b < 0] = 0
        return b

    assert dc.func.vmap(clipped)(dc.tensor([[1.0, -1.0]])).tolist() == [[1, 0]]
