"""Drawing by rejection, where those that fail are tried again, fewer each time, and by adding probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dtypes import float64
from dispatch_core._op import K
from dispatch_core._place import place
from dispatch_core._tensor import Tensor, is_plain, is_readable
from dispatch_core.ops.random import draw

Attempt = Callable[..., tuple[Tensor, Tensor]]

ROUNDS = 64
"""So many rounds leave no element waiting: in each, most are taken."""


def is_going(waiting: Tensor, rounds: int) -> bool:
    """Whether another round is needed after so many: where an element waits, or may.

    Batched tensors do not show their values, so that for them the number of rounds is fixed. On device
    `meta` there is nothing to wait for.
    """
    if is_readable(waiting):
        return bool(K.any(waiting))
    return not is_plain(waiting) and rounds < ROUNDS


def by_rejection(attempt: Attempt, parameters: Sequence[Tensor]) -> Any:
    """What `attempt(*parameters)` -> (numbers, which are taken) finds once every element is taken.

    The parameters have one shape. Each further attempt gets only the elements that still wait, where it
    can be seen which those are. What is infinite or NaN, as its parameters must be, is taken.
    """

    def tried(*parameters: Tensor) -> tuple[Tensor, Tensor]:
        found, taken = attempt(*parameters)
        return found, taken | K.logical_not(K.isfinite(found))

    shape = parameters[0].shape
    flat = [K.reshape(p, (-1,)) for p in parameters]
    found, taken = tried(*flat)
    if not is_readable(taken):
        return K.reshape(_all_again(tried, flat, found, taken), shape)
    places = None
    while is_going(K.logical_not(taken), 0):
        waiting = K.reshape(K.nonzero(K.logical_not(taken)), (-1,))
        places = waiting if places is None else K.index_select(places, 0, waiting)
        flat = [K.index_select(p, 0, waiting) for p in flat]
        again, taken = tried(*flat)
        found = K.index_copy(found, 0, places, again)
    return K.reshape(found, shape)


def _all_again(attempt: Attempt, parameters: Sequence[Tensor], found: Tensor, taken: Tensor) -> Any:
    rounds = 1
    while is_going(K.logical_not(taken), rounds):
        again, good = attempt(*parameters)
        found = K.where(taken, found, again)
        taken = taken | good
        rounds += 1
    return found


def by_inversion(none: Any, ratio: Callable[[int], Any], u: Tensor) -> Any:
    """The count whose cumulated probability is the first beyond u.

    `none` is the probability of 0, ratio(k) that of k over that of k - 1; counts of ROUNDS have no share
    that could be seen.
    """
    share, passed, found = none, none, K.zeros_like(u)
    for k in range(1, ROUNDS):
        beyond = K.ge(u, passed)
        if not is_going(beyond, k):
            break
        found = found + K.cast(beyond, float64)
        share = share * ratio(k)
        passed = passed + share
    return found


def uniform(like: Tensor, generator: Any = None) -> Any:
    """Numbers in [0, 1) in the shape and on the device of a tensor, in float64."""
    return draw(tuple(like.shape), "uniform", 0, 1, place(like.device, float64), generator)


def normal(like: Tensor, generator: Any = None) -> Any:
    """Standard normal numbers in the shape and on the device of a tensor, in float64."""
    return draw(tuple(like.shape), "normal", 0, 1, place(like.device, float64), generator)
