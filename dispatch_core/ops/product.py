"""Matrix products: `matmul`, its strict relatives, and sums of a product and a tensor."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import bool_
from dispatch_core._families.base import ALL, NUMBERS
from dispatch_core._families.others import contraction
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite, primitive
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.batching import products

# -- the primitive -------------------------------------------------------------------------------


def _check_matmul(input: Tensor, other: Tensor) -> None:
    a, b = tuple(input.shape), tuple(other.shape)
    if not a or not b:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{len(a)}D and {len(b)}D; multiply scalars with `*`"
        )
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        if len(a) == len(b) == 1:
            raise RuntimeError(
                "inconsistent tensor size, expected tensor [{}] and src [{}] to have the same "
                "number "
                "of elements, but got {} and {} elements respectively".format(*a, *b, *a, *b)
            )
        rows = a[-2] if len(a) > 1 else 1
        columns = b[-1] if len(b) > 1 else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a[-1]} and "
            f"{inner}x{columns}): the "
            f"last dimension of {list(a)} must equal the one before last of {list(b)}"
        )
    broadcast_shapes(a[:-2], b[:-2])


@primitive(
    contraction(
        NUMBERS,
        rule=_check_matmul,
        samples=lambda make: [
            (make(3, 4), make(4, 2)),
            (make(4), make(4)),
            (make(3, 4), make(4)),
            (make(4), make(4, 2)),
            (make(2, 3, 4), make(2, 4, 2)),
            (make(2, 3, 4), make(4, 2)),
            (make(3, 4), make(2, 4, 2)),
            (make(2, 3, 4), make(4)),
            (make(4), make(2, 4, 3)),
            (make(2, 1, 3, 4), make(5, 4, 2)),
            (make(0, 4), make(4, 2)),
            (make(3, 0), make(0, 2)),
        ],
    ),
    grad={
        "input": lambda K, g, other, input_shape: _matmul_input(K, g, other, input_shape),
        "other": lambda K, g, input, other_shape: _matmul_other(K, g, input, other_shape),
    },
    operators=("matmul", "rmatmul"),
    aliases=("linalg.matmul",),
    out=True,
    batch=products,
)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product over the last dimension of `input` and the one before last of `other`.

    Vectors are rows on the left and columns on the right, and disappear from the result; further
    dimensions are batches and broadcast. RuntimeError for 0-d tensors, sizes that do not fit and
    operands of different dtypes.
    """


def _turned(K: Any, value: Any) -> Any:
    """The conjugate transpose of the last two dimensions."""
    return K.conj(K.transpose(value, -2, -1))


def _matmul_input(K: Any, g: Any, other: Any, shape: Any) -> Any:
    if len(other.shape) == 1:
        return K.unsqueeze(g, -1) * K.conj(other)
    if len(shape) == 1:
        # Batches of `other` are summed afterwards.
        return K.squeeze(K.matmul(K.conj(other), K.unsqueeze(g, -1)), -1)
    if len(shape) == 2 and len(g.shape) > 2:
        return _folded_input(K, g, other)
    return K.matmul(g, _turned(K, other))


def _folded_input(K: Any, g: Any, other: Any) -> Any:
    """The gradient of a matrix that a whole batch was multiplied with, in one product."""
    n, k = len(g.shape), other.shape[-2]
    order = (n - 2, *range(n - 2), n - 1)
    rows = K.reshape(K.permute(g, order), (g.shape[-2], -1))
    wide = K.expand(other, (*g.shape[:-2], *other.shape[-2:]))
    order = (n - 2, *range(n - 2), n - 1)
    columns = K.reshape(K.permute(wide, order), (k, -1))
    return K.matmul(rows, _turned(K, columns))


def _matmul_other(K: Any, g: Any, input: Any, shape: Any) -> Any:
    if len(input.shape) == 1:
        x = K.conj(input)
        if len(shape) == 1:
            return K.unsqueeze(g, -1) * x
        return K.unsqueeze(x, -1) * K.unsqueeze(g, -2)
    if len(shape) > 2 or len(input.shape) == 2:
        return K.matmul(_turned(K, input), g)
    # One matrix or vector for a whole batch: the batch is folded into the rows.
    rows = K.reshape(input, (-1, input.shape[-1]))
    tail = () if len(shape) == 1 else (g.shape[-1],)
    return K.matmul(_turned(K, rows), K.reshape(g, (rows.shape[0], *tail)))


