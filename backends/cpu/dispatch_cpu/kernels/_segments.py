"""Adding rows at repeated places: deterministic, and without one interpreted step per row."""

from __future__ import annotations

import numpy as np

from dispatch_cpu.kernels._common import Array

NARROW = 32  # rows up to this long are counted element by element
CROWDED = 64  # a place with more rows than this is summed on its own


def add_rows(out: Array, index: Array, source: Array) -> None:
    """out[index[i]] += source[i] for every i, in place and whatever repeats.

    out (R, D), index (M) within [0, R), source (M, D) of out's dtype. Narrow real rows are summed
    in float64 by bincount. Others are sorted by place; then all first rows of a place are taken at
    once, all second rows, and so on, in the order they came; places with very many rows are
    reduced one by one.
    """
    rows, width = out.shape
    if not index.size or not width:
        return
    if out.dtype.kind == "f" and width <= NARROW and rows <= 8 * index.size:
        places = index if width == 1 else index[:, None] * width + np.arange(width)
        sums = np.bincount(places.reshape(-1), source.reshape(-1), rows * width)
        np.add(out, sums.reshape(out.shape), out=out, casting="same_kind")
        return
    order = np.argsort(index, kind="stable")
    sorted_index = index[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_index[1:] != sorted_index[:-1])))
    counts = np.diff(starts, append=index.size)
    by_count = np.argsort(-counts, kind="stable")
    starts, counts = starts[by_count], counts[by_count]
    places = sorted_index[starts]
    crowded = int(np.searchsorted(-counts, -CROWDED, side="left"))
    for place, start, count in zip(
        places[:crowded].tolist(), starts[:crowded].tolist(), counts[:crowded].tolist(), strict=True
    ):
        out[place] += np.add.reduce(source[order[start : start + count]], axis=0)
    places, starts, counts = places[crowded:], starts[crowded:], counts[crowded:]
    if not places.size:
        return
    sums = source[order[starts]]
    for rank in range(1, int(counts[0])):
        present = int(np.searchsorted(-counts, -rank, side="left"))
        sums[:present] += source[order[starts[:present] + rank]]
    out[places] += sums
