"""Wrong arguments raise the class that PyTorch raises, in words that name what came and what was expected."""

import pytest

import dispatch_core as dc

MISTAKES = {
    "cat of nothing": (lambda: dc.cat([]), ValueError, "cat(): expected a non-empty list"),
    "stack of nothing": (lambda: dc.stack([]), RuntimeError, "stack(): expected a non-empty list"),
    "cat of other sizes": (
        lambda: dc.cat([dc.ones(2, 3), dc.ones(3, 4)]),
        RuntimeError,
        "except in dimension 0. Expected size 3 in dimension 1 but got size 4 for tensor number 1",
    ),
    "cat of other ranks": (
        lambda: dc.cat([dc.ones(2, 3), dc.ones(3)]),
        RuntimeError,
        "same number of dimensions: got 2 and 1",
    ),
    "cat of numbers": (lambda: dc.cat([dc.ones(()), dc.ones(2)]), RuntimeError, "zero-dimensional"),
    "cat along no dimension": (
        lambda: dc.cat([dc.ones(2)], 3),
        IndexError,
        "expected to be in range of [-1, 0], but got 3",
    ),
    "reshape": (
        lambda: dc.ones(2, 3).reshape(5),
        RuntimeError,
        "shape '[5]' is invalid for input of size 6",
    ),
    "view": (
        lambda: dc.ones(2, 3).view(4, -1),
        RuntimeError,
        "shape '[4, -1]' is invalid for input of size 6",
    ),
    "reshape with two unknowns": (
        lambda: dc.ones(2, 3).reshape(-1, -1),
        RuntimeError,
        "only one dimension can be inferred",
    ),
    "reshape of nothing": (lambda: dc.ones(0).reshape(0, -1), RuntimeError, "is ambiguous"),
    "gather beyond": (
        lambda: dc.gather(dc.ones(2, 2), 0, dc.tensor([[5, 0]])),
        RuntimeError,
        "index 5 is out of bounds for dimension 0 with size 2",
    ),
    "gather before": (
        lambda: dc.gather(dc.ones(2, 2), 0, dc.tensor([[-1, 0]])),
        RuntimeError,
        "index -1 is out of bounds for dimension 0 with size 2",
    ),
    "gather by floats": (
        lambda: dc.gather(dc.ones(2, 2), 0, dc.ones(1, 2)),
        RuntimeError,
        "Expected dtype int32/int64 for index, but got float32",
    ),
    "gather by a larger index": (
        lambda: dc.gather(dc.ones(2, 2), 0, dc.zeros(1, 3, dtype=dc.int64)),
        RuntimeError,
        "to be no larger than self [2, 2] apart from dimension 0",
    ),
    "scatter beyond": (
        lambda: dc.ones(2, 2).scatter(0, dc.tensor([[5, 0]]), 1.0),
        RuntimeError,
        "index 5 is out of bounds",
    ),
    "scatter_add from too little": (
        lambda: dc.ones(2, 2).scatter_add(0, dc.zeros(2, 2, dtype=dc.int64), dc.ones(1, 2)),
        RuntimeError,
        "to be no larger than src [1, 2]",
    ),
    "argmax of nothing": (
        lambda: dc.ones(0).argmax(),
        IndexError,
        "argmax(): Expected reduction dim",
    ),
    "where by numbers": (
        lambda: dc.where(dc.ones(2), 1, 2),
        RuntimeError,
        "where(): expected condition to be a boolean tensor, but got a tensor with dtype float32",
    ),
    "masked_fill by numbers": (
        lambda: dc.ones(2).masked_fill(dc.ones(2), 1),
        RuntimeError,
        "masked_fill(): expected mask to be a boolean tensor",
    ),
    "a size that is no int": (
        lambda: dc.zeros(2.0),
        TypeError,
        "zeros(): argument 'size' (position 1) must be tuple of ints, not float",
    ),
    "a size in words": (lambda: dc.zeros("ab"), TypeError, "must be tuple of ints, not str"),
    "int of several": (lambda: int(dc.ones(2)), ValueError, "only one element tensors"),
    "float of several": (lambda: float(dc.ones(2)), ValueError, "only one element tensors"),
    "item of several": (lambda: dc.ones(2).item(), RuntimeError, "cannot be converted to Scalar"),
    "adding nothing": (lambda: dc.ones(2) + None, TypeError, "unsupported operand"),
    "embedding beyond": (
        lambda: dc.nn.functional.embedding(dc.tensor([5]), dc.ones(2, 2)),
        IndexError,
        "index out of range in self",
    ),
    "a class beyond": (
        lambda: dc.nn.functional.cross_entropy(dc.ones(2, 3), dc.tensor([5, 1])),
        IndexError,
        "Target 5 is out of bounds.",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_class_and_words_of_a_mistake(name):
    call, kind, words = MISTAKES[name]
    with pytest.raises(kind) as found:
        call()
    assert words in str(found.value)
    assert "_rows" not in str(found.value), "the name of an internal operator"


@pytest.mark.parametrize("device", ["example", "minimal"])
@pytest.mark.parametrize(
    "name",
    ["cat of other sizes", "reshape", "gather beyond", "scatter beyond", "argmax of nothing"],
)
def test_on_other_devices_too(name, device):
    call, kind, _ = MISTAKES[name]
    with dc.device(device), pytest.raises(kind):
        call()


def test_a_tensor_is_not_none():
    x = dc.ones(2)
    assert (x == None) is False  # noqa: E711  the operator is what is tested
    assert (x != None) is True  # noqa: E711
    assert (x == "a") is False
