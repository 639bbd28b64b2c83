"""What the declarations of this package have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from dispatch_core._dtypes import float32
from dispatch_core._families.base import REAL
from dispatch_core._families.pointwise import FLOAT, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor

Body = Callable[..., Any]


def special(
    grad: Mapping[str, Any] | None, aliases: Sequence[str] = (), **family: Any
) -> Callable[[Body], Body]:
    """Declare a function of real numbers in `dc.special`; integers give the default dtype."""
    declared = composite(
        pointwise(FLOAT, REAL, inplace=False, **family),
        grad=grad,
        namespace="special",
        aliases=tuple(aliases),
        keywords={"x": "input"},
        out=True,
    )
    return lambda body: declared(in_single(body))


def in_single(body: Body) -> Body:
    """Let a body compute in float32 what it is given in a 16-bit dtype, and round its result back."""

    @wraps(body)
    def widened(*args: Any) -> Any:
        dtype = next(a.dtype for a in args if isinstance(a, Tensor))
        if dtype.itemsize > 2:
            return body(*args)
        wide = [K.cast(a, float32) if isinstance(a, Tensor) else a for a in args]
        return K.cast(body(*wide), dtype)

    return widened
