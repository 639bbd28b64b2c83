"""The arrays of simulated devices: a block of memory seen through a shape, strides and an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import StridedArray, from_numpy_dtype, seen_in
from dispatch_sim.memory import Block, Pool
from dispatch_sim.streams import SimStream


class SimArray(StridedArray[Block]):
    """Elements of one dtype in such a block."""

    __slots__ = ()

    @classmethod
    def of(
        cls, values: np.ndarray[Any, Any], pool: Pool | None, home: SimStream | None
    ) -> SimArray:
        """A new array with a copy of what numpy has."""
        made = cls(Block(values.nbytes, pool, home), from_numpy_dtype(values.dtype), values.shape)
        made.numpy()[...] = values
        return made

    @property
    def held(self) -> int:
        return self.memory.bytes.size

    def copied(self) -> SimArray:
        memory = self.memory
        return SimArray.of(self.numpy(), memory.pool, memory.uses.home)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as a numpy array that shares the memory."""
        return seen_in(self.memory.bytes, self)
