"""Sums of products over named dimensions: `einsum`, `tensordot`, and products built like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dtypes import int64, promote_types
from dispatch_core._families.base import NUMBERS
from dispatch_core._families.others import contraction
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes, check_dim, whole
from dispatch_core._tensor import Tensor, check_tensor

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DOTS = -1
"""Labels are 0 ... 51 for letters; those of an ellipsis are -1, -2, ... from the right."""

Labels = list[int]


# -- einsum --------------------------------------------------------------------------------------


@public("")
def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation of labelled dimensions describes, as "bij,bjk->bik".

    Operands follow the equation, one by one or as a sequence; or operands and lists of labels (0 to
    51, Ellipsis) alternate, with the labels of the result last. Labels that the result lacks are
    summed over; without "->" the result has those that occur once, in alphabetical order. Operands
    are contracted from left to right; sums of integers are int64, products of matrices keep their
    dtype. RuntimeError for what equation and shapes do not allow.
    """
    operands, terms, wanted = _parse(args)
    shapes = [tuple(x.shape) for x in operands]
    labelled = [_labels_of(t, s, i) for i, (t, s) in enumerate(zip(terms, shapes, strict=True))]
    sizes = _sizes(labelled, shapes)
    output = _output(labelled, wanted)
    x, labels = _diagonals(operands[0], labelled[0])
    for i in range(1, len(operands)):
        y, others = _diagonals(operands[i], labelled[i])
        later = set(output).union(*labelled[i + 1 :])
        x, labels = _contract(x, labels, y, others, later, sizes)
    return _arranged(x, labels, output, sizes)


