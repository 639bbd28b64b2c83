"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from dispatch_core.optim._core import Tensor

DECREASE = 1e-4
"""The part of the decrease that the first slope promises which a step has to bring."""
CURVATURE = 0.9
"""The part of the first slope that may be left."""
MOST_ROUNDS = 25


class Point(NamedTuple):
    """The function at one step length along the line."""

    t: float
    loss: float
    grad: Tensor
    slope: float
    """The derivative along the line."""


Evaluate = Callable[[float], Point]


def strong_wolfe(
    evaluate: Evaluate, start: Point, first: float, scale: float, tolerance: float, rounds: int
) -> tuple[Point, int]:
    """A point that satisfies the strong Wolfe conditions, and how many were evaluated.

    Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, with Schmidt's
    safeguards (minFunc): interpolated steps keep off both ends. `start` is the point at t = 0,
    `first` the step length that is tried first, `scale` the largest element of the direction; a
    bracket below `tolerance / scale` is good enough. After `rounds` points (25 at most) beyond the
    first one, the best end of the bracket is taken, which is `start` while there is none.
    """
    search = _Search(evaluate, start, first, min(rounds, MOST_ROUNDS))
    low, high = search.bracket()
    if high is None:
        return low, search.count
    return search.zoom(low, high, scale, tolerance), search.count


class _Search:
    """The state of one search: where it starts, and how many points it has seen."""

    def __init__(self, evaluate: Evaluate, start: Point, first: float, rounds: int) -> None:
        self.evaluate = evaluate
        self.start = start
        self.point = evaluate(first)
        self.count = 1
        self.rounds = rounds

    def move(self, t: float) -> Point:
        self.point = self.evaluate(t)
        self.count += 1
        self.rounds -= 1
        return self.point

    def falls_short(self, point: Point) -> bool:
        """Whether the loss has not decreased enough for such a step (Armijo)."""
        return point.loss > self.start.loss + DECREASE * point.t * self.start.slope

    def is_flat(self, point: Point) -> bool:
        """Whether little slope is left."""
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def bracket(self) -> tuple[Point, Point | None]:
        """Longer and longer steps, until one is good (and alone) or a good one lies between two."""
        before, point = self.start, self.point
        moves = 0
        while self.rounds > 0:
            if self.falls_short(point) or (moves > 1 and point.loss >= before.loss):
                return before, point
            if self.is_flat(point):
                return point, None
            if point.slope >= 0:
                return before, point
            bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
            t = cubic_minimum(before, point, bounds)
            before, point = point, self.move(t)
            moves += 1
        return self.start, point

    def zoom(self, one: Point, other: Point, scale: float, tolerance: float) -> Point:
        """A good point between two: `ends` keeps their order, `low` says which is the better."""
        ends = [one, other]
        low = 0 if one.loss <= other.loss else 1
        stalled = False
        while self.rounds > 0:
            if abs(ends[1].t - ends[0].t) * scale < tolerance:
                break
            t, stalled = _between(ends, stalled)
            point = self.move(t)
            if self.falls_short(point) or point.loss >= ends[low].loss:
                ends[1 - low] = point
                low = 0 if ends[0].loss <= ends[1].loss else 1
                continue
            found = self.is_flat(point)
            if not found and point.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = point
            if found:
                break
        return ends[low]


def _between(ends: list[Point], stalled: bool) -> tuple[float, bool]:
    """A step length inside a bracket, and whether it lies near an end, as only one in two may."""
    left, right = sorted(end.t for end in ends)
    t = cubic_minimum(ends[0], ends[1], (left, right))
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not (stalled or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def cubic_minimum(one: Point, other: Point, bounds: tuple[float, float]) -> float:
    """The minimum, within bounds, of the cubic through two points with their slopes.

    (Nocedal and Wright, formula 3.59.) Where there is none, the middle of the bounds.
    """
    left, right = (one, other) if one.t <= other.t else (other, one)
    lowest, highest = bounds
    mean = one.slope + other.slope - 3 * (one.loss - other.loss) / (one.t - other.t)
    square = mean**2 - one.slope * other.slope
    root = math.sqrt(square) if square >= 0 else math.nan
    width = right.slope - left.slope + 2 * root
    if math.isnan(root) or width == 0:
        return (lowest + highest) / 2
    part = (right.slope + root - mean) / width
    return min(max(right.t - (right.t - left.t) * part, lowest), highest)
