"""Forward mode: tangents derived from the gradient formulas, nested and mixed with reverse mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core.autograd import forward_ad
from dispatch_core.func import jvp
from dispatch_core.testing import assert_close


def numerically(f: Callable[[Any], Any], x: Any, t: Any, step: float = 1e-6) -> Any:
    return (f(x + step * t) - f(x - step * t)) / (2 * step)


W = dc.tensor([[0.3, -1.2, 0.8], [1.1, 0.4, -0.6]], dtype=dc.float64)

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "element-wise": lambda x: (x * x).exp() / (x + 3),
    "broadcasting": lambda x: x * x.sum() + x[0],
    "view": lambda x: x.reshape(3, 1).transpose(0, 1)[:, 1:],
    "matmul": lambda x: W @ x,
    "reduction": lambda x: x.prod() + x.amax() + x.logsumexp(0),
    "softmax": lambda x: dc.softmax(x, 0),
    "list": lambda x: dc.cat([x, 2 * x, x * x]),
    "index": lambda x: x[[0, 2, 0]],
    "where": lambda x: dc.where(x > 0.2, x * 3, x * x),
    "convolution": lambda x: dc.nn.functional.conv1d(
        x.reshape(1, 1, 3), dc.ones(1, 1, 2, dtype=dc.float64)
    ),
    "scan": lambda x: x.cumsum(0) * x.cumprod(0),
    "norm": lambda x: dc.nn.functional.layer_norm(x.reshape(1, 3), (3,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangent_equals_the_directional_difference(name: str) -> None:
    f = FUNCTIONS[name]
    x = dc.tensor([0.5, -0.7, 1.3], dtype=dc.float64)
    t = dc.tensor([1.0, 0.4, -0.3], dtype=dc.float64)
    out, tangent = jvp(f, (x,), (t,))
    assert_close(out, f(x))
    assert_close(tangent, numerically(f, x, t), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_agrees_with_reverse(name: str) -> None:
    f = FUNCTIONS[name]
    x = dc.tensor([0.5, -0.7, 1.3], dtype=dc.float64, requires_grad=True)
    t = dc.tensor([1.0, 0.4, -0.3], dtype=dc.float64)
    out = f(x)
    g = dc.linspace(1, 2, out.numel(), dtype=dc.float64).reshape(out.shape)
    (back,) = dc.autograd.grad(out, x, g)
    _, tangent = jvp(f, (x.detach(),), (t,))
    assert_close((back * t).sum(), (g * tangent).sum())


def test_second_derivative_by_nesting() -> None:
    x = dc.tensor([1.0, 2.0], dtype=dc.float64)
    t = dc.tensor([1.0, 0.5], dtype=dc.float64)
    _, second = jvp(lambda y: jvp(lambda z: (z**3).sum(), (y,), (t,))[1], (x,), (t,))
    assert_close(second, (6 * x * t * t).sum())


def test_reverse_over_forward() -> None:
    x = dc.tensor([1.0, 2.0], dtype=dc.float64, requires_grad=True)
    t = dc.tensor([1.0, 0.5], dtype=dc.float64)
    _, tangent = jvp(lambda z: (z**3).sum(), (x,), (t,))
    (g,) = dc.autograd.grad(tangent, x)
    assert_close(g, 6 * x.detach() * t)


def test_complex_tangents_follow_the_holomorphic_derivative() -> None:
    z = dc.tensor([0.3 + 0.4j, -0.2 + 1.1j], dtype=dc.complex128)
    t = dc.tensor([1.0 - 0.5j, 0.2 + 0.7j], dtype=dc.complex128)
    _, tangent = jvp(lambda v: (v * v).exp(), (z,), (t,))
    assert_close(tangent, (z * z).exp() * 2 * z * t)


def test_levels_and_dual_tensors() -> None:
    x = dc.ones(2)
    with pytest.raises(RuntimeError, match="enter_dual_level"):
        forward_ad.make_dual(x, x)
    with forward_ad.dual_level():
        with pytest.raises(RuntimeError, match="different size"):
            forward_ad.make_dual(x, dc.ones(3))
        with pytest.raises(ValueError, match="floating point or complex"):
            forward_ad.make_dual(dc.ones(2, dtype=dc.int64), x)
        dual = forward_ad.make_dual(x, x * 2)
        assert dual.shape == (2,)
        assert dual.dtype is dc.float32
        primal, tangent = forward_ad.unpack_dual(dual * 3)
        assert primal.tolist() == [3.0, 3.0]
        assert tangent.tolist() == [6.0, 6.0]
        assert forward_ad.unpack_dual(x).tangent is None
    with pytest.raises(RuntimeError, match="no dual level"):
        forward_ad.exit_dual_level()


def test_wrong_arguments_of_jvp() -> None:
    x = dc.ones(2)
    with pytest.raises(RuntimeError, match="non-empty tuples"):
        jvp(dc.exp, x, x)
    with pytest.raises(RuntimeError, match="1 primals and 2 tangents"):
        jvp(dc.exp, (x,), (x, x))
