"""The ring of shared memory that batches travel in, with both its ends.

A worker makes slots and writes a batch into one; the loader hands out arrays on it. Nobody gives a slot
back: the loader looks whether the arrays it has handed out are gone, and only then lets the worker
write there again. So an array that the user keeps never changes.
"""

from __future__ import annotations

import math
import mmap
import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dispatch_core.utils.data._workers import shared_memory
from dispatch_core.utils.data._workers.messages import Place, Result, Shape
from dispatch_core.utils.data._workers.packing import LARGE, Array

_LINE = 64
_PAGE = mmap.PAGESIZE
SPARE = 4
"""How many slots of one worker the user may keep alive; batches beyond that are copied out of theirs."""


def _aligned(size: int, unit: int = _LINE) -> int:
    return -(-size // unit) * unit


class Arena:
    """A slot while a batch is written into it: gives out arrays, one behind the other."""

    def __init__(self, number: int | None, memory: mmap.mmap | None, fd: int | None) -> None:
        self.number = number
        self.memory = memory
        self.fd = fd
        """Of a slot that the loader does not know yet."""
        self.used = 0
        self._roots: list[Array] = []
        self._address = 0
        if memory is not None:
            self._address = _address(np.frombuffer(memory, np.uint8))

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return 0 if self.memory is None else len(self.memory)

    def take(self, shape: Shape, dtype: np.dtype[Any]) -> Array | None:
        """An array in the slot; None where it does not fit, and for a small one."""
        size = math.prod(shape) * dtype.itemsize
        if self.memory is None or size < LARGE or self.used + size > self.size:
            return None
        root: Array = np.ndarray(shape, dtype, self.memory, self.used)
        self.used += _aligned(size)
        self._roots.append(root)
        return root

    def place_of(self, array: Array) -> Place | None:
        """Where in the slot an array lies; None for one that lies elsewhere."""
        offset = _address(array) - self._address
        if not self._roots or not 0 <= offset < self.size:
            return None
        return offset, array.shape, array.strides, array.dtype

    def copy(self, array: Array) -> Place:
        """Copies an array behind the others, its dimensions in the order in memory that they had."""
        order = sorted(range(array.ndim), key=lambda dim: -abs(array.strides[dim]))
        root = self.take(tuple(array.shape[dim] for dim in order), array.dtype)
        if root is None:
            raise AssertionError("a slot was made too small for what goes into it")
        copied = root.transpose(np.argsort(order))
        copied[...] = array
        offset = _address(root) - self._address
        return offset, copied.shape, copied.strides, array.dtype

    def kept(self) -> bool:
        """Lets go of the arrays; whether somebody else in the worker still has one."""
        alive = [weakref.ref(root) for root in self._roots]
        self._roots.clear()
        return any(each() is not None for each in alive)

    def discard_new(self) -> None:
        """Closes the descriptor of a slot that the loader will not be told of."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


class WorkerSlots:
    """The slots that one worker has made."""

    def __init__(self) -> None:
        self._memories: dict[int, mmap.mmap] = {}
        self._made = 0
        self._wanted = 0
        """As much as the largest batch has taken."""
        self._write_at_once = True
        self._refusal = ""

    def open(self, number: int | None) -> Arena:
        """The slot of that number for writing, or a new one of the size that batches have had."""
        memory = None if number is None else self._memories.get(number)
        if memory is not None:
            return Arena(number, memory, None)
        return (self._new(self._wanted) if self._wanted else None) or Arena(None, None, None)

    def can_write_at_once(self) -> bool:
        """Whether batches may be put together in the slot, rather than copied into it."""
        return self._write_at_once

    def ship(self, arena: Arena, arrays: list[Array], result: Result) -> Arena | None:
        """Brings `arrays`, which it empties, into a slot and tells `result` where they are.

        None where there is no memory for them; then they are to go another way, and are left.
        """
        if not arrays:
            self.leave(arena, result)
            return arena
        places = [arena.place_of(array) for array in arrays]
        missing = [array for array, place in zip(arrays, places, strict=True) if place is None]
        needed = arena.used + sum(_aligned(array.nbytes) for array in missing)
        if needed > arena.size:
            everything = sum(_aligned(array.nbytes) for array in arrays)
            slack = everything // 4 if self._wanted else 0
            larger = self._new(everything + slack)
            if larger is None:
                return None
            self._replace(arena, larger, result)
            result.places = tuple(map(larger.copy, arrays))
            self._wanted = max(self._wanted, everything)
            arrays.clear()
            return larger
        result.places = tuple(
            arena.copy(array) if place is None else place
            for array, place in zip(arrays, places, strict=True)
        )
        self._wanted = max(self._wanted, needed)
        missing.clear()
        arrays.clear()
        if arena.kept():
            return self._moved(arena, result)
        return arena

    def _moved(self, arena: Arena, result: Result) -> Arena | None:
        """A copy of a slot in which code in this worker has kept an array, which must not change."""
        self._write_at_once = False
        fresh = self._new(arena.size)
        if fresh is None or fresh.memory is None or arena.memory is None:
            raise OSError(
                f"a batch was kept in the worker, and there is no memory for a copy of it: {self.refusal()}"
            )
        fresh.memory[: arena.used] = arena.memory[: arena.used]
        self._replace(arena, fresh, result)
        return fresh

    def _replace(self, old: Arena, new: Arena, result: Result) -> None:
        if old.number is not None:
            self._memories.pop(old.number, None)
            if old.fd is None:
                result.dropped = old.number
            old.discard_new()

    def _new(self, size: int) -> Arena | None:
        if self._refusal:
            return None
        size = _aligned(size, _PAGE)
        try:
            fd = shared_memory.create(size)
            try:
                memory = shared_memory.mapped(fd, size)
            except BaseException:
                os.close(fd)
                raise
        except OSError as error:
            self._refusal = f"{size:,} bytes: {error}"
            return None
        self._made += 1
        self._memories[self._made] = memory
        return Arena(self._made, memory, fd)

    def leave(self, arena: Arena, result: Result) -> None:
        """Closes a slot in which nothing is sent; it is not used again if somebody here has kept of it."""
        kept = arena.kept()
        if arena.number is not None and (kept or arena.fd is not None):
            del self._memories[arena.number]
            if arena.fd is None:
                result.dropped = arena.number
            arena.discard_new()

    def refusal(self) -> str:
        """Why no slot could be made, empty where that did not happen."""
        return self._refusal


@dataclass(slots=True)
class _Slot:
    memory: mmap.mmap
    busy: bool = True
    """A task has it, or its batch was not handed over yet."""
    arrays: Sequence[weakref.ref[Array]] = ()

    def is_held(self) -> bool:
        return any(array() is not None for array in self.arrays)


class LoaderSlots:
    """The slots of one worker, as the loader has them."""

    def __init__(self) -> None:
        self._slots: dict[int, _Slot] = {}

    def lend(self) -> int | None:
        """A slot that nobody uses, for a task."""
        for number, slot in self._slots.items():
            if not slot.busy and not slot.is_held():
                slot.busy = True
                slot.arrays = ()
                return number
        return None

    def give_back(self, number: int | None) -> None:
        """A task did not use its slot, or its batch is in the user's hands or not wanted."""
        slot = None if number is None else self._slots.get(number)
        if slot is not None:
            slot.busy = False

    def take(self, result: Result, fd: int | None) -> None:
        """Learns of a new slot, and of one that is not used any more."""
        if result.dropped is not None:
            self._slots.pop(result.dropped, None)
        if fd is not None and result.slot is not None:
            self._slots[result.slot] = _Slot(shared_memory.mapped(fd, result.created))

    def arrays(self, result: Result) -> list[Array]:
        """The arrays of a batch that the user gets now, copied where too many slots are held."""
        if result.slot is None:
            return []
        slot = self._slots[result.slot]
        made: list[Array] = [
            np.ndarray(shape, dtype, slot.memory, offset, strides)
            for offset, shape, strides, dtype in result.places
        ]
        slot.busy = False
        held = sum(each.is_held() for each in self._slots.values())
        if held >= SPARE:
            return [array.copy(order="K") for array in made]
        slot.arrays = [weakref.ref(array) for array in made]
        return made

    def __len__(self) -> int:
        return len(self._slots)