# -- products of operands with a fixed number of dimensions --------------------------------------


def _expect(name: str, ndims: dict[str, tuple[Any, int]]) -> None:
    for param, (tensor, ndim) in ndims.items():
        if tensor.ndim != ndim:
            raise RuntimeError(
                f"{name}(): expected '{param}' to be a {ndim}-D tensor, but got {tensor.ndim}-D of "
                f"shape {list(tensor.shape)}; matmul takes any number of dimensions"
            )


def _check_mm(input: Tensor, mat2: Tensor) -> None:
    _expect("mm", {"self": (input, 2), "mat2": (mat2, 2)})
    _check_matmul(input, mat2)


@composite(
    contraction(
        NUMBERS,
        rule=_check_mm,
        samples=lambda make: [
            (make(3, 4), make(4, 2)),
            (make(0, 4), make(4, 2)),
            (make(2, 0), make(0, 3)),
        ],
    ),
    grad={
        "input": lambda K, g, mat2: K.matmul(g, _turned(K, mat2)),
        "mat2": lambda K, g, input: K.matmul(_turned(K, input), g),
    },
    out=True,
)
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    _check_mm(input, mat2)
    return K.matmul(input, mat2)


def _check_bmm(input: Tensor, mat2: Tensor) -> None:
    _expect("bmm", {"batch1": (input, 3), "batch2": (mat2, 3)})
    a, b = input.shape, mat2.shape
    if a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but "
            f"got: [{b[0]}, {b[1]}]."
        )


@composite(
    contraction(
        NUMBERS,
        rule=_check_bmm,
        samples=lambda make: [(make(2, 3, 4), make(2, 4, 2)), (make(0, 3, 4), make(0, 4, 2))],
    ),
    grad={
        "input": lambda K, g, mat2: K.matmul(g, _turned(K, mat2)),
        "mat2": lambda K, g, input: K.matmul(_turned(K, input), g),
    },
    out=True,
)
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (b, n, k) and (b, k, m)."""
    _check_bmm(input, mat2)
    return K.matmul(input, mat2)


@composite(
    contraction(NUMBERS, samples=lambda make: [(make(3, 4), make(4)), (make(0, 4), make(4))]),
    out=True,
)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}"
        )
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input.shape[0]}), mat "
            f"({input.shape[0]}x{input.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    return K.matmul(input, vec)


def _check_dot(name: str, input: Tensor, other: Tensor) -> None:
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(
            f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors in {name}()"
        )
    _check_matmul(input, other)


@composite(
    contraction(NUMBERS, samples=lambda make: [(make(4), make(4)), (make(0), make(0))]), out=True
)
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors of equal length (no conjugation)."""
    _check_dot("dot", input, tensor)
    return K.matmul(input, tensor)


@composite(
    contraction(NUMBERS, samples=lambda make: [(make(4), make(4)), (make(0), make(0))]), out=True
)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of two vectors, the first conjugated."""
    _check_dot("vdot", input, other)
    return K.matmul(K.conj(input), other)


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(4), make(4)),
            (make(2, 4), make(3, 4)),
            (make(2, 3, 4), make(4)),
            (make(), make(3)),
        ],
    ),
    out=True,
)
def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products over the last dimension of both; with a 0-d tensor the product."""
    if not input.ndim or not other.ndim:
        return K.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return K.tensordot(input, other, ([-1], [-1]))


@composite(
    pointwise(SAME, inplace=False, samples=lambda make: [(make(3), make(4)), (make(0), make(2))]),
    aliases=("ger",),
    out=True,
)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of the first vector and one of the second, (n, m)."""
    for position, vector in enumerate((input, vec2), 1):
        if vector.ndim != 1:
            raise RuntimeError(
                f"outer: Expected 1-D argument {'self' if position == 1 else 'vec2'}, but got "
                f"{vector.ndim}-D"
            )
    return K.mul(K.unsqueeze(input, 1), vec2)


# -- a product and a sum -------------------------------------------------------------------------


def _sum_of(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * product; an input times zero is left out, NaN and all."""
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return (input if beta == 1 else input * beta) + product


