"""Sequences of different lengths: packed into rows, padded into one tensor, and back."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

from dispatch_core.nn._core import Tensor, arange, cat, empty_like, full, int64, tensor


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one (N); None stays None."""
    if permutation is None:
        return None
    result = empty_like(permutation)
    result[permutation] = arange(permutation.numel(), device=permutation.device)
    return result


class PackedSequence(_Packed):
    """The elements of several sequences, step by step, the longest sequence first.

    `data` (total, *) holds all first elements, then all second ones, ...; `batch_sizes` (T), on the
    cpu, says how many sequences reach each step; the indices say how the sequences were sorted.
    Made by `pack_padded_sequence` and `pack_sequence`.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            if not (isinstance(data, tuple | list) and len(data) == 2):
                raise AssertionError(
                    "PackedSequence expected data and batch_sizes, or data to be a list or tuple "
                    f"of length 2, got {type(data).__name__} alone"
                )
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like "
                "pack_sequence and pack_padded_sequence in nn.utils.rnn."
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The data, and when the device changes the indices, converted as by `Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [
            None if index is None else index.to(data.device)
            for index in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self) -> PackedSequence:
        """The sequences on the cpu."""
        return self.to(device="cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on a cuda device, the current one unless given."""
        device = self.data.cuda(*args, **kwargs).device
        return self.to(device)

    def pin_memory(self) -> PackedSequence:
        """The sequences in memory that a device reads fast."""
        return self._replace(data=self.data.pin_memory())  # type: ignore[attr-defined]

    def double(self) -> PackedSequence:
        """The data as float64."""
        return self.to(self.data.double().dtype)

    def float(self) -> PackedSequence:
        """The data as float32."""
        return self.to(self.data.float().dtype)

    def half(self) -> PackedSequence:
        """The data as float16."""
        return self.to(self.data.half().dtype)

    def long(self) -> PackedSequence:
        """The data as int64."""
        return self.to(self.data.long().dtype)

    def int(self) -> PackedSequence:
        """The data as int32."""
        return self.to(self.data.int().dtype)

    def short(self) -> PackedSequence:
        """The data as int16."""
        return self.to(self.data.short().dtype)

    def char(self) -> PackedSequence:
        """The data as int8."""
        return self.to(self.data.char().dtype)

    def byte(self) -> PackedSequence:
        """The data as uint8."""
        return self.to(self.data.byte().dtype)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a cuda device."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return bool(self.data.is_pinned())  # type: ignore[attr-defined]


def _as_list(lengths: Any) -> list[builtins.int]:
    values = lengths.tolist() if isinstance(lengths, Tensor) else lengths
    return [builtins.int(value) for value in values]


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[builtins.int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack a padded (T, B, *) tensor, or (B, T, *) with `batch_first`, by the sequences' lengths.

    RuntimeError for lengths that are not positive, do not fit the batch, or, with
    `enforce_sorted`, increase; ValueError for one that exceeds T.
    """
    sizes = _as_list(lengths)
    if batch_first:
        input = input.transpose(0, 1)
    steps, batch = input.shape[0], input.shape[1]
    if len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
            f"(batch_size={batch})"
        )
    if min(sizes) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            f"that is <= 0: {min(sizes)}"
        )
    if max(sizes) > steps:
        raise ValueError(
            f"lengths must not exceed the padded length {steps}, but the longest is {max(sizes)}"
        )
    order = None
    if not enforce_sorted:
        ranking = sorted(range(batch), key=lambda i: -sizes[i])
        order = tensor(ranking, dtype=int64, device=input.device)
        input = input.index_select(1, order)
        sizes = [sizes[i] for i in ranking]
    elif any(a < b for a, b in pairwise(sizes)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence."
        )
    longest = sizes[0]
    reached = tensor(sizes, dtype=int64, device=input.device)
    mask = arange(longest, device=input.device).unsqueeze(1) < reached
    batch_sizes = [sum(size > t for size in sizes) for t in range(longest)]
    return PackedSequence(input[:longest][mask], tensor(batch_sizes, dtype=int64), order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: builtins.int | None = None,
) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`: the padded (T, B, *) or (B, T, *) tensor and the lengths (B).

    `total_length` pads further; ValueError when it is shorter than the longest sequence.
    """
    data = sequence.data
    counts = _as_list(sequence.batch_sizes)
    steps, batch = len(counts), counts[0]
    if total_length is not None and total_length < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {steps}"
        )
    running = tensor(counts, dtype=int64, device=data.device).unsqueeze(1)
    columns = arange(batch, device=data.device)
    present = columns < running
    rows = (running.cumsum(0) - running + columns).clamp(max=data.shape[0] - 1)
    padded = data.index_select(0, rows.reshape(-1)).reshape(steps, batch, *data.shape[1:])
    absent = present.logical_not().reshape(steps, batch, *[1] * (data.dim() - 1))
    padded = padded.masked_fill(absent, padding_value)
    if total_length is not None and total_length > steps:
        shape = (total_length - steps, *padded.shape[1:])
        more = full(shape, padding_value, dtype=data.dtype, device=data.device)
        padded = cat([padded, more])
    lengths = tensor([sum(n > b for n in counts) for b in range(batch)], dtype=int64)
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths.index_select(0, sequence.unsorted_indices.cpu())
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L_i, *) side by side: (T, B, *) or (B, T, *), T the longest length.

    RuntimeError for no sequences, something that is none, or an unknown `padding_side`.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    parts = list(sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    longest = max(part.shape[0] for part in parts)
    padded = []
    for part in parts:
        missing = longest - part.shape[0]
        if missing:
            shape = (missing, *part.shape[1:])
            filler = full(shape, padding_value, dtype=part.dtype, device=part.device)
            part = cat([part, filler] if padding_side == "right" else [filler, part])
        padded.append(part.unsqueeze(0 if batch_first else 1))
    return cat(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Undo `pad_sequence`: the sequences (L_i, *) of a padded tensor."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    sizes = _as_list(lengths)
    return [part[:size] for part, size in zip(padded_sequences, sizes, strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L_i, *); with `enforce_sorted` the lengths must not increase."""
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`: the sequences (L_i, *)."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
