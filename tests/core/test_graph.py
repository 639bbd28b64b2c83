"""`autograd.graph`: hooks on what is saved, edges, hooks on several gradients, versions."""

import asyncio

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS
from dispatch_core.autograd import graph
from dispatch_core.testing import assert_close
from dispatch_core.testing._checks.common import cases, seeded
from dispatch_core.testing._samples import declared_operators, tensors_in

DIFFERENTIABLE = [
    d.op.name
    for d in declared_operators()
    if d.op.traits.differentiable and d.op.traits.outputs == 1 and not d.op.family.constant
]


def packed_as_lists():
    """Hooks that keep nothing of a tensor itself."""
    return graph.saved_tensors_hooks(
        lambda t: (t.tolist(), t.dtype, tuple(t.shape)),
        lambda kept: dc.tensor(kept[0], dtype=kept[1]).reshape(kept[2]),
    )


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_the_same_with_packed_tensors(name):
    op, front = OPERATORS[name].op, OPERATORS[name].front
    for _, sample in cases(op, "cpu", [dc.float64]):
        found = []
        for packing in (dc.enable_grad(), packed_as_lists()):
            leaves = []
            on = sample.map(lambda t: t.clone().requires_grad_() if t.dtype is dc.float64 else t)
            leaves = [t for t in on.tensors() if t.requires_grad]
            with packing:
                results = [t for t in tensors_in(on.call(seeded(op, front))) if t.requires_grad]
            if results:
                seeds = [dc.ones_like(t) for t in results]
                found.append(dc.autograd.grad(results, leaves, seeds, allow_unused=True))
        if found:
            for plain, packed in zip(*found, strict=True):
                assert (plain is None) == (packed is None)
                if plain is not None:
                    assert_close(packed, plain, equal_nan=True)


def test_hooks_see_each_saved_tensor_and_the_innermost_pair_is_asked():
    seen = []

    def hooks(name):
        return graph.saved_tensors_hooks(
            lambda t: seen.append((name, tuple(t.shape), t.requires_grad)) or t,
            lambda t: seen.append((name, "back")) or t,
        )

    x = dc.ones(2, requires_grad=True)
    with hooks("outer"):
        y = x.exp()
        with hooks("inner"):
            z = y * y
        w = z.sin()
    u = w * w
    u.sum().backward()
    forward = [("outer", (2,), False), *[("inner", (2,), False)] * 2, ("outer", (2,), False)]
    assert seen == [*forward, ("outer", "back"), *[("inner", "back")] * 2, ("outer", "back")]


def test_second_derivatives_and_functions_use_the_hooks():
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    with packed_as_lists():
        y = (x**3).sum()
    (g,) = dc.autograd.grad(y, x, create_graph=True)
    g.sum().backward()
    assert x.grad.tolist() == [6, 12]

    class Square(dc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    kept = []
    with graph.saved_tensors_hooks(lambda t: kept.append(t) or len(kept) - 1, kept.__getitem__):
        y = Square.apply(x)
    (g,) = dc.autograd.grad(y.sum(), x, create_graph=True)
    assert len(kept) == 1
    assert dc.autograd.grad(g.sum(), x)[0].tolist() == [2, 2]


def test_bad_hooks_and_refused_hooks_raise():
    x = dc.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.exp()
    with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor but got int"):
        y.sum().backward()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t.to("meta")):
        y = x.exp()
    with pytest.raises(RuntimeError, match="another device than 'cpu'"):
        y.sum().backward()
    with graph.saved_tensors_hooks(lambda t: 1 / 0, lambda t: t), pytest.raises(ZeroDivisionError):
        x.exp()
    with (
        graph.disable_saved_tensors_hooks("not here"),
        pytest.raises(RuntimeError, match="not here"),
        graph.save_on_cpu(),
    ):
        pass
    assert not dc._state.is_on("saved_tensors_hooks")


def test_hooks_belong_to_their_task():
    x = dc.ones(2, requires_grad=True)
    seen = []

    async def hooked():
        with graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
            await asyncio.sleep(0)
            x.exp()

    async def plain():
        await asyncio.sleep(0)
        x.exp()

    async def both():
        await asyncio.gather(hooked(), plain())

    asyncio.run(both())
    assert len(seen) == 1


@pytest.mark.parametrize("pin_memory", [False, True])
def test_saved_tensors_wait_on_the_host(pin_memory):
    x = dc.tensor([1.0, 2.0], device="example").requires_grad_()
    with graph.save_on_cpu(pin_memory):
        y = x * x
    y.sum().backward()
    assert x.grad.device.type == "example"
    assert x.grad.cpu().tolist() == [2, 4]


