"""Factories: tensors from sizes, values and other tensors' shapes."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn_once
from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import bool_, float64, get_default_dtype, int64, scalar_dtype
from dispatch_core._families.others import creation, custom, movement, transfer
from dispatch_core._numbers import fitting
from dispatch_core._op import Ints, K, Number, composite, primitive
from dispatch_core._place import Place, as_device, moved, place
from dispatch_core._shapes import wholes
from dispatch_core._tensor import Tensor, is_readable
from dispatch_core.ops._layout import laid_out, order_like, order_of


@primitive(creation(), namespace="_")
def fill_new(size: Any, value: Any, place: Place) -> Tensor:
    """A new tensor of a size, all elements `value` (None: whatever the memory holds)."""


@primitive(creation(), namespace="_")
def arange_new(start: Any, step: Any, count: int, place: Place) -> Tensor:
    """start, start + step, ... as a new tensor of `count` elements."""


def _size(size: Any) -> tuple[int, ...]:
    found = wholes("size", size)
    for n in found:
        if not 0 <= n < 1 << 63:
            raise _size_error(n, found)
    return found


def _size_error(n: int, size: Any) -> Exception:
    if n < 0:
        return RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(size)}")
    return TypeError(f"argument 'size' failed to unpack: Overflow when unpacking long long: {n}")


def as_element(value: Any, dtype: Any) -> Any:
    """A number, or a 0-d tensor of any dtype, in a dtype; RuntimeError where it does not hold the number."""
    if not isinstance(value, Tensor):
        return fitting(value, dtype)
    if value.dtype is dtype:
        return value
    if value.dtype.category > dtype.category and is_readable(value):
        fitting(value.item(), dtype)
    return K.cast(value, dtype)


def _end(value: Any, name: str) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.ndim:
        raise RuntimeError(
            "linspace() and logspace() take 0-dimensional start and end tensors, but got "
            f"{name} with {value.ndim} dimension(s)"
        )
    return value.item()


def _finish(tensor: Tensor, requires_grad: bool) -> Tensor:
    return tensor.requires_grad_() if requires_grad else tensor


@composite(creation(), out=True)
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor filled with one value; its dtype follows from the value unless given."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    wanted = dtype or scalar_dtype(fill_value)
    size = size if isinstance(size, (tuple, list)) else (size,)
    where = place(device, wanted)
    return _finish(K.fill_new(_size(size), fitting(fill_value, wanted), where), requires_grad)


@composite(creation(), out=True)
def empty(
    size: Ints,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor whose elements are whatever the memory holds."""
    where = place(device, dtype or get_default_dtype())
    size = _size(size)
    order = None if memory_format is None else order_of("empty", memory_format, len(size))
    made = laid_out(size, order, lambda size: K.fill_new(size, None, where))
    return _finish(made, requires_grad)


