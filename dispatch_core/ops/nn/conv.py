"""Convolution, its transpose and its weight's gradient, in one, two and three dimensions.

The three are linear in each tensor and are each other's gradients, so derivatives of any order
exist and never leave them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._families.base import INEXACT, NUMBERS
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import batched, check_ndim, declared, ntuple
from dispatch_core.ops.nn.windows import product, window_count


def _extra(size: Any, out: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The output padding with which a transposed convolution gives `size` again."""
    return tuple(
        n - ((o - 1) * s - 2 * p + d * (k - 1) + 1)
        for n, o, k, s, p, d in zip(size, out, kernel, stride, padding, dilation, strict=True)
    )


def _cropped(K: Any, value: Any, size: Any) -> Any:
    """`value` without the last rows that `size` lacks (output padding beyond the stride)."""
    if tuple(value.shape[2:]) == tuple(size):
        return value
    return K.basic_index(value, (Ellipsis, *(slice(0, n) for n in size)))


def _bias_gradient(K: Any, g: Any) -> Any:
    return K.sum(g, (0, *range(2, len(g.shape))), False)


def _to_input(
    K: Any, g: Any, weight: Any, shape: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    extra = _extra(shape[2:], g.shape[2:], weight.shape[2:], stride, padding, dilation)
    return K.convolution_transpose(g, weight, None, stride, padding, extra, dilation, groups)


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(2, 4, 7), make(6, 2, 3), make(6), (2,), (1,), (1,), 2),
            (make(1, 2, 5, 6), make(3, 2, 3, 2), None, (1, 2), (1, 0), (2, 1), 1),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, weight, stride, padding, dilation, groups: _to_input(
            K, g, K.conj(weight), input_shape, stride, padding, dilation, groups
        ),
        "weight": lambda K, g, input, weight_shape, stride, padding, dilation, groups: (
            K.convolution_weight(
                K.conj(input), g, tuple(weight_shape[2:]), stride, padding, dilation, groups
            )
        ),
        "bias": lambda K, g: _bias_gradient(K, g),
    },
    namespace="_",
)
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """Correlate (N, C, *spatial) with kernels (O, C/groups, *kernel): (N, O, *out)."""
    kernel = tuple(weight.shape[2:])
    geometry = zip(input.shape[2:], kernel, stride, padding, dilation, strict=True)
    out = tuple(window_count(*each) for each in geometry)
    columns = K.windows(input, kernel, stride, padding, dilation, out)
    n, outputs = input.shape[0], weight.shape[0]
    rows = product(weight.shape[1:])
    columns = K.reshape(columns, (n, groups, rows, product(out)))
    found = K.matmul(K.reshape(weight, (groups, outputs // groups, rows)), columns)
    found = K.reshape(found, (n, outputs, *out))
    return found if bias is None else found + _per_channel(bias, len(out))


def _per_channel(bias: Tensor, spatial: int) -> Tensor:
    return K.reshape(bias, (bias.shape[0],) + (1,) * spatial)


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(2, 4, 5), make(4, 3, 3), make(6), (2,), (1,), (1,), (1,), 2),
            (make(1, 2, 3, 4), make(2, 3, 3, 2), None, (1, 2), (1, 0), (0, 1), (2, 1), 1),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, weight, stride, padding, dilation, groups: _cropped(
            K,
            K.convolution(g, K.conj(weight), None, stride, padding, dilation, groups),
            input_shape[2:],
        ),
        "weight": lambda K, g, input, weight_shape, stride, padding, dilation, groups: (
            K.convolution_weight(
                g, K.conj(input), tuple(weight_shape[2:]), stride, padding, dilation, groups
            )
        ),
        "bias": lambda K, g: _bias_gradient(K, g),
    },
    namespace="_",
)
def convolution_transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """The adjoint of `convolution`: (N, C, *), weight (C, O/groups, *kernel) -> (N, O, *out)."""
    kernel = tuple(weight.shape[2:])
    size = tuple(input.shape[2:])
    out = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, k, s, p, e, d in zip(
            size, kernel, stride, padding, output_padding, dilation, strict=True
        )
    )
    n, channels = input.shape[:2]
    rows = product(weight.shape[1:])
    flat = K.reshape(weight, (groups, channels // groups, rows))
    planes = K.reshape(input, (n, groups, channels // groups, product(size)))
    columns = K.matmul(K.permute(flat, (0, 2, 1)), planes)
    outputs = groups * weight.shape[1]
    columns = K.reshape(columns, (n, outputs, product(kernel), product(size)))
    found = K.fold_windows(columns, (n, outputs, *out), kernel, stride, padding, dilation, size)
    return found if bias is None else found + _per_channel(bias, len(out))


@composite(
    contraction(
        INEXACT,
        samples=lambda make: [
            (make(2, 4, 7), make(2, 6, 4), (3,), (2,), (1,), (1,), 2),
            (make(1, 2, 5, 6), make(1, 3, 3, 3), (3, 2), (1, 2), (1, 0), (2, 1), 1),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, grad_output, stride, padding, dilation, groups: (
            _to_input(K, K.conj(grad_output), g, input_shape, stride, padding, dilation, groups)
        ),
        "grad_output": lambda K, g, input, grad_output_shape, stride, padding, dilation, groups: (
            _cropped(
                K,
                K.convolution(K.conj(input), g, None, stride, padding, dilation, groups),
                grad_output_shape[2:],
            )
        ),
    },
    namespace="_",
)
def convolution_weight(
    input: Tensor,
    grad_output: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """The gradient of `convolution` for its weight, (O, C/groups, *kernel_size)."""
    n, channels = input.shape[:2]
    outputs, out = grad_output.shape[1], tuple(grad_output.shape[2:])
    columns = K.windows(input, kernel_size, stride, padding, dilation, out)
    rows = channels // groups * product(kernel_size)
    columns = K.reshape(columns, (n, groups, rows, product(out)))
    planes = K.reshape(grad_output, (n, groups, outputs // groups, product(out)))
    each = K.matmul(planes, K.permute(columns, (0, 1, 3, 2)))
    return K.reshape(K.sum(each, 0), (outputs, channels // groups, *kernel_size))


# -- public functions ------------------------------------------------------------------------------


def _check(input: Tensor, weight: Tensor, bias: Any, groups: int, n: int, transposed: bool) -> None:
    """Raise where channels and groups do not fit together."""
    check_ndim(f"conv{'_transpose' if transposed else ''}{n}d", input, n)
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"expected a weight of {n + 2} dimensions (channels, channels / groups, "
            f"{n} kernel sizes), but got weight of size {list(weight.shape)}"
        )
    if not transposed and not weight.shape[0]:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least 1 at dimension 0, but got weight "
            f"of size {list(weight.shape)} instead"
        )
    if 0 in weight.shape[2:]:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got weight of size {list(weight.shape)}"
        )
    channels = input.shape[-n - 1]
    expected = weight.shape[0] if transposed else weight.shape[1] * groups
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    if channels != expected:
        raise RuntimeError(
            f"Given {'transposed=True' if transposed else f'groups={groups}'}, weight of size "
            f"{list(weight.shape)}, expected input{list(input.shape)} to have {expected} channels, "
            f"but got {channels} channels instead"
        )
    if groups < 1 or outputs % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {list(weight.shape)} instead"
        )
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with "
            f"{outputs} elements, but got bias of size {list(bias.shape)} instead"
        )


def _same_padding(input: Tensor, kernel: Any, stride: Any, dilation: Any) -> tuple[Tensor, Any]:
    """Padding that keeps the size; what it lacks to be even is added to the input's end first."""
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(t % 2 for t in totals):
        sides = [side for t in reversed(totals) for side in (0, t % 2)]
        input = K.pad(input, tuple(sides))
    return input, tuple(t // 2 for t in totals)


def _convolve(
    n: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Tensor:  # fmt: skip
    _check(input, weight, bias, groups, n, False)
    kernel = tuple(weight.shape[2:])
    stride, dilation = ntuple("stride", stride, n), ntuple("dilation", dilation, n)
    if padding == "same":
        input, around = _same_padding(input, kernel, stride, dilation)
    elif padding == "valid":
        around = (0,) * n
    elif isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}', should be 'same' or 'valid'")
    else:
        around = ntuple("padding", padding, n)
    if min(around) < 0 or min(stride) < 1 or min(dilation) < 1:
        raise RuntimeError(
            "expected padding of at least 0 and stride and dilation of at least 1, but got "
            f"padding={around}, stride={stride}, dilation={dilation}"
        )
    for size, k, p, d in zip(input.shape[-n:], kernel, around, dilation, strict=True):
        if size + 2 * p < d * (k - 1) + 1:
            raise RuntimeError(
                f"Calculated padded input size per channel: {size + 2 * p}. Kernel size: "
                f"{d * (k - 1) + 1}. Kernel size can't be greater than actual input size"
            )
    return batched(
        f"conv{n}d",
        input,
        n,
        lambda x: K.convolution(x, weight, bias, stride, around, dilation, groups),
    )


def _convolve_transposed(
    n: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    _check(input, weight, bias, groups, n, True)
    stride, padding = ntuple("stride", stride, n), ntuple("padding", padding, n)
    dilation = ntuple("dilation", dilation, n)
    extra = ntuple("output_padding", output_padding, n)
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(*stride, *dilation) <= 0:
        raise RuntimeError("stride and dilation should be greater than zero")
    for e, s, d in zip(extra, stride, dilation, strict=True):
        if e >= s and e >= d:
            raise RuntimeError(
                "output padding must be smaller than either stride or dilation, but got "
                f"output_padding={extra}, stride={stride}, dilation={dilation}"
            )
    return batched(
        f"conv_transpose{n}d",
        input,
        n,
        lambda x: K.convolution_transpose(
            x, weight, bias, stride, padding, extra, dilation, groups
        ),
    )


_DOC = """Correlate (N, C, *) with a weight (O, C / groups, *), ?-dimensional; N may be missing.

    `padding` may be "same" or "valid". RuntimeError for channels that do not fit.
    """
_DOC_TRANSPOSED = """The gradient of `conv?d` for its input, as a function of (N, C, *) or (C, *).

    The weight is (C, O / groups, *). RuntimeError for channels that do not fit.
    """


def _samples(name: str, n: int) -> Callable[[Any], list[Any]]:
    """Sample calls: strides, padding, dilation, groups, and without a batch."""
    sizes, kernel = (5, 4, 3)[:n], (3, 2, 2)[:n]

    def samples(make: Any) -> list[Any]:
        x, w, bias = make(2, 4, *sizes), make(4, 2, *kernel), make(4)
        if name == "conv?d":
            return [
                (x, make(3, 4, *kernel)),
                (x, w, bias, {"stride": 2, "padding": 1, "groups": 2}),
                (make(4, *sizes), make(2, 4, *(2,) * n), None, 1, "same", 2 if n == 1 else 1),
            ]
        return [
            (x, make(4, 3, *kernel)),
            (x, w, bias, {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
            (make(4, *sizes), make(4, 2, *kernel), {"dilation": 2 if n == 1 else 1}),
        ]

    return samples


def _declare(n: int) -> None:
    def conv(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        return _convolve(n, input, weight, bias, stride, padding, dilation, groups)

    def conv_transpose(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Tensor:  # fmt: skip
        return _convolve_transposed(
            n, input, weight, bias, stride, padding, output_padding, groups, dilation
        )

    made: tuple[tuple[str, Callable[..., Any], str], ...] = (
        ("conv?d", conv, _DOC),
        ("conv_transpose?d", conv_transpose, _DOC_TRANSPOSED),
    )
    for name, function, doc in made:
        function = declared(name, n, function, doc)
        composite(
            custom(NUMBERS, samples=_samples(name, n)),
            aliases=(f"nn.functional.{function.__name__}",),
            method=False,
        )(function)


for _n in (1, 2, 3):
    _declare(_n)
