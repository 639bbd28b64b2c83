"""What the tests of distributions share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dispatch_core as dc
from tests.distributions.cases import DISTRIBUTIONS

D = dc.distributions


def t(values: Any) -> dc.Tensor:
    """A float64 tensor of nested lists."""
    return dc.tensor(values, dtype=dc.float64)


def made(name: str, **options: Any) -> Any:
    """The distribution of a case."""
    return DISTRIBUTIONS[name](D, t, **options)


def drawn(distribution: Any, *shape: int, seed: int = 0) -> dc.Tensor:
    """Samples from a stream of their own."""
    dc.manual_seed(seed)
    return distribution.sample(shape)


def every(*without: str) -> Any:
    """Parametrize by the names of all distributions but these."""
    names = [name for name in DISTRIBUTIONS if name.split("-")[0] not in without]
    return pytest.mark.parametrize("name", names)


def close(a: Any, b: Any, tolerance: float = 1e-9) -> None:
    """Assert that a tensor has these values."""
    a = a.detach().numpy() if isinstance(a, dc.Tensor) else a
    b = b.detach().numpy() if isinstance(b, dc.Tensor) else b
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