def _parse(args: Sequence[Any]) -> tuple[list[Tensor], list[list[Any]], list[Any] | None]:
    """Operands, the labels of each (with Ellipsis), and those of the result (None: not given)."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if not isinstance(args[0], (str, Tensor)):
        raise TypeError(
            f"einsum(): argument 'equation' (position 1) must be str, not {type(args[0]).__name__}"
        )
    if isinstance(args[0], Tensor):
        pairs = len(args) // 2
        terms = [_numbered(args[2 * i + 1]) for i in range(pairs)]
        operands = _operands(args[0 : 2 * pairs : 2])
        return operands, terms, _numbered(args[-1]) if len(args) % 2 else None
    listed = len(args) == 2 and isinstance(args[1], (list, tuple))
    operands = _operands(args[1] if listed else args[1:])
    left, arrow, right = args[0].partition("->")
    terms = [_letters(term) for term in left.split(",")]
    if len(terms) != len(operands):
        raise RuntimeError(
            f"einsum(): the equation has {len(terms)} operands ('{left}'), but {len(operands)} "
            "tensors were given"
        )
    return operands, terms, _letters(right) if arrow else None


def _operands(given: Sequence[Any]) -> list[Tensor]:
    return [check_tensor(x, f"einsum(): operand {i}") for i, x in enumerate(given)]


def _numbered(labels: Sequence[Any]) -> list[Any]:
    """Labels as they are given beside an operand; ValueError where one is not within 0 ... 51."""
    for label in labels:
        if label is not Ellipsis and not 0 <= whole("subscript", label) < len(_LETTERS):
            raise ValueError(
                f"einsum(): subscript {label} in a list is not within the valid range "
                f"[0, {len(_LETTERS)})"
            )
    return list(labels)


def _letters(term: str) -> list[Any]:
    found: list[Any] = []
    text = term.replace(" ", "")
    at = 0
    while at < len(text):
        if text.startswith("...", at):
            found.append(Ellipsis)
            at += 3
            continue
        if text[at] not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {at} in '{term}': subscripts must be "
                "letters, '...', ',' and '->'"
            )
        found.append(_LETTERS.index(text[at]))
        at += 1
    if found.count(Ellipsis) > 1:
        raise RuntimeError(f"einsum(): found '...' more than once in '{term}'")
    return found


def _labels_of(term: list[Any], shape: tuple[int, ...], number: int) -> Labels:
    """The labels of an operand, one a dimension."""
    dots = len(shape) - len(term) + 1 if Ellipsis in term else 0
    if dots < 0 or (Ellipsis not in term and len(term) != len(shape)):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the "
            f"number of dimensions ({len(shape)}) for operand {number}"
        )
    labels: Labels = []
    for label in term:
        labels += range(_DOTS - dots + 1, _DOTS + 1) if label is Ellipsis else [label]
    return labels


def _sizes(labelled: list[Labels], shapes: list[tuple[int, ...]]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for number, (labels, shape) in enumerate(zip(labelled, shapes, strict=True)):
        for label, size in zip(labels, shape, strict=True):
            known = sizes.get(label, 1)
            if 1 not in (known, size) and known != size:
                name = _LETTERS[label] if label >= 0 else "..."
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {number} which "
                    "does not "
                    f"broadcast with previously seen size {known}"
                )
            sizes[label] = size if known == 1 else known
    return sizes


def _output(labelled: list[Labels], wanted: list[Any] | None) -> Labels:
    every = [label for labels in labelled for label in labels]
    dots = sorted({label for label in every if label < 0})
    if wanted is None:
        return dots + sorted(
            label for label in set(every) if label >= 0 and every.count(label) == 1
        )
    output: Labels = []
    for label in wanted:
        if label is Ellipsis:
            output += dots
            continue
        if label not in every:
            raise RuntimeError(
                f"einsum(): output subscript {_LETTERS[label]} does not appear in the equation for "
                "any input operand"
            )
        if label in output:
            raise RuntimeError(
                f"einsum(): output subscript {_LETTERS[label]} appears more than once in the output"
            )
        output.append(label)
    return output


def _diagonals(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """The operand with a repeated label replaced by its diagonal, so that each occurs once."""
    kept = list(labels)
    for label in dict.fromkeys(labels):
        while kept.count(label) > 1:
            first = kept.index(label)
            second = kept.index(label, first + 1)
            x = K.diagonal(x, 0, first, second)
            kept = [k for i, k in enumerate(kept) if i not in (first, second)] + [label]
    return x, kept


def _contract(
    x: Tensor, xs: Labels, y: Tensor, ys: Labels, later: set[int], sizes: dict[int, int]
) -> tuple[Tensor, Labels]:
    """Two operands multiplied, the labels that nothing needs later summed away, by one `bmm`."""
    x, xs = _summed(x, xs, [n for n in xs if n not in later and n not in ys])
    y, ys = _summed(y, ys, [n for n in ys if n not in later and n not in xs])
    both = [n for n in xs if n in ys]
    batch = [n for n in both if n in later]
    shared = [n for n in both if n not in later]
    # A shared label of size one on one side is summed on the other.
    for n in list(shared):
        a, b = x.shape[xs.index(n)], y.shape[ys.index(n)]
        if a != b:
            if a == 1:
                y = K.sum(y, ys.index(n), True)
            else:
                x = K.sum(x, xs.index(n), True)
    left = [n for n in xs if n not in both]
    right = [n for n in ys if n not in both]
    for n in batch:
        x = _widened(x, xs.index(n), sizes[n])
        y = _widened(y, ys.index(n), sizes[n])
    x = K.permute(x, tuple(xs.index(n) for n in (*batch, *left, *shared)))
    y = K.permute(y, tuple(ys.index(n) for n in (*batch, *shared, *right)))
    b = tuple(x.shape[: len(batch)])  # type: ignore[assignment]
    m = tuple(x.shape[len(batch) : len(batch) + len(left)])
    k = tuple(x.shape[len(batch) + len(left) :])
    n = tuple(y.shape[len(batch) + len(shared) :])  # type: ignore[assignment]
    if not shared:
        wide = K.reshape(x, (*b, *m, *(1,) * len(n)))  # type: ignore[arg-type, misc]
        product = K.mul(wide, K.reshape(y, (*b, *(1,) * len(m), *n)))  # type: ignore[misc]
        return product, batch + left + right
    rows, inner, columns = _count(m), _count(k), _count(n)  # type: ignore[arg-type]
    batches = (_count(b),) if b else ()  # type: ignore[arg-type]
    common = promote_types(x.dtype, y.dtype)
    if common is int64:  # one may be a sum of narrower integers
        x, y = K.cast(x, int64), K.cast(y, int64)
    product = K.matmul(
        K.reshape(x, (*batches, rows, inner)), K.reshape(y, (*batches, inner, columns))
    )
    return K.reshape(product, (*b, *m, *n)), batch + left + right  # type: ignore[misc]


def _count(shape: Sequence[int]) -> int:
    n = 1
    for size in shape:
        n *= size
    return n


def _summed(x: Tensor, labels: Labels, gone: list[int]) -> tuple[Tensor, Labels]:
    if not gone:
        return x, labels
    x = K.sum(x, tuple(labels.index(n) for n in gone))
    return x, [n for n in labels if n not in gone]


def _widened(x: Tensor, dim: int, size: int) -> Tensor:
    if x.shape[dim] == size:
        return x
    return K.expand(x, tuple(size if i == dim else n for i, n in enumerate(x.shape)))


def _arranged(x: Tensor, labels: Labels, output: Labels, sizes: dict[int, int]) -> Tensor:
    x, labels = _summed(x, labels, [n for n in labels if n not in output])
    return K.permute(x, tuple(labels.index(n) for n in output))


# -- products over given dimensions --------------------------------------------------------------


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(2, 3, 4), make(3, 4, 5)),
            (make(2, 3, 4), make(4, 3, 5), ([1, 2], [1, 0])),
            (make(2, 3), make(4), 0),
        ],
    ),
    method=False,
    out=True,
    aliases=("linalg.tensordot",),
)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over the last `dims` dimensions of a and first of b, or two lists."""
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}, ndims {a.ndim} and "
                f"{b.ndim}"
            )
        left, right = range(a.ndim - dims, a.ndim), range(dims)
    else:
        dims = dims.tolist() if isinstance(dims, Tensor) else dims
        if not isinstance(dims, (tuple, list)) or len(dims) != 2:
            raise RuntimeError(
                "tensordot expects dims to be int or a pair of lists of ints, but got "
                f"dims={dims!r}"
            )
        left, right = (d if isinstance(d, (list, tuple)) else (d,) for d in dims)  # type: ignore[assignment]
    left = [check_dim(d, a.ndim) for d in left]  # type: ignore[assignment]
    right = [check_dim(d, b.ndim) for d in right]  # type: ignore[assignment]
    if len(left) != len(right):
        raise RuntimeError(
            f"both dimension lists should have same length, got {left} and {right} in tensordot()"
        )
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}"
            )
    labels = list(range(a.ndim))
    others = list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(left, right, strict=True):
        others[j] = labels[i]
    output = [n for n in labels + others if (n in labels) != (n in others)]
    sizes = _sizes([labels, others], [tuple(a.shape), tuple(b.shape)])
    x, found = _contract(a, labels, b, others, set(output), sizes)
    return _arranged(x, found, output, sizes)


