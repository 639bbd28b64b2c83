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
    "index_reduce beyond": (
        lambda: dc.ones(2, 3).index_reduce(0, dc.tensor([2]), dc.ones(1, 3), "amax"),
        IndexError,
        "index 2 is out of bounds for dimension 0 with size 2",
    ),
    "index_reduce before": (
        lambda: dc.ones(2, 3).index_reduce(0, dc.tensor([-1]), dc.ones(1, 3), "amax"),
        IndexError,
        "index -1 is out of bounds",
    ),
    "flip along what": (lambda: dc.flip(dc.ones(2)), TypeError, "missing 1 required positional"),
    "cholesky of NaN": (
        lambda: dc.linalg.cholesky(dc.full((2, 2), float("nan"))),
        dc.linalg.LinAlgError,
        "not positive-definite",
    ),
    "lu_factor of a singular matrix": (
        lambda: dc.linalg.lu_factor(dc.zeros(2, 2)),
        RuntimeError,
        "division by zero",
    ),
    "solve_triangular for a vector": (
        lambda: dc.linalg.solve_triangular(dc.eye(2), dc.ones(2), upper=True),
        RuntimeError,
        "B must have at least 2 dimensions",
    ),
    "heaviside of two dtypes": (
        lambda: dc.heaviside(dc.ones(2), dc.ones(2).double()),
        RuntimeError,
        "tensors of one dtype",
    ),
    "lerp of two dtypes": (
        lambda: dc.lerp(dc.ones(2), dc.ones(2).double(), 0.5),
        RuntimeError,
        "tensors of one dtype",
    ),
    "roll by more shifts": (
        lambda: dc.roll(dc.ones(3), (1, 2), 0),
        RuntimeError,
        "shifts: 2, dims:1",
    ),
    "roll by more dimensions": (
        lambda: dc.roll(dc.ones(3), 1, (0, 1)),
        RuntimeError,
        "shifts: 1, dims:2",
    ),
    "roll by several all at once": (
        lambda: dc.roll(dc.ones(3), (1, 2)),
        RuntimeError,
        "shifts: 2, dims:0",
    ),
    "roll by nothing": (lambda: dc.roll(dc.ones(3), ()), RuntimeError, "`shifts` required"),
    "searchsorted by a shorter sorter": (
        lambda: dc.searchsorted(dc.ones(3), dc.ones(2), sorter=dc.tensor([0, 1])),
        RuntimeError,
        "must have the same size",
    ),
    "unique of empty rows": (
        lambda: dc.unique(dc.ones(3, 0), dim=0),
        RuntimeError,
        "0 sized dimensions",
    ),
    "cov by floating counts": (
        lambda: dc.cov(dc.ones(2, 3), fweights=dc.ones(3)),
        RuntimeError,
        "integral dtype",
    ),
    "cov by negative counts": (
        lambda: dc.cov(dc.ones(2, 3), fweights=dc.tensor([1, -2, 3])),
        RuntimeError,
        "cannot be negative",
    ),
    "cov by a matrix of counts": (
        lambda: dc.cov(dc.ones(2, 3), fweights=dc.tensor([[1, 2, 3]])),
        RuntimeError,
        "one or fewer dimensions",
    ),
    "cov by integral weights": (
        lambda: dc.cov(dc.ones(2, 3), aweights=dc.tensor([1, 2, 3])),
        RuntimeError,
        "floating point dtype",
    ),
    "cov by too few weights": (
        lambda: dc.cov(dc.ones(2, 3), aweights=dc.ones(2)),
        RuntimeError,
        "same numel",
    ),
    "renorm to less than nothing": (
        lambda: dc.renorm(dc.ones(2, 2), 2, 0, -1),
        RuntimeError,
        "maxnorm to be >= 0",
    ),
    "renorm by a negative norm": (
        lambda: dc.renorm(dc.ones(2, 2), -1, 0, 1),
        RuntimeError,
        "non-positive-norm not supported",
    ),
    "cdist by a negative norm": (
        lambda: dc.cdist(dc.ones(2, 2), dc.ones(2, 2), p=-1),
        RuntimeError,
        "non-negative p",
    ),
    "cdist of a vector": (
        lambda: dc.cdist(dc.ones(2), dc.ones(2, 2)),
        RuntimeError,
        "X1 got: 1D",
    ),
    "cdist of two dtypes": (
        lambda: dc.cdist(dc.ones(2, 2), dc.ones(2, 2).double()),
        RuntimeError,
        "one dtype",
    ),
    "cdist in an unknown mode": (
        lambda: dc.cdist(dc.ones(2, 2), dc.ones(2, 2), compute_mode="x"),
        ValueError,
        "not a valid value for compute_mode",
    ),
    "tril_indices of less than nothing": (
        lambda: dc.tril_indices(-1, 2),
        RuntimeError,
        "row must be non-negative",
    ),
    "triu_indices of less than nothing": (
        lambda: dc.triu_indices(2, -1),
        RuntimeError,
        "col must be non-negative",
    ),
    "vander of less than nothing": (
        lambda: dc.vander(dc.ones(2), N=-1),
        RuntimeError,
        "N must be non-negative",
    ),
    "repeat_interleave of another size": (
        lambda: dc.repeat_interleave(dc.ones(3), 2, output_size=5),
        RuntimeError,
        "expected 6 but got 5",
    ),
    "repeat_interleave of another size each": (
        lambda: dc.repeat_interleave(dc.ones(2), dc.tensor([1, 2]), output_size=7),
        RuntimeError,
        "expected 3 but got 7",
    ),
    "repeat_interleave by floats": (
        lambda: dc.repeat_interleave(dc.ones(2), dc.ones(2)),
        NotImplementedError,
        "int32 or int64",
    ),
    "repeat_interleave by a float": (
        lambda: dc.repeat_interleave(dc.ones(2), 1.5),
        TypeError,
        "float",
    ),
    "trapezoid at too few places": (
        lambda: dc.trapezoid(dc.ones(3), dc.ones(2)),
        RuntimeError,
        "trapezoid: There must be one `x` value for each sample point",
    ),
    "cumulative_trapezoid at too few places": (
        lambda: dc.cumulative_trapezoid(dc.ones(3), dc.ones(2)),
        RuntimeError,
        "cumulative_trapezoid: There must be one",
    ),
    "meshgrid of two dtypes": (
        lambda: dc.meshgrid(dc.ones(2), dc.tensor([1]), indexing="ij"),
        RuntimeError,
        "the same dtype",
    ),
    "cartesian_prod of a matrix": (
        lambda: dc.cartesian_prod(dc.ones(2, 2)),
        RuntimeError,
        "Expect a 1D vector, but got shape [2, 2]",
    ),
    "polar of two dtypes": (
        lambda: dc.polar(dc.ones(2), dc.ones(2).double()),
        RuntimeError,
        "one dtype",
    ),
    "complex of two dtypes": (
        lambda: dc.complex(dc.ones(2), dc.ones(2).double()),
        RuntimeError,
        "one dtype",
    ),
    "the least norm of nothing": (
        lambda: dc.linalg.vector_norm(dc.ones(0, 2), -1, dim=0),
        RuntimeError,
        "does not have an identity",
    ),
    "kthvalue of nothing": (
        lambda: dc.kthvalue(dc.ones(2, 0), 1),
        IndexError,
        "Expected reduction dim 1 to have non-zero size",
    ),
    "rot90 of a vector": (
        lambda: dc.rot90(dc.ones(2)),
        RuntimeError,
        "expected total dims >= 2, but got total dims = 1",
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
    [
        "cat of other sizes",
        "reshape",
        "gather beyond",
        "scatter beyond",
        "argmax of nothing",
        "index_reduce beyond",
        "cholesky of NaN",
        "lu_factor of a singular matrix",
        "lerp of two dtypes",
        "the least norm of nothing",
    ],
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