def _check_addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1
) -> None:
    _expect("addmm", {"mat1": (mat1, 2), "mat2": (mat2, 2)})
    _check_matmul(mat1, mat2)
    _check_sum(input, (mat1.shape[0], mat2.shape[1]))


def _check_sum(input: Tensor, shape: tuple[int, ...]) -> None:
    if broadcast_shapes(input.shape, shape) != shape:
        raise RuntimeError(
            f"The expanded size of the tensor must be {list(shape)}, but the input has shape "
            f"{list(input.shape)}"
        )


@composite(
    contraction(
        NUMBERS,
        inplace=True,
        rule=_check_addmm,
        samples=lambda make: [
            (make(3, 2), make(3, 4), make(4, 2)),
            (make(2), make(3, 4), make(4, 2)),
            (make(3, 2), make(3, 4), make(4, 2), {"beta": 2, "alpha": 3}),
            (make(3, 2), make(3, 4), make(4, 2), {"beta": 0}),
        ],
    ),
    grad={
        "input": lambda g, beta: g if beta == 1 else g * _scalar_conj(beta),
        "mat1": lambda K, g, mat2, alpha: _scaled(K.matmul(g, _turned(K, mat2)), alpha),
        "mat2": lambda K, g, mat1, alpha: _scaled(K.matmul(_turned(K, mat1), g), alpha),
    },
    out=True,
)
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2) for matrices; `input` broadcasts."""
    _check_addmm(input, mat1, mat2)
    return _sum_of(input, K.matmul(mat1, mat2), beta, alpha)


def _scalar_conj(value: Number) -> Number:
    return value.conjugate() if isinstance(value, complex) else value


def _scaled(value: Any, alpha: Number) -> Any:
    return value if alpha == 1 else value * _scalar_conj(alpha)


@composite(
    contraction(
        NUMBERS,
        inplace=True,
        samples=lambda make: [
            (make(3), make(3, 4), make(4)),
            (make(3), make(3, 4), make(4), {"beta": 2, "alpha": 3}),
        ],
    ),
    out=True,
)
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat @ vec)."""
    product = K.mv(mat, vec)
    _check_sum(input, tuple(product.shape))
    return _sum_of(input, product, beta, alpha)


@composite(
    contraction(
        ALL,
        inplace=True,
        promotes=True,
        samples=lambda make: [
            (make(3, 4), make(3), make(4)),
            (make(3, 4), make(3), make(4), {"beta": 2, "alpha": 3}),
        ],
    ),
    out=True,
)
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2)."""
    if input.dtype is bool_:
        beta, alpha = bool(beta), bool(alpha)
    return _sum_of(input, K.outer(vec1, vec2), beta, alpha)


@composite(
    contraction(
        NUMBERS,
        inplace=True,
        samples=lambda make: [
            (make(2, 3, 5), make(2, 3, 4), make(2, 4, 5)),
            (make(5), make(2, 3, 4), make(2, 4, 5), {"beta": 2, "alpha": 3}),
        ],
    ),
    out=True,
)
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2)."""
    product = K.bmm(batch1, batch2)
    _check_sum(input, tuple(product.shape))
    return _sum_of(input, product, beta, alpha)


@composite(
    contraction(
        NUMBERS,
        inplace=True,
        samples=lambda make: [
            (make(3, 5), make(2, 3, 4), make(2, 4, 5)),
            (make(3, 5), make(2, 3, 4), make(2, 4, 5), {"beta": 2, "alpha": 3}),
        ],
    ),
    out=True,
)
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * the sum of the products of two batches of matrices."""
    _check_bmm(batch1, batch2)
    rows = K.reshape(K.permute(batch1, (1, 0, 2)), (batch1.shape[1], -1))
    product = K.matmul(rows, K.reshape(batch2, (-1, batch2.shape[2])))
    _check_sum(input, tuple(product.shape))
    return _sum_of(input, product, beta, alpha)
