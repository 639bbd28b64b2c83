"""What is compared of results that are not determined: phases of vectors, uninitialised memory, chance."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

Settle = Callable[[ModuleType, Any], Any]

LARGE = 1000
"""Results with as many elements are compared as distributions."""

LEVELS = (0.07, 0.15, 0.45, 0.55, 0.85)


CHANCE = (0.2, 0.1)
"""rtol and atol of quantiles."""


def _sizes(library: ModuleType, result: Any) -> Any:
    return result.stride(), library.zeros_like(result)


def _noise(library: ModuleType, result: Any) -> Any:
    return _chance(library, result) if result.numel() >= LARGE else library.zeros_like(result)


def _chance(library: ModuleType, result: Any) -> Any:
    if result.numel() < LARGE:
        return result
    ordered = result.detach().flatten().double().sort()[0]
    return [ordered[int(level * len(ordered))].item() for level in LEVELS]


def _magnitudes(library: ModuleType, result: Any) -> Any:
    """Vectors up to their phase."""
    return [part.abs() for part in result]


def _unordered(library: ModuleType, result: Any) -> Any:
    """Eigenvalues and vectors in one order, the vectors up to their phase."""
    values, *vectors = result if isinstance(result, tuple) else [result]
    order = (values.real + values.imag / 7).detach().argsort()
    places = order.unsqueeze(-2)
    return [
        values.gather(-1, order),
        *(v.abs().gather(-1, places.expand(v.shape)) for v in vectors),
    ]


SETTLED: dict[str, Settle] = {
    **dict.fromkeys(
        [
            "empty",
            "empty_like",
            "empty_permuted",
            "empty_strided",
            "Tensor.new_empty",
            "Tensor.new_empty_strided",
        ],
        _sizes,
    ),
    **dict.fromkeys(
        [
            "rand_like",
            "randint",
            "randint_like",
            "randn",
            "randn_like",
            "normal",
            "bernoulli",
            "Tensor.cauchy_",
            "Tensor.exponential_",
            "Tensor.geometric_",
            "Tensor.log_normal_",
            "Tensor.normal_",
            "Tensor.uniform_",
        ],
        _noise,
    ),
    **dict.fromkeys(
        [
            "multinomial",
            *(
                f"nn.functional.{name}"
                for name in [
                    "dropout",
                    "dropout2d",
                    "dropout3d",
                    "alpha_dropout",
                    "feature_alpha_dropout",
                    "rrelu",
                ]
            ),
        ],
        _chance,
    ),
    **dict.fromkeys(
        ["linalg.eigh", "linalg.svd", "svd", "svd_lowrank", "pca_lowrank", "linalg.qr", "qr"],
        _magnitudes,
    ),
    **dict.fromkeys(["linalg.eig", "linalg.eigvals"], _unordered),
}
