"""Rows of a table by index: embedding, its bags, and one-hot vectors."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import Category, int64
from dispatch_core._families.base import FLOATING, INEXACT
from dispatch_core._families.others import indexing
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor, grad_mode, is_readable
from dispatch_core.ops.nn.distance import power_norm
from dispatch_core.ops.rows import row_sparse

F = "nn.functional"


@composite(
    indexing(
        apart=("indices",),
        samples=lambda make: [
            (make(5, 3), make(2, 4, low=0, high=5, integer=True), -1, False),
        ],
    ),
    grad={
        "weight": lambda K, g, weight_shape, indices, padding_idx, scale_grad_by_freq: (
            K.embedding_backward(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)
        ),
        "indices": NOT_DIFFERENTIABLE,
    },
    namespace="_",
)
def embedding_rows(
    weight: Tensor, indices: Tensor, padding_idx: int, scale_grad_by_freq: bool
) -> Tensor:
    """The rows of weight (n, dim) at indices (*): (*, dim); no gradient for `padding_idx`."""
    flat = K.index_select(weight, 0, K.reshape(indices, (-1,)))
    return K.reshape(flat, (*indices.shape, *weight.shape[1:]))


@composite(
    indexing(
        INEXACT,
        apart=("indices",),
        samples=lambda make: [
            (make(4, 3), make(4, low=0, high=5, integer=True), 5, -1, False),
            (make(2, 3, 2), make(2, 3, low=0, high=4, integer=True), 4, 1, True),
        ],
    ),
    namespace="_",
)
def embedding_backward(
    grad: Tensor, indices: Tensor, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Tensor:
    """The gradient of `embedding_rows` for its weight; negative `padding_idx`: no padding row."""
    index = K.cast(K.reshape(indices, (-1,)), int64)
    width = tuple(grad.shape[indices.ndim :])
    rows = K.reshape(grad, (index.shape[0], *width))
    factor: Any = None
    if scale_grad_by_freq:
        uses = K.index_add(
            K.new_zeros(grad, (num_weights,)), 0, index, K.new_ones(grad, index.shape)
        )
        factor = 1 / K.index_select(uses, 0, index)
    if padding_idx >= 0:
        kept = K.cast(K.ne(index, padding_idx), grad.dtype)
        factor = kept if factor is None else factor * kept
    if factor is not None:
        rows = rows * K.reshape(factor, (-1,) + (1,) * len(width))
    return K.index_add(K.new_zeros(grad, (num_weights, *width)), 0, index, rows)


def _row_gradient(
    K: Any,
    g: Tensor,
    weight_shape: Any,
    indices: Tensor,
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> Tensor:
    """`embedding_backward` as rows, where nobody records it and Python can look at the indices."""
    if grad_mode() or not is_readable(g) or scale_grad_by_freq:
        return K.embedding_backward(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)
    index = K.cast(K.reshape(indices, (-1,)), int64)
    rows = K.reshape(g, (index.shape[0], *weight_shape[1:]))
    if padding_idx >= 0:
        kept = K.ne(index, padding_idx)
        index, rows = index[kept], rows[kept]
    return row_sparse(index, rows, weight_shape[0])


@composite(
    indexing(
        apart=("indices",),
        samples=lambda make: [
            (make(5, 3), make(2, 4, low=0, high=5, integer=True), -1, False),
        ],
    ),
    grad={"weight": _row_gradient, "indices": NOT_DIFFERENTIABLE},
    raw_gradient=False,
    namespace="_",
)
def embedding_sparse_rows(
    weight: Tensor, indices: Tensor, padding_idx: int, scale_grad_by_freq: bool
) -> Tensor:
    """`embedding_rows` whose gradient holds the rows that were looked up, and no others."""
    return K.embedding_rows(weight, indices, padding_idx, scale_grad_by_freq)


def _padding_row(padding_idx: int | None, rows: int) -> int:
    """`padding_idx` counted from the start, -1 where there is none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def _limit_norms(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to `max_norm`, in place and without history."""
    table = weight.detach()
    rows = K.unique(K.reshape(indices, (-1,)))
    picked = K.index_select(table, 0, rows)
    norms = power_norm(picked, norm_type, -1, True)
    factor = K.where(K.gt(norms, max_norm), max_norm / (norms + 1e-7), 1.0)
    table[rows] = picked * factor


@composite(
    indexing(
        apart=("input",),
        samples=lambda make: [
            (make(2, 4, low=0, high=5, integer=True), make(5, 3)),
            (make(low=0, high=5, integer=True), make(5, 3)),
        ],
    ),
    namespace=F,
)
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The row of weight (n, dim) for every index of (*): (*, dim).

    The row at `padding_idx` gets no gradient. Rows longer than `max_norm` are scaled down in place.
    With `sparse` the table's gradient holds the rows that were looked up and no others, for
    `optim.SparseAdam`, Adagrad and SGD. IndexError for an index outside the table.
    """
    if input.dtype.category is not Category.INTEGRAL:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {input.dtype} instead"
        )
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, but got shape {list(weight.shape)}")
    padding = _padding_row(padding_idx, weight.shape[0])
    if max_norm is not None:
        _limit_norms(weight, input, max_norm, norm_type)
    look_up = K.embedding_sparse_rows if sparse else K.embedding_rows
    found: Tensor = look_up(weight, input, padding, scale_grad_by_freq)
    return found


