"""PyTorch's functions in the package itself that differ from `nn.functional`'s: arguments in another order.

Reductions are numbers there: 0 none (the default, whatever PyTorch's C++ declares), 1 mean, 2 sum. Programs
that were made by tracing call these.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.loss import reduced

_REDUCTIONS = ("none", "mean", "sum")


def _named(reduction: Any) -> str:
    """The name of a reduction by number; TypeError for what is no int, ValueError for another one."""
    if reduction.__class__ is not int:
        raise TypeError(
            f"argument 'reduction' must be int, not {type(reduction).__name__}: 0 (none), 1 (mean) or 2 "
            "(sum); nn.functional takes names"
        )
    if reduction not in (0, 1, 2):
        raise ValueError(f"reduction must be 0 (none), 1 (mean) or 2 (sum), got {reduction}")
    return _REDUCTIONS[reduction]


# -- layers ------------------------------------------------------------------------------------------


@public("")
def batch_norm(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool,
    momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.batch_norm` of (N, C, *); `cudnn_enabled` changes nothing."""
    found: Tensor = K.batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )
    return found


@public("")
def instance_norm(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.instance_norm` of (N, C, *); `cudnn_enabled` changes nothing."""
    found: Tensor = K.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )
    return found


@public("")
def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:  # fmt: skip
    """`nn.functional.embedding`: the rows of weight (V, E) at int indices (*), as (*, E).

    A negative `padding_idx` means none; IndexError for an index outside the table.
    """
    padding = padding_idx if padding_idx >= 0 else None
    found: Tensor = K.embedding(
        indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
    )
    return found


@public("")
def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    """`nn.functional.conv1d` to `conv3d`, or `conv_transpose1d` to `3d`, by the input's dimensions (N, C, *).

    RuntimeError for other numbers of dimensions.
    """
    n = input.ndim - 2
    if n not in (1, 2, 3):
        raise RuntimeError(
            f"convolution() expects an input (N, C, *) of 3 to 5 dimensions, got shape {list(input.shape)}"
        )
    if transposed:
        way = getattr(K, f"conv_transpose{n}d")
        return way(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(K, f"conv{n}d")(input, weight, bias, stride, padding, dilation, groups)


# -- losses ------------------------------------------------------------------------------------------


@public("")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:  # fmt: skip
    """`nn.functional.binary_cross_entropy_with_logits` with a numbered reduction."""
    found: Tensor = K.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_named(reduction), pos_weight=pos_weight
    )
    return found


@public("")
def kl_div(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """`nn.functional.kl_div` with a numbered reduction."""
    each = K.kl_div(input, target, reduction="none", log_target=log_target)
    return reduced(each, _named(reduction))  # that of nn.functional warns about its mean


@public("")
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """`nn.functional.poisson_nll_loss` with a numbered reduction."""
    found: Tensor = K.poisson_nll_loss(
        input, target, log_input, full, eps=eps, reduction=_named(reduction)
    )
    return found


@public("")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.hinge_embedding_loss` with a numbered reduction."""
    found: Tensor = K.hinge_embedding_loss(input, target, margin, reduction=_named(reduction))
    return found


@public("")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.margin_ranking_loss` with a numbered reduction."""
    found: Tensor = K.margin_ranking_loss(
        input1, input2, target, margin, reduction=_named(reduction)
    )
    return found


@public("")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.cosine_embedding_loss` with a numbered reduction."""
    found: Tensor = K.cosine_embedding_loss(
        input1, input2, target, margin, reduction=_named(reduction)
    )
    return found


@public("")
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """`nn.functional.triplet_margin_loss` with a numbered reduction."""
    found: Tensor = K.triplet_margin_loss(
        anchor, positive, negative, margin, p, eps, swap, reduction=_named(reduction)
    )
    return found


# -- norms -------------------------------------------------------------------------------------------


@public("")
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The square root of the sum of squared absolute values over dimensions (none given: over all)."""
    found: Tensor = K.linalg_vector_norm(input, 2, _dims(dim), keepdim)
    return found


@public("")
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of the singular values of matrices along two dimensions."""
    dim, keepdim = ((-2, -1), dim) if isinstance(dim, bool) else (dim, keepdim)
    found: Tensor = K.linalg_matrix_norm(input, "nuc", tuple(dim), keepdim)
    return found


@public("")
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The p-norms of the slices at each place of one dimension, the others of size 1; -1: of all, a scalar."""
    if dim == -1:
        whole: Tensor = K.linalg_vector_norm(v, pow)
        return whole
    others = tuple(d for d in range(v.ndim) if d != dim)
    found: Tensor = K.linalg_vector_norm(v, pow, others, True) if others else K.abs(v)
    return found


def _dims(dim: Any) -> Any:
    several = isinstance(dim, (tuple, list))
    return (tuple(dim) or None) if several else dim