@composite(creation(), out=True)
def zeros(
    size: Ints,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor filled with 0."""
    wanted = dtype or get_default_dtype()
    return _finish(K.fill_new(_size(size), 0, place(device, wanted)), requires_grad)


@composite(creation(), out=True)
def ones(
    size: Ints,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor filled with 1."""
    wanted = dtype or get_default_dtype()
    return _finish(K.fill_new(_size(size), 1, place(device, wanted)), requires_grad)


@composite(creation(), out=True)
def eye(
    n: int,
    m: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A matrix with ones on the diagonal and zeros elsewhere."""
    m = n if m is None else m
    where = place(device, dtype or get_default_dtype())
    size = _size((n, m))
    count = place(device, int64)
    rows, columns = (K.arange_new(0, 1, k, count) for k in size)
    on = K.eq(K.unsqueeze(rows, 1), columns)
    return _finish(K.cast(on, where.dtype), requires_grad)


@composite(creation(), out=True)
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below end; int64 if all are ints, else the default dtype."""
    if end is None:
        start, end = 0, start
    start, end, step = (
        v if v.__class__ is int or v.__class__ is float else _as_number(v)
        for v in (start, end, step)
    )
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = int64 if whole else get_default_dtype()
    span = end - start
    count = (
        -(-span // step) if isinstance(span, int) and isinstance(step, int) else _ceil(span / step)
    )
    return _finish(K.arange_new(start, step, int(count), place(device, dtype)), requires_grad)


def _as_number(value: Any) -> Any:
    """What stands in a tensor, or a scalar of numpy's, as a number of Python's."""
    return value.item() if hasattr(value, "item") else value


def _ceil(value: float) -> int:
    whole = int(value)
    return whole + 1 if value > whole else whole


@composite(creation(), out=True)
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` evenly spaced values from start to end, both included."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    start, end = (_end(v, name) for v, name in ((start, "start"), (end, "end")))
    wanted = dtype or get_default_dtype()
    if not wanted.is_complex and (isinstance(start, complex) or isinstance(end, complex)):
        raise RuntimeError(
            f"linspace(): complex ends do not fit {wanted}; give a complex dtype or their real parts"
        )
    exact = place(device, wanted if wanted.is_floating_point else get_default_dtype())
    i = K.arange_new(0, 1, steps, exact)
    if steps <= 1:
        return _finish(K.cast(i * 0 + start, wanted), requires_grad)
    step = (end - start) / (steps - 1)
    # Counted from both ends, so that both are exact.
    values = K.where(K.lt(i, steps // 2), i * step + start, end - (steps - 1 - i) * step)
    return _finish(K.cast(values, wanted), requires_grad)


@composite(
    custom(samples=lambda make: [(make(2, 3), 2.5)]), grad=NOT_DIFFERENTIABLE, batch="leading"
)
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor filled with one value, like another: its shape, dtype, device and order in memory."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    where = place(input.device if device is None else device, dtype or input.dtype)
    value = fitting(fill_value, where.dtype)
    order = order_like("full_like", input, memory_format)
    made = laid_out(tuple(input.shape), order, lambda size: K.fill_new(size, value, where))
    return _finish(made, requires_grad)


def _new(
    input: Tensor, size: Any, value: Any, dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    size = size if isinstance(size, (tuple, list)) else (size,)
    where = place(input.device if device is None else device, dtype or input.dtype)
    value = None if value is None else fitting(value, where.dtype)
    return _finish(K.fill_new(_size(size), value, where), requires_grad)


@composite(
    custom(samples=lambda make: [(make(2), (2, 3), 2.5)]),
    grad=NOT_DIFFERENTIABLE,
    method=True,
    namespace="_",
    batch="along_dims",
)
def new_full(
    input: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor filled with one value, of the dtype and device of `input`."""
    return _new(input, size, fill_value, dtype, device, requires_grad)


@composite(
    custom(samples=lambda make: [(make(2), (2, 3))]),
    grad=NOT_DIFFERENTIABLE,
    method=True,
    namespace="_",
    batch="along_dims",
)
def new_zeros(
    input: Tensor,
    size: Ints,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Zeros, of the dtype and device of `input`."""
    return _new(input, size, 0, dtype, device, requires_grad)


@composite(
    custom(samples=lambda make: [(make(2), (2, 3))]),
    grad=NOT_DIFFERENTIABLE,
    method=True,
    namespace="_",
    batch="along_dims",
)
def new_ones(
    input: Tensor,
    size: Ints,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Ones, of the dtype and device of `input`."""
    return _new(input, size, 1, dtype, device, requires_grad)


@composite(custom(), grad=NOT_DIFFERENTIABLE, method=True, namespace="_", batch="along_dims")
def new_empty(
    input: Tensor,
    size: Ints,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """An uninitialised tensor, of the dtype and device of `input`."""
    return _new(input, size, None, dtype, device, requires_grad)


@composite(custom(samples=lambda make: [(make(2, 3),)]), grad=NOT_DIFFERENTIABLE, batch="leading")
def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape, dtype, device and order in memory of another tensor."""
    return K.full_like(
        input,
        0,
        dtype=dtype,
        device=device,
        requires_grad=requires_grad,
        memory_format=memory_format,
    )


@composite(custom(samples=lambda make: [(make(2, 3),)]), grad=NOT_DIFFERENTIABLE, batch="leading")
def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape, dtype, device and order in memory of another tensor."""
    return K.full_like(
        input,
        1,
        dtype=dtype,
        device=device,
        requires_grad=requires_grad,
        memory_format=memory_format,
    )


@composite(custom(), grad=NOT_DIFFERENTIABLE, batch="leading")
def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """An uninitialised tensor like another: of its shape, dtype, device and order in memory."""
    where = place(input.device if device is None else device, dtype or input.dtype)
    order = order_like("empty_like", input, memory_format)
    made = laid_out(tuple(input.shape), order, lambda size: K.fill_new(size, None, where))
    return _finish(made, requires_grad)


@primitive(
    custom(
        samples=lambda make: [
            (make(2, 3), float64),
            (make(), float64),
            (make(0, 2), float64),
            (make(3), make.dtype),
        ]
    ),
    grad={"input": lambda K, g, input_dtype: K.cast(g, input_dtype)},
    namespace="_",
    batch="leading",
)
def cast(input: Tensor, dtype: Any) -> Tensor:
    """The elements converted to a dtype, as a new tensor also where they have it already."""


def converted(input: Tensor, dtype: Any) -> Tensor:
    """The cast that a user asks for: where it drops imaginary parts, it says so, once."""
    if input.dtype.is_complex and not dtype.is_complex and dtype is not bool_:
        warn_once("Casting complex values to real discards the imaginary part")
    return K.cast(input, dtype)


@composite(custom(), namespace="_")
def cast_like(input: Tensor, other: Tensor) -> Tensor:
    """The elements converted to the dtype of another tensor (the real part, if that is real)."""
    if input.dtype is other.dtype:
        return input
    if input.is_complex() and not other.is_complex():
        input = K.real(input)
    return K.cast(input, other.dtype)


@composite(
    movement(samples=lambda make: [(make(2, 3), make(3)), (make(2), make())], inplace=True),
    grad={
        "input": lambda K, g: K.zeros_like(g),
        "src": lambda K, g, src_shape, src_dtype: K.sum_to(K.cast(g, src_dtype), src_shape),
    },
    namespace="_",
)
def copy(input: Tensor, src: Tensor) -> Tensor:
    """`src`, broadcast to the shape and converted to the dtype of `input`."""
    if src.dtype is not input.dtype:
        src = converted(src, input.dtype)
    return src if src.shape == input.shape else K.expand(src, tuple(input.shape))


@composite(
    movement(samples=lambda make: [(make(2, 3), 2.0), (make(2), make())], inplace=True),
    grad={
        "input": lambda K, g: K.zeros_like(g),
        "value": lambda K, g: K.sum(g),
    },
)
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """A tensor of the shape of `input`, all elements `value` (a number or 0-d tensor)."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value.ndim} dimensions."
            )
        return K.copy(input, value)
    return K.full_like(input, value)


@composite(
    movement(samples=lambda make: [(make(2, 3),)], inplace=True), namespace="_", method=False
)
def zero(input: Tensor) -> Tensor:
    """Zeros in the shape of `input`."""
    return K.fill(input, 0)


@composite(custom(), namespace="_", fallback=False)
def to_device(input: Tensor, device: Any, non_blocking: bool = False) -> Tensor:
    """The tensor on another device; itself where it is there already."""
    target, source = as_device(device), input.device
    if target == source or (target.type == source.type and source.index is None):
        return input  # where there is only one of a type, its number says nothing
    return K.move(input, target, source, non_blocking)


@composite(
    transfer(),
    grad={
        "input": lambda K, g, target, source, non_blocking: K.move(g, source, target, non_blocking)
    },
    namespace="_",
    fallback=False,
)
def move(input: Tensor, target: Any, source: Any, non_blocking: bool = False) -> Tensor:
    """A copy on device `target` of a tensor on device `source`, through the host.

    `non_blocking`: the copy need not be done when the call returns; later work of the device's current
    stream comes after it.
    """
    return moved(input, target, non_blocking)
