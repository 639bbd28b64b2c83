"""`hash_tensor`: one number for many elements."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import dtype, float64, int64, uint64
from dispatch_core._families.base import REAL
from dispatch_core._families.reduction import Reduction
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dims
from dispatch_core._tensor import Tensor


class _Hash(Reduction):
    """Reductions whose result is a hash."""

    def result(self, op: Any, computed: dtype) -> dtype | None:
        return uint64


@composite(
    _Hash(
        REAL,
        nonempty=True,
        samples=lambda make: [(make(3, 4),), (make(3, 4), 0), (make(3, 5), 1, {"keepdim": True})],
    ),
    grad=NOT_DIFFERENTIABLE,
    out=True,
)
def hash_tensor(input: Tensor, dim: Any = None, *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """The exclusive or of the elements' bits along dimensions (uint64), as int64 or float64."""
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}; the only one is 0")
    dim = None if isinstance(dim, (tuple, list)) and not dim else dim
    dims = check_dims(dim, input.ndim)
    if not input.numel():
        K.hash_tensor.op.family.check(K.hash_tensor.op, (input, dim))
    wide = K.cast(input, float64 if input.is_floating_point() else int64)
    bits = K.reshape(K.bits_as(K.reshape(wide, (-1,)), int64), tuple(input.shape))
    for d in dims if input.ndim else ():
        n = bits.shape[d]
        while n > 1:  # halves are combined; an odd element waits
            half = n // 2
            joined = K.bitwise_xor(K.narrow(bits, d, 0, half), K.narrow(bits, d, half, half))
            bits = K.cat([joined, K.narrow(bits, d, 2 * half, n - 2 * half)], d)
            n = bits.shape[d]
    if not keepdim and dims and input.ndim:
        bits = K.squeeze(bits, dims)
    return K.cast(bits, uint64)
