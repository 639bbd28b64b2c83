"""grad, vjp, jacrev and functional_call: values, nesting, what is recorded for outside."""

import pytest

import dispatch_core as dc
from dispatch_core.func import (
    functional_call,
    grad,
    grad_and_value,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    stack_module_state,
    vjp,
    vmap,
)

x = dc.tensor([1.0, -2.0, 3.0])


def assert_close(a, b):
    dc.testing.assert_close(a, b)


def cube(a):
    return (a**3).sum()


def test_grad_and_its_nestings():
    assert_close(grad(cube)(x), 3 * x**2)
    assert_close(grad(lambda a: grad(cube)(a).sum())(x), 6 * x)
    assert_close(vmap(grad(cube))(dc.stack([x, 2 * x])), dc.stack([3 * x**2, 12 * x**2]))
    assert_close(grad(lambda a: vmap(grad(lambda b: b**3))(a).sum())(x), 6 * x)


def test_an_inner_gradient_does_not_mix_with_the_outer():
    found = grad(lambda a: a.sum() * grad(lambda y: a.sum() * y)(dc.tensor(2.0)))(x)
    assert_close(found, 2 * x.sum().expand(3))


def test_several_arguments_structures_and_aux():
    found, (value, aux) = grad_and_value(
        lambda p, s: ((p["w"] * s).sum(), p["w"] * 2), argnums=(0, 1), has_aux=True
    )({"w": x}, x + 1)
    assert_close(found[0]["w"], x + 1)
    assert_close(found[1], x)
    assert_close(value, (x * (x + 1)).sum())
    assert_close(aux, x * 2)


def test_nothing_is_recorded_unless_somebody_outside_wants_it():
    assert not grad(cube)(x).requires_grad
    w = dc.ones(3, requires_grad=True)
    found = grad(lambda a: (a * w).pow(2).sum())(x)
    assert found.requires_grad
    found.sum().backward()
    assert_close(w.grad, 4 * x)
    with dc.no_grad():
        assert not grad(lambda a: (a * w).sum())(x).requires_grad


def test_what_does_not_depend_on_the_argument_gets_zeros():
    assert_close(grad(lambda a: dc.tensor(1.0) + 0 * a.detach().sum())(x), dc.zeros(3))


def test_vjp_can_be_pulled_more_than_once():
    output, pull = vjp(lambda a, b: (a * b, a.sum()), x, x + 1)
    assert_close(output[1], x.sum())
    for _ in range(2):
        first, second = pull((dc.ones(3), dc.tensor(1.0)))
        assert_close(first, x + 2)
        assert_close(second, x)


def test_jacobians():
    assert_close(jacrev(lambda a: a**2)(x), (2 * x).diag())
    assert_close(jacrev(jacrev(cube))(x), (6 * x).diag())
    assert_close(jacrev(lambda a: a**2, chunk_size=2)(x), (2 * x).diag())
    found = jacrev(lambda a, b: {"s": a * b, "t": (a.sum(),)}, argnums=(0, 1))(x, x)
    assert found["s"][0].shape == (3, 3)
    assert found["t"][0][1].shape == (3,)
    assert_close(found["t"][0][1], dc.zeros(3))


def test_an_ensemble_and_gradients_for_each_sample():
    dc.manual_seed(0)
    models = [dc.nn.Linear(3, 2) for _ in range(4)]
    parameters, buffers = stack_module_state(models)
    assert buffers == {}
    assert parameters["weight"].is_leaf
    together = vmap(lambda p: functional_call(models[0], p, (x,)))(parameters)
    assert_close(together, dc.stack([m(x) for m in models]))
    samples = dc.randn(5, 3)

    def loss(p, sample):
        return functional_call(models[0], p, (sample,)).pow(2).sum()

    given = {name: p.detach() for name, p in models[0].named_parameters()}
    each = vmap(grad(loss), in_dims=(None, 0))(given, samples)
    for i in range(5):
        assert_close(each["weight"][i], grad(loss)(given, samples[i])["weight"])


