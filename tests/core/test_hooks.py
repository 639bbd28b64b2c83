"""Hooks on tensors, leaves and nodes; `retain_grad`."""

import gc
import weakref

import pytest

import dispatch_core as dc


def leaf(*values):
    return dc.tensor(list(values), dtype=dc.float64, requires_grad=True)


def test_a_hook_sees_the_gradient_and_may_change_it():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    assert seen == [[6.0, 12.0]]
    assert x.grad.tolist() == [180.0, 360.0]


def test_hooks_of_a_leaf_run_once_on_the_whole_gradient():
    x = leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3).backward()
    assert seen == [5.0]


def test_a_hook_of_a_leaf_may_change_what_is_accumulated():
    x = leaf(2.0)
    handle = x.register_hook(lambda g: g * 100)
    (x * 2).backward()
    assert x.grad.item() == 200.0
    handle.remove()
    handle.remove()
    (x * 2).backward()
    assert x.grad.item() == 202.0


def test_a_handle_as_a_context_manager():
    x = leaf(2.0)
    with x.register_hook(lambda g: g * 0):
        (x * 2).backward()
    (x * 2).backward()
    assert x.grad.item() == 2.0


def test_hooks_run_for_grad_too():
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: g + 1)
    (g,) = dc.autograd.grad(y * 1, x)
    assert g.item() == 7.0
    (g,) = dc.autograd.grad(y * 1, y)
    assert g.item() == 2.0


def test_hooks_run_in_the_order_of_their_registration():
    x = leaf(1.0)
    order = []
    for name in "abc":
        x.register_hook(lambda g, name=name: order.append(name))
    (x * 2).backward()
    assert order == ["a", "b", "c"]


def test_a_hook_belongs_to_the_history_that_the_tensor_had():
    x = leaf(1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    y.mul_(5)
    y.backward()
    assert seen == [5.0]


def test_a_hook_that_returns_nonsense():
    x = leaf(1.0)
    handle = x.register_hook(lambda g: 3)
    with pytest.raises(TypeError, match="expected a hook to return a Tensor or None"):
        (x * 2).backward()
    handle.remove()
    x.register_hook(lambda g: dc.ones(2, dtype=dc.float64))
    with pytest.raises(RuntimeError, match="changed the size"):
        (x * 2).backward()


def test_a_hook_that_raises():
    x = leaf(1.0)

    def angry(g):
        raise KeyError("angry")

    y = x * 2
    y.register_hook(angry)
    with pytest.raises(KeyError, match="angry"):
        y.backward()
    assert dc.is_grad_enabled()
    assert x.grad is None


def test_what_cannot_have_hooks():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        dc.ones(1).register_hook(print)
    with pytest.raises(TypeError, match="callable"):
        leaf(1.0).register_hook(3)


def test_post_accumulate_hooks():
    x = leaf(1.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.item())))
    (x * 2).backward()
    (x * 3).backward()
    assert seen == [(True, 2.0), (True, 5.0)]
    handle.remove()
    (x * 3).backward()
    assert len(seen) == 2
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_post_accumulate_hooks_may_step_at_once():
    x = leaf(1.0)

    def step(t):
        with dc.no_grad():
            t.sub_(t.grad * 0.5)
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    assert x.tolist() == [0.0]
    assert x.grad is None


def test_hooks_of_nodes():
    x = leaf(2.0)
    y = x * 3
    seen = []
    y.grad_fn.register_hook(lambda gi, go: seen.append((gi[0].item(), go[0].item())))
    pre = y.grad_fn.register_prehook(lambda go: (go[0] * 10,))
    y.backward(retain_graph=True)
    assert seen == [(30.0, 10.0)]
    pre.remove()
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 0, *gi[1:]))
    y.backward()
    assert x.grad.item() == 30.0


def test_hooks_of_nodes_with_several_outputs():
    x = leaf(3.0, 1.0)
    values, _ = dc.max(x.reshape(1, 2), 1)
    seen = []
    values.grad_fn.register_prehook(lambda go: seen.append([g is None for g in go]))
    values.sum().backward()
    assert seen == [[False, True]]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_hooks_see_recorded_gradients_with_create_graph():
    x = leaf(2.0)
    y = x * x
    seen = []
    y.register_hook(seen.append)
    (y * y).backward(create_graph=True)
    assert seen[0].requires_grad


def test_retain_grad():
    x = leaf(1.0, 2.0)
    y = x * 3
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert y.grad is None
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 12.0]
    x.retain_grad()  # of a leaf: nothing to do
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        dc.ones(1).retain_grad()


def test_retained_gradients_come_after_the_hooks():
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.backward()
    assert y.grad.item() == 2.0


def test_retained_gradients_are_replaced_not_added():
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    y.backward(retain_graph=True)
    y.backward()
    assert y.grad.item() == 2.0


def test_retain_grad_makes_no_cycle():
    x = leaf(1.0)
    gc.collect()
    gc.disable()
    try:
        y = x * 2
        y.retain_grad()
        (y * 1).backward()
        watched = weakref.ref(y)
        del y
        assert watched() is None
    finally:
        gc.enable()
