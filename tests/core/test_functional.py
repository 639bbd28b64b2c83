"""`autograd.functional`: products with Jacobians and Hessians, against closed forms."""

import pytest

import dispatch_core as dc
from dispatch_core.autograd import functional as F
from dispatch_core.testing import assert_close

X = dc.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=dc.float64)
Y = dc.tensor([0.5, -1.0], dtype=dc.float64)
EYE = dc.eye(2, dtype=dc.float64)


def two(x, y):
    return x @ y, (x * y).sum()


def cubes(y):
    return (y**3).sum()


WAYS = [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}]


@pytest.mark.parametrize("way", WAYS)
def test_jacobian(way):
    alone = F.jacobian(lambda y: y**2, Y, **way)
    assert_close(alone, dc.diag(2 * Y))
    (product_x, product_y), (sum_x, sum_y) = F.jacobian(two, (X, Y), **way)
    assert_close(product_x, dc.einsum("ik,j->ikj", EYE, Y))
    assert_close(product_y, X)
    assert_close(sum_x, Y.expand(2, 2))
    assert_close(sum_y, X.sum(0))
    assert not alone.requires_grad
    if "strategy" in way or not way:
        assert F.jacobian(lambda y: y[:0], Y, **way).shape == (0, 2)
    assert_close(
        F.jacobian(lambda y: dc.ones(3, dtype=y.dtype), Y, **way), dc.zeros_like(X[[0, 1, 1]])
    )


@pytest.mark.parametrize(
    "way", [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}]
)
def test_hessian(way):
    assert_close(F.hessian(cubes, Y, **way), dc.diag(6 * Y))
    (xx, xy), (yx, yy) = F.hessian(lambda x, y: (x * y**2).sum(), (X, Y), **way)
    mixed = dc.einsum("jk,k->jk", EYE, 2 * Y).expand(2, 2, 2)
    assert_close(xx, dc.zeros_like(xx))
    assert xx.shape == (2, 2, 2, 2)
    assert_close(xy, mixed)
    assert_close(yx, mixed.permute(2, 0, 1))
    assert_close(yy, dc.diag(2 * X.sum(0)))
    assert_close(F.hessian(lambda y: y.sum(), Y, **way), dc.zeros_like(X))


def test_products():
    v, w = dc.ones_like(X), dc.tensor([1.0, 2.0], dtype=dc.float64)
    outputs, (to_x, to_y) = F.vjp(two, (X, Y), (w, dc.tensor(3.0, dtype=dc.float64)))
    assert_close(outputs[0], X @ Y)
    assert_close(to_x, dc.outer(w, Y) + 3 * Y)
    assert_close(to_y, w @ X + 3 * X.sum(0))
    _, (product, total) = F.jvp(two, (X, Y), (v, w))
    assert_close(product, v @ Y + X @ w)
    assert_close(total, (v * Y + X * w).sum())
    for product_of in (F.hvp, F.vhp):
        value, found = product_of(cubes, Y, w)
        assert_close(value, cubes(Y))
        assert_close(found, 6 * Y * w)
    assert_close(F.vjp(cubes, Y)[1], 3 * Y**2)


def test_results_can_be_differentiated_further():
    y = Y.clone().requires_grad_()
    for way in WAYS[:2]:
        found = F.jacobian(lambda y: y**3, y, create_graph=True, **way)
        assert_close(dc.autograd.grad(found.sum(), y)[0], 6 * Y)
    for found in (
        F.vjp(cubes, y, create_graph=True)[1],
        F.jvp(lambda y: y**3, y, dc.ones_like(Y), create_graph=True)[1],
    ):
        assert_close(dc.autograd.grad(found.sum(), y)[0], 6 * Y)
    found = F.hvp(cubes, y, dc.ones_like(Y), create_graph=True)[1]
    assert_close(dc.autograd.grad(found.sum(), y)[0], dc.full_like(Y, 6))
    with dc.no_grad():
        assert_close(F.vjp(cubes, Y)[1], 3 * Y**2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.vjp(two, (X, Y)), RuntimeError, "can only be None"),
        (lambda: F.vjp(lambda y: y, Y, X), RuntimeError, "wrong size"),
        (lambda: F.vjp(cubes, [Y]), TypeError, "Tensor or a tuple of Tensors"),
        (lambda: F.vjp(lambda y: 3, Y), TypeError, "user-provided function"),
        (lambda: F.hessian(lambda y: y, Y), RuntimeError, "single element"),
        (lambda: F.hvp(lambda y: (y.sum(),), Y, Y), RuntimeError, "single Tensor"),
        (lambda: F.jacobian(lambda y: y, Y, strategy="x"), AssertionError, "forward-mode"),
        (
            lambda: F.jacobian(lambda y: y, Y, strategy="forward-mode"),
            NotImplementedError,
            "vector",
        ),
        (lambda: F.jacobian(lambda y: y, Y, strict=True, vectorize=True), RuntimeError, "strict"),
        (lambda: F.jacobian(lambda x, y: x, (X, Y), strict=True), RuntimeError, "independent"),
        (lambda: F.vjp(lambda y: y.detach(), Y, Y, strict=True), RuntimeError, "strict mode"),
        (lambda: F.hvp(lambda y: y.sum(), Y, Y, strict=True), RuntimeError, "independent"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def square(y):
    return (y**2).sum()


@pytest.mark.parametrize(
    ("call", "of"),
    [
        (lambda strict: F.jacobian(lambda y: 2 * y, Y, True, strict), "jacobian"),
        (lambda strict: F.vjp(lambda y: 2 * y, Y, Y, True, strict), "jacobian"),
        (lambda strict: F.jvp(lambda y: 2 * y, Y, Y, True, strict), "jacobian"),
        (lambda strict: F.hessian(lambda y: y.sum(), Y, False, strict), "jacobian"),
        (lambda strict: F.vhp(lambda y: y @ EYE[0] + y.sum() * 0, Y, Y, False, strict), "jacobian"),
    ],
)
def test_strict_refuses_derivatives_that_are_the_same_everywhere(call, of):
    call(False)
    with pytest.raises(RuntimeError, match=f"The {of} .* independent of input 0"):
        call(True)


def test_strict_takes_derivatives_that_vary():
    assert F.jacobian(square, Y, create_graph=True, strict=True).requires_grad
    assert F.vjp(lambda y: 2 * y, Y, Y.clone().requires_grad_(), True, True)[1].requires_grad
    assert_close(F.hessian(square, Y, strict=True), 2 * EYE)
