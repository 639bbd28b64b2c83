"""`hessian` and `linearize`, which are made of other transforms."""

import pytest

import dispatch_core as dc
from dispatch_core.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vmap


def energy(x, y):
    return (x.sin() * y).sum() + (x * x * x).sum()


def test_second_derivatives_of_one_argument():
    x, y = dc.tensor([0.3, 0.7]), dc.tensor([2.0, 3.0])
    expected = dc.diag(-x.sin() * y + 6 * x)
    dc.testing.assert_close(hessian(energy)(x, y), expected)


def test_second_derivatives_of_two_arguments():
    x, y = dc.tensor([0.3, 0.7]), dc.tensor([2.0, 3.0])
    (xx, xy), (yx, yy) = hessian(energy, argnums=(0, 1))(x, y)
    dc.testing.assert_close(xx, dc.diag(-x.sin() * y + 6 * x))
    dc.testing.assert_close(xy, dc.diag(x.cos()))
    dc.testing.assert_close(yx, dc.diag(x.cos()))
    dc.testing.assert_close(yy, dc.zeros(2, 2))


SECOND = {
    "hessian": hessian,
    "reverse over reverse": lambda f: jacrev(jacrev(f)),
    "reverse over forward": lambda f: jacrev(jacfwd(f)),
    "forward over forward": lambda f: jacfwd(jacfwd(f)),
    "forward over gradient": lambda f: jacfwd(grad(f)),
    "of a batch of one": lambda f: lambda x: vmap(hessian(f))(x[None])[0],
}


@pytest.mark.parametrize("second", SECOND)
def test_second_derivatives_through_slices_that_are_written(second):
    def written(x):
        buffer = x.new_zeros(3)
        buffer[0] = (x**3).sum()
        buffer[1:2].copy_(x[:1] * x[1] ** 2)
        buffer[2:].fill_(3.0)
        buffer[2] *= x[0]
        return buffer.sum()

    x = dc.tensor([1.0, 2.0])
    expected = dc.tensor([[6.0, 4.0], [4.0, 14.0]])
    dc.testing.assert_close(SECOND[second](written)(x), expected)


def test_over_a_batch():
    x = dc.arange(6.0).reshape(3, 2)
    found = vmap(hessian(lambda v: (v**3).sum()))(x)
    dc.testing.assert_close(found, dc.diag_embed(6 * x))


def test_a_function_is_linearized_once_and_pushed_often():
    calls = []

    def function(x, y):
        calls.append(1)
        return {"a": x.sin() * y, "b": y.sum()}

    x, y = dc.tensor([0.3, 0.7]), dc.tensor([2.0, 3.0])
    output, pushed = linearize(function, x, y)
    dc.testing.assert_close(output["a"], x.sin() * y)
    for tangents in ((dc.ones(2), dc.zeros(2)), (dc.tensor([1.0, -2.0]), dc.tensor([0.5, 4.0]))):
        found = pushed(*tangents)
        expected = jvp(lambda *p: {"a": p[0].sin() * p[1], "b": p[1].sum()}, (x, y), tangents)[1]
        dc.testing.assert_close(found["a"], expected["a"])
        dc.testing.assert_close(found["b"], expected["b"])
    assert len(calls) == 1


def test_within_another_transform():
    def slope(x):
        return linearize(lambda v: v**3, x)[1](dc.ones(2)).sum()

    x = dc.tensor([1.0, 2.0])
    dc.testing.assert_close(grad(slope)(x), 6 * x)


def test_tangents_of_the_wrong_shape():
    _, pushed = linearize(lambda x: x * 2, dc.ones(2))
    with pytest.raises(RuntimeError, match="shapes of the primals"):
        pushed(dc.ones(3))
    with pytest.raises(RuntimeError, match="shapes of the primals"):
        pushed(dc.ones(2), dc.ones(2))
