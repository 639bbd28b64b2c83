"""The kernels: what shape and dtype each primitive's result has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core.extend import (
    OPERATORS,
    VIEW_KERNELS,
    Kernel,
    KernelTable,
    Op,
    broadcast_shapes,
    check_dim,
    check_dims,
    int32,
    int64,
)
from dispatch_meta.array import MetaArray

Function = Callable[..., Any]
Sizes = tuple[int, ...]


class RuleTable(KernelTable):
    """A kernel table that answers for every operator whose family says all there is to know."""

    def __init__(self, device: str) -> None:
        super().__init__(device)
        for name, kernel in (VIEW_KERNELS | _OTHERS).items():
            self.register(name, kernel)
        for name, kernel in (_MATRICES | _BY_INDEX).items():
            self.register(name, _checked(OPERATORS[name].op, kernel))

    def candidates(self, op: str) -> tuple[Kernel, ...]:
        """Those that were registered, else the rule of the operator's family."""
        found = super().candidates(op)
        declared = None if found else OPERATORS.get(op)
        if declared is None or not (
            declared.op.traits.primitive or op in _LOOPS or _is_ruled(declared.op)
        ):
            return found
        rule = _RULES[declared.op.family.kind](declared.op)
        return (Kernel(op, self.device, rule, self.provider),)


_LOOPS = frozenset({"gcd", "lcm"}) | {
    declared.op.name for declared in OPERATORS.values() if "_polynomial_" in declared.op.name
}
"""Operators that look at values to see whether they have done, and whose family tells the shape."""


def _is_ruled(op: Op) -> bool:
    """Whether the family of an operator with a body tells all of its result, the layout included.

    What is element by element has an in-place variant; others are of that family for its promotion.
    """
    family = op.family
    if op.traits.outputs != 1 or op.traits.view:
        return False
    if family.kind == "pointwise":
        return family.inplace
    return family.kind == "reduction" and family.one and any(p.name == "dim" for p in op.params)  # type: ignore[attr-defined]


def _checked(op: Op, kernel: Function) -> Function:
    """A kernel that has the operator's family look at its arguments, as others do when they fail."""

    def checked(*args: Any) -> Any:
        op.family.check(op, args)
        return kernel(*args)

    return checked


def _pointwise(op: Op) -> Function:
    apart = [op.params[at].name in op.family.apart for at in op.tensors]

    def pointwise(*args: Any) -> MetaArray:
        operands = [args[at] for at in op.tensors]
        computed = next(
            a.dtype for a, left in zip(operands, apart, strict=True) if _counts(a, left)
        )
        shape = broadcast_shapes(*(a.shape for a in operands if isinstance(a, MetaArray)))
        return MetaArray.of(shape, op.family.result(op, computed), _strides(shape, operands))

    return pointwise


def _counts(operand: Any, apart: bool) -> bool:
    return isinstance(operand, MetaArray) and not apart


def _strides(shape: Sizes, operands: Sequence[Any]) -> Sizes | None:
    """The layout of the first operand of the result's shape, where that is dense (None: in order)."""
    for operand in operands:
        if isinstance(operand, MetaArray) and operand.shape == shape:
            return operand.strides if _is_dense(operand) else None
    return None


def _is_dense(array: MetaArray) -> bool:
    expected = 1
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n != 1:
            if stride != expected:
                return False
            expected *= n
    return True


def _scan(op: Op) -> Function:
    at = next(i for i, p in enumerate(op.params) if p.name == "dim")

    def scan(*args: Any) -> MetaArray:
        input: MetaArray = args[0]
        check_dim(args[at], len(input.shape))
        return MetaArray.of(input.shape, op.family.result(op, input.dtype))

    return scan


def _reduction(op: Op) -> Function:
    if op.family.one:  # type: ignore[attr-defined]
        return _scan(op)

    def reduction(input: MetaArray, dim: Any, keepdim: bool = False, *_: Any) -> MetaArray:
        kind = op.family.result(op, input.dtype)
        dims = check_dims(dim, len(input.shape)) if input.shape else ()
        op.family.check(op, (input, dim, keepdim))
        kept = [n if i not in dims else 1 for i, n in enumerate(input.shape)]
        left = kept if keepdim else [n for i, n in enumerate(kept) if i not in dims]
        return MetaArray.of(tuple(left), kind)

    return reduction


_RULES = {"pointwise": _pointwise, "reduction": _reduction}


def _new(size: Sequence[int], *rest: Any) -> MetaArray:
    return MetaArray.of(tuple(size), rest[-1].dtype)


def _arange_new(start: Any, step: Any, count: int, place: Any) -> MetaArray:
    return MetaArray.of((count,), place.dtype)


