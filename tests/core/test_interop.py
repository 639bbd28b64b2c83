"""NumPy, Python numbers, pickling, copying, printing."""

import copy
import pickle

import numpy as np
import pytest

import dispatch_core as dc

# -- numpy -------------------------------------------------------------------------------------


def test_from_numpy_shares_memory_both_ways():
    array = np.arange(6.0).reshape(2, 3)
    x = dc.from_numpy(array)
    array[0, 0] = 7
    assert x[0, 0].item() == 7
    x[1, 1] = -1
    assert array[1, 1] == -1
    assert np.shares_memory(x.numpy(), array)
    assert np.shares_memory(dc.from_numpy(array.T).numpy(), array)
    assert dc.from_numpy(array[::2]).stride() == (6, 1)


def test_tensor_copies_and_as_tensor_does_not():
    array = np.zeros(3)
    assert not np.shares_memory(dc.tensor(array).numpy(), array)
    assert np.shares_memory(dc.as_tensor(array).numpy(), array)
    x = dc.zeros(2)
    assert dc.as_tensor(x) is x
    assert dc.as_tensor(x, dtype=dc.float64).dtype is dc.float64


def test_what_numpy_cannot_give():
    with pytest.raises(ValueError, match="negative"):
        dc.from_numpy(np.arange(3)[::-1])
    with pytest.raises(TypeError, match=r"expected np.ndarray"):
        dc.from_numpy([1, 2])
    with pytest.raises(TypeError, match="supported types"):
        dc.from_numpy(np.array(["a"]))
    with pytest.raises(RuntimeError, match="requires grad"):
        dc.ones(1, requires_grad=True).numpy()
    assert dc.ones(1, requires_grad=True).numpy(force=True).tolist() == [1.0]


def test_arrays_protocol():
    x = dc.arange(3)
    assert np.asarray(x).tolist() == [0, 1, 2]
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert np.array(x, dtype=np.float32).dtype == np.float32
    assert np.array(x).tolist() == [0, 1, 2]
    assert not np.shares_memory(np.array(x), x.numpy())
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float32, copy=False)


def test_mixing_with_arrays_and_their_scalars():
    x = dc.ones(2)
    assert (x + np.float64(2)).dtype is dc.float32
    assert (np.float32(2) * x).tolist() == [2.0, 2.0]
    assert (x * np.int64(3)).tolist() == [3.0, 3.0]
    with pytest.raises(TypeError, match=r"from_numpy|unsupported operand"):
        dc.add(x, np.ones(2))


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int64"),
        (1.0, "float32"),
        (True, "bool"),
        (1j, "complex64"),
        ([1, 2.5], "float32"),
        ([[True], [False]], "bool"),
        ([], "float32"),
        (np.float64(1), "float64"),
        (np.arange(3, dtype=np.int16), "int16"),
        ([np.float64(1)], "float64"),
        (range(3), "int64"),
        ([1, True], "int64"),
    ],
    ids=str,
)
def test_dtypes_of_data(data, dtype):
    assert dc.tensor(data).dtype is getattr(dc, dtype)


def test_tensors_inside_sequences():
    x = dc.tensor([dc.tensor(1.0), dc.tensor(2.0)])
    assert x.tolist() == [1.0, 2.0]
    assert dc.tensor([[dc.tensor(1), 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]


def test_data_that_is_none():
    with pytest.raises(ValueError, match="expected sequence of length 2 at dim 1"):
        dc.tensor([[1, 2], [3]])
    with pytest.raises(TypeError, match="invalid data type"):
        dc.tensor("text")
    with pytest.raises(RuntimeError, match="Could not infer dtype of NoneType"):
        dc.tensor([None])
    with pytest.raises(RuntimeError, match="overflow"):
        dc.tensor(300, dtype=dc.uint8)
    with pytest.raises(ValueError, match="Overflow when unpacking long"):
        dc.tensor(2**70)


# -- Python numbers ----------------------------------------------------------------------------


def test_conversion_to_numbers():
    assert (int(dc.tensor(3.7)), float(dc.tensor([2])), complex(dc.tensor(1j))) == (3, 2.0, 1j)
    assert isinstance(dc.tensor(1, dtype=dc.int8).item(), int)
    assert isinstance(dc.tensor(1.5, dtype=dc.bfloat16).item(), float)
    assert [10, 20][dc.tensor(1)] == 20
    assert bool(dc.tensor([0.0])) is False
    assert f"{dc.tensor(1.25):.1f}" == "1.2"
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        dc.ones(2).item()
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(dc.ones(2))
    with pytest.raises(TypeError, match="index"):
        [1][dc.tensor(0.0)]


# -- copies ------------------------------------------------------------------------------------


def test_deep_copies():
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    y = copy.deepcopy(x)
    assert y.requires_grad
    assert y.is_leaf
    assert y.grad.tolist() == [3.0, 3.0]
    with dc.no_grad():
        y.zero_()
        y.grad.zero_()
    assert x.tolist() == [1.0, 2.0]
    assert x.grad.tolist() == [3.0, 3.0]
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "bool", "complex128", "uint64", "int8"])
def test_pickling(name):
    x = dc.ones(2, 3, dtype=getattr(dc, name))
    y = pickle.loads(pickle.dumps(x))
    assert y.dtype is x.dtype
    assert y.tolist() == x.tolist()


