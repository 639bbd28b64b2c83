"""Views whose base changes its own shape in place, strided views, and the strides of nothing."""

import math

import pytest

import dispatch_core as dc


def base():
    x = dc.arange(9.0).reshape(3, 3).requires_grad_()
    return x, x * 1


RESHAPES = {
    "t_": lambda y: y.t_(),
    "unsqueeze_": lambda y: y.unsqueeze_(0),
    "transpose_": lambda y: y.transpose_(0, 1),
    "twice": lambda y: y.t_().t_(),
}


@pytest.mark.parametrize("name", RESHAPES)
def test_a_view_made_before_keeps_its_history(name):
    x, y = base()
    v = y[0]
    RESHAPES[name](y)
    (v * dc.arange(1.0, 4.0)).sum().backward()
    assert x.grad.tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0]]


def test_a_view_made_after_is_of_the_new_shape():
    x, y = base()
    y.t_()
    v = y[0]
    y.mul_(2)
    (v * dc.arange(1.0, 4.0)).sum().backward()
    assert x.grad.tolist() == [[2, 0, 0], [4, 0, 0], [6, 0, 0]]


def test_a_write_on_either_side_is_refused():
    _, y = base()
    v = y[0]
    y.t_()
    with pytest.raises(RuntimeError, match="make the view after that"):
        v.mul_(2)
    _, y = base()
    v = y[0]
    y.mul_(2)
    y.t_()
    with pytest.raises(RuntimeError, match="make the view after that"):
        v * 1


def test_a_view_of_what_was_detached_keeps_its_history():
    x, y = base()
    v = y[None]
    y.detach_()
    assert v.requires_grad
    v.sum().backward()
    assert x.grad.tolist() == [[1] * 3] * 3


def test_memory_of_another_has_no_derivative():
    _, y = base()
    with pytest.raises(RuntimeError, match="no derivative"):
        y.set_(dc.ones(5))


@pytest.mark.parametrize(
    ("device", "copied"), [("cpu", False), ("cpu", True), ("example", False), ("minimal", False)]
)
def test_the_gradient_of_a_strided_view_follows_the_memory_of_the_input(device, copied):
    x = dc.arange(9.0, device=device).reshape(3, 3).requires_grad_()
    turned = x.t().clone() if copied else x.t()
    part = turned.as_strided((2, 2), (2, 1))
    assert part.tolist() == [[0, 1], [2, 3]]
    (part * dc.arange(4.0, device=device).reshape(2, 2)).sum().backward()
    assert x.grad.tolist() == [[0, 1, 2], [3, 0, 0], [0, 0, 0]]


def test_the_gradient_of_a_strided_view_of_a_part():
    x = dc.arange(9.0).requires_grad_()
    part = x[2:7].as_strided((2, 2), (2, 1))  # from where the part begins
    assert part.tolist() == [[2, 3], [4, 5]]
    part.sum().backward()
    assert x.grad.tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 0]


def test_elements_that_share_a_place_share_its_gradient():
    x = dc.ones(1, requires_grad=True)
    x.expand(4).as_strided((1,), (1,)).sum().backward()
    assert x.grad.tolist() == [1]


def test_the_strides_of_nothing_and_of_single_elements():
    assert dc.zeros(0, 3).stride() == (3, 1)
    assert dc.zeros(0, 3).is_contiguous()
    assert dc.zeros(2, 0, 3).stride() == (3, 3, 1)
    assert dc.zeros(2, 3).unsqueeze(-1).stride() == (3, 1, 1)
    assert dc.zeros(2, 3).unsqueeze(1).stride() == (3, 3, 1)
    assert dc.zeros(3).expand(2, 3).stride() == (0, 1)


def test_small_sigmoids_keep_their_digits():
    for dtype, places in ((dc.float32, 1e-6), (dc.float64, 1e-14)):
        values = [-80.0, -20.0, -17.0, 0.0, 20.0]
        x = dc.tensor(values, dtype=dtype)
        expected = [1 / (1 + math.exp(-v)) for v in values]
        dc.testing.assert_close(
            x.sigmoid(), dc.tensor(expected, dtype=dc.float64).to(dtype), rtol=places, atol=0
        )


def test_backward_within_backward():
    class Inner(dc.autograd.Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return x * 2

        @staticmethod
        def backward(ctx, g):
            if ctx.depth:
                with dc.enable_grad():
                    y = dc.ones(1, requires_grad=True)
                    Inner.apply(y, ctx.depth - 1).sum().backward()
                return y.grad, None
            return g * 2, None

    x = dc.ones(1, requires_grad=True)
    Inner.apply(x, 300).sum().backward()
    assert x.grad.tolist() == [2]