def _cast(input: MetaArray, dtype: Any) -> MetaArray:
    return MetaArray.of(input.shape, dtype, _strides(input.shape, [input]))


def _matmul(input: MetaArray, other: MetaArray) -> MetaArray:
    a, b = input.shape, other.shape
    inner = (a[-1:], b[-2:][:1])
    if not a or not b or inner[0] != inner[1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({list(a)} and {list(b)}); the last size of the "
            "first must be the last but one of the second"
        )
    batch = broadcast_shapes(a[:-2], b[:-2])
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    return MetaArray.of((*batch, *rows, *columns), input.dtype)


def _gather(input: MetaArray, dim: int, index: MetaArray) -> MetaArray:
    return MetaArray.of(index.shape, input.dtype)


def _cat(tensors: Sequence[MetaArray], dim: int) -> MetaArray:
    kept = [t for t in tensors if t.shape != (0,)] or tensors[:1]
    first = kept[0].shape
    at = check_dim(dim, len(first))
    for number, t in enumerate(kept):
        if len(t.shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(t.shape)}"
            )
        for d, (n, m) in enumerate(zip(first, t.shape, strict=True)):
            if d != at and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {at}. Expected size {n} but got "
                    f"size {m} for tensor number {number} in the list."
                )
    total = sum(t.shape[at] for t in kept)
    return MetaArray.of((*first[:at], total, *first[at + 1 :]), tensors[0].dtype)


_OTHERS: dict[str, Function] = {
    "arange_new": _arange_new,
    "cast": _cast,
    "cat": _cat,
    "fill_new": _new,
    "histc": lambda input, bins, *_: MetaArray.of((bins,), input.dtype),
    "masked_scatter": lambda input, *_: input.copied(),
    "matmul": _matmul,
    "nonzero_static": lambda input, size, _: MetaArray.of((size, len(input.shape)), int64),
    "random_new": _new,
}

_BY_INDEX: dict[str, Function] = {
    "gather": _gather,
    "scatter_add": lambda input, *_: input.copied(),
    "scatter_combine": lambda input, *_: input.copied(),
    "scatter_src": lambda input, *_: input.copied(),
}


# -- factorisations, whose definitions look at values --------------------------------------------------


def _like(A: MetaArray, *shape: int, dtype: Any = None) -> MetaArray:
    """A stack of arrays of a shape, one for each matrix of A."""
    return MetaArray.of((*A.shape[:-2], *shape), dtype or A.dtype)


def _square(A: MetaArray, *_: Any) -> MetaArray:
    return _like(A, *A.shape[-2:])


def _svd(A: MetaArray, full_matrices: bool) -> tuple[MetaArray, ...]:
    m, n = A.shape[-2:]
    k = min(m, n)
    values = _like(A, k, dtype=A.dtype.to_real())
    return _like(A, m, m if full_matrices else k), values, _like(A, n if full_matrices else k, n)


def _eigh(A: MetaArray, UPLO: str) -> tuple[MetaArray, ...]:
    return _like(A, A.shape[-1], dtype=A.dtype.to_real()), _square(A)


def _eig(A: MetaArray) -> tuple[MetaArray, ...]:
    kind, n = A.dtype.to_complex(), A.shape[-1]
    return _like(A, n, dtype=kind), _like(A, n, n, dtype=kind)


def _qr(A: MetaArray, mode: str) -> tuple[MetaArray, ...]:
    m, n = A.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    return MetaArray.of((0,), A.dtype) if mode == "r" else _like(A, m, k), _like(A, k, n)


def _solve(A: MetaArray, B: MetaArray) -> MetaArray:
    batch = broadcast_shapes(A.shape[:-2], B.shape[:-2])
    return MetaArray.of((*batch, *B.shape[-2:]), A.dtype)


_MATRICES: dict[str, Function] = {
    "cholesky_lower": _square,
    "det": _like,
    "inverse": _square,
    "linalg_eig": _eig,
    "linalg_eigh": _eigh,
    "linalg_qr": _qr,
    "linalg_ldl_factor_ex": lambda A, *_: (
        _square(A),
        _like(A, A.shape[-1], dtype=int32),
        _like(A, dtype=int32),
    ),
    "linalg_ldl_solve": lambda LD, pivots, B, *_: _solve(LD, B),
    "linalg_solve_matrix": _solve,
    "lu_factors": lambda A: (_square(A), _like(A, min(A.shape[-2:]), dtype=int32)),
    "matrix_exp": _square,
    "slogdet": lambda A: (_like(A), _like(A, dtype=A.dtype.to_real())),
    "svd_factors": _svd,
}
