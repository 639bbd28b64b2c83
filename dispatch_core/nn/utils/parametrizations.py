"""Parametrizations that are often wanted: orthogonal matrices, weight norm and spectral norm."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn._core import F, Tensor, cat, eye, finfo, geqrf, linalg, matrix_exp, randn
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.utils._norms import (
    as_matrix,
    iterate_power,
    norm_except,
    output_dim,
    weight_of,
)
from dispatch_core.nn.utils.parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_MAPS = ("matrix_exp", "cayley", "householder")
_FIRST_STEPS = 15
"""Steps of the power iteration with which a spectral norm begins."""


def _weight(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _Orthogonal(Module):
    """Maps matrices to such with orthonormal columns, or rows where they are wider than high.

    Source: Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.
    """

    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.trivialized = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.size(-2) < x.size(-1)
        x = x.mT if wide else x
        q = self._reflected(x) if self.orthogonal_map == "householder" else self._rotated(x)
        if self.trivialized and self.base is not None:
            q = self.base @ q
        return q.mT if wide else q

    def _rotated(self, x: Tensor) -> Tensor:
        """By the exponential, or the Cayley map, of the skew-symmetric matrix of the lower triangle."""
        n, k = x.shape[-2:]
        lower = x.tril()
        if n != k:
            lower = cat([lower, lower.new_zeros((*x.shape[:-1], n - k))], -1)
        skew = lower - lower.mH
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(skew)
        else:
            one = eye(n, dtype=x.dtype, device=x.device)
            q = linalg.solve(one - 0.5 * skew, one + 0.5 * skew)
        return q if n == k else q[..., :k]

    def _reflected(self, x: Tensor) -> Tensor:
        """By Householder reflections; the diagonal holds the signs of the columns."""
        vectors = x.tril(-1)
        scales = 2.0 / (1.0 + (vectors * vectors).sum(-2))
        signs = x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        return linalg.householder_product(vectors, scales) * signs

    def right_inverse(self, value: Tensor) -> Tensor:
        if value.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {tuple(self.shape)}. Got a tensor "
                f"of shape {tuple(value.shape)}."
            )
        wide = value.size(-2) < value.size(-1)
        q = value.mT if wide else value
        if not self.trivialized:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            vectors, scales = geqrf(q)
            diagonal = vectors.diagonal(dim1=-2, dim2=-1)
            diagonal.sign_()
            diagonal[scales == 0.0] *= -1
            return vectors.mT if wide else vectors
        n, k = q.shape[-2:]
        if n != k:
            further = randn((*q.shape[:-1], n - k), dtype=q.dtype, device=q.device)
            q = _orthogonalized(cat([q, further], -1))
        else:
            q = q.clone() if _is_orthogonal(q) else _orthogonalized(q)
        self.base = q
        start = value.new_zeros(value.shape)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def _is_orthogonal(q: Tensor) -> bool:
    n = q.size(-1)
    error = (q.mH @ q - eye(n, dtype=q.dtype, device=q.device)).abs().sum(-1).amax()
    return float(error) < 10 * n * finfo(q.dtype).eps


def _orthogonalized(a: Tensor) -> Tensor:
    """The orthogonal factor of a matrix, with the signs of a unique one."""
    vectors, scales = geqrf(a)
    signs = vectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    return linalg.householder_product(vectors, scales) * signs


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a matrix, or each of a batch of them, orthogonal: `Q^H Q = 1`, or `Q Q^H = 1` where it is wide.

    `orthogonal_map` is "matrix_exp" (the default for square and complex matrices), "cayley" or
    "householder" (the default for the others). With `use_trivialization` the matrix moves about the
    one it begins as, which takes one more product; without, it begins elsewhere. Returns the
    module. ValueError for what is no matrix, and for other maps.
    """
    weight = _weight(module, name)
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """The weight of a magnitude and a direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, magnitude: Tensor, direction: Tensor) -> Tensor:
        return weight_of(direction, magnitude, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int = 0) -> Module:
    """Learn magnitude and direction of a weight apart (Salimans and Kingma, 2016).

    They are `parametrizations.weight.original0` and `original1`; the magnitude is the norm over all
    dimensions but `dim`, or over all with None. States that the older `nn.utils.weight_norm` saved
    are read, too. Returns the module.
    """
    _weight(module, name)
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *report: Any) -> None:
        for i, older in enumerate((f"{prefix}{name}_g", f"{prefix}{name}_v")):
            if older in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(older)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """Divides a weight by its largest singular value, which steps of the power method follow."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % n
        self.eps = eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            u, v = (
                F.normalize(weight.new_empty(size).normal_(), dim=0, eps=eps)
                for size in matrix.shape
            )
            u, v = iterate_power(matrix, u, v, _FIRST_STEPS, eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:  # its largest singular value is its norm
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._u, self._v = iterate_power(
                matrix, self._u, self._v, self.n_power_iterations, self.eps
            )
        return weight / self._u.vdot(matrix.mv(self._v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Keep the largest singular value of a weight at 1 (Miyato et al., 2018).

    The weight is taken as a matrix whose rows belong to `dim`: by default its outputs. In training
    each use takes `n_power_iterations` steps of the power method. Returns the module. ValueError
    where there is no such weight or the number of steps is not positive, IndexError for a `dim`
    that it has not.
    """
    weight = _weight(module, name)
    dim = output_dim(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
