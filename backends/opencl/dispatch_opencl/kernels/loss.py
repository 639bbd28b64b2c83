"""Cross-entropy of class numbers and its gradient."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

from dispatch_core.extend import int64
from dispatch_opencl import source
from dispatch_opencl.array import Array, check_sizes, common_device, empty, is_whole
from dispatch_opencl.device import Device
from dispatch_opencl.kernels.cast import cast, fitting
from dispatch_opencl.kinds import CODE, FAMILY, LONG, Family, wide_dtype
from dispatch_opencl.launch import typed

_LOSS = struct.Struct("5q8i")
_BUFFERS = {"count": 4, "cross_entropy": 7, "cross_entropy_backward": 7, "total": 3}
_KERNELS: dict[Any, Any] = {}


def _kernel(device: Device, family: Family, name: str) -> Any:
    found = _KERNELS.get((device, family, name))
    if found is None:
        text = source.filled(source.text("loss.cl"), F=family.name)
        found = typed(device.kernel([family, LONG], text, name), _BUFFERS[name], _LOSS.size)
        _KERNELS[device, family, name] = found
    return found


class _Call:
    """One call: its sizes as constants of the kernels."""

    def __init__(
        self, logits: Array, target: Array, weight: Array | None, grad: Array | None,
        ignore_index: int, reduction: str,
    ) -> None:  # fmt: skip
        shape = logits.shape if len(logits.shape) > 1 else (1, *logits.shape)
        self.classes = shape[1]
        self.rows = shape[0] * prod(shape[2:])
        if prod(target.shape) != self.rows:
            raise ValueError(f"got shapes {logits.shape} and {target.shape}")
        check_sizes(
            weight=(weight, self.classes), grad=(grad, self.rows if reduction == "none" else 1)
        )
        given = [a for a in (weight, grad) if a is not None]
        self.device = common_device((logits, target, *given))
        self.family = FAMILY[logits.dtype]
        self.wide = wide_dtype(logits.dtype)
        profile = self.device.profile
        each = min(profile.chunk // max(self.classes * 4, 1), self.rows // (profile.workers * 4))
        self.each = max(1, each)
        self.grid = (-(-self.rows // self.each), 1)
        self.constants = _LOSS.pack(
            shape[0], self.classes, prod(shape[2:]), self.each, ignore_index, CODE[logits.dtype],
            CODE[target.dtype], CODE[(weight or logits).dtype], CODE[(grad or logits).dtype],
            weight is not None, reduction == "mean", reduction == "none", CODE[self.wide],
        )  # fmt: skip

    def run(self, name: str, grid: tuple[int, int], *arrays: Array | None) -> None:
        """Enqueue a kernel; None stands for the report."""
        buffers = [(self.device.report if a is None else a.memory).buffer for a in arrays]
        kernel = _kernel(self.device, self.family, name)
        with self.device.lock:
            kernel(self.device.queue, grid, self.device.profile.local, *buffers, self.constants)

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Run kernels inside; IndexError where a target was no class."""
        with self.device.lock:
            yield
            wrong = self.device.report.taken()
        if wrong is not None:
            raise IndexError(f"Target {wrong} is out of bounds.")


def _whole(array: Array) -> Array:
    return array if is_whole(array) and not array.offset else array.copied()


def _target(target: Array) -> Array:
    return _whole(target if FAMILY[target.dtype] is LONG else cast(target, int64))


def cross_entropy_classes(
    input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> tuple[Array, Array]:
    """-weight[target] * log_softmax(input)[target], reduced, and the log-softmax.

    input (N, C, *) or (C), target of class numbers (N, *) or ().
    """
    input, classes = _whole(input), _target(target)
    weight = None if weight is None else _whole(fitting(weight, input))
    call = _Call(input, classes, weight, None, ignore_index, reduction)
    log_probs = empty(call.device, input.dtype, input.shape)
    losses, counts = (empty(call.device, call.wide, target.shape) for _ in range(2))
    if call.rows:
        with call.checked():
            call.run(
                "cross_entropy", call.grid, losses, log_probs, counts, input, classes,
                weight or input, None,
            )  # fmt: skip
    if reduction == "none":
        return (losses if losses.dtype is input.dtype else cast(losses, input.dtype)), log_probs
    out = empty(call.device, input.dtype, ())
    call.run("total", (1, 1), out, losses, counts)
    return out, log_probs


def cross_entropy_backward(
    grad: Array, log_probs: Array, target: Array, weight: Array | None, ignore_index: int,
    reduction: str,
) -> Array:  # fmt: skip
    """The gradient of `cross_entropy_classes` for its input: (softmax - one-hot) * share."""
    log_probs, classes = _whole(log_probs), _target(target)
    grad = _whole(fitting(grad, log_probs))
    weight = None if weight is None else _whole(fitting(weight, log_probs))
    call = _Call(log_probs, classes, weight, grad, ignore_index, reduction)
    out = empty(call.device, log_probs.dtype, log_probs.shape)
    counts = empty(call.device, call.wide, ())
    if call.rows and call.classes:
        with call.checked():
            if reduction == "mean":
                call.run("count", (1, 1), counts, classes, weight or log_probs, None)
            call.run(
                "cross_entropy_backward", call.grid, out, grad, log_probs, classes,
                weight or log_probs, counts, None,
            )  # fmt: skip
    return out


KERNELS = {
    "cross_entropy_backward": cross_entropy_backward,
    "cross_entropy_classes": cross_entropy_classes,
}