@composite(
    pointwise(
        SAME,
        inplace=False,
        samples=lambda make: [(make(2, 3), make(4, 2)), (make(3), make(2, 2)), (make(), make(3))],
    ),
    out=True,
)
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: `other` for each element of `input`, times that element."""
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + tuple(input.shape)
    b = (1,) * (n - other.ndim) + tuple(other.shape)
    x = K.reshape(input, tuple(s for size in a for s in (size, 1)))
    y = K.reshape(other, tuple(s for size in b for s in (1, size)))
    return K.reshape(K.mul(x, y), tuple(i * j for i, j in zip(a, b, strict=True)))


def _cross_rule(input: Tensor, other: Tensor, dim: int) -> int:
    shape = broadcast_shapes(input.shape, other.shape)
    at = check_dim(dim, len(shape))
    for x in (input, other):
        if x.ndim != len(shape) or x.shape[at] != 3:
            raise RuntimeError(
                f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape} and "
                f"{other.shape}"
            )
    return at


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [(make(2, 3), make(2, 3)), (make(3, 4), make(3, 1), {"dim": 0})],
    ),
    out=True,
    namespace="_",
    aliases=("linalg.cross",),
)
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of three elements along `dim`."""
    at = _cross_rule(input, other, dim)
    a, b = (K.unbind(x, at) for x in (input, other))
    parts = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return K.stack(parts, at)


@composite(
    contraction(NUMBERS, samples=lambda make: [(make(2, 3), make(2, 3), 1)]),
    out=True,
)
def cross(input: Tensor, other: Tensor, dim: Any = None) -> Tensor:
    """The cross product along `dim`, or along the first dimension of size three."""
    if dim is None:
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return K.linalg_cross(input, other, dim=dim)