def test_saved_tensors_may_be_written_where_that_is_allowed():
    x = dc.ones(3, requires_grad=True)
    with graph.allow_mutation_on_saved_tensors() as kept:
        y = x * 2
        z = y * y
        y.mul_(0)
        z.sum().backward(retain_graph=True)
        assert x.grad.tolist() == [8, 8, 8]
        kept.clear()
        with pytest.raises(RuntimeError, match="outside of the 'allow_mutation"):
            z.sum().backward()


def test_an_edge_stands_for_its_tensor():
    x = dc.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
    _, logdet = dc.linalg.slogdet(x * 3)
    edge = graph.get_gradient_edge(logdet)
    assert (edge.node, edge.output_nr) == (logdet.grad_fn, 1)
    y = logdet * 2
    to_edge, to_leaf = dc.autograd.grad(y, (edge, graph.get_gradient_edge(x)), retain_graph=True)
    assert to_edge.item() == 2
    assert to_leaf.tolist() == [[1, 0], [0, 0.5]]
    from_edge = graph.get_gradient_edge(y)
    (found,) = dc.autograd.grad(from_edge, x, dc.ones(()), retain_graph=True)
    assert found.tolist() == [[1, 0], [0, 0.5]]
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(dc.ones(1))
    assert dc.autograd.grad(from_edge, x)[0].tolist() == [[1, 0], [0, 0.5]]


def test_an_edge_knows_what_its_gradient_looks_like():
    x = dc.ones(2, requires_grad=True)
    total = graph.get_gradient_edge((x * 2).sum())
    dc.autograd.backward(total, retain_graph=True)
    assert x.grad.tolist() == [2, 2]
    assert dc.autograd.grad(graph.get_gradient_edge(x), x, dc.ones(2))[0].tolist() == [1, 1]
    several = graph.get_gradient_edge(x * 2)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        dc.autograd.grad(several, x)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        dc.autograd.grad(several, x, dc.ones(3))
    by_hand = graph.GradientEdge(total.node, 0)
    assert dc.autograd.grad(by_hand, x, dc.ones(()), retain_graph=True)[0].tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="pass the gradient to begin with"):
        dc.autograd.grad(by_hand, x)


@pytest.mark.parametrize("pack", [lambda t: t.mul_(2), lambda t: t[0].zero_()])
def test_a_pack_hook_may_not_write_what_it_is_given(pack):
    x = dc.ones(2, requires_grad=True)
    with (
        graph.saved_tensors_hooks(pack, lambda t: t),
        pytest.raises(RuntimeError, match=r"wrote into the tensor .*clone"),
    ):
        x.exp()


def test_a_hook_on_several_gradients_runs_when_the_last_arrives():
    x = dc.ones(2, requires_grad=True)
    a = x * 2
    b = a * 3
    c = b * 4
    order = []
    for name, tensor in (("x", x), ("a", a), ("b", b), ("c", c)):
        tensor.register_hook(lambda _, name=name: order.append(name))

    def both(grads):
        order.append([None if g is None else g.tolist() for g in grads])

    graph.register_multi_grad_hook([b, c], both)
    c.sum().backward(retain_graph=True)
    assert order == ["c", "b", [[4, 4], [1, 1]], "a", "x"]
    order.clear()
    b.sum().backward(retain_graph=True)
    assert order == ["b", [[1, 1], None], "a", "x"]
    order.clear()
    dc.autograd.grad(c.sum(), [b])
    assert order == ["c", "b", [[4, 4], [1, 1]]]


def test_a_hook_on_several_gradients_runs_though_one_never_comes():
    class Nothing(dc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return None

    x = dc.ones(2, requires_grad=True)
    a = x * 2
    seen = []
    graph.register_multi_grad_hook([a, x], seen.append)
    (Nothing.apply(a) + x).sum().backward()
    ((none, found),) = seen
    assert none is None
    assert found.tolist() == [1, 1]


def test_a_hook_on_several_gradients_runs_once_a_pass():
    a, b = (dc.ones(2, requires_grad=True) for _ in range(2))
    c = a * b
    every, first = [], []
    handle = graph.register_multi_grad_hook([a, b, c], every.append)
    other = graph.register_multi_grad_hook([a, b, c], first.append, mode="any")
    c.sum().backward()
    a.sum().backward()
    assert [[g is not None for g in grads] for grads in every] == [[True] * 3, [True, False, False]]
    assert len(first) == 2
    handle.remove()
    other.remove()
    (a * b).sum().backward()
    assert (len(every), len(first)) == (2, 2)
    with pytest.raises(ValueError, match="one of"):
        graph.register_multi_grad_hook([a], every.append, mode="some")


def test_a_version_may_be_counted_by_hand():
    x = dc.ones(2, requires_grad=True)
    y = x * 1
    z = y.exp().sin()
    graph.increment_version([y, z])
    assert (y._version, z._version) == (1, 1)
    w = y * y
    graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        w.sum().backward()
    with dc.inference_mode():
        made = dc.ones(2)
    with pytest.raises(RuntimeError, match="Inference tensors"):
        graph.increment_version(made)
