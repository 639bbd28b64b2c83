"""Functions that combine the elements along axes: statistics and tests of truth."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import Category, dtype, int64, uint64
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._axes import axes_of, reducing
from dispatch_core.array_api._names import renamed, standard
from dispatch_core.array_api._promotion import admitted

renamed(
    "real-valued",
    {
        "max(x, /, *, axis=None, keepdims=False)": "amax(x, axis, keepdims)",
        "min(x, /, *, axis=None, keepdims=False)": "amin(x, axis, keepdims)",
    },
)
renamed("floating-point", {"mean(x, /, *, axis=None, keepdims=False)": "mean(x, axis, keepdims)"})
for _name in ("std", "var"):
    renamed(
        "real-valued floating-point",
        {
            f"{_name}(x, /, *, axis=None, correction=0.0, keepdims=False)": (
                f"{_name}(x, axis, keepdim=keepdims, correction=correction)"
            )
        },
    )


def accumulated(x: Tensor, wanted: dtype | None) -> dtype:
    """The dtype of a sum or product: the one asked for, else integers as wide as they come."""
    if wanted is not None:
        return wanted
    if x.dtype.category is Category.INTEGRAL:
        return int64 if x.dtype.is_signed else uint64
    return x.dtype


@standard("sum")
def sum_(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements."""
    admitted("sum", "numeric", x)
    return _reduced(K.sum, x, axis, dtype, keepdims)


@standard()
def prod(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product of the elements."""
    admitted("prod", "numeric", x)
    return _reduced(K.prod, x, axis, dtype, keepdims)


def _reduced(operator: Any, x: Tensor, axis: Any, wanted: Any, keepdims: bool) -> Tensor:
    return operator(*reducing(x, axis, keepdims), dtype=accumulated(x, wanted))


@standard()
def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """The sums of the elements so far, with `include_initial` after a zero."""
    return _accumulated("cumulative_sum", K.cumsum, 0, x, axis, dtype, include_initial)


@standard()
def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """The products of the elements so far, with `include_initial` after a one."""
    return _accumulated("cumulative_prod", K.cumprod, 1, x, axis, dtype, include_initial)


def _accumulated(
    name: str, operator: Any, initial: int, x: Tensor, axis: int | None, wanted: Any, first: bool
) -> Tensor:
    if axis is None:
        if admitted(name, "numeric", x).ndim != 1:
            raise ValueError(f"{name}() takes an axis for an array of {x.ndim} dimensions")
        axis = 0
    (axis,) = axes_of(axis, admitted(name, "numeric", x).ndim)
    found = operator(x, axis, dtype=accumulated(x, wanted))
    if not first:
        return found
    shape = tuple(1 if d == axis else n for d, n in enumerate(x.shape))
    return K.cat([K.full(shape, initial, dtype=found.dtype, device=x.device), found], axis)


# -- truth and differences --------------------------------------------------------------------------------


@standard("all")
def all_(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true, that is, not zero."""
    return K.all(*reducing(_truth("all", x), axis, keepdims))


@standard("any")
def any_(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether an element is true, that is, not zero."""
    return K.any(*reducing(_truth("any", x), axis, keepdims))


def _truth(name: str, x: Tensor) -> Tensor:
    # PyTorch's `all` of uint8 is uint8.
    return x if admitted(name, "any", x).dtype.category is Category.BOOL else K.ne(x, 0)


@standard()
def diff(
    x: Tensor,
    /,
    n: int = 1,  # by keyword in the standard; scikit-learn gives it by position
    *,
    axis: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along an axis, n times."""
    return K.diff(admitted("diff", "numeric", x), n, axis, prepend, append)
