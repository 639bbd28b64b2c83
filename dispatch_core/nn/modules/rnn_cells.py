"""The cells of recurrent networks: one step of `RNN`, `LSTM` and `GRU`."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn._core import Tensor, empty, zeros
from dispatch_core.nn.modules._recurrent_steps import draw_weights, gru_step, lstm_step, rnn_step
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter

States = tuple[Tensor, ...]


class RNNCellBase(Module):
    """What the cells have: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`."""

    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        kwargs = factory(device, dtype)
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), **kwargs))
        self.weight_hh = Parameter(empty((rows, hidden_size), **kwargs))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, **kwargs)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight and bias anew, uniform within 1 / sqrt(hidden_size)."""
        draw_weights(self, self.hidden_size)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _weights(self) -> tuple[Tensor | None, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _batched(self, input: Tensor, states: States | None) -> tuple[Tensor, States]:
        """Input and states with a batch dimension, checked; the states are zeros if not given."""
        count = 2 if isinstance(self, LSTMCell) else 1
        for name, value in (("input", input), *(("hidden", s) for s in states or ())):
            if value.dim() not in (1, 2):
                raise ValueError(
                    f"{self._get_name()}: Expected {name} to be 1D or 2D, got "
                    f"{value.dim()}D instead"
                )
        x = input if input.dim() == 2 else input.unsqueeze(0)
        if x.shape[1] != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}"
            )
        if states is None:
            zero = zeros((x.shape[0], self.hidden_size), dtype=x.dtype, device=x.device)
            return x, (zero,) * count
        for state in states:
            if state.dim() != input.dim():
                raise RuntimeError(
                    f"hidden states must have as many dimensions as the input, {input.dim()}, but got "
                    f"{state.dim()}"
                )
        states = tuple(s if s.dim() == 2 else s.unsqueeze(0) for s in states)
        for i, state in enumerate(states):
            if state.shape[0] != x.shape[0]:
                raise RuntimeError(
                    f"Input batch size {x.shape[0]} doesn't match hidden{i} batch size "
                    f"{state.shape[0]}"
                )
            if state.shape[1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {state.shape[1]}, expected "
                    f"{self.hidden_size}"
                )
        return x, states


class RNNCell(RNNCellBase):
    """One step of `RNN`: (N, input_size) and a state (N, hidden_size), both also without N."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(
                f"Unknown nonlinearity: {self.nonlinearity}, expected 'tanh' or 'relu'"
            )
        x, (h,) = self._batched(input, None if hx is None else (hx,))
        h = rnn_step(self.nonlinearity, x, h, self._weights())
        return h if input.dim() == 2 else h.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: (N, input_size) and states (h, c), (N, hidden_size), also without N."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        if hx is not None and not isinstance(hx, tuple | list):
            raise TypeError(f"LSTMCell expected hx to be a pair (h, c), got {type(hx).__name__}")
        x, (h, c) = self._batched(input, None if hx is None else (hx[0], hx[1]))
        h, c = lstm_step(x, h, c, self._weights())
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of `GRU`: (N, input_size) and a state (N, hidden_size), both also without N."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, (h,) = self._batched(input, None if hx is None else (hx,))
        h = gru_step(x, h, self._weights())
        return h if input.dim() == 2 else h.squeeze(0)
