"""What the parametrizations and the older hooks share: norms of weights, and their largest singular value."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn._core import F, Tensor, linalg, no_grad
from dispatch_core.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d


def norm_except(weight: Tensor, dim: int) -> Tensor:
    """The norm over all dimensions but one, which stay with size 1; over all of them for dim -1."""
    if dim == -1:
        return linalg.vector_norm(weight)
    others = [d for d in range(weight.dim()) if d != dim % weight.dim()]
    return linalg.vector_norm(weight, dim=others, keepdim=True) if others else weight.abs()


def weight_of(direction: Tensor, magnitude: Tensor, dim: int) -> Tensor:
    """The weight of a direction and its magnitude (Salimans and Kingma, 2016)."""
    return direction * (magnitude / norm_except(direction, dim))


def output_dim(module: Any) -> int:
    """The dimension of a layer's weight that counts its outputs."""
    transposed = isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d))
    return 1 if transposed else 0


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight as a matrix with a row for each index of one dimension."""
    return weight.movedim(dim, 0).flatten(1)


def iterate_power(
    matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float
) -> tuple[Tensor, Tensor]:
    """Bring two vectors closer to the singular vectors of the largest singular value."""
    with no_grad():
        for _ in range(steps):
            u = F.normalize(matrix.mv(v), dim=0, eps=eps)
            v = F.normalize(matrix.mH.mv(u), dim=0, eps=eps)
    return u, v
