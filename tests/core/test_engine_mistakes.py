"""What a backward pass is given, and what hooks return, is checked; what fits is made to fit."""

import pickle

import pytest

import dispatch_core as dc


def leaf(*values):
    return dc.tensor(values, requires_grad=True)


def test_the_gradient_of_a_tensor_that_is_no_leaf_can_be_asked_for():
    x = leaf(1.0, 1.0, 1.0)
    y = x * 2
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [4, 4, 4]
    assert x.grad is None


def test_inputs_must_require_grad():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="does not require grad"):
        (x * 2).sum().backward(inputs=[dc.ones(2)])
    with pytest.raises(RuntimeError, match="non-empty inputs"):
        dc.autograd.grad((x * 2).sum(), [])
    with pytest.raises(TypeError, match="must be Tensor, not NoneType"):
        dc.autograd.grad(None, x)


def test_gradients_get_the_dtype_of_what_they_belong_to():
    x = leaf(1.0, 2.0)
    (x * x).backward(dc.ones(2, dtype=dc.float64))
    assert x.grad.dtype is dc.float32
    x = leaf(1.0, 2.0)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype is dc.float32


@pytest.mark.parametrize("change", [dc.Tensor.double, lambda g: g.to("meta")])
@pytest.mark.parametrize("where", ["leaf", "result", "before", "after"])
def test_a_hook_may_not_change_dtype_or_device(where, change):
    x = leaf(1.0, 2.0)
    y = x * 2
    if where == "before":
        y.grad_fn.register_prehook(lambda grads: (change(grads[0]),))
    elif where == "after":
        y.grad_fn.register_hook(lambda grads, _: (change(grads[0]), *grads[1:]))
    else:
        {"leaf": x, "result": y}[where].register_hook(change)
    with pytest.raises(
        RuntimeError, match=r"changed the type of value: expected dc.float32 on cpu"
    ):
        y.sum().backward()


@pytest.mark.parametrize(
    ("register", "hook", "kind"),
    [
        ("register_prehook", lambda go: 3, TypeError),
        ("register_prehook", lambda go: (), RuntimeError),
        ("register_hook", lambda gi, go: (gi[0],), RuntimeError),
        ("register_hook", lambda gi, go: (gi[0], 1), TypeError),
        ("register_hook", lambda gi, go: (gi[0], dc.ones(5)), RuntimeError),
    ],
)
def test_hooks_on_nodes_return_as_many_gradients_of_the_same_shape(register, hook, kind):
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0)
    z = x * y
    getattr(z.grad_fn, register)(hook)
    with pytest.raises(kind):
        z.sum().backward()


def test_a_hook_after_accumulation_returns_nothing():
    x = leaf(1.0)
    x.register_post_accumulate_grad_hook(lambda t: t)
    with pytest.raises(RuntimeError, match="should return None"):
        (x * 2).sum().backward()


def test_integers_get_no_history():
    y = dc.zeros(2, dtype=dc.int64)
    y.copy_(leaf(1.0, 2.0))
    assert not y.requires_grad


def test_what_is_overwritten_gets_a_zero_gradient():
    x = leaf(1.0, 2.0)
    y = x * 1
    y.copy_(dc.ones(2))
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_a_retained_gradient_is_that_of_the_last_value():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    y = x * 2
    y.retain_grad()
    y[0].mul_(3)
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5, 5]


def test_the_data_of_a_leaf():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        x.data = 3
    with pytest.raises(RuntimeError, match="floating point or complex"):
        x.data = dc.ones(2, dtype=dc.int64)
    (x * 1).sum().backward()
    x.data = dc.ones(3)
    with pytest.raises(RuntimeError, match="set .grad to None"):
        (x * 1).sum().backward()


def test_flags_and_gradients_of_the_wrong_kind():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="own grad"):
        x.grad = x
    with pytest.raises(TypeError, match="must be bool, not str"):
        x.requires_grad = "yes"


def test_a_batch_of_gradients():
    x = leaf(1.0, 2.0, 3.0)
    (found,) = dc.autograd.grad(x * x, x, dc.eye(3), is_grads_batched=True)
    assert found.tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
    with pytest.raises(RuntimeError, match="the batches"):
        dc.autograd.grad((x * x).sum(), x, None, is_grads_batched=True)


def test_a_result_is_pickled_as_a_leaf():
    y = leaf(1.0, 2.0) * 2
    again = pickle.loads(pickle.dumps(y))
    assert again.is_leaf
    assert again.requires_grad
    assert again.tolist() == [2, 4]


def test_dirty_inputs_must_be_returned():
    class Forgets(dc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="must all be outputs"):
        Forgets.apply(leaf(1.0) * 1)
