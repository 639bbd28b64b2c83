"""Optimizer steps against the formulas of PyTorch's documentation, one array at a time."""

from itertools import product

import ml_dtypes
import numpy as np
import pytest

from dispatch_core.extend import STEP_FORMULAS
from dispatch_cpu.kernels import optim
from dispatch_cpu.kernels._optim_blocks import BLOCK

rng = np.random.default_rng(0)
DEFAULTS = {
    "sgd_step_": {"momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False},
    "adam_step_": {
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0,
        "decoupled_weight_decay": False,
    },
    "rmsprop_step_": {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0},
}


def with_defaults(name):
    """A step with the options of PyTorch's optimizer for what is not given."""
    kernel, formula = optim.steps()[name], STEP_FORMULAS[name]

    def step(params, *lists, steps=None, **options):
        options = {"maximize": False, **DEFAULTS[name], **options}
        rows = [steps or [2] * len(params)] if formula.rows else []
        return kernel(params, *lists, *rows, *[options[name] for name in formula.hyper])

    return step


sgd_step_, adam_step_, rmsprop_step_ = map(with_defaults, DEFAULTS)
SHAPES = [(3, 4), (), (0,), (1000,), (5,), (BLOCK + 100,), (90, 100)]


def arrays(dtype=np.float64):
    found = [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in SHAPES]
    found[-1] = found[-1].T  # a parameter whose memory is not contiguous
    return found


def zeros(params):
    return [np.zeros_like(p) for p in params]


def direction(p, g, weight_decay, maximize):
    return (-g if maximize else g) + weight_decay * p


def run(update, reference, dtype=np.float64, states=3, steps=3, **close):
    params = arrays(dtype)
    expected = [p.astype(np.float64) for p in params]
    state = [zeros(params) for _ in range(states)]
    memory = [{} for _ in params]
    for step in range(1, steps + 1):
        grads = [np.asarray(rng.standard_normal(p.shape)).astype(dtype) for p in params]
        kept = [g.copy() for g in grads]
        update(params, grads, state, [step] * len(params))
        for i, g in enumerate(grads):
            expected[i] = reference(expected[i], g.astype(np.float64), memory[i], step)
            np.testing.assert_array_equal(g, kept[i])
    for got, wanted in zip(params, expected, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(
            got.astype(np.float64), wanted, **(close or {"rtol": 1e-9, "atol": 1e-14})
        )


@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov"), [(0, 0, False), (0.9, 0.3, False), (0.9, 0, True)]
)
@pytest.mark.parametrize(("decay", "maximize"), list(product([0, 0.1], [False, True])))
def test_sgd(momentum, dampening, nesterov, decay, maximize):
    options = {"momentum": momentum, "dampening": dampening, "nesterov": nesterov}

    def reference(p, g, memory, step):
        g = direction(p, g, decay, maximize)
        if momentum:
            old = memory.get("b")
            memory["b"] = g if old is None else momentum * old + (1 - dampening) * g
            g = g + momentum * memory["b"] if nesterov else memory["b"]
        return p - 0.1 * g

    def update(p, g, s, steps):
        options_all = {**options, "weight_decay": decay, "maximize": maximize}
        sgd_step_(p, g, s[0] if momentum else None, lr=0.1, steps=steps, **options_all)

    run(update, reference)


def adam_reference(decay, decoupled, amsgrad, maximize):
    def reference(p, g, memory, step):
        g = direction(p, g, 0 if decoupled else decay, maximize)
        if decoupled:
            p = p * (1 - 0.01 * decay)
        memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
        memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g * g
        memory["x"] = np.maximum(memory.get("x", 0), memory["v"])
        square = memory["x"] if amsgrad else memory["v"]
        root = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        return p - 0.01 * memory["m"] / (1 - 0.9**step) / root

    return reference


@pytest.mark.parametrize(
    ("decay", "decoupled", "amsgrad", "maximize"),
    list(product([0, 0.1], [False, True], [False, True], [False, True])),
)
def test_adam(decay, decoupled, amsgrad, maximize):
    def update(p, g, s, steps):
        options = {"decoupled_weight_decay": decoupled, "maximize": maximize}
        largest = s[2] if amsgrad else None
        adam_step_(p, g, *s[:2], largest, steps=steps, lr=0.01, weight_decay=decay, **options)

    run(update, adam_reference(decay, decoupled, amsgrad, maximize))


@pytest.mark.parametrize(
    ("momentum", "centered", "decay", "maximize"),
    list(product([0, 0.9], [False, True], [0, 0.1], [False, True])),
)
def test_rmsprop(momentum, centered, decay, maximize):
    def reference(p, g, memory, step):
        g = direction(p, g, decay, maximize)
        memory["v"] = 0.99 * memory.get("v", 0) + 0.01 * g * g
        memory["a"] = 0.99 * memory.get("a", 0) + 0.01 * g
        square = memory["v"] - memory["a"] ** 2 if centered else memory["v"]
        memory["b"] = momentum * memory.get("b", 0) + g / (np.sqrt(square) + 1e-8)
        return p - 0.01 * memory["b"]

    def update(p, g, s, steps):
        options = {"momentum": momentum, "maximize": maximize}
        kept = s[1] if momentum else None, s[2] if centered else None
        rmsprop_step_(p, g, s[0], *kept, lr=0.01, weight_decay=decay, **options)

    run(update, reference)


@pytest.mark.parametrize(
    ("dtype", "close"),
    [
        (np.float32, {"rtol": 1e-4, "atol": 1e-6}),
        (np.float16, {"rtol": 5e-3, "atol": 2e-2}),
        (ml_dtypes.bfloat16, {"rtol": 3e-2, "atol": 3e-2}),
    ],
)
def test_narrow_dtypes(dtype, close):
    def update(p, g, s, steps):
        adam_step_(p, g, *s[:2], None, steps=steps, lr=0.01, eps=1e-8)

    run(update, adam_reference(0, False, False, False), dtype, **close)


def test_parameters_of_different_step_numbers_are_kept_apart():
    together = [np.ones(4), np.ones(4)]
    alone = [np.ones(4), np.ones(4)]
    grads = [np.full(4, 0.5), np.full(4, 0.5)]
    adam_step_(together, grads, zeros(grads), zeros(grads), None, steps=[1, 10], lr=0.1)
    for i, step in enumerate((1, 10)):
        one = [alone[i]]
        adam_step_(one, grads[:1], zeros(one), zeros(one), None, steps=[step], lr=0.1)
    np.testing.assert_array_equal(together, alone)
    assert together[0][0] != together[1][0]


def test_complex_parameters_are_pairs_of_reals():
    z = [rng.standard_normal(6) + 1j * rng.standard_normal(6)]
    pairs = [z[0].view(np.float64).copy()]
    g = [rng.standard_normal(6) + 1j * rng.standard_normal(6)]
    adam_step_(z, g, zeros(z), zeros(z), None, steps=[1], lr=0.1)
    real_g = [g[0].view(np.float64)]
    adam_step_(pairs, real_g, zeros(pairs), zeros(pairs), None, steps=[1], lr=0.1)
    np.testing.assert_allclose(z[0].view(np.float64), pairs[0])


def test_no_parameters():
    sgd_step_([], [], None, lr=0.1)
    adam_step_([], [], [], [], None, steps=[], lr=0.1)
