"""Activation checkpointing, both variants and with a policy: the same gradients, less kept, no drift."""

import gc
import weakref

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.autograd import graph
from dispatch_core.testing import assert_close
from dispatch_core.utils import checkpoint as C
from dispatch_core.utils.checkpoint import CheckpointPolicy, checkpoint, checkpoint_sequential

BOTH = pytest.mark.parametrize("use_reentrant", [False, True])


@pytest.fixture
def model():
    dc.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)
    )


def gradients(model, call):
    model.zero_grad()
    dc.manual_seed(1)
    x = dc.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
    out = call(x)
    out.pow(2).sum().backward()
    after = dc.rand(3)
    return [out.detach(), x.grad, after, *(p.grad for p in model.parameters())]


@BOTH
def test_gradients_and_random_numbers_are_those_of_the_plain_call(model, use_reentrant):
    expected = gradients(model, model)
    for call in (
        lambda x: checkpoint(model, x, use_reentrant=use_reentrant),
        lambda x: checkpoint_sequential(model, 3, x, use_reentrant=use_reentrant),
        lambda x: checkpoint(
            lambda x: checkpoint(model, x, use_reentrant=use_reentrant) * 1,
            x,
            use_reentrant=use_reentrant,
        ),
    ):
        assert_close(gradients(model, call), expected)


@BOTH
def test_dropout_differs_where_random_states_are_not_kept(model, use_reentrant):
    expected = gradients(model, model)
    found = gradients(
        model,
        lambda x: checkpoint(model, x, use_reentrant=use_reentrant, preserve_rng_state=False),
    )
    assert_close(found[0], expected[0])
    assert not dc.allclose(found[1], expected[1])


def test_nothing_of_the_inside_is_kept():
    made = []

    def inside(x):
        y = x.exp()
        made.append(weakref.ref(y._raw))
        return y.sin()

    x = dc.ones(3, requires_grad=True)
    y = checkpoint(inside, x, use_reentrant=False)
    gc.collect()
    assert made[0]() is None
    y.sum().backward()
    assert len(made) == 2
    assert_close(x.grad, dc.exp(x.detach()) * dc.cos(dc.exp(x.detach())))


def test_recomputation_stops_when_all_is_there():
    calls = []

    def inside(x):
        y = x.exp()
        calls.append("between")
        z = y * y
        calls.append("after")
        return z.sum()

    for early, expected in ((True, 3), (False, 4)):
        calls.clear()
        x = dc.ones(3, requires_grad=True)
        with C.set_checkpoint_early_stop(early):
            y = checkpoint(inside, x, use_reentrant=False)
        y.backward()
        assert len(calls) == expected


def test_keywords_structures_and_higher_derivatives():
    def inside(pair, *, scale):
        return {"out": (pair["a"] ** 3 * scale).sum(), "other": pair["b"]}

    x = dc.tensor([1.0, 2.0], requires_grad=True)
    found = checkpoint(inside, {"a": x, "b": 3}, use_reentrant=False, scale=2.0)
    (g,) = dc.autograd.grad(found["out"], x, create_graph=True)
    assert g.tolist() == [6, 24]
    assert dc.autograd.grad(g.sum(), x)[0].tolist() == [12, 24]
    assert found["other"] == 3


