"""A convolution or linear layer and the batch norm behind it as one layer, for evaluation."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from dispatch_core.nn._core import Tensor
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter

M = TypeVar("M", bound=Module)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that does what batch norm would do to its result.

    conv_w (C_out, ...), with `transpose` (C_in, C_out, ...); the other tensors (C_out), None for no
    bias, a scale of 1, a shift of 0: running mean `bn_rm` and variance `bn_rv`, scale `bn_w`, shift
    `bn_b`. Weight and bias have the dtypes of `conv_w` and `conv_b`.
    """
    scale = (bn_rv + bn_eps).rsqrt()
    if bn_w is not None:
        scale = bn_w * scale
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    bias = ((0 if conv_b is None else conv_b) - bn_rm) * scale
    if bn_b is not None:
        bias = bias + bn_b
    weight = (conv_w * scale.reshape(shape)).to(conv_w.dtype)
    bias = bias.to(bn_rm.dtype if conv_b is None else conv_b.dtype)
    return (
        Parameter(weight.detach(), conv_w.requires_grad),
        Parameter(bias.detach(), conv_w.requires_grad if conv_b is None else conv_b.requires_grad),
    )


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The same for a linear layer: linear_w (C_out, C_in)."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_conv_bn_eval(conv: M, bn: Any, transpose: bool = False) -> M:
    """A copy of a convolution that computes what it and `bn` behind it do in evaluation mode.

    `transpose` for transposed convolutions. RuntimeError while one of them is in training mode.
    """
    return _fused(conv, bn, transpose)


def fuse_linear_bn_eval(linear: M, bn: Any) -> M:
    """A copy of a linear layer that computes what it and `bn` behind it do in evaluation mode.

    RuntimeError while one of them is in training mode, or where the numbers of features differ and
    that of `bn` is not 1.
    """
    outputs = linear.out_features
    if bn.num_features not in (outputs, 1):
        raise RuntimeError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"{outputs} and {bn.num_features}"
        )
    return _fused(linear, bn, False)


def _fused(layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise RuntimeError("Fusion only for eval! Call eval() on both modules first.")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError("Fusion needs running statistics, which this batch norm does not track.")
    made = copy.deepcopy(layer)
    made.weight, made.bias = fuse_conv_bn_weights(
        made.weight,
        made.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return made
