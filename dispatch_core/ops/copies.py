"""Every view as a copy: `diagonal_copy` and its like, all made from the declarations of the views."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dispatcher.signature import parameters_of
from dispatch_core._families.others import movement
from dispatch_core._op import OPERATORS, Ints, K, composite
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor
from dispatch_core.ops import (  # noqa: F401  they declare the views
    arrange,
    complexes,
    shape,
    splitting,
    views,
)

# -- views that exist as copies only -------------------------------------------------------------


def _any_shape(make: Any) -> list[Any]:
    return [(make(3, 4),), (make(),), (make(0, 2),)]


@composite(movement(samples=_any_shape), namespace="_", method=False)
def alias(input: Tensor) -> Tensor:
    """The tensor as a view of itself."""
    return K.basic_index(input, (Ellipsis,))


@composite(
    movement(samples=lambda make: [(make(5, 2), 0, 1, 3), (make(3, 4), 1, None, -1, 2)]),
    namespace="_",
    method=False,
)
def slice_view(
    input: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """Elements start, start + step, ... below end along a dimension; a view."""
    if not input.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    at = check_dim(dim, input.ndim)
    return K.basic_index(input, (*(slice(None),) * at, slice(start, end, step), ...))


# -- copies --------------------------------------------------------------------------------------

_VIEWS = {
    "alias_copy": "alias",
    "as_strided_copy": "as_strided",
    "detach_copy": "alias",
    "diagonal_copy": "diagonal",
    "expand_copy": "expand",
    "narrow_copy": "narrow",
    "permute_copy": "permute",
    "select_copy": "select",
    "slice_copy": "slice_view",
    "split_copy": "split",
    "split_with_sizes_copy": "split_with_sizes",
    "squeeze_copy": "squeeze",
    "t_copy": "t",
    "transpose_copy": "transpose",
    "unbind_copy": "unbind",
    "unfold_copy": "unfold_windows",
    "unsqueeze_copy": "unsqueeze",
    "view_as_complex_copy": "view_as_complex",
    "view_as_real_copy": "view_as_real",
}
"""The name of each copy, and of the view it is a copy of."""


def _declare(name: str, source: str) -> None:
    view = OPERATORS[source]
    shown: Callable[..., Any] = view.front

    @functools.wraps(view.front.__wrapped__)  # type: ignore[attr-defined]  # gives the signature
    def copied(*args: Any, **keywords: Any) -> Any:
        found = shown(*args, **keywords)
        return tuple(K.packed(v) for v in found) if isinstance(found, tuple) else K.packed(found)

    copied.__name__ = copied.__qualname__ = name
    copied.__module__ = __name__
    copied.__doc__ = f"What `{source}` shows, as a copy: {view.front.__doc__}"
    known = {p.name for p in view.op.params}
    composite(
        view.op.family,
        grad=None if view.op.traits.differentiable else NOT_DIFFERENTIABLE,
        outputs=view.op.traits.outputs,
        handled=tuple(n for n in parameters_of(copied) if n not in known),
        method=name == "narrow_copy",
        out=True,
    )(copied)


for _name, _source in _VIEWS.items():
    _declare(_name, _source)


@composite(
    movement(samples=lambda make: [(make(3, 4), (12,)), (make(2, 6), (-1, 2, 3))]),
    handled=("dtype",),
    method=False,
    out=True,
)
def view_copy(input: Tensor, size: Ints, *, dtype: Any = None) -> Tensor:
    """What `view` shows, as a copy; other than `view` it takes any layout."""
    return K.packed(K.reshape(input, size) if dtype is None else K.view(input, dtype=dtype))
