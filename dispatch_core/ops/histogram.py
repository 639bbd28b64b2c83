"""Histograms: how many samples, or what weight, fall between edges, in one or more dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dispatcher.kinds import telling
from dispatch_core._dispatcher.named import named_results
from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


def _bounds(what: str, rows: Tensor, range: Any) -> list[tuple[float, float]]:
    """The least and largest value of each dimension; without spread, half around."""
    count = rows.shape[1]
    if range is not None:
        given = [float(v) for v in range]
        if len(given) != 2 * count:
            raise RuntimeError(
                f"{what}: for a {count}-dimensional histogram range should have {2 * count} "
                f"elements, but got {len(given)}"
            )
        pairs = list(zip(given[::2], given[1::2], strict=True))
    elif rows.shape[0]:
        pairs = list(zip(K.amin(rows, 0).tolist(), K.amax(rows, 0).tolist(), strict=True))
    else:
        pairs = [(0.0, 1.0)] * count
    for low, high in pairs:
        if not (-float("inf") < low <= high < float("inf")):
            raise RuntimeError(
                f"{what}: dimension's range [{low}, {high}] is not finite, or its minimum is above "
                "its maximum"
            )
    return [(low - 0.5, high + 0.5) if low == high else (low, high) for low, high in pairs]


def _check_edges(what: str, edges: Tensor, dtype: Any) -> None:
    if edges.ndim != 1:
        raise RuntimeError(
            f"{what}: bins tensor should have one dimension, but got {edges.ndim} dimensions"
        )
    if not edges.numel():
        raise RuntimeError(f"{what}: bins tensor should have at least 1 element")
    if edges.dtype is not dtype:
        raise RuntimeError(
            f"{what}: input tensor and bins tensors should have same dtype, but got input "
            f"{dtype} and bins {edges.dtype}"
        )


def _histogram(
    what: str, rows: Tensor, edges: Sequence[Tensor], weight: Any, density: bool
) -> Tensor:
    """The weight of the rows in each cell between the edges; the last edge belongs to its cell."""
    cells = [e.shape[0] - 1 for e in edges]
    total = 1
    for n in cells:
        total *= n
    if weight is None:
        weight = K.ones_like(K.select(rows, 1, 0))
    elif weight.dtype is not rows.dtype:
        raise RuntimeError(
            f"{what}: if weight tensor is provided, input tensor and weight tensor should have the "
            f"same dtype, but got input {rows.dtype} and weight {weight.dtype}"
        )
    flat: Any = 0
    inside: Any = None
    for d, (edge, n) in enumerate(zip(edges, cells, strict=True)):
        x = K.contiguous(K.select(rows, 1, d))
        low, high = K.select(edge, 0, 0), K.select(edge, 0, -1)
        at = K.minimum(K.sub(K.searchsorted(edge, x, right=True), 1), n - 1)
        within = K.bitwise_and(K.ge(x, low), K.le(x, high))
        inside = within if inside is None else K.bitwise_and(inside, within)
        flat = flat * n + K.maximum(at, 0)
    shape = tuple(cells)
    if not total:
        return K.new_zeros(rows, shape)
    # What lies outside goes into one more cell, which is dropped.
    flat = K.cast(K.where(inside, flat, total), int64)
    counts = K.scatter_add(K.new_zeros(rows, (total + 1,)), 0, flat, K.reshape(weight, (-1,)))
    counts = K.clone(K.reshape(K.narrow(counts, 0, 0, total), shape))
    if not density:
        return counts
    counts = K.div(counts, K.sum(counts))
    for d, edge in enumerate(edges):
        width = K.diff(edge)
        counts = K.div(counts, K.reshape(width, (-1,) + (1,) * (len(edges) - 1 - d)))
    return counts


@composite(
    custom(
        FLOATING,
        halves=False,
        samples=lambda make: [
            (make(20), 5),
            (make(4, 5), 4, {"range": (-1.0, 1.0), "density": True}),
            (make(20), make(5).sort()[0], {"weight": make(20)}),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=2,
    fields=("hist", "bin_edges"),
    out=True,
)
def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many elements (or what weight) fall between the edges of bins, and those edges.

    `bins` is a number of equal bins across `range` (default: that of the elements), or a sorted
    vector of edges. With `density` the integral over the bins is 1.
    """
    what = "torch.histogram(): "
    rows = K.reshape(input, (-1, 1))
    if isinstance(bins, Tensor):
        _check_edges(what, bins, input.dtype)
        edges = bins
    else:
        edges = _even_edges(what, rows, (bins,), range)[0]
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(
            f"{what}if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got {list(weight.shape)} and "
            f"{list(input.shape)}"
        )
    return K.histogram.op.result_type(_histogram(what, rows, (edges,), weight, density), edges)


def _even_edges(what: str, rows: Tensor, bins: Sequence[int], range: Any) -> list[Tensor]:
    found = []
    for n, (low, high) in zip(bins, _bounds(what, rows, range), strict=True):
        if n <= 0:
            raise RuntimeError(f"{what}bins must be > 0, but got {n}")
        found.append(K.linspace(low, high, n + 1, dtype=rows.dtype, device=rows.device))
    return found


_Histogram = named_results("histogramdd", ("hist", "bin_edges"))


@public("")
@telling
def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many points fall into each cell of a grid, and the edges of the cells.

    The last dimension of `input` has the coordinates. `bins` is one number, a number for each
    coordinate, or a vector of edges for each; see `histogram`.
    """
    what = "torch.histogramdd(): "
    if input.ndim < 2:
        raise RuntimeError(
            f"{what}input tensor should have at least 2 dimensions, but got {input.ndim}"
        )
    count = input.shape[-1]
    rows = K.reshape(input, (-1, count)).detach()
    wanted: list[Any] = [bins] * count if isinstance(bins, int) else list(bins)
    if len(wanted) != count:
        raise RuntimeError(
            f"{what}expected {count} sequences of bin edges for a {count}-dimensional histogram but "
            f"got {len(wanted)}"
        )
    if isinstance(wanted[0], Tensor):
        edges = wanted
        for each in edges:
            _check_edges(what, each, input.dtype)
    else:
        edges = _even_edges(what, rows, wanted, range)
    found = _histogram(what, rows, edges, None if weight is None else weight.detach(), density)
    return _Histogram(found, tuple(edges))
