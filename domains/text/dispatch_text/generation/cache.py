"""Keys and values of earlier positions, so that each new token costs one position only."""

from __future__ import annotations

import dispatch_core as dc
from dispatch_core.extend import Tensor


class KeyValueCache:
    """What attention layers have computed, (N, H, L, D) of keys and values a layer.

    Memory grows by doubling. It is for inference: what is recorded for gradients is joined anew at
    each step instead. `cross` holds those of an encoder, computed once, by layer.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[Tensor, Tensor]] = {}
        self._filled: dict[int, int] = {}
        self.cross: dict[int, tuple[Tensor, Tensor]] = {}

    @property
    def length(self) -> int:
        """How many positions are there."""
        return min(self._filled.values(), default=0)

    def update(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new positions; returns all, (N, H, L, D) each."""
        start = self._filled.get(layer, 0)
        end = start + key.shape[2]
        if layer in self._blocks and self._blocks[layer][0].shape[0] != key.shape[0]:
            raise ValueError(
                f"the cache is of {self._blocks[layer][0].shape[0]} sequences, and {key.shape[0]} came"
            )
        if dc.is_grad_enabled() and (key.requires_grad or value.requires_grad):
            return self._joined(layer, start, key, value)
        room = self._blocks[layer][0].shape[2] if layer in self._blocks else 0
        if end > room:
            self._grow(layer, start, max(end, 2 * room, 16), key, value)
        blocks = self._blocks[layer]
        for block, new in zip(blocks, (key, value), strict=True):
            block[:, :, start:end] = new.detach()
        self._filled[layer] = end
        return blocks[0][:, :, :end], blocks[1][:, :, :end]

    def _joined(self, layer: int, start: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if start:
            old = self._blocks[layer]
            key = dc.cat([old[0][:, :, :start], key], 2)
            value = dc.cat([old[1][:, :, :start], value], 2)
        self._blocks[layer] = key, value
        self._filled[layer] = key.shape[2]
        return key, value

    def _grow(self, layer: int, start: int, room: int, key: Tensor, value: Tensor) -> None:
        made = []
        for at, new in enumerate((key, value)):
            N, H, _, D = new.shape
            block = dc.zeros(N, H, room, D, dtype=new.dtype, device=new.device)
            if start:
                block[:, :, :start] = self._blocks[layer][at][:, :, :start].detach()
            made.append(block)
        self._blocks[layer] = made[0], made[1]

    def reorder(self, rows: Tensor) -> None:
        """Take the sequences `rows`, as a beam search does that goes on with other sequences."""
        for blocks in (self._blocks, self.cross):
            for layer, (key, value) in blocks.items():
                blocks[layer] = key.index_select(0, rows), value.index_select(0, rows)

    def crop(self, length: int) -> None:
        """Forget all positions from `length` on."""
        self._filled = {layer: min(filled, length) for layer, filled in self._filled.items()}
