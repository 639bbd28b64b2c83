"""Recurrent networks: `RNN`, `LSTM` and `GRU` over sequences."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn
from dispatch_core.nn._core import F, Tensor, cat, empty, stack, zeros
from dispatch_core.nn.modules._recurrent_steps import (
    draw_weights,
    run_layer,
)
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter
from dispatch_core.nn.utils.rnn import PackedSequence

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}

States = tuple[Tensor, ...]


def _run_packed(
    mode: str,
    x: Tensor,
    batch_sizes: list[int],
    states: States,
    weights: States,
    reverse: bool,
) -> tuple[Tensor, States]:
    """One direction of one layer over packed rows, the longest sequence first.

    Steps with the same number of running sequences are one call. Forwards, sequences that end leave
    their states behind; backwards, they join with their initial states.
    """
    spans: list[tuple[int, int, int]] = []  # first row, steps, running sequences
    row = 0
    for size in batch_sizes:
        if spans and spans[-1][2] == size:
            first, steps, _ = spans[-1]
            spans[-1] = (first, steps + 1, size)
        else:
            spans.append((row, 1, size))
        row += size
    outputs: list[Tensor] = []
    ended: list[States] = []
    current = tuple(s[: spans[-1][2] if reverse else spans[0][2]] for s in states)
    for first, steps, size in reversed(spans) if reverse else spans:
        running = current[0].shape[0]
        if reverse and size > running:
            current = tuple(
                cat([s, start[running:size]]) for s, start in zip(current, states, strict=True)
            )
        elif size < running:
            ended.append(tuple(s[size:] for s in current))
            current = tuple(s[:size] for s in current)
        rows = x[first : first + steps * size]
        output, current = run_layer(
            mode, rows.reshape(steps, size, rows.shape[-1]), current, weights, reverse
        )
        outputs.append(output.reshape(steps * size, output.shape[-1]))
    if ended:
        current = tuple(cat(parts) for parts in zip(current, *reversed(ended), strict=True))
    return cat(outputs[::-1] if reverse else outputs), current


class RNNBase(Module):
    """What the recurrent networks have: layers, directions and their weights.

    The weights of layer k are `weight_ih_l{k}`, `weight_hh_l{k}`, `bias_ih_l{k}`, `bias_hh_l{k}`
    and, with a projection, `weight_hr_l{k}`; those of the backward direction end in `_reverse`.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_arguments()
        self._weight_names: list[list[str]] = []
        gates = _GATES[mode] * hidden_size
        state_size = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            width = input_size if layer == 0 else state_size * directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (gates, width),
                "weight_hh": (gates, state_size),
            }
            if bias:
                shapes.update(bias_ih=(gates,), bias_hh=(gates,))
            if proj_size > 0:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
                self._weight_names.append(list(names))
                for name, shape in names.items():
                    setattr(self, name, Parameter(empty(shape, **factory(device, dtype))))
        self.reset_parameters()

    def _check_arguments(self) -> None:
        dropout: Any = self.dropout
        is_number = isinstance(dropout, int | float) and not isinstance(dropout, bool)
        if not (is_number and 0 <= dropout <= 1):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                f"element being zeroed, got {dropout!r}"
            )
        if dropout > 0 and self.num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
            )
        for name in ("input_size", "hidden_size", "num_layers"):
            size = getattr(self, name)
            if not isinstance(size, int):
                raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero, got {size}")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections, got "
                f"{self.proj_size}"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError(
                f"proj_size has to be smaller than hidden_size, got {self.proj_size} and "
                f"{self.hidden_size}"
            )
        if self.mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}")

    def reset_parameters(self) -> None:
        """Draw every weight and bias anew, uniform within 1 / sqrt(hidden_size)."""
        draw_weights(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Nothing to do: the weights need not lie side by side here."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights of every layer and direction, in the order of the names."""
        return [[getattr(self, name) for name in names] for names in self._weight_names]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._weight_names for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text

    # Running

    def _state_widths(self) -> tuple[int, ...]:
        """The last length of each state."""
        return (self.hidden_size,)

    def _check_input(self, x: Tensor) -> None:
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{x.shape[-1]}"
            )
        if not x.shape[0]:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        expected = self._flat_weights[0].dtype
        if x.dtype != expected:
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({expected}). Convert "
                f"input: input.to({expected}), or convert model: model.to({x.dtype})"
            )

    def _check_states(self, states: States, batch: int) -> None:
        dtype = self._flat_weights[0].dtype
        if any(state.dtype != dtype for state in states):
            found = ", ".join(str(state.dtype) for state in states)
            raise RuntimeError(
                f"hidden states and weights must have the same dtype, but got {found} and {dtype}"
            )
        count = self.num_layers * (2 if self.bidirectional else 1)
        for i, (state, width) in enumerate(zip(states, self._state_widths(), strict=True)):
            expected = (count, batch, width)
            if tuple(state.shape) != expected:
                which = f" hidden[{i}]" if len(states) > 1 else " hidden"
                raise RuntimeError(f"Expected{which} size {expected}, got {list(state.shape)}")

    def _check_state_dims(self, states: States, batched: bool) -> None:
        wanted = 3 if batched else 2
        if any(state.dim() != wanted for state in states):
            kind = "batched 3-D" if batched else "unbatched 2-D"
            dims = [f"{state.dim()}-D" for state in states]
            if len(states) == 1:
                which, got = "hx", f"{dims[0]} tensor"
            else:
                which, got = "hx and cx", f"({', '.join(dims)}) tensors"
            raise RuntimeError(f"For {kind} input, {which} should also be {wanted}-D but got {got}")

    def _zero_states(self, x: Tensor, batch: int) -> States:
        count = self.num_layers * (2 if self.bidirectional else 1)
        return tuple(
            zeros((count, batch, width), dtype=x.dtype, device=x.device)
            for width in self._state_widths()
        )

    def _layer_weights(self, index: int) -> States:
        """w_ih, w_hh, b_ih, b_hh and perhaps w_hr of one layer and direction."""
        weights: list[Any] = [getattr(self, name) for name in self._weight_names[index]]
        if not self.bias:
            weights[2:2] = [None, None]
        return tuple(weights)

    def _run(
        self, x: Tensor, batch_sizes: list[int] | None, states: States
    ) -> tuple[Tensor, States]:
        """All layers over (T, N, in), or over packed rows with their batch sizes."""
        directions = 2 if self.bidirectional else 1
        last: list[States] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                index = layer * directions + direction
                start = tuple(state[index] for state in states)
                weights, reverse = self._layer_weights(index), direction == 1
                if batch_sizes is None:
                    output, end = run_layer(self.mode, x, start, weights, reverse)
                else:
                    output, end = _run_packed(self.mode, x, batch_sizes, start, weights, reverse)
                outputs.append(output)
                last.append(end)
            x = outputs[0] if directions == 1 else cat(outputs, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, tuple(stack(list(parts)) for parts in zip(*last, strict=True))

    def _forward(self, input: Any, states: States | None) -> tuple[Any, States]:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, states)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched = input.dim() == 3
        if states is not None:
            self._check_state_dims(states, batched)
        if not batched:
            input = input.unsqueeze(1)
            states = None if states is None else tuple(s.unsqueeze(1) for s in states)
        elif self.batch_first:
            input = input.transpose(0, 1)
        self._check_input(input)
        if states is None:
            states = self._zero_states(input, input.shape[1])
        self._check_states(states, input.shape[1])
        output, last = self._run(input, None, states)
        if not batched:
            return output.squeeze(1), tuple(state.squeeze(1) for state in last)
        return (output.transpose(0, 1) if self.batch_first else output), last

    def _forward_packed(
        self, input: PackedSequence, states: States | None
    ) -> tuple[PackedSequence, States]:
        self._check_input(input.data)
        batch_sizes = [int(size) for size in input.batch_sizes.tolist()]
        if states is None:
            states = self._zero_states(input.data, batch_sizes[0])
        elif input.sorted_indices is not None:
            states = tuple(state.index_select(1, input.sorted_indices) for state in states)
        self._check_states(states, batch_sizes[0])
        output, last = self._run(input.data, batch_sizes, states)
        if input.unsorted_indices is not None:
            last = tuple(state.index_select(1, input.unsorted_indices) for state in last)
        return input._replace(data=output), last


class RNN(RNNBase):
    """Elman's recurrent network: h' = tanh(w_ih x + b_ih + w_hh h + b_hh), or relu.

    Input (T, N, input_size), (N, T, input_size) with `batch_first`, (T, input_size), or a
    PackedSequence; states (num_layers * directions, N, hidden_size), zero unless given. Returns the
    output (T, N, directions * hidden_size) and the last states. ValueError for an unknown
    `nonlinearity`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, (hidden,) = self._forward(input, None if hx is None else (hx,))
        return output, hidden


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with gates i, f, g, o.

    Shapes as in `RNN`; the states are a pair (h, c). With `proj_size` the hidden state, and so the
    output, has that length instead of `hidden_size` (Sak et al., 2014).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def _state_widths(self) -> tuple[int, ...]:
        return (self.proj_size or self.hidden_size, self.hidden_size)

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, ...]]:
        return self._forward(input, None if hx is None else (hx[0], hx[1]))


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014), with gates r, z, n; shapes as in `RNN`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, (hidden,) = self._forward(input, None if hx is None else (hx,))
        return output, hidden
