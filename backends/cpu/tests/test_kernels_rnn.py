"""Recurrent layers against one cell at a time, and their gradients against differences."""

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels import rnn

rng = np.random.default_rng(0)
T, N, WIDTH, H = 4, 3, 5, 2
GATES = {"lstm": 4, "gru": 3, "tanh": 1, "relu": 1}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(kind, x, state, w_ih, w_hh, b_ih, b_hh):
    h = state[0]
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if kind == "lstm":
        i, f, g, o = np.split(a + b, 4, axis=1)
        c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    if kind == "gru":
        (ar, az, an), (br, bz, bn) = np.split(a, 3, axis=1), np.split(b, 3, axis=1)
        n = np.tanh(an + sigmoid(ar + br) * bn)
        z = sigmoid(az + bz)
        return ((1 - z) * n + z * h,)
    return (np.tanh(a + b) if kind == "tanh" else np.maximum(a + b, 0),)


def make(kind, dtype=np.float64):
    rows = GATES[kind] * H
    shapes = [
        (T, N, WIDTH),
        *[(N, H)] * (1 + (kind == "lstm")),
        (rows, WIDTH),
        (rows, H),
        rows,
        rows,
    ]
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def forward(kind, arrays, reverse):
    if kind in {"lstm", "gru"}:
        return getattr(rnn, f"{kind}_layer")(*arrays, reverse)
    return rnn.rnn_layer(*arrays, kind, reverse)


def backward(kind, arrays, reverse, results, grads):
    states = 1 + (kind == "lstm")
    inputs = arrays[: 3 + states]
    saved = [results[0], *results[1 + states :]]
    if kind in {"lstm", "gru"}:
        return getattr(rnn, f"{kind}_layer_backward")(*inputs, reverse, *saved, *grads)
    return rnn.rnn_layer_backward(*inputs, kind, reverse, *saved, *grads)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_layer_is_a_loop_over_cells(kind, reverse):
    arrays = make(kind)
    states = 1 + (kind == "lstm")
    x, state, weights = arrays[0], tuple(arrays[1 : 1 + states]), arrays[1 + states :]
    output, *finals = forward(kind, arrays, reverse)
    for t in reversed(range(T)) if reverse else range(T):
        state = cell(kind, x[t], state, *weights)
        np.testing.assert_allclose(output[t], state[0])
    for got, expected in zip(finals[:states], state, strict=True):
        np.testing.assert_allclose(got, expected)
        assert not np.shares_memory(got, output)


@pytest.mark.parametrize("kind", GATES)
def test_biases_may_be_missing(kind):
    arrays = make(kind)
    without = forward(kind, [*arrays[:-2], None, None], False)
    zero = np.zeros_like(arrays[-1])
    np.testing.assert_allclose(without[0], forward(kind, [*arrays[:-2], zero, zero], False)[0])


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("arriving", [(True, True), (True, False), (False, True)])
def test_gradients_equal_differences(kind, reverse, arriving):
    arrays = make(kind)
    states = 1 + (kind == "lstm")
    results = forward(kind, arrays, reverse)
    shapes = [(T, N, H), *[(N, H)] * states]
    use = (arriving[0], *[arriving[1]] * states)
    grads = [rng.standard_normal(s) if used else None for s, used in zip(shapes, use, strict=True)]
    kept = [array.copy() for array in (*arrays, *results)]
    found = backward(kind, arrays, reverse, results, grads)

    def loss(changed):
        outs = forward(kind, changed, reverse)
        pairs = zip(grads, outs, strict=False)
        return sum(np.vdot(g, out) for g, out in pairs if g is not None)

    for i, (array, grad) in enumerate(zip(arrays, found, strict=True)):
        direction = rng.standard_normal(array.shape)
        step = 1e-6 * direction
        ahead = loss([*arrays[:i], array + step, *arrays[i + 1 :]])
        behind = loss([*arrays[:i], array - step, *arrays[i + 1 :]])
        expected = (ahead - behind) / 2e-6
        np.testing.assert_allclose(np.vdot(grad, direction), expected, rtol=1e-6, atol=1e-7)
    for array, before in zip((*arrays, *results), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize(("length", "batch"), [(0, 3), (4, 0)])
def test_empty(kind, length, batch):
    arrays = make(kind)
    arrays[0] = np.zeros((length, batch, WIDTH))
    states = 1 + (kind == "lstm")
    for i in range(states):
        arrays[1 + i] = arrays[1 + i][:batch]
    results = forward(kind, arrays, False)
    assert results[0].shape == (length, batch, H)
    np.testing.assert_array_equal(results[1], arrays[1])
    found = backward(kind, arrays, False, results, [results[0], *results[1 : 1 + states]])
    assert [g.shape for g in found] == [a.shape for a in arrays]


@pytest.mark.parametrize("kind", GATES)
def test_half_precision(kind):
    arrays = make(kind, ml_dtypes.bfloat16)
    results = forward(kind, arrays, False)
    assert {r.dtype for r in results} == {np.dtype(ml_dtypes.bfloat16)}
    wide = forward(kind, [a.astype(np.float32) for a in arrays], False)
    for got, expected in zip(results, wide, strict=True):
        np.testing.assert_allclose(got.astype(np.float32), expected, rtol=1e-2)


def test_saturated_gates():
    arrays = make("lstm", np.float32)
    arrays[5] = np.full(4 * H, -1e4, np.float32)
    with np.errstate(over="ignore"):
        output = forward("lstm", arrays, False)[0]
    np.testing.assert_array_equal(output, 0)
