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
    "reshape to a negative size": (
        lambda: dc.ones(2, 3).reshape(-2, 3),
        RuntimeError,
        "invalid shape dimension -2",
    ),
    "view of a negative size": (
        lambda: dc.ones(0, 3).view(3, -5),
        RuntimeError,
        "invalid shape dimension -5",
    ),
    "out= whose elements share memory": (
        lambda: dc.add(dc.tensor([1.0, 2.0]), 1, out=dc.empty(1).expand(2)),
        RuntimeError,
        "more than one element of the written-to tensor refers to a single memory location",
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
    "complex to float": (lambda: float(dc.tensor(1 + 1j)), RuntimeError, "without overflow"),
    "complex to int": (lambda: int(dc.tensor(1 + 1j)), RuntimeError, "without overflow"),
    "None in a tensor": (
        lambda: None in dc.ones(2),
        RuntimeError,
        "only supports Tensor or scalar",
    ),
    "the complement of floats": (lambda: ~dc.ones(2), TypeError, "not implemented for 'float32'"),
    "embedding beyond": (
        lambda: dc.nn.functional.embedding(dc.tensor([5]), dc.ones(2, 2)),
        IndexError,
        "index out of range in self",
    ),
    "index_reduce beyond": (
        lambda: dc.ones(2, 3).index_reduce(0, dc.tensor([2]), dc.ones(1, 3), "amax"),
        IndexError,
        "index 2 is out of bounds for size 2",
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
    "linspace between vectors": (
        lambda: dc.linspace(dc.ones(2), 1, 3),
        RuntimeError,
        "0-dimensional start and end tensors, but got start with 1 dimension(s)",
    ),
    "logspace between vectors": (
        lambda: dc.logspace(0, dc.ones(1), 3),
        RuntimeError,
        "got end with 1 dimension(s)",
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


def _itself():
    data = []
    data.append(data)
    return dc.tensor(data)


MASK = dc.tensor([True, False])
BYTES = dc.ones(2, dtype=dc.uint8)
WHOLE = dc.ones(2, dtype=dc.int64)
PLACES = dc.tensor([0, 1])

MISTAKES |= {
    # -- making tensors
    "an int beyond int64": (lambda: dc.tensor(2**63), ValueError, "Overflow when unpacking"),
    "an int beyond int64 among others": (
        lambda: dc.tensor([1, 2**63]),
        ValueError,
        "Overflow when unpacking",
    ),
    "an int beyond 64 bits": (lambda: dc.tensor([2**64]), ValueError, "Overflow when unpacking"),
    "NaN as an int": (lambda: dc.tensor([float("nan")], dtype=dc.int32), RuntimeError, "int32"),
    "infinity as an int": (
        lambda: dc.tensor(float("inf"), dtype=dc.int64),
        RuntimeError,
        "cannot be converted to type int64 without overflow",
    ),
    "a large float as an int": (
        lambda: dc.tensor([1e30], dtype=dc.int64),
        RuntimeError,
        "cannot be converted to type int64 without overflow",
    ),
    "a negative float as a byte": (
        lambda: dc.tensor([-0.5], dtype=dc.uint8),
        RuntimeError,
        "cannot be converted to type uint8 without overflow",
    ),
    "a negative int beyond a byte": (
        lambda: dc.tensor([-256], dtype=dc.uint8),
        RuntimeError,
        "cannot be converted to type uint8 without overflow",
    ),
    "numpy's scalar beyond int8": (
        lambda: dc.tensor(dc.tensor(300).numpy()[()], dtype=dc.int8),
        RuntimeError,
        "cannot be converted to type int8 without overflow",
    ),
    "complex as int": (lambda: dc.tensor([1j], dtype=dc.int64), TypeError, "'complex' object"),
    "complex as float": (lambda: dc.tensor([1j], dtype=dc.float32), TypeError, "complex"),
    "a list that contains itself": (_itself, ValueError, "too many dimensions 'list'"),
    "a list beside a number": (lambda: dc.tensor([1, [2]]), TypeError, "'list' object"),
    "a number beside a list": (lambda: dc.tensor([[1], 2]), TypeError, "not a sequence"),
    "lists of other lengths": (
        lambda: dc.tensor([[1, 2], [3]]),
        ValueError,
        "expected sequence of length 2 at dim 1 (got 1)",
    ),
    "tensors of other lengths": (
        lambda: dc.tensor([dc.ones(2), dc.ones(1)]),
        ValueError,
        "ragged",
    ),
    "a tensor of None": (lambda: dc.tensor(None), RuntimeError, "infer dtype of NoneType"),
    "a tensor of a dict": (lambda: dc.tensor({}), RuntimeError, "infer dtype of dict"),
    "a tensor of an object": (lambda: dc.tensor(object()), RuntimeError, "infer dtype of object"),
    "None in a list": (lambda: dc.tensor([1, None]), RuntimeError, "infer dtype of NoneType"),
    "None as an int": (lambda: dc.tensor([None], dtype=dc.int64), TypeError, "'NoneType' object"),
    "a word in a list": (lambda: dc.tensor([1, "a"]), TypeError, "invalid data type 'str'"),
    "words": (lambda: dc.tensor(["a"]), ValueError, "too many dimensions 'str'"),
    "a dtype that is none": (lambda: dc.tensor(1, dtype=3), TypeError, "must be dc.dtype, not int"),
    "a size beyond 64 bits": (lambda: dc.zeros(2**64), TypeError, "Overflow when unpacking"),
    # -- filling
    "full of infinity": (
        lambda: dc.full((2,), float("inf"), dtype=dc.int64),
        RuntimeError,
        "value inf cannot be converted to type int64 without overflow",
    ),
    "full of a complex number": (
        lambda: dc.full((2,), 1j, dtype=dc.int64),
        RuntimeError,
        "value 1j cannot be converted to type int64 without overflow",
    ),
    "full of too much": (
        lambda: dc.full((2,), 1e300),
        RuntimeError,
        "value 1e+300 cannot be converted to type float32 without overflow",
    ),
    "full beyond a byte": (lambda: dc.full((2,), 300, dtype=dc.uint8), RuntimeError, "uint8"),
    "full_like of NaN": (lambda: dc.full_like(WHOLE, float("nan")), RuntimeError, "int64"),
    "new_full of NaN": (lambda: WHOLE.new_full((2,), float("nan")), RuntimeError, "int64"),
    "fill with a complex number": (lambda: dc.ones(2).fill_(1j), RuntimeError, "float32"),
    "masked_fill with infinity": (
        lambda: WHOLE.masked_fill(MASK, float("inf")),
        RuntimeError,
        "value inf cannot be converted to type int64 without overflow",
    ),
    "masked_fill with a tensor of infinity": (
        lambda: WHOLE.masked_fill(MASK, dc.tensor(float("inf"))),
        RuntimeError,
        "value inf cannot be converted to type int64 without overflow",
    ),
    "masked_fill with a complex number": (
        lambda: dc.ones(2).masked_fill(MASK, 1j),
        RuntimeError,
        "value 1j cannot be converted to type float32 without overflow",
    ),
    "index_fill with NaN": (
        lambda: WHOLE.index_fill(0, PLACES, float("nan")),
        RuntimeError,
        "value nan cannot be converted to type int64 without overflow",
    ),
    # -- arithmetic
    "bool minus a number": (lambda: MASK - 1, RuntimeError, "with a bool tensor is not supported"),
    "a number minus bool": (
        lambda: 1.5 - MASK,
        RuntimeError,
        "with a bool tensor is not supported",
    ),
    "a tensor minus True": (lambda: WHOLE - True, RuntimeError, "with a bool tensor"),
    "bool minus ints": (lambda: MASK - WHOLE, RuntimeError, "~ or logical_not()"),
    "bool minus bool": (lambda: MASK - MASK, RuntimeError, "^ or logical_xor()"),
    "rsub of bool": (lambda: dc.rsub(MASK, 1), RuntimeError, "with a bool tensor"),
    "alpha of ints": (
        lambda: WHOLE.add(WHOLE, alpha=1.5),
        RuntimeError,
        "For integral input tensors, argument alpha must not be a floating point number.",
    ),
    "alpha of ints that is 1.0": (lambda: WHOLE.sub_(1, alpha=1.0), RuntimeError, "For integral"),
    "complex alpha": (
        lambda: dc.sub(dc.ones(2), 1, alpha=1j),
        RuntimeError,
        "For non-complex input tensors, argument alpha must not be a complex number.",
    ),
    "alpha True": (lambda: dc.ones(2).add(1, alpha=True), RuntimeError, "Boolean alpha"),
    "alpha beyond a byte": (lambda: BYTES.add(BYTES, alpha=300), RuntimeError, "without overflow"),
    "alpha that is no number": (
        lambda: dc.ones(2).add(1, alpha=dc.ones(1)),
        TypeError,
        "argument 'alpha' must be Number, not Tensor",
    ),
    "integers to a negative number": (
        lambda: WHOLE**-1,
        RuntimeError,
        "Integers to negative integer powers are not allowed.",
    ),
    "an exponent beyond int8": (
        lambda: dc.ones(2, dtype=dc.int8) ** 300,
        RuntimeError,
        "without overflow",
    ),
    "a number beyond 64 bits": (lambda: WHOLE + 2**64, RuntimeError, "without overflow"),
    "where by signed bytes": (
        lambda: dc.where(dc.ones(2, dtype=dc.int8), 1, 2),
        RuntimeError,
        "expected condition to be a boolean tensor",
    ),
    "einsum without equation": (
        lambda: dc.einsum(3, dc.ones(2)),
        TypeError,
        "einsum(): argument 'equation' (position 1) must be str, not int",
    ),
    "einsum of a number": (lambda: dc.einsum("i", 3), TypeError, "einsum(): operand 0"),
    # -- shapes and indices
    "repeat by less than nothing": (
        lambda: dc.ones(2, 3).repeat(-1, 2),
        RuntimeError,
        "Trying to create tensor with negative dimension -2: [-2, 6]",
    ),
    "split of a number": (lambda: dc.ones(()).split(1), RuntimeError, "at least a 1-dimensional"),
    "chunk of a number": (lambda: dc.ones(()).chunk(2), RuntimeError, "at least a 1-dimensional"),
    "unfold of a number": (lambda: dc.ones(()).unfold(1, 1, 1), IndexError, "out of range"),
    "tensor_split at floats": (
        lambda: dc.ones(6).tensor_split(dc.tensor([1.5])),
        RuntimeError,
        "tensor of int64",
    ),
    "tensor_split at a float": (lambda: dc.ones(6).tensor_split([1.5]), TypeError, "must be int"),
    "tensor_split by a float": (lambda: dc.ones(6).tensor_split(1.5), TypeError, "not float"),
    "index_select of a number": (
        lambda: dc.ones(()).index_select(0, dc.tensor([0, 0])),
        RuntimeError,
        "index_select(): Index to scalar can have only 1 value, got 2 value(s)",
    ),
    "index_select by floats": (
        lambda: dc.ones(3).index_select(0, dc.ones(1)),
        RuntimeError,
        "index_select(): Expected dtype int32/int64 for index, but got float32",
    ),
    "take by floats": (lambda: dc.ones(3).take(dc.ones(1)), RuntimeError, "Expected dtype int64"),
    "index_fill by a matrix": (
        lambda: dc.ones(2, 3).index_fill(0, dc.tensor([[0, 1]]), 1.0),
        RuntimeError,
        "Index has to be a vector/scalar",
    ),
    "index_fill by floats": (
        lambda: dc.ones(2).index_fill(0, dc.ones(1), 1.0),
        IndexError,
        "Expected dtype int64 for index",
    ),
    "index_copy before": (
        lambda: dc.zeros(3).index_copy(0, dc.tensor([0, -1]), dc.ones(2)),
        IndexError,
        "index -1 is out of bounds for size 3",
    ),
    "index_copy of too much": (
        lambda: dc.zeros(3).index_copy(0, PLACES, dc.ones(3)),
        IndexError,
        "Number of indices (2) should be equal to source.size(dim)",
    ),
    "index_add beyond": (
        lambda: dc.zeros(3).index_add(0, dc.tensor([0, 3]), dc.ones(2)),
        IndexError,
        "index 3 is out of bounds for size 3",
    ),
    "index_add of other slices": (
        lambda: dc.zeros(3, 2).index_add(0, PLACES, dc.ones(2, 3)),
        RuntimeError,
        "source tensor shape must match self tensor shape",
    ),
    "index_add of too much": (
        lambda: dc.zeros(3).index_add(0, PLACES, dc.ones(3)),
        RuntimeError,
        "Number of indices (2) should be equal to source.size(dim): (3)",
    ),
    "index_add by a matrix": (
        lambda: dc.zeros(3).index_add(0, dc.tensor([[0, 1]]), dc.ones(2)),
        IndexError,
        "Index is supposed to be a vector",
    ),
    "index_reduce before": (
        lambda: dc.zeros(3).index_reduce(0, dc.tensor([0, -1]), dc.ones(2), "prod"),
        IndexError,
        "index -1 is out of bounds for size 3",
    ),
    "put of too much": (
        lambda: dc.zeros(3).put(PLACES, dc.ones(3)),
        IndexError,
        "source.numel() = 3, index.numel() = 2",
    ),
    "scatter of another dtype": (
        lambda: dc.zeros(3).scatter(0, PLACES, dc.ones(2, dtype=dc.float64)),
        RuntimeError,
        "scatter(): Expected self.dtype to be equal to src.dtype, but got dc.float32 and dc.float64",
    ),
    "scatter_add of another dtype": (
        lambda: dc.zeros(3).scatter_add(0, PLACES, WHOLE),
        RuntimeError,
        "scatter_add(): Expected self.dtype to be equal to src.dtype",
    ),
    "index_copy of another dtype": (
        lambda: dc.zeros(3).index_copy(0, PLACES, WHOLE),
        RuntimeError,
        "Expected self.dtype to be equal to source.dtype",
    ),
    "index_add of another dtype, scaled": (
        lambda: dc.zeros(3).index_add(0, PLACES, dc.ones(2) > 0, alpha=2),
        RuntimeError,
        "index_add(): Expected self.dtype to be equal to source.dtype",
    ),
    "index_add scaled by text": (
        lambda: dc.zeros(3).index_add(0, PLACES, dc.ones(2), alpha="text"),
        TypeError,
        "index_add(): argument 'alpha' must be numbers, not str",
    ),
    "index_put of None": (
        lambda: dc.index_put(dc.zeros(3), (PLACES,), None),
        TypeError,
        "argument 'values' (position 3) must be Tensor, not NoneType",
    ),
    "block_diag of None": (
        lambda: dc.block_diag(dc.zeros(3), None),
        TypeError,
        "block_diag(): argument 'tensors' (position 2) must be Tensor, not NoneType",
    ),
    "combinations of text": (
        lambda: dc.combinations("text"),
        TypeError,
        "combinations(): argument 'input' (position 1) must be Tensor, not str",
    ),
    "histogramdd of None": (lambda: dc.histogramdd(None, [3]), TypeError, "must be Tensor"),
    "histogramdd with text": (
        lambda: dc.histogramdd(dc.zeros(2, 2), "text"),
        TypeError,
        "argument 'bins' (position 2) must be int",
    ),
    "resize_as_ of text": (lambda: dc.resize_as_("text", dc.zeros(3)), TypeError, "must be Tensor"),
    "resize_ to text": (
        lambda: dc.zeros(3).resize_("text"),
        TypeError,
        "must be tuple of ints, not str",
    ),
    "flip of a number, twice": (
        lambda: dc.ones(()).flip(0, -1),
        RuntimeError,
        "dim 0 appears multiple times",
    ),
    "flip of a number, beyond": (lambda: dc.ones(()).flip(1), IndexError, "range of [-1, 0]"),
    "amax of a number, twice": (
        lambda: dc.ones(()).amax((0, -1)),
        RuntimeError,
        "dim 0 appears multiple times",
    ),
    "sum of a number, twice": (
        lambda: dc.ones((), dtype=dc.int64).sum((0, -1)),
        RuntimeError,
        "dim 0 appears multiple times",
    ),
    "logsumexp of a number, twice": (
        lambda: dc.ones(()).logsumexp((0, -1)),
        RuntimeError,
        "dim 0 appears multiple times",
    ),
    "vector_norm of a number, twice": (
        lambda: dc.linalg.vector_norm(dc.ones(()), 1, (0, -1)),
        RuntimeError,
        "dim 0 appears multiple times",
    ),
    "rot90 of text": (
        lambda: dc.ones(2, 2).rot90(1, "text"),
        TypeError,
        "rot90(): argument 'dims' (position 3) must be tuple of ints, not str",
    ),
    "empty_permuted of text": (
        lambda: dc.empty_permuted((2, 3), "text"),
        TypeError,
        "argument 'physical_layout' (position 2) must be tuple of ints, not str",
    ),
    "sum_to_size of text": (
        lambda: dc.ones(2, 3).sum_to_size("text", 3),
        TypeError,
        "argument 'size' (position 2) must be tuple of ints only, not str",
    ),
    "sum_to_size of None": (lambda: dc.ones(2, 3).sum_to_size(1, None), TypeError, "not NoneType"),
    "new_zeros of text": (lambda: dc.ones(2).new_zeros("text", 3), TypeError, "tuple of ints only"),
    "new_ones of text": (lambda: dc.ones(2).new_ones(2, "text"), TypeError, "tuple of ints only"),
    "linalg.qr in mode 3": (
        lambda: dc.linalg.qr(dc.ones(2, 2), mode=3),
        TypeError,
        "argument 'mode' (position 2) must be str, not int",
    ),
    "linalg.matrix_norm of None": (
        lambda: dc.linalg.matrix_norm(dc.ones(2, 2), None),
        TypeError,
        "argument 'ord' (position 2) must be float | str, not NoneType",
    ),
    "repeat_interleave to text": (
        lambda: dc.ones(2).repeat_interleave(2, output_size="text"),
        TypeError,
        "must be int | None, not str",
    ),
    "ldl_solve by floats": (
        lambda: dc.linalg.ldl_solve(dc.eye(2), dc.ones(2), dc.ones(2, 1)),
        RuntimeError,
        "linalg.ldl_solve(): expected pivots to be integers, but got a tensor with dtype float32",
    ),
    "scatter_add at truths": (
        lambda: dc.zeros(2).scatter_add(0, dc.ones(2) > 0, dc.ones(2)),
        RuntimeError,
        "Expected dtype int32/int64 for index, but got bool",
    ),
    "index_fill with a complex number": (
        lambda: dc.zeros(3).index_fill(0, PLACES, dc.tensor(1 + 0j)),
        RuntimeError,
        "a complex value does not fit dc.float32",
    ),
    "index_fill of a number beyond": (
        lambda: dc.zeros(()).index_fill(100, dc.tensor([0]), 2),
        IndexError,
        "range of [-1, 0], but got 100",
    ),
    "linspace from a complex number": (
        lambda: dc.linspace(1 + 0j, 2, 3, dtype=dc.float32),
        RuntimeError,
        "complex ends do not fit dc.float32",
    ),
    "norm of complex numbers as reals": (
        lambda: dc.norm(dc.ones(2, dtype=dc.complex64), 2, dtype=dc.float64),
        RuntimeError,
        "dtype should be complex for complex input, but got dc.float64",
    ),
    "tensordot over text": (
        lambda: dc.tensordot(dc.ones(2), dc.ones(2), "text"),
        RuntimeError,
        "int or a pair of lists of ints, but got dims='text'",
    ),
    "tensordot over too many": (
        lambda: dc.tensordot(dc.ones(2), dc.ones(2), 3),
        RuntimeError,
        "got dims=3, ndims 1 and 1",
    ),
    "einsum with a label of 52": (
        lambda: dc.einsum(dc.ones(2), [52], []),
        ValueError,
        "subscript 52 in a list is not within the valid range [0, 52)",
    ),
    "einsum with a label of text": (lambda: dc.einsum(dc.ones(2), "i"), TypeError, "must be int"),
    "einsum of a list": (
        lambda: dc.einsum("i,j", [0, 1], dc.ones(2), [1]),
        TypeError,
        "operand 0 must be Tensor, not list",
    ),
    "unflatten to a negative size": (
        lambda: dc.ones(2, 6).unflatten(1, (-100, 3)),
        RuntimeError,
        "invalid shape dimension -100",
    ),
    "broadcast_shapes of a negative size that differs": (
        lambda: dc.broadcast_shapes((2, 3), (-100, 3)),
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (-100)",
    ),
    "broadcast_shapes of a negative size": (
        lambda: dc.broadcast_shapes((-1,)),
        ValueError,
        "negative length",
    ),
    "broadcast_shapes of text": (lambda: dc.broadcast_shapes("text"), TypeError, "must be int"),
    "index_put of another dtype": (
        lambda: dc.zeros(3).index_put((PLACES,), WHOLE),
        RuntimeError,
        "Index put requires the source and destination dtypes match",
    ),
}


OF_TWO_DTYPES = {
    "cross": lambda x, y: dc.cross(x, y),
    "linalg.cross": lambda x, y: dc.linalg.cross(x, y),
    "linalg.vecdot": lambda x, y: dc.linalg.vecdot(x, y),
    "baddbmm": lambda x, y: dc.baddbmm(x.reshape(1, 1, 3), x.reshape(1, 1, 3), y.expand(1, 3, 3)),
    "layer_norm": lambda x, y: dc.nn.functional.layer_norm(x, (3,), y),
    "group_norm": lambda x, y: dc.nn.functional.group_norm(x.expand(2, 3), 1, y, y),
    "batch_norm": lambda x, y: dc.nn.functional.batch_norm(
        x.expand(2, 3), None, None, y, None, True
    ),
    "batch_norm by running": lambda x, y: dc.nn.functional.batch_norm(x.expand(2, 3), y, y),
    "instance_norm": lambda x, y: dc.nn.functional.instance_norm(
        x.expand(2, 3).reshape(1, 3, 2), weight=y
    ),
}


@pytest.mark.parametrize("how", ["plain", "recording", "mapped", "dual", "meta", "minimal"])
@pytest.mark.parametrize("name", OF_TWO_DTYPES)
def test_operands_of_two_dtypes_are_refused_however_the_call_is_made(name, how):
    call = OF_TWO_DTYPES[name]
    with dc.device(how if how in ("meta", "minimal") else "cpu"):
        x, y = dc.ones(3, requires_grad=how == "recording"), dc.ones(3, dtype=dc.float64)
        if how == "mapped":
            call = dc.func.vmap(call)
            x, y = x.reshape(1, 3), y.reshape(1, 3)
        if how == "dual":
            call = lambda x, y, call=call: dc.func.jvp(lambda z: call(z, y), (x,), (x,))  # noqa: E731
        with pytest.raises(RuntimeError, match=r"same dtype, but got .*float32, .*float64"):
            call(x, y)


@pytest.mark.parametrize("dtype", [dc.float16, dc.bfloat16])
def test_norms_take_halves_with_parameters_of_float32(dtype):
    x, w = dc.ones(4, 3, dtype=dtype), dc.ones(3)
    norms = dc.nn.functional
    for y in (norms.layer_norm(x, (3,), w, w), norms.batch_norm(x, w, w, w, w)):
        assert y.dtype is dtype
    with pytest.raises(RuntimeError, match="same dtype"):
        norms.layer_norm(x, (3,), w.double())


def test_block_diag_promotes_by_rank():
    number, vector = dc.ones((), dtype=dc.float64), dc.ones(2)
    assert dc.block_diag(vector, number).dtype is dc.float32
    assert dc.block_diag(vector, number.reshape(1)).dtype is dc.float64


def test_none_may_stand_where_an_annotation_has_it():
    with pytest.raises(RuntimeError, match="boundaries tensor"):
        dc.searchsorted(dc.ones(4, 7), dc.ones(3, 4))


def test_addr_promotes_and_a_number_counts_like_the_vectors():
    x, y = dc.ones(2), dc.ones(3)
    for start in (dc.ones(2, 3, dtype=dc.float64), dc.ones((), dtype=dc.float64)):
        assert dc.addr(start, x, y).dtype is dc.float64
        assert dc.addr(start, x.requires_grad_(), y).dtype is dc.float64


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
        "unfold of a number",
        "index_select of a number",
        "index_add beyond",
        "integers to a negative number",
        "the complement of floats",
        "index_reduce beyond",
        "cholesky of NaN",
        "lu_factor of a singular matrix",
        "lerp of two dtypes",
        "the least norm of nothing",
        "flip of a number, twice",
        "flip of a number, beyond",
        "amax of a number, twice",
        "sum of a number, twice",
        "logsumexp of a number, twice",
        "vector_norm of a number, twice",
        "rot90 of text",
        "ldl_solve by floats",
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


SEVERAL = dc.tensor([1.0, 2.0])
NO_TENSORS = {
    "tril": lambda x: dc.tril(x, dc.tensor([1.0, 2.0, 3.0])),
    "triu of a float": lambda x: dc.triu(x, dc.tensor(1.0)),
    "unique": lambda x: dc.unique(x, dc.tensor(1)),
    "unique, counted": lambda x: dc.unique(x, return_counts=SEVERAL),
    "cov": lambda x: dc.cov(x, correction=SEVERAL),
    "pad": lambda x: dc.nn.functional.pad(x, SEVERAL),
    "diagonal": lambda x: x.diagonal(SEVERAL),
    "diag": lambda x: x.diag(SEVERAL),
    "chunk": lambda x: x.chunk(SEVERAL),
    "sum": lambda x: x.sum(0, SEVERAL),
    "topk": lambda x: x.topk(SEVERAL),
    "cond": lambda x: dc.linalg.cond(dc.eye(2), p=SEVERAL),
    "view": lambda x: x.view(x),
    "reshape": lambda x: x.reshape(SEVERAL),
    "zeros": lambda x: dc.zeros(SEVERAL),
    "sizes": lambda x: dc.ones(2, SEVERAL),
    "roll": lambda x: x.roll(SEVERAL),
    "silu": lambda x: dc.nn.functional.silu(x, x),
    "dropout": lambda x: dc.nn.functional.dropout(x, 0.5, SEVERAL),
    "allclose": lambda x: dc.allclose(x, x, SEVERAL),
    "arange": lambda x: dc.arange(SEVERAL),
}


@pytest.mark.parametrize("name", NO_TENSORS)
def test_a_tensor_is_no_number(name):
    with pytest.raises(TypeError, match=r"must be [\w ]+, not Tensor"):
        NO_TENSORS[name](dc.ones(2, 3))


def test_a_tensor_of_one_int_is_an_int():
    x, one = dc.ones(2, 3), dc.tensor(1)
    assert dc.tril(x, one).tolist() == dc.tril(x, 1).tolist()
    assert x.sum(one).shape == x.diagonal(one).shape == (2,)
    assert dc.zeros(one, 2).shape == dc.zeros(dc.tensor([1]), 2).shape == (1, 2)
    assert x.view(dc.tensor([6])).shape == x.view(dc.tensor(6)).shape == (6,)
    assert x.topk(one).values.shape == (2, 1)
    assert [p.shape for p in x.split(one)] == [p.shape for p in x.split([1, one])] == [(1, 3)] * 2
    assert [p.shape for p in x.chunk(one + 1, dim=one)] == [(2, 2), (2, 1)]
    assert dc.nn.Linear(one, one)(dc.ones(1)).shape == dc.randperm(one).shape == (1,)
    assert dc.multinomial(dc.ones(4), one + 1).shape == (2,)
    assert x.movedim(one, 0).shape == (3, 2)


def test_a_tensor_that_stands_for_an_int_is_read_at_the_call():
    x, number = dc.ones(3, requires_grad=True), dc.tensor(1)
    picked = x.select(0, number)
    dc.linalg.matrix_power(dc.eye(2), number)
    assert number == 1
    number += 1
    picked.backward()
    assert x.grad.tolist() == [0, 1, 0]


NO_INTS = {
    "zeros": lambda t: dc.zeros(t),
    "several": lambda t: dc.ones(2, t),
    "a list": lambda t: dc.full([t], 1.0),
    "expand": lambda t: dc.ones(1).expand(t),
    "rot90": lambda t: dc.rot90(dc.ones(2, 2), t),
    "cumsum": lambda t: dc.ones(2).cumsum(t),
    "split": lambda t: dc.ones(2).split([t, 1]),
    "randint": lambda t: dc.randint(t, (2,)),
}


@pytest.mark.parametrize("name", NO_INTS)
@pytest.mark.parametrize("value", [1.0, [1, 2]], ids=str)
def test_other_tensors_are_no_ints(name, value):
    with pytest.raises(TypeError, match=r"must be .*, not Tensor|must be .*only"):
        NO_INTS[name](dc.tensor(value))


X = dc.ones(2, 3)
OF_ANOTHER_KIND = {
    "numel": (lambda: dc.numel(3), "'input' (position 1) must be Tensor, not int"),
    "is_floating_point": (lambda: dc.is_floating_point(3), "must be Tensor, not int"),
    "is_complex": (lambda: dc.is_complex(None), "must be Tensor, not NoneType"),
    "is_signed": (lambda: dc.is_signed("a"), "must be Tensor, not str"),
    "is_nonzero": (lambda: dc.is_nonzero(3), "must be Tensor, not int"),
    "is_same_size": (lambda: dc.is_same_size(X, 3), "'other' (position 2) must be Tensor"),
    "type_as": (lambda: X.type_as(3), "must be Tensor, not int"),
    "x.is_same_size": (lambda: X.is_same_size(3), "'other' (position 1) must be Tensor, not int"),
    "is_set_to": (lambda: X.is_set_to(3), "must be Tensor, not int"),
    "set_": (lambda: dc.ones(2).set_(3), "must be Tensor, not int"),
    "clone": (lambda: X.clone(memory_format=3), "must be dc.memory_format, not int"),
    "contiguous": (lambda: X.contiguous(memory_format=3), "must be dc.memory_format, not int"),
    "is_contiguous": (lambda: X.is_contiguous(memory_format=3), "must be dc.memory_format"),
    "trapezoid": (lambda: dc.trapezoid(X, 3), "'x' (position 2) must be Tensor, not int"),
    "searchsorted": (lambda: dc.searchsorted(X, X, sorter=3), "'sorter'"),
    "unflatten": (lambda: X.unflatten(0, {}), "must be tuple of ints, not dict"),
    "softmin": (lambda: dc.nn.functional.softmin(3), "must be Tensor, not int"),
    "new_ones": (lambda: X.new_ones(X, 1), "not Tensor"),
    "max_pool1d": (
        lambda: dc.nn.functional.max_pool1d(X, float("inf")),
        "'kernel_size' must be tuple of ints only, not float",
    ),
}


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_what_is_of_another_kind_is_named(name):
    call, words = OF_ANOTHER_KIND[name]
    with pytest.raises(TypeError) as raised:
        call()
    assert words in str(raised.value)


def test_lobpcg_of_nothing():
    with pytest.raises(ValueError, match="no rows"):
        dc.lobpcg(dc.ones(0, 0))