def test_pickling_keeps_requires_grad():
    x = dc.ones(2, requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).requires_grad
    assert not pickle.loads(pickle.dumps(x.detach())).requires_grad


def test_clones_are_independent_but_connected():
    x = dc.ones(2, requires_grad=True)
    y = x.clone()
    assert y._is_view_of is None
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert x.detach().clone().requires_grad is False


# -- printing ----------------------------------------------------------------------------------


def test_printing():
    assert repr(dc.tensor([1.0, 2.5])) == "tensor([1.0000, 2.5000])"
    assert repr(dc.tensor([1, 2])) == "tensor([1, 2])"
    assert repr(dc.tensor(True)) == "tensor(True)"
    assert repr(dc.ones(1, requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(dc.ones(1, requires_grad=True) * 2) == "tensor([2.], grad_fn=<MulBackward0>)"
    assert repr(dc.ones(1, dtype=dc.float64)) == "tensor([1.], dtype=dc.float64)"
    assert repr(dc.zeros(0)) == "tensor([])"
    assert "..." in repr(dc.zeros(2000))
    for dtype in (dc.bfloat16, dc.complex64, dc.uint8):
        assert repr(dc.ones(2, dtype=dtype)).startswith("tensor(")


# -- the tensor's class ------------------------------------------------------------------------


def test_tensors_hash_by_identity_and_compare_by_element():
    x = dc.ones(2)
    assert {x: 1}[x] == 1
    assert (x == x).tolist() == [True, True]
    assert x != "text"
    assert isinstance(x, dc.Tensor)


def test_unknown_operands_are_left_to_python():
    class Other:
        def __radd__(self, x):
            return "radd"

    assert dc.ones(1) + Other() == "radd"
    with pytest.raises(TypeError):
        dc.ones(1) + "text"
    with pytest.raises(TypeError):
        _ = dc.ones(1) < "text"


def test_constructor():
    assert dc.Tensor([1, 2]).dtype is dc.float32
    assert dc.Tensor(2, 3).shape == (2, 3)
    assert dc.Tensor().shape == (0,)


def test_subclasses():
    class Mine(dc.Tensor):
        pass

    x = dc.ones(2).as_subclass(Mine)
    assert type(x) is Mine
    assert (x + 1).tolist() == [2.0, 2.0]


def test_a_shallow_copy_shares_the_memory():
    x = dc.ones(2, requires_grad=True)
    y = copy.copy(x)
    assert y.requires_grad
    assert y.is_leaf
    with dc.no_grad():
        y[0] = 5
    assert x.tolist() == [5, 1]
    assert type(copy.copy(dc.nn.Parameter(dc.ones(1)))) is dc.nn.Parameter
    z = copy.copy(x * 2)
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


def _read_only():
    array = np.zeros(3)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: dc.from_numpy(_read_only()), "given NumPy array is not writable"),
        (lambda: dc.frombuffer(bytes(24), dtype=dc.float64), "given buffer is not writable"),
    ],
)
def test_read_only_memory(make, words, monkeypatch):
    monkeypatch.setattr("dispatch_core._caller.TOLD", set())
    with pytest.warns(UserWarning, match=words):
        x = make()
    make()  # says nothing more
    writes = [
        lambda: x.add_(1),
        lambda: x.zero_(),
        lambda: x.copy_(dc.ones(3)),
        lambda: x.__setitem__(0, 1),
        lambda: x[1:].mul_(2),
        lambda: x.masked_fill_(x == 0, 2),
        lambda: dc.add(x, 1, out=x),
    ]
    for write in writes:
        with pytest.raises(RuntimeError, match=r"is read-only.*clone"):
            write()
    assert x.clone().add_(1).tolist() == [1, 1, 1]
