"""Forward mode: tangents derived from the gradient formulas, nested and mixed with reverse mode."""

from __future__ import annotations

import gc
import weakref
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


def test_reverse_over_forward_also_reaches_the_tangent() -> None:
    x = dc.tensor([1.0, 2.0], dtype=dc.float64, requires_grad=True)
    t = dc.tensor([1.0, 0.5], dtype=dc.float64, requires_grad=True)
    _, tangent = jvp(lambda z: z**3, (x,), (t,))
    gx, gt = dc.autograd.grad(tangent.sum(), (x, t))
    assert_close(gx, (6 * x * t).detach())
    assert_close(gt, (3 * x * x).detach())


def test_forward_over_reverse() -> None:
    x = dc.tensor([1.0, 2.0], dtype=dc.float64, requires_grad=True)
    t = dc.tensor([1.0, 0.5], dtype=dc.float64)
    for create_graph in (False, True):
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(x, t)
            for wanted in (x, dual):
                y = (dual**3).sum()
                (g,) = dc.autograd.grad(y, wanted, create_graph=create_graph)
                primal, tangent = forward_ad.unpack_dual(g)
                assert_close(primal.detach(), 3 * x.detach() ** 2)
                assert_close(tangent.detach(), 6 * x.detach() * t)
        assert forward_ad.unpack_dual(g).tangent is None
    third = dc.autograd.grad(tangent.sum(), x)[0]
    assert_close(third, 6 * t)


def test_the_tangent_does_not_count_as_a_way_from_input_to_output() -> None:
    # The tangent depends on x, but a gradient differentiates the function alone.
    x = dc.tensor([1.0, 2.0], dtype=dc.float64, requires_grad=True)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, 2 * x)
        (g,) = dc.autograd.grad((dual**3).sum(), x)
        assert_close(forward_ad.unpack_dual(g).tangent, 6 * x.detach() * 2 * x.detach())


@pytest.mark.filterwarnings("ignore:Using backward")
def test_accumulated_gradients_have_a_tangent_only_where_they_have_a_history() -> None:
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    with forward_ad.dual_level():
        (forward_ad.make_dual(x, dc.ones(2)) ** 3).sum().backward()
        (forward_ad.make_dual(x, dc.ones(2)) ** 3).sum().backward()
        assert forward_ad.unpack_dual(x.grad).tangent is None
        assert x.grad.tolist() == [6.0, 24.0]
        x.grad = None
        (forward_ad.make_dual(x, dc.ones(2)) ** 3).sum().backward(create_graph=True)
        assert forward_ad.unpack_dual(x.grad).tangent.tolist() == [6.0, 12.0]
    assert forward_ad.unpack_dual(x.grad).tangent is None
    x.grad = None


def test_a_saved_argument_that_was_written_afterwards_is_noticed() -> None:
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    with forward_ad.dual_level():
        t = dc.ones(2)
        dual = forward_ad.make_dual(x, t)
        y = (dual * dual).sum()
        t.mul_(3)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            dc.autograd.grad(y, x)


def test_a_graph_with_tangents_is_freed_without_the_garbage_collector() -> None:
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    gc.disable()
    try:
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(x, dc.ones(2))
            y = (dual.exp().tanh() * dual).sum()
            node = weakref.ref(y.grad_fn)
            dc.autograd.grad(y, x, create_graph=True)
            del y
            assert node() is None
    finally:
        gc.enable()


def test_second_derivatives_of_an_inner_function_are_not_mixed_up() -> None:
    # d/dx (x * d/dy (x + y)) = 1: the inner level must not take x for its own variable.
    one = dc.ones((), dtype=dc.float64)
    x = dc.tensor(2.0, dtype=dc.float64)
    _, tangent = jvp(lambda a: a * jvp(lambda b: a + b, (one,), (one,))[1], (x,), (one,))
    assert tangent.item() == 1.0


def test_gradcheck_of_forward_mode() -> None:
    x = dc.tensor([0.5, -0.7], dtype=dc.float64, requires_grad=True)
    z = dc.tensor([0.5 + 0.1j, -0.7j], dtype=dc.complex128, requires_grad=True)
    for fast in (False, True):
        assert dc.autograd.gradcheck(
            lambda v: (v.exp(), v.abs()), (z,), check_forward_ad=True, fast_mode=fast
        )
        assert dc.autograd.gradgradcheck(
            dc.exp, (x,), check_fwd_over_rev=True, check_rev_over_rev=False, fast_mode=fast
        )

    class Wrong(dc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t * 3

    assert dc.autograd.gradcheck(Wrong.apply, (x,))
    with pytest.raises(dc.autograd.GradcheckError, match="forward mode mismatch"):
        dc.autograd.gradcheck(Wrong.apply, (x,), check_forward_ad=True)