def test_backward_twice_recomputes_twice():
    runs = []

    def inside(x):
        runs.append(1)
        return x.exp()

    x = dc.zeros(2, requires_grad=True)
    y = checkpoint(inside, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [2, 2]
    assert len(runs) == 3
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_a_group_of_passes_recomputes_once():
    runs = []

    def inside(x):
        runs.append(1)
        return x.exp(), x.sin()

    x = dc.zeros(2, requires_grad=True)
    a, b = checkpoint(inside, x, use_reentrant=False)
    with C.GraphExecGroup():
        a.sum().backward()
        b.sum().backward()
        with pytest.raises(RuntimeError, match="nested"), C.GraphExecGroup():
            pass
    assert x.grad.tolist() == [2, 2]
    assert len(runs) == 2


def test_a_call_that_does_not_repeat_itself_is_found_out():
    runs = []

    def changing(x):
        runs.append(1)
        return x.exp() if len(runs) == 1 else x.reshape(-1, 1).exp()

    def shrinking(x):
        runs.append(1)
        return x.exp().exp() if len(runs) == 1 else x * 2

    def growing(x):
        runs.append(1)
        return x.exp() if len(runs) == 1 else x.exp().exp()

    for call, message in ((changing, "different metadata"), (shrinking, "different number")):
        runs.clear()
        y = checkpoint(call, dc.ones(2, requires_grad=True), use_reentrant=False)
        with pytest.raises(C.CheckpointError, match=message):
            y.sum().backward()
    runs.clear()
    y = checkpoint(growing, dc.ones(2, requires_grad=True), use_reentrant=False, early_stop=False)
    with pytest.raises(C.CheckpointError, match="more tensors"):
        y.sum().backward()
    runs.clear()
    with C.set_checkpoint_debug_enabled(True):
        y = checkpoint(shrinking, dc.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(C.CheckpointError, match=r"from number 0 on: first \['exp', 'exp'.*\['mul'"):
        y.sum().backward()


def test_contexts_surround_the_first_and_the_repeated_run():
    seen = []

    class Noting:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            seen.append(self.name)

        def __exit__(self, *exc_info):
            seen.append(f"end of {self.name}")

    x = dc.ones(2, requires_grad=True)
    y = checkpoint(
        dc.exp, x, use_reentrant=False, context_fn=lambda: (Noting("first"), Noting("again"))
    )
    y.sum().backward()
    assert seen == ["first", "end of first", "again", "end of again"]


def test_a_policy_keeps_the_results_of_some_operators():
    calls = []
    exp, sin = dc.exp, dc.sin

    def counted(name, fn):
        return dc.override(name, fn=lambda input: calls.append(name) or fn(input))

    import numpy as np

    def inside(x):
        return dc.sin(dc.exp(x) * x)

    def run(context_fn):
        calls.clear()
        x = dc.tensor([0.5, 1.0], requires_grad=True)
        with counted("exp", np.exp), counted("sin", np.sin):
            y = checkpoint(inside, x, use_reentrant=False, context_fn=context_fn, early_stop=False)
            y.sum().backward()
        return x.grad, list(calls)

    plain, all_calls = run(C.noop_context_fn)
    assert all_calls == ["exp", "sin", "exp", "sin"]
    kept, fewer = run(lambda: C.create_selective_checkpoint_contexts([exp]))
    assert fewer == ["exp", "sin", "sin"]
    assert_close(kept, plain)
    asked = []

    def policy(ctx, op, *args):
        asked.append((ctx.is_recompute, op.op.name))
        return CheckpointPolicy.MUST_CPU_OFFLOAD if op is sin else False

    kept, fewer = run(lambda: C.create_selective_checkpoint_contexts(policy))
    assert fewer == ["exp", "sin", "exp"]
    assert_close(kept, plain)
    names = ["exp", "mul", "sin"]
    assert asked == [(again, name) for again in (False, True) for name in names]


def test_selective_checkpoints_refuse_what_they_cannot_do():
    with pytest.raises(TypeError, match="function or a list"):
        C.create_selective_checkpoint_contexts(3)
    with pytest.raises(ValueError, match="operator's function"):
        C.create_selective_checkpoint_contexts([len])
    x = dc.ones(2, requires_grad=True)

    def inside(x):
        y = x.exp()
        z = y.sin()
        with dc.no_grad():
            y.mul_(2)
        return z

    def contexts():
        return C.create_selective_checkpoint_contexts([dc.exp])

    y = checkpoint(inside, x, use_reentrant=False, context_fn=contexts)
    with pytest.raises(RuntimeError, match="has been mutated"):
        y.sum().backward()
    y = checkpoint(dc.exp, x, use_reentrant=False, context_fn=contexts)
    y.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="only one backward"):
        y.sum().backward()


def test_the_reentrant_variant_says_what_it_cannot_do():
    x = dc.ones(2, requires_grad=True)
    y = checkpoint(dc.exp, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match=r"incompatible with .grad\(\)"):
        dc.autograd.grad(y.sum(), x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        checkpoint(dc.exp, dc.ones(2), use_reentrant=True)
    y = checkpoint(dc.Tensor.detach, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match="not necessary"):
        y.sum().backward()
    for options in ({"scale": 1}, {"debug": True}, {"context_fn": lambda: None}):
        with pytest.raises(ValueError, match=r"Unexpected keyword|only supported"):
            checkpoint(dc.exp, x, use_reentrant=True, **options)


def test_arguments_are_checked():
    x = dc.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        assert_close(checkpoint(dc.exp, x), x.exp())
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        assert_close(checkpoint_sequential([dc.exp, dc.sin], 2, x), x.exp().sin())
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(dc.exp, x, use_reentrant=False, determinism_check="x")
    with pytest.raises(ValueError, match="debug=True is incompatible"):
        checkpoint(dc.exp, x, use_reentrant=False, debug=True, context_fn=lambda: None)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint_sequential([dc.exp], 1, x, use_reentrant=False, scale=1)


def test_other_hooks_stay_outside():
    seen = []
    x = dc.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        y = checkpoint(lambda x: x.exp().exp(), x, use_reentrant=False)
        z = y.exp()
    assert len(seen) == 1
    z.sum().backward()
    assert x.grad is not None


def test_states_of_devices():
    devices, states = C.get_device_states(dc.ones(1), dc.ones(1, device="example"), 3)
    assert [d.type for d in devices] == ["example"]
    first = dc.rand(3, device="example").cpu()
    C.set_device_states(devices, states)
    assert_close(dc.rand(3, device="example").cpu(), first)


def test_a_pass_that_failed_in_the_recomputation_may_be_run_again():
    runs = []

    def inside(x):
        runs.append(1)
        if len(runs) == 2:
            raise ValueError("mine")
        return (x * x).exp()

    x = dc.ones(2, requires_grad=True)
    y = checkpoint(inside, x, use_reentrant=False).sum()
    with pytest.raises(ValueError, match="mine"):
        y.backward()
    y.backward()
    assert x.grad.isfinite().all()
    assert len(runs) == 3


@BOTH
def test_the_repeated_run_has_the_autocast_of_the_first(use_reentrant):
    dc.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    seen = []
    model[2].register_forward_hook(lambda module, args, out: seen.append(out.dtype))

    def trained(wrapped, *, inside):
        model.zero_grad()
        x = dc.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
        with dc.autocast("cpu", dtype=dc.float16):
            loss = (
                checkpoint(model, x, use_reentrant=use_reentrant) if wrapped else model(x)
            ).sum()
            if inside:
                loss.backward()
        with dc.autocast("cpu"):
            if not inside:
                loss.backward()
            assert dc.get_autocast_dtype("cpu") is dc.bfloat16
        return [x.grad, *(p.grad for p in model.parameters())]

    for inside in (False, True):
        expected = trained(wrapped=False, inside=inside)
        assert_close(trained(wrapped=True, inside=inside), expected, rtol=0, atol=0)
    assert set(seen) == {dc.float16}

    plain = checkpoint(model, dc.ones(3, 4, requires_grad=True), use_reentrant=use_reentrant)
    seen.clear()
    with dc.autocast("cpu"):
        plain.sum().backward()
    assert set(seen) <= {dc.float32}
