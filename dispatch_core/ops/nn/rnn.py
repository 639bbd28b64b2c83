"""Recurrent layers over a whole sequence, each one operator with one gradient.

Common shapes: input (T, N, I), h0 and c0 (N, H), w_ih (G * H, I), w_hh (G * H, H), biases (G * H)
or None, output (T, N, H). Gates stand in PyTorch's order: LSTM i f g o (G = 4), GRU r z n (G = 3).
`reverse` walks the sequence from its end. What a layer returns after output and last states is
saved for its gradient; in the gradient's body it counts as a variable of its own, whose gradients
go back through the layer, so that derivatives of any order are complete.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor

_WEIGHTS = ("w_ih", "w_hh", "b_ih", "b_hh")


def _samples(gates: int, cells: int, *rest: Any) -> Any:
    def make_samples(make: Any) -> list[Any]:
        weights = (make(gates * 2, 3), make(gates * 2, 2), make(gates * 2), make(gates * 2))
        states = (make(1, 2),) * (1 + cells)
        return [
            (make(3, 1, 3), *states, *weights, *rest, False),
            (make(2, 1, 3), *states, *weights[:2], None, None, *rest, True),
        ]

    return make_samples


# -- what the bodies share -------------------------------------------------------------------------


def _order(length: int, reverse: bool) -> Any:
    return range(length - 1, -1, -1) if reverse else range(length)


def _affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
    out = K.matmul(x, K.permute(weight, (1, 0)))
    return out if bias is None else out + bias


def _stacked(steps: dict[int, Any]) -> Tensor:
    return K.stack([steps[t] for t in range(len(steps))])


def _before(first: Tensor, after: Tensor, reverse: bool) -> Tensor:
    """The state that each time step started from, given the states after them."""
    length = after.shape[0]
    first = K.unsqueeze(first, 0)
    if reverse:
        return K.cat([K.narrow(after, 0, 1, length - 1), first])
    return K.cat([first, K.narrow(after, 0, 0, length - 1)])


def _plus(value: Any, grads: Tensor | None, t: int) -> Any:
    return value if grads is None else value + K.select(grads, 0, t)


def _start(grad: Tensor | None, like: Tensor) -> Any:
    return K.zeros_like(like) if grad is None else grad


def _rows(x: Tensor) -> Tensor:
    return K.reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))


def _weight_gradient(slopes: Tensor, x: Tensor) -> Any:
    return K.matmul(K.permute(_rows(slopes), (1, 0)), _rows(x))


def _gradients(
    input: Tensor, w_ih: Tensor, before: Tensor, slopes: Tensor, hidden_slopes: Tensor, *states: Any
) -> tuple[Any, ...]:
    """The gradients of input, states, both weights and both biases from those of the gates."""
    return (
        K.matmul(slopes, w_ih),
        *states,
        _weight_gradient(slopes, input),
        _weight_gradient(hidden_slopes, before),
        K.sum(slopes, (0, 1)),
        K.sum(hidden_slopes, (0, 1)),
    )


# -- Elman's network -------------------------------------------------------------------------------


@composite(
    custom(FLOATING, samples=_samples(1, 0, "tanh")),
    grad={
        ("input", "h0", *_WEIGHTS): lambda K, gs, input, h0, w_ih, w_hh, nonlinearity, reverse,
        out0: K.rnn_layer_backward(
            input, h0, w_ih, w_hh, nonlinearity, reverse, out0, gs[0], gs[1]
        )
    },
    outputs=2,
    namespace="_",
)  # fmt: skip
def rnn_layer(
    input: Tensor,
    h0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    nonlinearity: str,
    reverse: bool,
) -> Any:
    """h = act(w_ih x + b_ih + w_hh h + b_hh), act "tanh" or "relu": output and last h."""
    act = K.tanh if nonlinearity == "tanh" else K.relu
    from_input = _affine(input, w_ih, b_ih)
    steps, h = {}, h0
    for t in _order(input.shape[0], reverse):
        steps[t] = h = act(K.select(from_input, 0, t) + _affine(h, w_hh, b_hh))
    return _stacked(steps), K.clone(h)


@composite(custom(FLOATING), outputs=6, namespace="_")
def rnn_layer_backward(
    input: Tensor,
    h0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    nonlinearity: str,
    reverse: bool,
    output: Tensor,
    grad_output: Tensor | None,
    grad_h_n: Tensor | None,
) -> Any:
    """Gradients of `rnn_layer`: input, h0, w_ih, w_hh, b_ih, b_hh."""
    steps, dh = {}, _start(grad_h_n, h0)
    for t in _order(input.shape[0], not reverse):
        dh, h = _plus(dh, grad_output, t), K.select(output, 0, t)
        slope = 1 - h * h if nonlinearity == "tanh" else K.cast(K.gt(h, 0), h.dtype)
        steps[t] = dh * slope
        dh = K.matmul(steps[t], w_hh)
    slopes = _stacked(steps)
    return _gradients(input, w_ih, _before(h0, output, reverse), slopes, slopes, dh)


# -- LSTM ------------------------------------------------------------------------------------------


@composite(
    custom(FLOATING, samples=_samples(4, 1)),
    grad={
        ("input", "h0", "c0", *_WEIGHTS): lambda K, gs, input, h0, c0, w_ih, w_hh, reverse,
        out0,
        out3,
        out4: K.lstm_layer_backward(
            input, h0, c0, w_ih, w_hh, reverse, out0, out3, out4, *gs
        )
    },
    outputs=5,
    namespace="_",
)  # fmt: skip
def lstm_layer(
    input: Tensor,
    h0: Tensor,
    c0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    reverse: bool,
) -> Any:
    """i f o = sigmoid, g = tanh of the affine sums; c = f c + i g; h = o tanh(c).

    -> output, last h, last c, and the gates after activation (T, N, 4H) and cells (T, N, H).
    """
    from_input = _affine(input, w_ih, b_ih)
    hidden, gates, cells = {}, {}, {}
    h, c = h0, c0
    for t in _order(input.shape[0], reverse):
        i, f, g, o = K.chunk(K.select(from_input, 0, t) + _affine(h, w_hh, b_hh), 4, -1)
        i, f, g, o = K.sigmoid(i), K.sigmoid(f), K.tanh(g), K.sigmoid(o)
        c = f * c + i * g
        h = o * K.tanh(c)
        hidden[t], cells[t], gates[t] = h, c, K.cat([i, f, g, o], -1)
    return _stacked(hidden), K.clone(h), K.clone(c), _stacked(gates), _stacked(cells)


@composite(custom(FLOATING), outputs=7, namespace="_")
def lstm_layer_backward(
    input: Tensor,
    h0: Tensor,
    c0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    reverse: bool,
    output: Tensor,
    gates: Tensor,
    cells: Tensor,
    grad_output: Tensor | None,
    grad_h_n: Tensor | None,
    grad_c_n: Tensor | None,
    grad_gates: Tensor | None,
    grad_cells: Tensor | None,
) -> Any:
    """Gradients of `lstm_layer`: input, h0, c0, w_ih, w_hh, b_ih, b_hh."""
    cells_before = _before(c0, cells, reverse)
    steps, dh, dc = {}, _start(grad_h_n, h0), _start(grad_c_n, c0)
    for t in _order(input.shape[0], not reverse):
        dh = _plus(dh, grad_output, t)
        active = K.select(gates, 0, t)
        i, f, g, o = K.chunk(active, 4, -1)
        tanh_c = K.tanh(K.select(cells, 0, t))
        dc = _plus(dc + dh * o * (1 - tanh_c * tanh_c), grad_cells, t)
        parts = [dc * g, dc * K.select(cells_before, 0, t), dc * i, dh * tanh_c]
        slope = _plus(K.cat(parts, -1), grad_gates, t)
        steps[t] = slope * K.cat([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], -1)
        dc = dc * f
        dh = K.matmul(steps[t], w_hh)
    slopes = _stacked(steps)
    return _gradients(input, w_ih, _before(h0, output, reverse), slopes, slopes, dh, dc)


# -- GRU -------------------------------------------------------------------------------------------


@composite(
    custom(FLOATING, samples=_samples(3, 0)),
    grad={
        ("input", "h0", *_WEIGHTS): lambda K, gs, input, h0, w_ih, w_hh, reverse,
        out0,
        out2,
        out3: K.gru_layer_backward(
            input, h0, w_ih, w_hh, reverse, out0, out2, out3, *gs
        )
    },
    outputs=4,
    namespace="_",
)  # fmt: skip
def gru_layer(
    input: Tensor,
    h0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    reverse: bool,
) -> Any:
    """r z = sigmoid; n = tanh(w_in x + b_in + r (w_hn h + b_hn)); h = (1 - z) n + z h.

    -> output, last h, and the gates after activation (T, N, 3H) and what r multiplies (T, N, H).
    """
    from_input = _affine(input, w_ih, b_ih)
    hidden, gates, candidates = {}, {}, {}
    h = h0
    for t in _order(input.shape[0], reverse):
        r, z, n = K.chunk(K.select(from_input, 0, t), 3, -1)
        h_r, h_z, candidate = K.chunk(_affine(h, w_hh, b_hh), 3, -1)
        r, z = K.sigmoid(r + h_r), K.sigmoid(z + h_z)
        n = K.tanh(n + r * candidate)
        h = n + z * (h - n)
        hidden[t], gates[t], candidates[t] = h, K.cat([r, z, n], -1), candidate
    return _stacked(hidden), K.clone(h), _stacked(gates), _stacked(candidates)


@composite(custom(FLOATING), outputs=6, namespace="_")
def gru_layer_backward(
    input: Tensor,
    h0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    reverse: bool,
    output: Tensor,
    gates: Tensor,
    candidates: Tensor,
    grad_output: Tensor | None,
    grad_h_n: Tensor | None,
    grad_gates: Tensor | None,
    grad_candidates: Tensor | None,
) -> Any:
    """Gradients of `gru_layer`: input, h0, w_ih, w_hh, b_ih, b_hh."""
    before = _before(h0, output, reverse)
    steps, hidden_steps, dh = {}, {}, _start(grad_h_n, h0)
    for t in _order(input.shape[0], not reverse):
        dh = _plus(dh, grad_output, t)
        r, z, n = K.chunk(K.select(gates, 0, t), 3, -1)
        candidate, h = K.select(candidates, 0, t), K.select(before, 0, t)
        more_r, more_z, more_n = _split_gradient(grad_gates, t)
        dn = (dh * (1 - z) + more_n) * (1 - n * n)
        dz = (dh * (h - n) + more_z) * z * (1 - z)
        dr = (dn * candidate + more_r) * r * (1 - r)
        steps[t] = K.cat([dr, dz, dn], -1)
        hidden_steps[t] = K.cat([dr, dz, _plus(dn * r, grad_candidates, t)], -1)
        dh = dh * z + K.matmul(hidden_steps[t], w_hh)
    return _gradients(input, w_ih, before, _stacked(steps), _stacked(hidden_steps), dh)


def _split_gradient(grad_gates: Tensor | None, t: int) -> Any:
    if grad_gates is None:
        return 0.0, 0.0, 0.0
    return K.chunk(K.select(grad_gates, 0, t), 3, -1)
