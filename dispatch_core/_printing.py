"""How tensors are printed: the text PyTorch prints, from a numpy array and a few facts about it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, SupportsIndex, TypeAlias

import numpy as np

from dispatch_core._dtypes import bool_, dtype, from_numpy_dtype, get_default_dtype, int64

Array: TypeAlias = np.ndarray[Any, Any]


class PrintOptions(NamedTuple):
    """How much is printed, and how; the fields are the arguments of `set_printoptions`."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: Final = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

_current = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed; what is None stays as it is, except `sci_mode`.

    `precision` counts digits after the point, tensors of more than `threshold` elements show only
    `edgeitems` at both ends of every dimension, lines break at `linewidth`, `sci_mode` forces or
    forbids exponents (None: they are used where magnitudes ask for them). `profile` is "default",
    "short" or "full".

    Raises:
        ValueError: an unknown profile, or a negative number.
        TypeError: a number has the wrong type.

    """
    global _current  # noqa: PLW0603  the one process-wide setting
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"unknown profile {profile!r}; expected one of {', '.join(_PROFILES)}")
    options = _current if profile is None else _PROFILES[profile]
    if threshold is not None and not isinstance(threshold, (int, float, np.number)):
        raise TypeError(f"threshold must be a number, got {type(threshold).__name__}")
    _current = options._replace(
        precision=_count("precision", precision, options.precision),
        threshold=options.threshold if threshold is None else threshold,
        edgeitems=_count("edgeitems", edgeitems, options.edgeitems),
        linewidth=_count("linewidth", linewidth, options.linewidth),
        sci_mode=sci_mode,
    )


def _count(name: str, value: SupportsIndex | None, otherwise: int) -> int:
    if value is None:
        return otherwise
    if not isinstance(value, SupportsIndex):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    number = operator.index(value)
    if number < 0:
        raise ValueError(f"{name} must not be negative, got {number}")
    return number


def get_printoptions() -> dict[str, Any]:
    """Return the present options as the keyword arguments that `set_printoptions` takes."""
    return _current._asdict()


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Set options as `set_printoptions` does, for the length of the block."""
    global _current  # noqa: PLW0603  the one process-wide setting
    before = _current
    set_printoptions(**options)
    try:
        yield
    finally:
        _current = before


# --- whole tensors ------------------------------------------------------------------------------


def format_tensor(
    array: Array,
    *,
    prefix: str = "tensor(",
    dtype_name: str | None = None,
    device: str | None = None,
    grad_fn: str | None = None,
    requires_grad: bool = False,
    options: PrintOptions | None = None,
) -> str:
    """Return what `repr` of a tensor with the elements of `array` is.

    `dtype_name` replaces the dtype's repr, `device` is given when it is to be shown, `grad_fn` is
    the name of the node that made the tensor. The dtype is only shown where the elements do not
    tell it.
    """
    options = _current if options is None else options
    own = from_numpy_dtype(array.dtype)
    suffixes: list[str] = []
    if device is not None:
        suffixes.append(f"device='{device}'")
    if array.size:
        implied = own in (get_default_dtype(), _default_complex(), int64, bool_)
        shows_size = not options.edgeitems
    else:
        implied = own is get_default_dtype()
        shows_size = array.ndim != 1
    if shows_size:
        suffixes.append(f"size={array.shape}")
    if not implied:
        suffixes.append(f"dtype={own if dtype_name is None else dtype_name}")
    body = _format_elements(array, len(prefix), options) if array.size else "[]"
    return _close(prefix, body, suffixes, grad_fn, requires_grad, options)


def format_without_elements(
    shape: Sequence[int],
    dtype: dtype,
    *,
    prefix: str = "tensor(",
    device: str | None = None,
    grad_fn: str | None = None,
    requires_grad: bool = False,
    options: PrintOptions | None = None,
) -> str:
    """Return what `repr` of a tensor is that has no elements to show, as on the meta device."""
    suffixes = [] if device is None else [f"device='{device}'"]
    suffixes.append(f"size={tuple(shape)}")
    if dtype is not get_default_dtype():
        suffixes.append(f"dtype={dtype}")
    options = _current if options is None else options
    return _close(prefix, "...", suffixes, grad_fn, requires_grad, options)


def _default_complex() -> dtype:
    return get_default_dtype().to_complex()


