"""Factories, and moves between dtypes."""

import numpy as np
import pytest

import dispatch_core as dc


def test_factories():
    assert dc.zeros(2, 3).shape == (2, 3)
    assert dc.ones((2, 3)).sum().item() == 6
    assert dc.full((2,), 7).tolist() == [7, 7]
    assert dc.full((2,), 7.0).dtype is dc.float32
    assert dc.full((), True).dtype is dc.bool
    assert dc.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert dc.empty(2, 0).numel() == 0
    assert dc.zeros(2, dtype=dc.int8, requires_grad=False).dtype is dc.int8
    assert dc.ones(2, requires_grad=True).requires_grad
    assert dc.zeros(()).ndim == 0


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((3,), [0, 1, 2]),
        ((1, 4), [1, 2, 3]),
        ((5, 0, -2), [5, 3, 1]),
        ((0, 1, 0.25), [0.0, 0.25, 0.5, 0.75]),
        ((2.5,), [0.0, 1.0, 2.0]),
        ((3, 3), []),
    ],
)
def test_arange(args, expected):
    x = dc.arange(*args)
    assert x.tolist() == expected
    whole = all(isinstance(a, int) for a in args)
    assert x.dtype is (dc.int64 if whole else dc.float32)


def test_linspace_is_exact_at_both_ends():
    x = dc.linspace(0, 1, 11)
    assert (x[0].item(), x[-1].item(), len(x)) == (0.0, 1.0, 11)
    assert dc.linspace(3, 9, 1).tolist() == [3.0]
    assert dc.linspace(0, 10, 5, dtype=dc.int64).tolist() == [0, 2, 5, 7, 10]


def test_like_and_new():
    x = dc.ones(2, 3, dtype=dc.float64)
    for made in (dc.zeros_like(x), dc.empty_like(x), dc.full_like(x, 2), x.new_zeros(2, 3)):
        assert (made.shape, made.dtype) == (x.shape, x.dtype)
    assert x.new_ones((4,), dtype=dc.int32).tolist() == [1, 1, 1, 1]
    assert x.new_full((1,), 3).tolist() == [3.0]
    assert x.new_empty(5).shape == (5,)
    assert dc.zeros_like(x, dtype=dc.bool).dtype is dc.bool


def test_mistakes():
    with pytest.raises(RuntimeError, match="negative dimension"):
        dc.zeros(-1)
    with pytest.raises(TypeError, match="dtype"):
        dc.zeros(2, dtype="float32")
    with pytest.raises(RuntimeError, match="step must be nonzero"):
        dc.arange(0, 1, 0)
    with pytest.raises(RuntimeError, match="inconsistent with step sign"):
        dc.arange(0, 3, -1)
    with pytest.raises(RuntimeError, match="unknown device 'nowhere'"):
        dc.zeros(2, device="nowhere")
    with pytest.raises(TypeError, match="unexpected keyword"):
        dc.zeros(2, colour=1)
    with pytest.raises(RuntimeError, match="floating point and complex"):
        dc.zeros(2, dtype=dc.int64, requires_grad=True)


def test_conversions():
    x = dc.tensor([1.9, -1.9])
    assert x.int().tolist() == [1, -1]
    assert x.long().dtype is dc.int64
    assert x.to(dc.float64).dtype is dc.float64
    assert x.to(dc.float32) is x
    assert x.to(dc.float32, copy=True) is not x
    assert x.to("cpu") is x
    assert x.to(dc.zeros(1, dtype=dc.float16)).dtype is dc.float16
    assert x.type_as(dc.zeros(1, dtype=dc.int8)).dtype is dc.int8
    assert x.bool().tolist() == [True, True]
    assert x.half().float().dtype is dc.float32
    assert dc.tensor([1 + 2j]).real.item() == 1.0
    with pytest.raises(TypeError, match="invalid combination"):
        x.to(3.5)


def test_a_conversion_is_differentiated():
    x = dc.tensor([1.0], requires_grad=True)
    y = x.double() * 3
    y.backward()
    assert x.grad.dtype is dc.float32
    assert x.grad.item() == 3.0
    saved = y.grad_fn.next_functions[0][0].saved
    assert saved is not None


def test_requires_grad_in_place():
    x = dc.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad_(False).requires_grad is False


@pytest.mark.parametrize(
    ("given", "meant"),
    [(float, dc.float64), (int, dc.int64), (bool, dc.bool), (complex, dc.complex128)],
)
def test_a_python_type_stands_for_a_dtype(given, meant):
    assert dc.ones(2, dtype=given).dtype is meant
    assert dc.ones(2).to(given).dtype is meant


@pytest.mark.parametrize("given", [str, "float32", 3, [dc.float32]])
def test_what_is_no_dtype(given):
    with pytest.raises(TypeError):
        dc.ones(2, dtype=given)


@pytest.mark.parametrize("depth", [65, 100, 1000, 100_000])
def test_lists_too_deep_are_told_so(depth):
    data = 1.0
    for _ in range(depth):
        data = [data]
    with pytest.raises(ValueError, match="too many dimensions 'list': at most 64"):
        dc.tensor(data)


def test_the_deepest_list():
    data = 1.0
    for _ in range(64):
        data = [data]
    assert dc.tensor(data).ndim == 64


@pytest.mark.parametrize(
    "call",
    [
        lambda n: dc.zeros(n),
        lambda n: dc.empty(n),
        lambda n: dc.arange(n),
        lambda n: dc.rand(n),
        lambda n: dc.ones(1).repeat(n),
        lambda n: dc.ones(1).expand(n) + 1,
        lambda n: dc.ones(1, requires_grad=True).expand(n).exp(),
        lambda n: dc.ones(1).expand(n).sort(),
    ],
)
@pytest.mark.parametrize("kind", [dc.OutOfMemoryError, RuntimeError, MemoryError])
def test_no_memory_left(call, kind):
    with pytest.raises(kind, match="Unable to allocate"):
        call(2**45)


def test_arange_of_numpys_numbers():
    assert dc.arange(np.int32(3)).dtype is dc.int64
    assert dc.arange(np.int64(1), np.int8(3)).tolist() == [1, 2]
    assert dc.arange(np.float32(3)).dtype is dc.float32


def test_sizes_are_ints():
    assert dc.zeros((dc.tensor(2), np.int64(3))).shape == (2, 3)
    for size, found in (((2.5, 3), "float at pos 0"), ((2, True), "bool at pos 1"), ("ab", "str")):
        with pytest.raises(TypeError, match=f"tuple of ints.*not {found}"):
            dc.zeros(size)


def test_ends_are_single_numbers():
    assert dc.linspace(dc.tensor(0), dc.tensor(2.0), 3).tolist() == [0, 1, 2]
    for ends, name in (((dc.ones(2), 1), "start with 1"), ((0, dc.ones(1)), "end with 1")):
        for make in (dc.linspace, dc.logspace):
            with pytest.raises(RuntimeError, match=name):
                make(*ends, 3)
