"""Sequences of different lengths as batches: padding, and batches of similar lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import dispatch_core as dc
from dispatch_core.extend import Tensor
from dispatch_core.utils.data import Sampler


def pad(
    rows: Sequence[Any],
    padding_value: float = 0,
    padding_side: str = "right",
    pad_to_multiple_of: int = 1,
) -> tuple[Tensor, Tensor]:
    """Sequences of N lengths as one tensor (N, L), and the mask (N, L), int64, 1 where they are.

    Rows are lists, arrays or tensors of one dimension, of ints or of floats; L is the greatest
    length, rounded up to a multiple. Raises ValueError for no rows or rows that are no sequences.
    """
    if not len(rows):
        raise ValueError("there is nothing to pad: the batch has no rows")
    if padding_side not in ("left", "right"):
        raise ValueError(f"padding_side must be 'left' or 'right', got {padding_side!r}")
    if pad_to_multiple_of < 1:
        raise ValueError(f"pad_to_multiple_of must be at least 1, got {pad_to_multiple_of}")
    arrays = [_row(row, at) for at, row in enumerate(rows)]
    width = max(map(len, arrays))
    width = -(-width // pad_to_multiple_of) * pad_to_multiple_of
    floats = any(array.dtype.kind == "f" for array in arrays)
    out = np.full((len(arrays), width), padding_value, np.float32 if floats else np.int64)
    mask = np.zeros(out.shape, np.int64)
    for at, array in enumerate(arrays):
        place = slice(width - len(array), width) if padding_side == "left" else slice(len(array))
        out[at, place] = array
        mask[at, place] = 1
    return dc.from_numpy(out), dc.from_numpy(mask)


def _row(row: Any, at: int) -> np.ndarray[Any, Any]:
    array = row.cpu().numpy() if isinstance(row, Tensor) else np.asarray(row)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iufb"):
        raise ValueError(f"row {at} must be one sequence of numbers, got {row!r}")
    return array


class PadCollator:
    """Makes batches of samples whose sequences differ in length; a `collate_fn` of DataLoader.

    A sample is a sequence of ids, a tuple or list of fields, or a dict of fields. Fields that are
    sequences are padded, with `padding_value` or what `padding` names for the field (its place in a
    tuple or its key); numbers become one tensor; strings stay a list. A dict with "input_ids" gets
    an "attention_mask", a mere sequence gives (ids, mask).
    """

    def __init__(
        self,
        padding_value: float = 0,
        *,
        padding: Mapping[str | int, float] | None = None,
        padding_side: str = "right",
        pad_to_multiple_of: int = 1,
        max_length: int | None = None,
    ) -> None:
        self.padding_value = padding_value
        self.padding = dict(padding or {})
        self.padding_side = padding_side
        self.pad_to_multiple_of = pad_to_multiple_of
        self.max_length = max_length

    def __call__(self, samples: Sequence[Any]) -> Any:
        """The batch of a list of samples."""
        if not samples:
            raise ValueError("there is nothing to collate: the batch has no samples")
        first = samples[0]
        if isinstance(first, Mapping):
            return self._dicts(samples)
        if isinstance(first, tuple) or (isinstance(first, list) and _is_composite(first)):
            columns = zip(*samples, strict=True)
            return tuple(self._field(at, column)[0] for at, column in enumerate(columns))
        return self._field(0, samples)

    def _dicts(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = {}
        for key in samples[0]:
            if any(key not in sample for sample in samples):
                raise ValueError(f"'{key}' is a field of some samples of the batch only")
            batch[key], mask = self._field(key, [sample[key] for sample in samples])
            if key == "input_ids" and "attention_mask" not in samples[0]:
                batch["attention_mask"] = mask
        return batch

    def _field(self, key: str | int, values: Sequence[Any]) -> tuple[Any, Tensor | None]:
        if isinstance(values[0], str):
            return list(values), None
        if not _is_sequence(values[0]):
            return dc.stack([dc.as_tensor(value) for value in values]), None
        rows = [value[: self.max_length] for value in values]
        value = self.padding.get(key, self.padding_value)
        return pad(rows, value, self.padding_side, self.pad_to_multiple_of)


def _is_sequence(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim == 1
    return isinstance(value, (list, tuple))


def _is_composite(sample: list[Any]) -> bool:
    return any(_is_sequence(field) or isinstance(field, str) for field in sample)


class BucketBatchSampler(Sampler[list[int]]):
    """Batches of indices whose samples are of similar length, so that little is padding.

    Within windows of `window` batches samples are sorted by length. `lengths` has the length of
    every sample; a batch has `batch_size` samples, or as many as need at most `max_tokens` places
    when padded. With `shuffle`, samples enter windows and batches leave in random order, drawn from
    `generator` or the default one.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int | None = None,
        *,
        max_tokens: int | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
        window: int = 100,
        generator: Any = None,
    ) -> None:
        if (batch_size is None) == (max_tokens is None):
            raise ValueError("give either batch_size or max_tokens")
        if (batch_size if batch_size is not None else max_tokens or 0) < 1 or window < 1:
            raise ValueError("batch_size, max_tokens and window must be at least 1")
        self.lengths = np.asarray(lengths, dtype=np.int64)
        if max_tokens is not None and self.lengths.size and self.lengths.max() > max_tokens:
            raise ValueError(
                f"sample {int(self.lengths.argmax())} has {int(self.lengths.max())} tokens, more "
                f"than the {max_tokens} of a batch; cut it or raise max_tokens"
            )
        self.batch_size, self.max_tokens = batch_size, max_tokens
        self.shuffle, self.drop_last = shuffle, drop_last
        self.window, self.generator = window, generator

    def _span(self) -> int:
        """Samples in a window."""
        mean = max(1.0, float(self.lengths.mean()))
        size = self.batch_size or max(1, int((self.max_tokens or 1) / mean))
        return size * self.window

    def _batches(self, order: np.ndarray[Any, Any]) -> Iterator[list[int]]:
        span = self._span() if order.size else 1
        rest: list[int] = []
        for start in range(0, len(order), span):
            part = order[start : start + span]
            for index in part[np.argsort(self.lengths[part], kind="stable")].tolist():
                if rest and not self._has_room(rest, index):
                    yield rest
                    rest = []
                rest.append(index)
        if rest and not (self.drop_last and self.batch_size and len(rest) < self.batch_size):
            yield rest

    def _has_room(self, batch: list[int], index: int) -> bool:
        if self.batch_size is not None:
            return len(batch) < self.batch_size
        longest = max(int(self.lengths[index]), *(int(self.lengths[i]) for i in batch))
        return longest * (len(batch) + 1) <= (self.max_tokens or 0)

    def __iter__(self) -> Iterator[list[int]]:
        size = len(self.lengths)
        if not self.shuffle:
            yield from self._batches(np.arange(size))
            return
        batches = list(self._batches(dc.randperm(size, generator=self.generator).numpy()))
        for at in dc.randperm(len(batches), generator=self.generator).tolist():
            yield batches[at]

    def __len__(self) -> int:
        if self.batch_size is not None:
            whole, rest = divmod(len(self.lengths), self.batch_size)
            return whole + bool(rest and not self.drop_last)
        return sum(1 for _ in self._batches(np.arange(len(self.lengths))))
