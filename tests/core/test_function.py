"""`autograd.Function`: operations with a backward of the user's own."""

import gc
import weakref

import pytest

import dispatch_core as dc
from dispatch_core.autograd import Function, once_differentiable


def leaf(*values, dtype=dc.float64):
    return dc.tensor(list(values), dtype=dtype, requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


def test_gradients_of_first_and_second_order():
    x = leaf(1.0, -2.0)
    assert dc.autograd.gradcheck(Cube.apply, (x,))
    assert dc.autograd.gradgradcheck(Cube.apply, (x,))
    assert Cube.apply(x).grad_fn.name() == "CubeBackward"


def test_the_context_knows_what_needs_gradients():
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, x, w, k):
            ctx.k = k
            return x * w * k

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g * ctx.k, None, None

    x = leaf(1.0)
    F.apply(x, dc.ones(1, dtype=dc.float64), 3).backward()
    assert seen == [(True, False, False)]
    assert x.grad.item() == 3.0


def test_forward_is_not_recorded_and_without_gradients_nothing_is():
    modes = []

    class F(Function):
        @staticmethod
        def forward(ctx, x):
            modes.append(dc.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx, g):
            modes.append(dc.is_grad_enabled())
            return g * 2

    y = F.apply(leaf(1.0))
    assert y.requires_grad
    y.backward()
    assert not F.apply(dc.ones(1)).requires_grad
    with dc.no_grad():
        assert not F.apply(leaf(1.0)).requires_grad
    assert modes == [False, False, False, False]


def test_setup_context():
    class F(Function):
        @staticmethod
        def forward(x, k):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    x = leaf(1.0)
    F.apply(x, 4.0).backward()
    assert x.grad.item() == 4.0


class Pair(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2, x * x

    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        ctx_seen.append((a, b))
        total = 0
        if a is not None:
            total = a * 2
        if b is not None:
            total = total + b * 2 * x
        return total


ctx_seen = []


def test_several_outputs_and_missing_gradients():
    x = leaf(3.0)
    a, b = Pair.apply(x)
    ctx_seen.clear()
    a.backward()
    assert ctx_seen[0][1].tolist() == [0.0]  # zeros stand for what did not arrive
    x.grad = None
    a, b = Pair.apply(x)
    (a + b).backward()
    assert x.grad.item() == 8.0
    assert dc.autograd.gradgradcheck(Pair.apply, (x,))


def test_materialization_can_be_switched_off():
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a is None, b is None))
            return a * 2

    x = leaf(1.0)
    F.apply(x)[0].backward()
    assert seen == [(False, True)]


def test_outputs_without_gradient():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            order = x.argsort() if hasattr(x, "argsort") else x.argmax()
            rounded = x.round()
            ctx.mark_non_differentiable(order, rounded)
            return x * 2, order, rounded

        @staticmethod
        def backward(ctx, g, *rest):
            return g * 2

    y, order, rounded = F.apply(leaf(3.0, 1.0))
    assert y.requires_grad
    assert not order.requires_grad
    assert not rounded.requires_grad


def test_dirty_arguments():
    class AddOne(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.add_(1)

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(1.0, 2.0)
    y = x * 2
    z = AddOne.apply(y)
    assert z is y
    assert y.grad_fn.name() == "AddOneBackward"
    (y * y).sum().backward()
    assert x.grad.tolist() == [2 * 3 * 2, 2 * 5 * 2]
    with pytest.raises(RuntimeError, match="leaf"):
        AddOne.apply(leaf(1.0))


def test_an_argument_returned_as_it_is():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g

    x = leaf(2.0)
    y = Same.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == -1.0


def test_saved_results_make_no_cycles():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = leaf(0.5)
    assert dc.autograd.gradcheck(Exp.apply, (x,))
    assert dc.autograd.gradgradcheck(Exp.apply, (x,))
    gc.collect()
    gc.disable()
    try:
        y = Exp.apply(x)
        watched = weakref.ref(y.grad_fn)
        del y
        assert watched() is None
    finally:
        gc.enable()


def test_saved_tensors_are_released_and_checked():
    x = leaf(2.0)
    y = Cube.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    z = x * 1
    y = Cube.apply(z)
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_once_differentiable():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return dc.from_numpy(2 * x.detach().numpy() * g.detach().numpy())

    x = leaf(3.0)
    F.apply(x).backward()
    assert x.grad.item() == 6.0
    (g,) = dc.autograd.grad(F.apply(x) * x, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_mistakes_in_backward():
    class TooFew(Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match=r"incorrect number of gradients .expected 2, got 1"):
        TooFew.apply(leaf(1.0), leaf(2.0)).backward()

    class NoTensor(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return 1.0

    with pytest.raises(TypeError, match="expected a Tensor or None"):
        NoTensor.apply(leaf(1.0)).backward()

    class WrongShape(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return dc.ones(3, dtype=dc.float64)

    with pytest.raises(
        RuntimeError, match=r"invalid gradient at index 0 - got .3. but expected shape"
    ):
        WrongShape.apply(leaf(1.0, 2.0)).sum().backward()

    class Wide(WrongShape):
        @staticmethod
        def backward(ctx, g):
            return dc.ones(4, 2, dtype=dc.float32)

    x = leaf(1.0, 2.0)
    Wide.apply(x).sum().backward()  # summed back and cast, as PyTorch does
    assert x.grad.tolist() == [4.0, 4.0]
    assert x.grad.dtype is dc.float64

    class Nothing(Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(leaf(1.0))

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="backward"):
        NoBackward.apply(leaf(1.0)).backward()


def test_non_tensor_results_pass_through():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, "note", 3

        @staticmethod
        def backward(ctx, g, *rest):
            return g * 2

    y, note, number = F.apply(leaf(1.0))
    assert (note, number) == ("note", 3)
    y.backward()


def test_a_function_inside_a_function():
    class Outer(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return Cube.apply(x) * 2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with dc.enable_grad():
                y = Cube.apply(x.detach().requires_grad_())
            (inner,) = dc.autograd.grad(y, y.grad_fn and [y], dc.ones_like(y))
            return g * 6 * x * x * inner

    x = leaf(2.0)
    Outer.apply(x).backward()
    assert x.grad.item() == 24.0


def test_backward_inside_backward():
    class Inner(Function):
        @staticmethod
        def forward(ctx, x):
            with dc.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = (ctx.x * ctx.x).sum()
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, g):
            with dc.enable_grad():
                ctx.y.backward()
            return ctx.x.grad * g

    x = leaf(1.0, 2.0)
    (Inner.apply(x * 3) * 2).backward()
    assert x.grad.tolist() == [36.0, 72.0]
