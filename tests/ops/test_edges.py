"""Operators of shape and index on tensors without elements, or without dimensions."""

import pytest

import dispatch_core as dc

NONE = {"dtype": dc.int64}


@pytest.fixture(params=["cpu", "example", "minimal"], autouse=True)
def _device(request):
    with dc.device(request.param):
        yield


def test_chunks_of_an_empty_dimension():
    assert [tuple(p.shape) for p in dc.ones(0, 3).chunk(3)] == [(0, 3)] * 3
    assert [tuple(p.shape) for p in dc.ones(3, 0).chunk(2, 1)] == [(3, 0)] * 2
    assert [tuple(p.shape) for p in dc.ones(5).chunk(3)] == [(2,), (2,), (1,)]


def test_repeat_of_nothing():
    assert dc.ones(0, 3).repeat(-1, 2).shape == (0, 6)
    assert dc.ones(2, 3).repeat(0, 2).shape == (0, 6)


@pytest.mark.parametrize("size", [0, 1])
def test_windows_of_a_number(size):
    x = dc.ones((), requires_grad=True)
    windows = x.unfold(0, size, 1)
    assert windows.shape == (size,)
    windows.sum().backward()
    assert x.grad.item() == size


@pytest.mark.parametrize("shape", [(0,), (5, 0), (0, 9, 9)])
def test_gather_by_an_empty_index(shape):
    x = dc.ones(2, 3, requires_grad=True)
    found = x.gather(1, dc.zeros(shape, **NONE))
    assert found.shape == shape
    found.sum().backward()
    assert x.grad.tolist() == [[0.0] * 3] * 2
    assert dc.ones(2).gather(0, dc.tensor([])).shape == (0,)


def test_scatter_by_an_empty_index_changes_nothing():
    x, index = dc.ones(2, 3), dc.zeros(0, **NONE)
    for made in (
        x.scatter(0, index, dc.zeros(2, 3)),
        x.scatter(0, index, 5.0),
        x.scatter_add(0, index, dc.ones(2, 3)),
        x.scatter_reduce(0, index, dc.zeros(2, 3), "prod"),
        x.scatter_reduce(0, index, dc.ones(2, 3), "sum"),
    ):
        assert made.tolist() == x.tolist()
    number = dc.ones(()).scatter(0, dc.zeros(0, **NONE), dc.zeros(1))
    assert number.item() == 1


def test_numbers_take_one_index():
    x = dc.ones(())
    assert x.index_select(0, dc.tensor([0])).item() == 1
    assert x.index_add(0, dc.tensor(0), dc.ones(())).item() == 2
    assert dc.zeros(3).index_copy(0, dc.tensor(1), x).tolist() == [0, 1, 0]


def test_index_add_cuts_alpha_to_the_dtype():
    x = dc.zeros(2, dtype=dc.int64)
    assert x.index_add(0, dc.tensor([0]), x[:1] + 1, alpha=1.5).tolist() == [1, 0]
