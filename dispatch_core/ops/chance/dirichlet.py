"""Random points of a simplex and their derivative by the concentrations."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import finfo, float64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import any_true
from dispatch_core.ops.chance._implicit import beta_slope
from dispatch_core.ops.chance.gamma import log_gamma_numbers


def _moved(K: Any, g: Any, concentration: Any, concentration_dtype: Any, out: Any) -> Any:
    """Coordinate i, a beta number, moves by its slope, every other j by -x_j / (1 - x_i) times that."""
    a, x = K.cast(concentration, float64), K.cast(out, float64)
    slope = K.dirichlet_grad(x, a, K.sum(a, -1, True))
    return K.cast(slope * (g - K.sum(x * g, -1, True)), concentration_dtype)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [(make(3, 4, low=0.2, high=3.0),)],
        constant=("concentration",),  # differences see the steps of the rejection
    ),
    grad={"concentration": _moved},
    random=True,
    namespace="_",
)
def sample_dirichlet(concentration: Tensor, generator: Any = None) -> Tensor:
    """Points of the simplex whose coordinates are gamma numbers over their sum along the last dimension."""
    if not concentration.ndim or any_true(K.le(concentration, 0)):
        raise RuntimeError(
            "sample_dirichlet expects a tensor of at least one dimension with all concentrations > 0, "
            f"but got one of shape {tuple(concentration.shape)} or other values"
        )
    numbers = K.softmax(log_gamma_numbers(concentration, generator), -1)
    limits = finfo(concentration.dtype)
    return K.clamp(K.cast(numbers, concentration.dtype), limits.tiny, 1 - limits.eps / 2)


@composite(
    pointwise(
        SAME,
        FLOATING,
        inplace=False,
        samples=lambda make: [
            (
                make(3, 4, low=0.1, high=0.9),
                make(3, 4, low=0.2, high=2.0),
                make(3, 1, low=2.5, high=4.0),
            )
        ],
    ),
    namespace="_",
)
def dirichlet_grad(x: Tensor, concentration: Tensor, total: Tensor) -> Tensor:
    """The derivative of a coordinate x by its own concentration, over 1 - x; `total` is the sum of all."""
    a, all_of_them = K.cast(concentration, float64), K.cast(total, float64)
    return K.cast(beta_slope(a, all_of_them - a, K.cast(x, float64)), x.dtype)
