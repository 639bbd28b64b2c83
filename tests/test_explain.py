"""`dc.explain`: what a call would do, without doing it."""

import pytest

import dispatch_core as dc
from dispatch_core.backend.registry import backend_of


@pytest.fixture
def never():
    """A kernel of exp and matmul for float32 that must not run."""
    calls = []
    table = backend_of("cpu").kernels.as_provider("a-test")

    def kernel(*args):
        calls.append(args)
        return args[0]

    for op in ("exp", "matmul", "sum"):
        table.register(op, kernel, priority=99, dtypes=[dc.float32])
    yield calls
    table.remove_provider("a-test")


def test_layers_kernel_and_every_candidate(never):
    found = dc.explain(dc.exp, dc.ones(2, requires_grad=True))
    assert found.layers == ["autograd", "device"]
    assert found.kernel == "kernel a-test:kernel on cpu"
    assert [str(step) for step in found.steps] == [
        "1. [x] kernel a-test:kernel: serves float32",
        "1. [ ] kernel cpu:exp: a better one was found",
    ]
    assert not never


def test_layers_that_take_no_part_say_why():
    visits = dc.explain("exp", dc.ones(2)).calls[0].visits
    idle = {visit.name: visit.does for visit in visits if not visit.active}
    assert idle["autograd"] == "no argument requires grad, or grad mode is off"
    assert idle["promotion"] == "the operands have one dtype, or none is promoted"


def test_promotion_is_followed_to_the_dtype_that_is_computed_in(never):
    found = dc.explain("mul", dc.ones(2), dc.arange(2))
    assert found.layers == ["promotion", "device"]
    assert [call.op for call in found.calls[0].calls] == ["cast"]


def test_a_callable_is_followed_to_its_end_with_made_up_results(never):
    x, w = dc.ones(2, 3, requires_grad=True), dc.ones(3, 4)
    found = dc.explain(lambda: (x @ w).exp().t().sum(0))
    assert [call.op for call in found.calls] == ["matmul", "exp", "t", "sum"]
    assert "(2, 4)" in found.calls[1].arguments
    assert "(4, 2)" in found.calls[3].arguments
    assert all("autograd" in call.layers for call in found.calls)
    assert not never


def test_arguments_of_any_callable_are_passed_on():
    assert [c.op for c in dc.explain(lambda a, b: a + b * 2, dc.ones(2), b=dc.ones(2)).calls] == [
        "mul",
        "add",
    ]


def test_the_calls_of_a_body_are_shown_below_it():
    (call,) = dc.explain(lambda: dc.ones(4, requires_grad=True).var()).calls[-1:]
    assert call.op == "var"
    assert call.kernel.startswith("body of var")
    assert {"mean", "sub"} <= {inner.op for inner in call.calls}


def test_in_place_writes_are_left_out():
    x = dc.zeros(3)
    version = x._version
    found = dc.explain(lambda: x.add_(1).mul_(2))
    assert [call.op for call in found.calls] == ["add", "mul"]
    assert x.tolist() == [0, 0, 0]
    assert x._version == version
    dc.explain(lambda: dc.exp(x, out=x))
    assert x.tolist() == [0, 0, 0]


def test_a_backward_pass_ends_it():
    x = dc.ones(2, requires_grad=True)
    found = dc.explain(lambda: (x * 2).sum().backward())
    assert [call.op for call in found.calls][:2] == ["mul", "sum"]
    assert "backward" in found.note
    assert x.grad is None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_overrides_are_candidates_too():
    with dc.override("exp", dtypes=dc.float64, fn=abs), dc.override("exp", fn=abs):
        found = dc.explain("exp", dc.ones(1))
    assert [str(step) for step in found.steps] == [
        "0. [x] override override:abs: of this thread or task",
        "0. [ ] override override:abs: only for float64",
    ]
    assert found.kernel == "override:abs"


def test_a_predicate_is_asked_and_its_reason_shown():
    table = backend_of("cpu").kernels.as_provider("a-test")
    table.register("exp", abs, priority=99, when=lambda a: "too small" if a.size < 3 else None)
    try:
        small, large = dc.explain("exp", dc.ones(2)), dc.explain("exp", dc.ones(4))
    finally:
        table.remove_provider("a-test")
    assert small.steps[0].why == "declined: too small"
    assert small.kernel == "kernel cpu:exp on cpu"
    assert large.kernel == "kernel a-test:abs on cpu"