def _bag_samples(make: Any) -> list[Any]:
    weight = make(5, 3)
    index = make(2, 4, low=0, high=5, integer=True)
    flat = make(6, low=0, high=5, integer=True)
    offsets = K.storage_index(flat, 2) * 4
    weights = {"mode": "sum", "per_sample_weights": make(2, 4)}
    return [(index, weight), (index, weight, weights), (flat, weight, offsets, {"mode": "max"})]


@composite(indexing(FLOATING, whole=("input", "offsets"), samples=_bag_samples), namespace=F)
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of every bag of indices.

    Input (B, N), or (N) with `offsets` (B), where every bag begins; output (B, dim). Indices equal
    to `padding_idx` do not count; an empty bag gives 0.
    """
    if weight.ndim != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, (num_embeddings, dim), but got shape {list(weight.shape)}"
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}')."
        )
    index, bag, bags = _bags(input, offsets, include_last_offset)
    if not bags:
        return K.new_zeros(weight, (0, weight.shape[1]))
    if max_norm is not None:
        _limit_norms(weight, index, max_norm, norm_type)
    padding = _padding_row(padding_idx, weight.shape[0])
    look_up = K.embedding_sparse_rows if sparse else K.embedding_rows
    try:
        rows = look_up(weight, index, padding, scale_grad_by_freq)
    except IndexError:
        raise RuntimeError(
            f"embedding_bag(): expected indices in the range [0, {weight.shape[0]}), but some of "
            "input are not"
        ) from None
    counts = K.new_ones(weight, index.shape)
    if per_sample_weights is not None:
        rows = rows * K.reshape(per_sample_weights, (-1, 1))
    if padding >= 0:
        counts = K.cast(K.ne(index, padding), weight.dtype)
        rows = K.where(K.unsqueeze(K.ne(index, padding), 1), rows, 0.0)
    if mode == "max":
        return _largest_of_bags(rows, K.gt(counts, 0), bag, bags)
    total = K.index_add(K.new_zeros(weight, (bags, weight.shape[1])), 0, bag, rows)
    if mode == "sum":
        return total
    sizes = K.index_add(K.new_zeros(weight, (bags,)), 0, bag, counts)
    return total / K.unsqueeze(K.maximum(sizes, 1), 1)


def _bags(input: Tensor, offsets: Any, include_last_offset: bool) -> tuple[Tensor, Tensor, int]:
    """All indices, the number of each one's bag, and how many bags there are."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a "
                "mini-batch of "
                "fixed length sequences"
            )
        bags, length = input.shape
        number = K.unsqueeze(K.storage_index(input, bags), 1)
        bag = K.reshape(K.expand(number, (bags, length)), (-1,))
        return K.reshape(input, (-1,)), bag, bags
    if input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    if offsets is None or offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor if input is 1D")
    _check_offsets(offsets, input.shape[0])
    if include_last_offset:
        offsets = K.narrow(offsets, 0, 0, offsets.shape[0] - 1)
    begun = K.ge(K.unsqueeze(K.storage_index(input, input.shape[0]), 1), offsets)
    return input, K.sum(begun, 1) - 1, offsets.shape[0]


def _check_offsets(offsets: Tensor, count: int) -> None:
    """Raise where bags do not begin at the first index, or begin beyond the last."""
    if not offsets.shape[0] or not is_readable(offsets):
        return
    first, last = (K.select(offsets, 0, i).item() for i in (0, -1))
    if first != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {first}"
        )
    if last > count:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of "
            f"{last}"
        )
    if K.amin(offsets).item() < 0:
        raise IndexError("index out of range in self: offsets must not be negative")


def _largest_of_bags(rows: Tensor, counted: Tensor, bag: Tensor, bags: int) -> Tensor:
    """The maximum over each bag, by a table of bags and rows."""
    inside = K.eq(K.unsqueeze(K.storage_index(bag, bags), 1), bag)
    inside = K.bitwise_and(inside, counted)
    spread = K.where(K.unsqueeze(inside, 2), rows, -math.inf)
    found = K.max_dim(spread, 1)[0]
    return K.where(K.unsqueeze(K.any(inside, 1), 1), found, 0.0)


@composite(
    indexing(samples=lambda make: [(make(2, 3, low=0, high=4, integer=True), 5)]),
    grad=NOT_DIFFERENTIABLE,
    namespace=F,
    keywords={"input": "tensor"},
)
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (*) as int64 vectors (*, classes) with a single 1; classes found unless given."""
    if tensor.dtype is not int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}"
        )
    if tensor.numel() and (num_classes == -1 or is_readable(tensor)):
        low, high = K.amin(tensor).item(), K.amax(tensor).item()
        if low < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = high + 1
        if high >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    elif num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    same = K.eq(K.unsqueeze(tensor, -1), K.storage_index(tensor, num_classes))
    return K.cast(same, int64)
