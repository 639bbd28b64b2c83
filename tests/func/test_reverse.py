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


def test_functional_call_leaves_the_module_as_it_was():
    model = dc.nn.Linear(3, 2)
    before = dict(model.named_parameters())
    with pytest.raises(RuntimeError):
        functional_call(model, {"weight": dc.zeros(7, 7)}, (x,))
    assert all(p is before[name] for name, p in model.named_parameters())
    with pytest.raises(RuntimeError, match="no parameter or buffer"):
        functional_call(model, {"wieght": dc.zeros(2, 3)}, (x,))
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
