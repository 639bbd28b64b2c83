"""Changing what a module owns as a whole: device, dtype, mode, gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

from dispatch_core.nn._core import Tensor, empty_like, no_grad, parse_to
from dispatch_core.nn._core import device as Device
from dispatch_core.nn._core import dtype as Dtype
from dispatch_core.nn.modules._members import Members


def _takes_floats(tensor: Tensor) -> bool:
    return bool(tensor.is_floating_point() or tensor.is_complex())


class Converted(Members):
    """The part of a Module that converts all its parameters and buffers."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the contents of every parameter, its gradient and every buffer by `fn` of them.

        Parameters stay the same objects, so an optimizer that holds them keeps working.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            grad = parameter.grad
            with no_grad():
                parameter.data = fn(parameter.data)
                if grad is not None:
                    grad.data = fn(grad.data)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn: Callable[[Any], Any]) -> Self:
        """Call `fn(module)` on every submodule and then on this one, for example to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, cast to a dtype, or both, in place.

        Called as `to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`, each with
        `non_blocking` and `memory_format`. Only floating and complex tensors are cast. TypeError
        for a dtype that is neither.
        """
        where, what, non_blocking, _, memory_format = parse_to(*args, **kwargs)
        if what is not None:
            if not (what.is_floating_point or what.is_complex):
                raise TypeError(
                    "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                    f"dtype={what}"
                )
            if what.is_complex:
                warnings.warn(
                    "Complex modules are a new feature; some modules might not work as expected "
                    "with complex tensors as parameters or buffers.",
                    stacklevel=2,
                )

        def convert(tensor: Tensor) -> Tensor:
            kind = what if _takes_floats(tensor) else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(where, kind, non_blocking, memory_format=memory_format)
            return tensor.to(where, kind, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to `device` without copying: the contents are undefined until initialised."""
        return self._apply(lambda tensor: empty_like(tensor, device=device), recurse=recurse)

    def cpu(self) -> Self:
        """Move to the cpu."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: int | Device | None = None) -> Self:
        """Move to the current, or the given, cuda device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self, dst_type: Dtype | str) -> Self:
        """Cast every parameter and buffer, integers too, to `dst_type`."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Self:
        """Cast floating parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Cast floating parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Cast floating parameters and buffers to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Cast floating parameters and buffers to bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def share_memory(self) -> Self:
        """Move parameters and buffers to memory that other processes can share."""
        return self._apply(lambda tensor: tensor.share_memory_())  # type: ignore[attr-defined]

    def train(self, mode: bool = True) -> Self:
        """Set training mode, which dropout and batch norm depend on, in every submodule."""
        if not isinstance(mode, bool):
            raise ValueError(
                f"training mode is expected to be boolean, got {mode!r}; use train() or eval()"
            )
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode: the same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say of every parameter whether gradients are recorded for it."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter, or fill it with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()
