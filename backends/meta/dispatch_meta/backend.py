"""The run-time functions of device `meta`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import Backend, broadcast_shapes, dtype, from_numpy_dtype
from dispatch_meta.array import MetaArray
from dispatch_meta.kernels import RuleTable


class MetaBackend(Backend):
    """Tensors with shape, strides and dtype, and no data: what a model would compute, without doing so."""

    device = "meta"
    array = MetaArray
    accelerator = False
    holds_values = False

    def __init__(self) -> None:
        super().__init__()
        self.kernels = RuleTable(self.device)

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> MetaArray:
        return MetaArray.of(array.shape, from_numpy_dtype(array.dtype))

    def to_host(self, raw: MetaArray) -> np.ndarray[Any, Any]:
        raise NotImplementedError(
            "Cannot copy out of meta tensor; no data! It has a shape and a dtype alone: make a tensor with "
            "empty_like(x, device=...) (a module: module.to_empty(device=...)) and fill it"
        )

    def write(self, target: MetaArray, source: MetaArray) -> None:
        if broadcast_shapes(target.shape, source.shape) != target.shape:
            raise RuntimeError(
                f"output with shape {list(target.shape)} doesn't match the broadcast shape of "
                f"{list(source.shape)}"
            )

    def copy(self, raw: MetaArray) -> MetaArray:
        return raw.copied()

    def dtype_of(self, raw: MetaArray) -> dtype:
        return raw.dtype

    def layout_of(self, raw: MetaArray) -> tuple[tuple[int, ...], int]:
        return raw.strides, raw.offset

    def address(self, raw: MetaArray) -> int:
        """There is no memory."""
        return 0

    def count(self) -> int:
        return 1

    def describe(self) -> str:
        return "shapes and dtypes without data"