def test_what_would_be_raised_is_shown():
    found = dc.explain("matmul", dc.ones(2, 2, dtype=dc.bool), dc.ones(2, 2, dtype=dc.bool))
    assert found.kernel is None
    assert "NotImplementedError" in found.error
    assert "raises" in str(found)


def test_wrong_arguments_are_raised():
    with pytest.raises(TypeError, match=r"must be Tensor"):
        dc.explain("exp", 3)
    with pytest.raises(AttributeError, match="no operator 'nope'"):
        dc.explain("nope")


def test_a_callable_without_operators():
    assert str(dc.explain(lambda: 3)) == "no operator is called"


def test_explaining_leaves_no_trace():
    x = dc.ones(2, requires_grad=True)
    dc.explain("exp", x)
    y = dc.exp(x)
    assert y.grad_fn.name() == "ExpBackward0"
    assert y.tolist() == pytest.approx([2.7182817, 2.7182817])


# -- what is made up is told, and nothing is moved -------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "example"])
def test_random_numbers_are_not_moved(device):
    dropout, generator = dc.nn.Dropout(0.5), dc.Generator().manual_seed(5)

    def drawn():
        dropout(dc.ones(4))
        return dc.rand(3, device=device), dc.rand(2, generator=generator)

    dc.manual_seed(0)
    found = dc.explain(drawn)
    explained = dc.rand(3, device=device).tolist(), dc.rand(2, generator=generator).tolist()
    dc.manual_seed(0)
    generator.manual_seed(5)
    plain = dc.rand(3, device=device).tolist(), dc.rand(2, generator=generator).tolist()
    assert len(found.calls) >= 3
    assert explained == plain


@pytest.mark.parametrize("device", ["cpu", "example"])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: dc.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: dc.optim.Adam(p, lr=0.1),
        lambda p: dc.optim.AdamW(p, lr=0.1),
        lambda p: dc.optim.RMSprop(p, lr=0.1),
    ],
    ids=["sgd", "adam", "adamw", "rmsprop"],
)
def test_an_optimizer_step_is_explained(optimizer, device):
    p = dc.ones(3, device=device, requires_grad=True)
    o = optimizer([p])
    for _ in range(3):
        p.grad = dc.ones(3, device=device)
        before = p.tolist()
        found = dc.explain(o.step)
        assert found.calls[-1].op.endswith("step_")
        assert p.tolist() == before
        o.step()
        assert p.tolist() != before


def test_a_branch_on_a_made_up_value_is_told():
    x = dc.ones(3)
    found = dc.explain(lambda: x if x.sum() > 0 else -x)
    assert [call.op for call in found.calls][-1] == "neg"
    assert f"(a made-up value is read at {__file__}:" in found.note
    assert found.note in str(found)


@pytest.mark.parametrize("read", [dc.Tensor.item, dc.Tensor.tolist, repr, float, dc.Tensor.numpy])
def test_every_way_to_read_a_made_up_value_is_told(read):
    x = dc.ones(())
    assert "made-up value" in dc.explain(lambda: read(x * 2)).note
    assert dc.explain(lambda: read(x)).note == ""
    assert "made-up value" in dc.explain(lambda: read((x * 2).view(()).detach())).note


def test_a_value_that_a_write_left_out_would_have_changed_is_told():
    x = dc.zeros(2)
    assert "made-up value" in dc.explain(lambda: x.add_(1).tolist()).note
    assert "made-up value" in dc.explain(lambda: (dc.exp(x, out=x), x.tolist())).note


def test_a_shape_that_depends_on_values_is_told():
    x = dc.ones(3)
    found = dc.explain(lambda: x[x > 0] * 2)
    assert "the shape of a result depends on values" in found.note
    assert "(0,)" in found.calls[-1].arguments


def test_an_error_that_a_made_up_value_provoked_ends_the_explanation():
    x = dc.ones(3)
    found = dc.explain(lambda: 1 / x.sum().item())
    assert "stopped by ZeroDivisionError" in found.note
    with pytest.raises(ZeroDivisionError):
        dc.explain(lambda: 1 / 0)