def _close(
    prefix: str,
    body: str,
    suffixes: list[str],
    grad_fn: str | None,
    requires_grad: bool,
    options: PrintOptions,
) -> str:
    """Return prefix, body and suffixes; a suffix that does not fit the line begins a new one."""
    if grad_fn is not None:
        suffixes = [*suffixes, f"grad_fn=<{grad_fn}>"]
    elif requires_grad:
        suffixes = [*suffixes, "requires_grad=True"]
    text = prefix + body
    # One more than the length of the line, and two more if it is the first: PyTorch's count.
    reached = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if reached + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            reached = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            reached += len(suffix) + 2
    return text + ")"


# --- elements -----------------------------------------------------------------------------------


class _Format(NamedTuple):
    """How every element of one tensor is written: `render` pads to `width` where it can."""

    render: Callable[[Any], str]
    width: int


def _format_elements(array: Array, indent: int, options: PrintOptions) -> str:
    summarize = array.size > options.threshold
    shown = _edges(array, options.edgeitems) if summarize else array
    if array.dtype.kind == "c":
        element = _complex_format(shown, options)
    elif array.dtype.kind in "biu":
        element = _plain_format(shown)
    else:
        element = _float_format(shown, options)
    return _nested(array, indent, summarize, element, options)


def _edges(array: Array, edgeitems: int) -> Array:
    """Return the elements that a summary shows: the first and last ones along every dimension."""
    for axis, size in enumerate(array.shape):
        if size > 2 * edgeitems:
            before = (slice(None),) * axis
            first, last = array[*before, :edgeitems], array[*before, size - edgeitems :]
            array = np.concatenate([first, last], axis)
    return array


def _plain_format(shown: Array) -> _Format:
    width = max((len(str(value)) for value in shown.reshape(-1).tolist()), default=1)
    return _Format(lambda value: str(value).rjust(width), width)


def _float_format(shown: Array, options: PrintOptions) -> _Format:
    """Choose among 3., 0.1235 and 1.2346e-05 by the finite elements that are not zero.

    The others take no part in the width either, so columns with nan or inf can be ragged.
    """
    with np.errstate(invalid="ignore"):  # signalling nan
        wide = shown.reshape(-1).astype(np.float64)
    decisive = wide[np.isfinite(wide) & (wide != 0)]
    if not decisive.size:
        return _Format(_whole_number, 1)
    low, high = float(np.abs(decisive).min()), float(np.abs(decisive).max())
    scientific = high > 1e8 or low < 1e-4 or high / low > 1000
    if options.sci_mode is not None:
        scientific = options.sci_mode
    if scientific:
        spec = f".{options.precision}e"
    elif (decisive == np.ceil(decisive)).all():
        width = max(len(_whole_number(value)) for value in decisive.tolist())
        return _Format(lambda value: _whole_number(value).rjust(width), width)
    else:
        spec = f".{options.precision}f"
    width = max(len(format(value, spec)) for value in decisive.tolist())
    return _Format(lambda value: format(value, spec).rjust(width), width)


def _whole_number(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _complex_format(shown: Array, options: PrintOptions) -> _Format:
    real = _float_format(shown.real, options)
    imag = _float_format(shown.imag, options)

    def render(value: complex) -> str:
        text = imag.render(value.imag).lstrip()
        sign = "" if text.startswith(("-", "+")) else "+"
        return f"{real.render(value.real)}{sign}{text}j"

    return _Format(render, real.width + imag.width + 1)


def _nested(
    array: Array, indent: int, summarize: bool, element: _Format, options: PrintOptions
) -> str:
    if array.ndim == 0:
        return element.render(array.item())
    edge = options.edgeitems
    cut = summarize and len(array) > 2 * edge
    parts = [array[:edge], array[len(array) - edge :]] if cut else [array]
    if array.ndim == 1:
        texts = [[element.render(value) for value in part.tolist()] for part in parts]
        ellipsis, separator = " ..." if edge else "...", ", "
    else:
        texts = [
            [_nested(row, indent + 1, summarize, element, options) for row in part]
            for part in parts
        ]
        ellipsis = "..."
        separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    items = [*texts[0], ellipsis, *texts[1]] if cut else texts[0]
    if array.ndim > 1:
        return f"[{separator.join(items)}]"
    per_line = max(1, (options.linewidth - indent) // (element.width + 2))
    lines = [separator.join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
