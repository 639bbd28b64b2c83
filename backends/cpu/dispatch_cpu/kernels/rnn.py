"""Recurrent layers over a whole sequence: one product for all inputs, then one per time step.

Common shapes: input (T, N, I), h0 and c0 (N, H), w_ih (G * H, I), w_hh (G * H, H), biases (G * H)
or None, output (T, N, H). Gates stand in PyTorch's order: LSTM i f g o (G = 4), GRU r z n (G = 3).
`reverse` walks the sequence from its end. The gradients that arrive may be None, meaning zeros;
those of what a layer saved (gates, cells, candidates) arrive in derivatives of higher order only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dispatch_cpu.kernels._common import Array, accumulate_in_float32

Grads = tuple[Array, Array, Array, Array, Array, Array]


@accumulate_in_float32()
def rnn_layer(
    input: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    nonlinearity: str,
    reverse: bool,
) -> tuple[Array, Array]:
    """H = act(w_ih x + b_ih + w_hh h + b_hh), act being "tanh" or "relu". -> output, h_n."""
    output = _input_product(input, w_ih, b_ih, b_hh)
    from_hidden = np.empty_like(h0)
    h = h0
    for t in _steps(len(input), reverse):
        np.matmul(h, w_hh.T, out=from_hidden)
        h = output[t]
        h += from_hidden
        if nonlinearity == "tanh":
            np.tanh(h, out=h)
        else:
            np.maximum(h, 0, out=h)
    return output, h.copy()


@accumulate_in_float32()
def rnn_layer_backward(
    input: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    nonlinearity: str,
    reverse: bool,
    output: Array,
    grad_output: Array | None,
    grad_h_n: Array | None,
) -> Grads:
    """Gradients of `rnn_layer`: input, h0, w_ih, w_hh, b_ih, b_hh."""
    slopes = np.empty_like(output)
    dh = _start(grad_h_n, h0)
    for t in _steps(len(input), not reverse):
        if grad_output is not None:
            dh += grad_output[t]
        out, slope = output[t], slopes[t]
        if nonlinearity == "tanh":
            np.multiply(out, out, out=slope)
            np.subtract(1, slope, out=slope)
            slope *= dh
        else:
            np.multiply(dh, out > 0, out=slope)
        np.matmul(slope, w_hh, out=dh)
    before = _before(h0, output, reverse)
    grad_input, grad_w_ih, grad_b = _affine_backward(input, w_ih, slopes)
    return grad_input, dh, grad_w_ih, _weight_grad(before, slopes), grad_b, grad_b.copy()


@accumulate_in_float32()
def lstm_layer(
    input: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    reverse: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    """I f o = sigmoid, g = tanh of the affine sums; c = f c + i g; h = o tanh(c).

    -> output, h_n, c_n, and for the gradient gates (T, N, 4H) after activation and cells (T, N, H).
    """
    size = h0.shape[1]
    gates = _input_product(input, w_ih, b_ih, b_hh)
    output = np.empty((*gates.shape[:2], size), gates.dtype)
    cells = np.empty_like(output)
    from_hidden = np.empty((h0.shape[0], 4 * size), gates.dtype)
    part = np.empty_like(h0)
    h, c = h0, c0
    for t in _steps(len(input), reverse):
        gate = gates[t]
        np.matmul(h, w_hh.T, out=from_hidden)
        gate += from_hidden
        _sigmoid(gate[:, : 2 * size])
        _sigmoid(gate[:, 3 * size :])
        i, f, g, o = _split(gate, 4)
        np.tanh(g, out=g)
        np.multiply(f, c, out=cells[t])
        np.multiply(i, g, out=part)
        h, c = output[t], cells[t]
        c += part
        np.tanh(c, out=h)
        h *= o
    return output, h.copy(), c.copy(), gates, cells


@accumulate_in_float32()
def lstm_layer_backward(
    input: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    reverse: bool,
    output: Array,
    gates: Array,
    cells: Array,
    grad_output: Array | None,
    grad_h_n: Array | None,
    grad_c_n: Array | None,
    grad_gates: Array | None = None,
    grad_cells: Array | None = None,
) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """Gradients of `lstm_layer`: input, h0, c0, w_ih, w_hh, b_ih, b_hh."""
    slopes = np.empty_like(gates)
    dh, dc = _start(grad_h_n, h0), _start(grad_c_n, c0)
    tanh_cells = np.tanh(cells)
    cells_before = _before(c0, cells, reverse)
    size = h0.shape[1]
    for t in _steps(len(input), not reverse):
        if grad_output is not None:
            dh += grad_output[t]
        i, f, g, o = _split(gates[t], 4)
        tanh_c, slope = tanh_cells[t], slopes[t]
        di, df, dg, do = _split(slope, 4)
        np.multiply(dh, tanh_c, out=do)
        dc += dh * o * (1 - tanh_c * tanh_c)
        if grad_cells is not None:
            dc += grad_cells[t]
        np.multiply(dc, g, out=di)
        np.multiply(dc, cells_before[t], out=df)
        np.multiply(dc, i, out=dg)
        if grad_gates is not None:
            slope += grad_gates[t]
        dg *= 1 - g * g
        for begin, stop in ((0, 2 * size), (3 * size, 4 * size)):
            active = gates[t, :, begin:stop]
            slope[:, begin:stop] *= active * (1 - active)
        dc *= f
        np.matmul(slope, w_hh, out=dh)
    before = _before(h0, output, reverse)
    grad_input, grad_w_ih, grad_b = _affine_backward(input, w_ih, slopes)
    return grad_input, dh, dc, grad_w_ih, _weight_grad(before, slopes), grad_b, grad_b.copy()


@accumulate_in_float32()
def gru_layer(
    input: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    reverse: bool,
) -> tuple[Array, Array, Array, Array]:
    """R z = sigmoid; n = tanh(w_in x + b_in + r (w_hn h + b_hn)); h = (1 - z) n + z h.

    -> output, h_n, and for the gradient gates (T, N, 3H) after activation and what r multiplies,
    w_hn h + b_hn, as (T, N, H).
    """
    size = h0.shape[1]
    gates = _input_product(input, w_ih, b_ih, None)
    output = np.empty((*gates.shape[:2], size), gates.dtype)
    candidates = np.empty_like(output)
    from_hidden = np.empty((h0.shape[0], 3 * size), gates.dtype)
    h = h0
    for t in _steps(len(input), reverse):
        np.matmul(h, w_hh.T, out=from_hidden)
        if b_hh is not None:
            from_hidden += b_hh
        candidates[t] = from_hidden[:, 2 * size :]
        gate, out = gates[t], output[t]
        gate[:, : 2 * size] += from_hidden[:, : 2 * size]
        _sigmoid(gate[:, : 2 * size])
        r, z, n = _split(gate, 3)
        np.multiply(r, candidates[t], out=out)
        n += out
        np.tanh(n, out=n)
        np.subtract(h, n, out=out)
        out *= z
        out += n
        h = out
    return output, h.copy(), gates, candidates


@accumulate_in_float32()
def gru_layer_backward(
    input: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    reverse: bool,
    output: Array,
    gates: Array,
    candidates: Array,
    grad_output: Array | None,
    grad_h_n: Array | None,
    grad_gates: Array | None = None,
    grad_candidates: Array | None = None,
) -> Grads:
    """Gradients of `gru_layer`: input, h0, w_ih, w_hh, b_ih, b_hh."""
    slopes = np.empty_like(gates)
    hidden_slopes = np.empty_like(gates)
    before = _before(h0, output, reverse)
    dh = _start(grad_h_n, h0)
    size = h0.shape[1]
    for t in _steps(len(input), not reverse):
        if grad_output is not None:
            dh += grad_output[t]
        r, z, n = _split(gates[t], 3)
        dr, dz, dn = _split(slopes[t], 3)
        np.multiply(dh, 1 - z, out=dn)
        np.multiply(dh, before[t] - n, out=dz)
        if grad_gates is not None:
            more_r, more_z, more_n = _split(grad_gates[t], 3)
            dn += more_n
            dz += more_z
        dn *= 1 - n * n
        dz *= z * (1 - z)
        np.multiply(dn, candidates[t], out=dr)
        if grad_gates is not None:
            dr += more_r
        dr *= r * (1 - r)
        from_hidden = hidden_slopes[t]
        from_hidden[:, : 2 * size] = slopes[t, :, : 2 * size]
        np.multiply(dn, r, out=from_hidden[:, 2 * size :])
        if grad_candidates is not None:
            from_hidden[:, 2 * size :] += grad_candidates[t]
        dh = dh * z + from_hidden @ w_hh
    grad_input, grad_w_ih, grad_b_ih = _affine_backward(input, w_ih, slopes)
    grad_b_hh = hidden_slopes.sum((0, 1))
    return grad_input, dh, grad_w_ih, _weight_grad(before, hidden_slopes), grad_b_ih, grad_b_hh


def _steps(length: int, reverse: bool) -> Iterator[int]:
    return iter(range(length - 1, -1, -1) if reverse else range(length))


def _input_product(input: Array, w_ih: Array, *biases: Array | None) -> Array:
    """w_ih x plus the biases for all time steps at once, (T, N, G * H)."""
    t, n, size = input.shape
    flat = input.reshape(t * n, size) @ w_ih.T
    for bias in biases:
        if bias is not None:
            flat += bias
    return flat.reshape(t, n, w_ih.shape[0])


def _split(gate: Array, count: int) -> list[Array]:
    size = gate.shape[1] // count
    return [gate[:, k * size : (k + 1) * size] for k in range(count)]


def _sigmoid(x: Array) -> None:
    """Replace x by 1 / (1 + exp(-x)); an overflowing exp gives the right limit."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def _start(grad: Array | None, like: Array) -> Array:
    return np.zeros_like(like) if grad is None else grad.copy()


def _before(first: Array, after: Array, reverse: bool) -> Array:
    """The state that each time step started from, given the states after them, (T, N, H)."""
    if reverse:
        return np.concatenate((after[1:], first[None]))[: len(after)]
    return np.concatenate((first[None], after[:-1]))[: len(after)]


def _weight_grad(x: Array, slopes: Array) -> Array:
    rows = slopes.shape[0] * slopes.shape[1]
    return slopes.reshape(rows, slopes.shape[2]).T @ x.reshape(rows, x.shape[2])


def _affine_backward(input: Array, w_ih: Array, slopes: Array) -> tuple[Array, Array, Array]:
    """Gradients of the input product for the input, w_ih and a bias."""
    flat = slopes.reshape(slopes.shape[0] * slopes.shape[1], slopes.shape[2])
    grad_input = (flat @ w_ih).reshape(input.shape)
    return grad_input, _weight_grad(input, slopes), flat.sum(0)