class Counting(dc.nn.Module):
    """Writes its input into a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", dc.zeros(3))

    def forward(self, x):
        self.seen.add_(x)
        return (self.seen * x).sum()


def test_functional_call_may_write_what_stands_in_for_a_captured_buffer():
    module = Counting()

    def function(buffer, y):
        return functional_call(module, {"seen": buffer}, (y,))

    buffer = dc.zeros(3)
    assert grad(function, argnums=1)(buffer, x).tolist() == (2 * x).tolist()
    assert buffer.tolist() == x.tolist()
    assert not buffer.requires_grad
    found = dc.func.hessian(lambda y: function(dc.zeros(3), y))(x)
    assert_close(found, 2 * dc.eye(3))
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        grad(module)(x)
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        grad(lambda y: function(buffer, y))(x)

    def both(y):
        function(dc.zeros(3), y)
        return module(y)

    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        grad(both)(x)
    assert module.seen.tolist() == [0, 0, 0]


@pytest.mark.parametrize("transform", [grad, jacrev])
def test_arguments_that_are_not_differentiated_may_be_written(transform):
    kept = dc.zeros(3)

    def function(y, kept):
        return (kept.add_(y * y) * y).sum()

    assert_close(transform(function)(x, kept), 3 * x * x)
    assert kept.tolist() == (x * x).tolist()
    assert not kept.requires_grad


def test_functional_call_leaves_the_module_as_it_was():
    model = dc.nn.Linear(3, 2)
    before = dict(model.named_parameters())
    with pytest.raises(RuntimeError):
        functional_call(model, {"weight": dc.zeros(7, 7)}, (x,))
    assert all(p is before[name] for name, p in model.named_parameters())
    found = functional_call(model, {"wieght": dc.zeros(2, 3)}, (x,))
    assert_close(found, model(x))
    assert not hasattr(model, "wieght")
    with pytest.raises(RuntimeError, match="Unexpected key"):
        functional_call(model, {"wieght": dc.zeros(2, 3)}, (x,), strict=True)
    with pytest.raises(AttributeError, match="no attribute `5`"):
        functional_call(dc.nn.Sequential(model), {"5.weight": x}, (x,))
    with pytest.raises(TypeError, match="in_features"):
        functional_call(model, {"in_features": x}, (x,))
    with pytest.raises(RuntimeError, match="Missing"):
        functional_call(model, {"weight": dc.zeros(2, 3)}, (x,), strict=True)


MISTAKES = {
    "no number": lambda: grad(lambda a: a * 2)(x),
    "no tensor": lambda: grad(lambda a: 1.0)(x),
    "argnums": lambda: grad(cube, argnums=1)(x),
    "twice": lambda: grad(lambda a: a.sum(), argnums=(0, 0))(x),
    "aux": lambda: grad(cube, has_aux=True)(x),
    "integer": lambda: grad(lambda a: a.sum())(dc.arange(3)),
    "cotangents": lambda: vjp(lambda a: a, x)[1]((x, x)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_raise(name):
    with pytest.raises(RuntimeError):
        MISTAKES[name]()


def test_transforms_of_both_modes_and_vmap_mix():
    t = dc.tensor([1.0, 0.0, 2.0])
    diagonal = (3 * x**2).diag()

    def cubes(a):
        return a**3

    assert_close(jacfwd(jacrev(cube))(x), (6 * x).diag())
    assert_close(jacrev(jacfwd(cube))(x), (6 * x).diag())
    assert_close(jvp(grad(cube), (x,), (t,))[1], 6 * x * t)
    assert_close(grad(lambda a: jvp(cubes, (a,), (t,))[1].sum())(x), 6 * x * t)
    assert_close(vmap(lambda v: jvp(cubes, (x,), (v,))[1])(dc.eye(3)), diagonal)
    assert_close(jvp(vmap(cubes), (x,), (t,))[1], 3 * x**2 * t)
    assert_close(vmap(jacfwd(cubes))(dc.stack([x, x])), dc.stack([diagonal] * 2))


def test_what_a_pull_gives_is_not_recorded_unless_somebody_watches():
    x, weight = dc.rand(3), dc.ones(3, requires_grad=True)
    _, pull = vjp(lambda x: x.sin() * x, x)
    assert not grad(lambda v: pull(v)[0].sum())(dc.ones(3)).requires_grad
    assert not any(each.requires_grad for each in jvp(pull, (x,), (x,))[1])
    assert not linearize(lambda x: x.sin() * x, x)[1](dc.ones(3)).requires_grad
    assert linearize(lambda x: (x * weight).sin(), x)[1](dc.ones(3)).requires_grad
    assert grad(lambda v: (pull(v)[0] * weight).sum())(dc.ones(3)).requires_grad


held = [dc.zeros(3)]


class Holder:
    def __init__(self):
        self.kept = {"zeros": dc.zeros(3)}

    def __call__(self, y):
        self.kept["zeros"][:2].add_(y[:2])
        return y.sum()


CAPTURED = {
    "closure": lambda kept: lambda y: (kept.copy_(y), y.sum())[1],
    "view": lambda kept: lambda y: (kept[0].copy_(y[0]), y.sum())[1],
    "global": lambda kept: lambda y: (held[0].mul_(y), y.sum())[1],
    "instance": lambda kept: Holder(),
    "older value": lambda kept: lambda y, kept=kept * 1: (kept.copy_(y), y.sum())[1],
}
TRANSFORMS = {
    "grad": lambda f: grad(f)(x),
    "vjp": lambda f: vjp(f, x),
    "jacrev": lambda f: jacrev(f)(x),
    "jvp": lambda f: jvp(f, (x,), (x,)),
    "jacfwd": lambda f: jacfwd(f)(x),
    "hessian": lambda f: dc.func.hessian(f)(x),
    "outer": lambda f: grad(lambda z: (grad(lambda y: f(y * z))(x) * z).sum())(x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("where", CAPTURED)
def test_values_of_a_transform_are_not_written_into_captured_tensors(where, transform):
    kept = dc.zeros(3)
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        TRANSFORMS[transform](CAPTURED[where](kept))
    assert not kept.requires_grad
    assert kept.tolist() == held[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_a_function_makes_itself_it_may_write(transform):
    counted = dc.zeros(())

    def function(y):
        counted.add_(1)
        made = dc.zeros(3)
        made[:2].copy_(y[:2])
        return made.mul_(y).sum()

    TRANSFORMS[transform](function)
    assert counted >= 1
    assert not counted.requires_grad
    assert_close(grad(function)(x), 2 * x * dc.tensor([1.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    ("function", "cotangents"),
    [
        (lambda a: a, (x,)),
        (lambda a: a, [x]),
        (lambda a: (a, a), [x, x]),
        (lambda a: (a, a), x),
        (lambda a: {"a": a}, {"b": x}),
        (lambda a: a, None),
    ],
)
def test_cotangents_have_the_structure_of_the_output(function, cotangents):
    _, pull = vjp(function, x)
    with pytest.raises(RuntimeError, match="structure|scalar"):
        pull(cotangents)


def test_a_cotangent_of_one_number_may_be_left_out():
    _, pull = vjp(lambda a: (a**2).sum(), x)
    assert_close(pull(None)[0], 2 * x)
    with pytest.raises(TypeError, match="either Tensors or None, but got float"):
        pull(1.0)
