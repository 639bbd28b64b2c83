"""One time step of each recurrent network, and one layer of it over a whole sequence."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core.nn import init
from dispatch_core.nn._core import F, Tensor, gru_layer, lstm_layer, rnn_layer, stack
from dispatch_core.nn.modules.module import Module

# input, hidden state(s), w_ih, w_hh, b_ih, b_hh
Weights = tuple[Tensor | None, ...]


def rnn_step(nonlinearity: str, x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """act(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh); x (N, in), h and the result (N, hidden)."""
    w_ih, w_hh, b_ih, b_hh = weights
    total = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)
    return total.tanh() if nonlinearity == "tanh" else total.relu()


def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, weights: Weights, w_hr: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The next hidden and cell state (Hochreiter and Schmidhuber, 1997; gates i, f, g, o).

    `w_hr` (proj, hidden) projects the hidden state.
    """
    w_ih, w_hh, b_ih, b_hh = weights
    i, f, g, o = (F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if w_hr is None else F.linear(h, w_hr)), c


def gru_step(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """The next hidden state (Cho et al., 2014; gates r, z, n, with r inside the product's bias)."""
    w_ih, w_hh, b_ih, b_hh = weights
    x_r, x_z, x_n = F.linear(x, w_ih, b_ih).chunk(3, -1)
    h_r, h_z, h_n = F.linear(h, w_hh, b_hh).chunk(3, -1)
    r = (x_r + h_r).sigmoid()
    z = (x_z + h_z).sigmoid()
    n = (x_n + r * h_n).tanh()
    return n + z * (h - n)


def _projected_lstm_layer(
    x: Tensor, h: Tensor, c: Tensor, weights: Weights, w_hr: Tensor | None, reverse: bool
) -> tuple[Tensor, Tensor, Tensor]:
    steps = range(x.shape[0])
    outputs: list[Any] = [None] * len(steps)
    for t in reversed(steps) if reverse else steps:
        h, c = lstm_step(x[t], h, c, weights, w_hr)
        outputs[t] = h
    return stack(outputs), h, c


def run_layer(
    mode: str, x: Tensor, states: tuple[Tensor, ...], weights: Weights, reverse: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One direction of one layer over a whole sequence: the one place that calls the operators.

    `x` is (T, N, in), the states (h0) or (h0, c0) are (N, hidden); `weights` are w_ih, w_hh, b_ih,
    b_hh (None where there is no bias) and, for an LSTM with a projection, w_hr. Returns the output
    (T, N, hidden) and the last states.
    """
    cell, projection = weights[:4], weights[4:]
    if mode == "LSTM":
        h0, c0 = states
        if projection:
            output, h, c = _projected_lstm_layer(x, h0, c0, cell, projection[0], reverse)
        else:
            output, h, c = lstm_layer(x, h0, c0, *cell, reverse)[:3]
        return output, (h, c)
    if mode == "GRU":
        output, h = gru_layer(x, states[0], *cell, reverse)[:2]
    else:
        nonlinearity = "tanh" if mode == "RNN_TANH" else "relu"
        output, h = rnn_layer(x, states[0], *cell, nonlinearity, reverse)[:2]
    return output, (h,)


def draw_weights(module: Module, hidden_size: int) -> None:
    """Draw every parameter uniform within 1 / sqrt(hidden_size)."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)
