"""Convolution and transposed convolution in one, two and three dimensions."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core.nn import init
from dispatch_core.nn._core import F, Tensor, empty
from dispatch_core.nn.modules._sizes import Size, factory, ntuple
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions have: their geometry, a weight and a bias."""

    _dims: int
    _transposed = False

    weight: Tensor
    bias: Tensor | None

    def _set_up(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: str | Size,
        output_padding: Size,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        """Check the geometry, make the parameters and draw their values."""
        n = self._dims
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = ntuple(kernel_size, n)
        self.stride = ntuple(stride, n)
        self.padding = padding if isinstance(padding, str) else ntuple(padding, n)
        self.dilation = ntuple(dilation, n)
        self.transposed = self._transposed
        self.output_padding = ntuple(output_padding, n)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()
        self._padding_around = self._find_padding_around()
        kwargs = factory(device, dtype)
        self.weight = Parameter(empty(self._weight_shape(in_channels), **kwargs))
        if bias:
            self.bias = Parameter(empty(out_channels, **kwargs))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self, in_channels: int) -> tuple[int, ...]:
        first, second = in_channels, self.out_channels
        if not self._transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {self.groups}")
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if channels % self.groups != 0:
                raise ValueError(
                    f"{name} must be divisible by groups, got {channels} channels and "
                    f"{self.groups} groups"
                )
        if isinstance(self.padding, str):
            if self._transposed:
                raise TypeError(f"padding must be tuple of ints, not {self.padding!r}")
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'"
                )
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(
                    f"padding='same' is not supported for strided convolutions, got stride="
                    f"{self.stride}; give the padding as numbers"
                )
        if self.padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got "
                f"padding_mode='{self.padding_mode}'"
            )

    def _find_padding_around(self) -> tuple[int, ...]:
        """The padding as `F.pad` wants it: left and right of the last dimension first."""
        sides: list[int] = []
        for i in reversed(range(self._dims)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                sides += [total // 2, total - total // 2]
            elif isinstance(self.padding, str):
                sides += [0, 0]
            else:
                sides += [self.padding[i], self.padding[i]]
        return tuple(sides)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform within 1 / sqrt(fan_in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input, padded here if zeros will not do, and what is left for the operator to pad."""
        if self.padding_mode == "zeros":
            return input, self.padding
        return F.pad(input, self._padding_around, mode=self.padding_mode), 0

    def _output_padding(
        self, input: Tensor, output_size: tuple[int, ...] | None
    ) -> tuple[int, ...]:
        """The output padding of a transposed convolution that makes its output `output_size`."""
        if self.padding_mode != "zeros":
            raise ValueError(
                f"Only `zeros` padding mode is supported for {self._get_name()}, got "
                f"{self.padding_mode!r}"
            )
        if output_size is None:
            return self.output_padding
        n = self._dims
        wanted = tuple(output_size)
        if len(wanted) in (input.dim(), n + 2):
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise ValueError(
                f"{self._get_name()}: for {input.dim()}D input, output_size must have {n} or "
                f"{input.dim()} elements (got {len(wanted)})"
            )
        smallest = tuple(
            (input.shape[i - n] - 1) * self.stride[i]
            - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            for i in range(n)
        )
        largest = tuple(
            size + stride - 1 for size, stride in zip(smallest, self.stride, strict=True)
        )
        if not all(a <= w <= b for a, w, b in zip(smallest, wanted, largest, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {smallest} to "
                f"{largest} (for an input of {tuple(input.shape[-n:])})"
            )
        return tuple(w - a for w, a in zip(wanted, smallest, strict=True))

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0,) * len(self.stride):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.stride):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.stride):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """The constructor of the plain convolutions.

    Arguments: `stride` 1, `padding` 0 (numbers, 'valid' or 'same'), `dilation` 1, `groups` 1, and
    `padding_mode` 'zeros', 'reflect', 'replicate' or 'circular'. ValueError for channels that
    `groups` does not divide and for 'same' with a stride.
    """

    def __init__(
        self,
        in_channels: int,
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
        super().__init__()
        self._set_up(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            0,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class Conv1d(_Conv):
    """Cross-correlates sequences: (N, C_in, L) with weight (C_out, C_in / groups, kernel).

    The output is (N, C_out, L_out), L_out = (L + 2 padding - dilation (kernel - 1) - 1) / stride
    + 1, rounded down. The batch dimension may be missing.
    """

    _dims = 1

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return F.conv1d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv2d(_Conv):
    """Cross-correlates images: (N, C_in, H, W) with weight (C_out, C_in / groups, kH, kW).

    The output is (N, C_out, H_out, W_out); each length follows the formula of `Conv1d`.
    """

    _dims = 2

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return F.conv2d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv3d(_Conv):
    """Cross-correlates volumes: (N, C_in, D, H, W) with weight (C_out, C_in / groups, kD, kH, kW).

    The output is (N, C_out, D_out, H_out, W_out); each length follows the formula of `Conv1d`.
    """

    _dims = 3

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return F.conv3d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class _ConvTranspose(_ConvNd):
    """The constructor of the transposed convolutions; only `padding_mode` 'zeros' is allowed."""

    _transposed = True

    def __init__(
        self,
        in_channels: int,
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
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {self._get_name()}, got '
                f"{padding_mode!r}"
            )
        self._set_up(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class ConvTranspose1d(_ConvTranspose):
    """The gradient of `Conv1d` as a layer: (N, C_in, L) with weight (C_in, C_out / groups, kernel).

    The output is (N, C_out, L_out), L_out = (L - 1) stride - 2 padding + dilation (kernel - 1)
    + output_padding + 1. `forward(input, output_size)` chooses among the lengths that a strided
    convolution maps to the same one.
    """

    _dims = 1

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        return F.conv_transpose1d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose2d(_ConvTranspose):
    """The gradient of `Conv2d` as a layer: (N, C_in, H, W), weight (C_in, C_out / groups, kH, kW).

    The output is (N, C_out, H_out, W_out); each length follows the formula of `ConvTranspose1d`.
    """

    _dims = 2

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        return F.conv_transpose2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose3d(_ConvTranspose):
    """The gradient of `Conv3d` as a layer: (N, C_in, D, H, W) to (N, C_out, D_out, H_out, W_out).

    The weight is (C_in, C_out / groups, kD, kH, kW); each length follows the formula of
    `ConvTranspose1d`.
    """

    _dims = 3

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        return F.conv_transpose3d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )
