"""What looks through transforms or leaves them as they are: `debug_unwrap`, `functionalize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._batched import Batched
from dispatch_core._dual import Dual
from dispatch_core._tensor import Tensor, check_tensor


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """What a tensor inside `vmap` or `jvp` stands for: the batch, or the primal; for looking at only.

    With `recurse` through all levels. A tensor of no transform is returned as it is.
    """
    check_tensor(tensor, "debug_unwrap(): argument 'tensor'")
    while True:
        raw = tensor._raw
        if raw.__class__ is Batched:
            tensor = raw.tensor
        elif raw.__class__ is Dual:
            tensor = raw.primal
        else:
            return tensor
        if not recurse:
            return tensor


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: its transforms see in-place writes and views as what they compute.

    In PyTorch this takes writes ("mutations"), or views too ("mutations_and_views"), out of what a tracer
    sees, and the caller sees no difference. Here nothing needs them gone.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): received invalid argument for remove=. Valid inputs are "
            f"'mutations' and 'mutations_and_views'; got {remove!r}"
        )
    return func
