"""`device`: parsing, equality, immutability and messages as in PyTorch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from dispatch_core._device import device


@pytest.mark.parametrize(
    ("arguments", "type_", "index", "text"),
    [
        (("cpu",), "cpu", None, "device(type='cpu')"),
        (("cpu:0",), "cpu", 0, "device(type='cpu', index=0)"),
        (("cuda:1",), "cuda", 1, "device(type='cuda', index=1)"),
        (("cuda", 1), "cuda", 1, "device(type='cuda', index=1)"),
        (("cuda", np.int64(1)), "cuda", 1, "device(type='cuda', index=1)"),
        (("cuda", None), "cuda", None, "device(type='cuda')"),
        (("opencl.intel:0",), "opencl.intel", 0, "device(type='opencl.intel', index=0)"),
        (("my_npu2",), "my_npu2", None, "device(type='my_npu2')"),
        ((device("cuda:3"),), "cuda", 3, "device(type='cuda', index=3)"),
    ],
)
def test_forms(arguments: tuple[object, ...], type_: str, index: int | None, text: str) -> None:
    made = device(*arguments)
    assert (made.type, made.index, repr(made)) == (type_, index, text)
    assert device(str(made)) == made
    for same in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert same == made
        assert hash(same) == hash(made)
        assert (same.type, same.index) == (type_, index)


def test_keyword_forms() -> None:
    assert device(type="cuda", index=2) == device("cuda:2") == device(device="cuda:2")
    with pytest.raises(TypeError, match="unexpected keyword argument 'place'"):
        device(place="cpu")
    with pytest.raises(TypeError, match="not both"):
        device("cpu", device="cpu")


def test_no_index_is_not_index_zero() -> None:
    assert device("cpu") != device("cpu:0")
    assert device("cpu") != "cpu"
    assert len({device("cpu"), device("cpu"), device("cpu", 0), device("cuda", 0)}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "cpu:",
        "cpu:x",
        ":0",
        "cpu:01",
        "cpu:-1",
        "cpu:1:2",
        " cpu",
        "cpu ",
        "cuda: 1",
        "cuda:+1",
        "1cpu",
        "opencl.",
        ".intel",
        "a..b",
        "cpu\n",
        "cpu:1\n",
        "cpu:\u0661",
        "g\u00e9n",
    ],
)
def test_malformed_strings(text: str) -> None:
    with pytest.raises(RuntimeError, match="Invalid device string: ") as caught:
        device(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("",), RuntimeError, "must not be empty"),
        (("cuda:99999999999999",), RuntimeError, "Could not parse device index '99999999999999'"),
        (("cuda:32768",), RuntimeError, "largest index is 32767"),
        (("cuda", 32768), RuntimeError, "32768 is too large"),
        (("cuda", -1), RuntimeError, "must not be negative, got -1"),
        (("cuda:1", 1), RuntimeError, "must not include an index .*: 'cuda:1'"),
        (("cuda", True), TypeError, "argument 'index' must be int, not bool"),
        (("cuda", 1.0), TypeError, "argument 'index' must be int, not float"),
        (("cuda", "1"), TypeError, "argument 'index' must be int, not str"),
        ((device("cuda"), 1), TypeError, "must be str when an index is given"),
        ((None,), TypeError, "got NoneType"),
        ((3,), TypeError, "got int"),
        ((), TypeError, "expects a string"),
    ],
)
def test_wrong_arguments(
    arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        device(*arguments)


def test_immutable() -> None:
    cpu = device("cpu")
    with pytest.raises(AttributeError, match="immutable: cannot set 'type'"):
        cpu.type = "cuda"
    with pytest.raises(AttributeError, match="immutable: cannot delete 'index'"):
        del cpu.index
