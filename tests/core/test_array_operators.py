"""Arrays of numpy beside tensors: the result is a tensor, whoever stands on the left."""

import operator

import numpy as np
import pytest

import dispatch_core as dc

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
def test_operators_with_an_array_on_either_side(name):
    operate = getattr(operator, name)
    array, x = np.array([3.0, 2.0]), dc.tensor([2.0, 2.0], dtype=dc.float64)
    for left, right in ((array, x), (x, array)):
        found = operate(left, right)
        assert isinstance(found, dc.Tensor)
        np.testing.assert_array_equal(found.numpy(), operate(np.asarray(left), np.asarray(right)))


def test_gradients_flow_through_them():
    x = dc.ones(2, requires_grad=True)
    (np.array([2.0, 3.0], dtype=np.float32) * x).sum().backward()
    assert x.grad.tolist() == [2, 3]


def test_a_scalar_of_numpys_keeps_the_dtype():
    x = dc.ones(2)
    assert (np.float64(3) * x).dtype is dc.float32
    assert (x * np.float64(3)).dtype is dc.float32


def test_the_array_goes_to_the_device_of_the_tensor():
    x = dc.ones(2, device="example")
    assert (np.ones(2, dtype=np.float32) + x).device.type == "example"


def test_numpys_functions_give_tensors():
    x = dc.tensor([1.0, 4.0])
    assert np.sqrt(x).tolist() == [1, 2]
    assert np.add.reduce(x).item() == 5
    assert [t.tolist() for t in np.modf(x)] == [[0, 0], [1, 4]]
    assert np.multiply.outer(np.array([1.0, 2.0]), x).shape == (2, 2)


def test_an_array_is_written_as_an_array():
    array = np.zeros(2)
    array += dc.ones(2)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [1, 1]


def test_numpys_functions_record_nothing_and_say_so():
    with pytest.raises(RuntimeError, match="requires grad"):
        np.exp(dc.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="Use Tensor.cpu"):
        np.exp(dc.ones(2, device="example"))


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError):
        np.array(["a"]) + dc.ones(1)
