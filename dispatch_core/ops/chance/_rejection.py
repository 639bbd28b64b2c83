"""Drawing by rejection: every element is tried, and those that fail are tried again, fewer each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dtypes import float64
from dispatch_core._op import K
from dispatch_core._place import place
from dispatch_core._tensor import Tensor, is_readable
from dispatch_core.ops.random import draw

Attempt = Callable[..., tuple[Tensor, Tensor]]


def by_rejection(attempt: Attempt, parameters: Sequence[Tensor]) -> Any:
    """What `attempt(*parameters)` -> (numbers, which are taken) finds once every element is taken.

    The parameters have one shape; each further attempt gets only the elements that still wait. Where
    no values can be read (device `meta`), one attempt gives the shape.
    """
    shape = parameters[0].shape
    flat = [K.reshape(p, (-1,)) for p in parameters]
    found, taken = attempt(*flat)
    places = None
    while is_readable(taken):
        waiting = K.reshape(K.nonzero(K.logical_not(taken)), (-1,))
        if not waiting.numel():
            break
        places = waiting if places is None else K.index_select(places, 0, waiting)
        flat = [K.index_select(p, 0, waiting) for p in flat]
        again, taken = attempt(*flat)
        found = K.index_copy(found, 0, places, again)
    return K.reshape(found, shape)


def uniform(like: Tensor, generator: Any = None) -> Any:
    """Numbers in [0, 1) in the shape and on the device of a tensor, in float64."""
    return draw(tuple(like.shape), "uniform", 0, 1, place(like.device, float64), generator)


def normal(like: Tensor, generator: Any = None) -> Any:
    """Standard normal numbers in the shape and on the device of a tensor, in float64."""
    return draw(tuple(like.shape), "normal", 0, 1, place(like.device, float64), generator)
