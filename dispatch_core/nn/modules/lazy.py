"""Layers that learn the size of their input from the first one they are called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatch_core.nn._core import Tensor, no_grad
from dispatch_core.nn.modules._norm_base import NormBase
from dispatch_core.nn.modules._sizes import Size, factory
from dispatch_core.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from dispatch_core.nn.modules.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _ConvNd,
)
from dispatch_core.nn.modules.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from dispatch_core.nn.modules.linear import Linear
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy


class LazyModuleMixin:
    """Beside a `Module`, for one whose parameters get their shapes at the first call.

    Make them `UninitializedParameter` and `UninitializedBuffer` in `__init__`, and write
    `initialize_parameters(*args, **kwargs)`, which is called with the arguments of that call and
    materializes them. Afterwards the module's class becomes `cls_to_become`. A state that is loaded
    before gives the shapes as well; until then moves, casts and saving work, other uses of the
    parameters raise. Call a lazy module once before it is copied to several devices.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._load_hook = module._register_load_state_dict_pre_hook(self._take_shapes)
        self._initialize_hook = module.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize every parameter and buffer by the arguments of the first call."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether some parameter or buffer still has no shape."""
        return any(is_lazy(tensor) for _, tensor in _tensors(self))

    def _infer_parameters(
        self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """The hook before the first call: gives the parameters their shapes and goes away."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(
                f"module {module._get_name()} has not been fully initialized; its "
                "initialize_parameters() must materialize every parameter and buffer"
            )
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _take_shapes(self, state_dict: Mapping[str, Any], prefix: str, *report: Any) -> None:
        """The hook before a state is loaded: takes the shapes of what it has."""
        for name, tensor in _tensors(self):
            value = state_dict.get(prefix + name)
            if is_lazy(tensor) and isinstance(value, Tensor) and not is_lazy(value):
                tensor.materialize(value.shape)


def _tensors(module: Any) -> list[tuple[str, Any]]:
    """The name of every parameter and buffer of a module's own, and the tensor."""
    return [*module._parameters.items(), *module._buffers.items()]


def _defer(module: Module, **factory: Any) -> None:
    """Put uninitialized tensors in the place of all that a module has made for a size of 0."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            setattr(module, name, UninitializedParameter(**factory))
    for name, buffer in module._buffers.items():
        if buffer is not None and buffer.dim():
            module._buffers[name] = UninitializedBuffer(**factory)


class _LazyReset(LazyModuleMixin):
    """What these layers share: nothing to draw before there are shapes, and a size that was inferred."""

    _inferred: str
    """The attribute that holds the size, 0 until it is known."""

    def reset_parameters(self) -> None:
        """Draw the values anew, where they have shapes."""
        if not self.has_uninitialized_params() and getattr(self, self._inferred) != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the size from the first input, make the parameters and draw their values."""
        size = self._size_of(input)
        setattr(self, self._inferred, size)
        if not self.has_uninitialized_params():  # a state was loaded
            return
        shapes = self._shapes(size)
        with no_grad():
            for name, tensor in _tensors(self):
                if is_lazy(tensor):
                    tensor.materialize(shapes[name])
            self.reset_parameters()

    def _size_of(self, input: Tensor) -> int:
        raise NotImplementedError

    def _shapes(self, size: int) -> dict[str, tuple[int, ...]]:
        raise NotImplementedError


class LazyLinear(_LazyReset, Linear):
    """`Linear` whose `in_features` is the last size of its first input."""

    cls_to_become = Linear
    _inferred = "in_features"

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, bias, device, dtype)
        self.out_features = out_features
        _defer(self, **factory(device, dtype))

    def _size_of(self, input: Tensor) -> int:
        return input.shape[-1]

    def _shapes(self, size: int) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.out_features, size), "bias": (self.out_features,)}


class _LazyConvNd(_LazyReset, _ConvNd):
    _inferred = "in_channels"

    def _size_of(self, input: Tensor) -> int:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{self._get_name()}, but got input of size: {tuple(input.shape)}"
            )
        channels = input.shape[-n - 1]
        if channels % self.groups != 0:
            raise ValueError(
                f"in_channels must be divisible by groups, got {channels} channels and "
                f"{self.groups} groups"
            )
        return channels

    def _shapes(self, size: int) -> dict[str, tuple[int, ...]]:
        return {"weight": self._weight_shape(size), "bias": (self.out_channels,)}


class _LazyConv(_LazyConvNd):
    """The constructor of the lazy convolutions: that of the others without `in_channels`."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip
        _defer(self, **factory(device, dtype))


class _LazyConvTranspose(_LazyConvNd):
    """The constructor of the lazy transposed convolutions."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation,
            padding_mode, device, dtype,
        )  # fmt: skip
        _defer(self, **factory(device, dtype))


class _LazyNorm(_LazyReset, NormBase):
    """The constructor and the sizes of the lazy norms."""

    _inferred = "num_features"

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        _defer(self, **factory(device, dtype))

    def _size_of(self, input: Tensor) -> int:
        self._check_input_dim(input)
        return input.shape[1]

    def _shapes(self, size: int) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (size,))


class _LazyInstanceNorm(_LazyNorm):
    """The same with the defaults of instance norm, which takes inputs without a batch, too."""

    _dims: int

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _size_of(self, input: Tensor) -> int:
        self._check_input_dim(input)
        return input.shape[-self._dims - 1]


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` whose `in_channels` are those of its first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` whose `in_channels` are those of its first input."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """`Conv3d` whose `in_channels` are those of its first input."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """`ConvTranspose1d` whose `in_channels` are those of its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """`ConvTranspose2d` whose `in_channels` are those of its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """`ConvTranspose3d` whose `in_channels` are those of its first input."""

    cls_to_become = ConvTranspose3d


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """`BatchNorm1d` whose `num_features` are the channels of its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """`BatchNorm2d` whose `num_features` are the channels of its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """`BatchNorm3d` whose `num_features` are the channels of its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """`InstanceNorm1d` whose `num_features` are the channels of its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """`InstanceNorm2d` whose `num_features` are the channels of its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """`InstanceNorm3d` whose `num_features` are the channels of its first input."""

    cls_to_become = InstanceNorm3d
