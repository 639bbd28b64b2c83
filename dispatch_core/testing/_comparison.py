"""`assert_close`: two structures compared by value, shape, dtype and device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from dispatch_core._caller import warn
from dispatch_core._construct import tensor
from dispatch_core._dtypes import dtype
from dispatch_core._tensor import Tensor

Array = np.ndarray[Any, Any]
Message = str | Callable[[str], str] | None

TOLERANCES: dict[str, tuple[float, float]] = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""rtol and atol by dtype, PyTorch's; all other dtypes compare exactly."""


def default_tolerances(*names: str) -> tuple[float, float]:
    """The rtol and atol for values of these dtypes (by name): the largest of each."""
    found = [TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    return max(r for r, _ in found), max(a for _, a in found)


@dataclass(frozen=True, slots=True)
class _Rule:
    rtol: float | None
    atol: float | None
    equal_nan: bool
    subclasses: bool
    device: bool
    dtype: bool
    stride: bool
    msg: Message
    path: tuple[Any, ...] = ()

    def below(self, key: Any) -> _Rule:
        return replace(self, path=(*self.path, key))

    def fail(self, message: str, error: type[Exception] = AssertionError) -> NoReturn:
        if self.path:
            message += f"\n\nThe failure occurred for item {''.join(f'[{k!r}]' for k in self.path)}"
        if error is AssertionError and self.msg is not None:
            message = self.msg(message) if callable(self.msg) else self.msg
        raise error(message)

    def tolerances(self, *names: str) -> tuple[float, float]:
        if self.rtol is None or self.atol is None:
            return default_tolerances(*names)
        return self.rtol, self.atol


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol |expected| for all elements.

    Compares tensors, arrays, numbers, None, and sequences and mappings of them. Without rtol and
    atol they follow from the dtypes (float32: 1.3e-6 and 1e-5). The message names the elements that
    differ most and, in a structure, the item.

    Raises ValueError when only one of rtol and atol is given, TypeError for what cannot be
    compared.
    """
    if (rtol is None) != (atol is None):
        given = "rtol" if atol is None else "atol"
        other = "atol" if atol is None else "rtol"
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got no {other} with "
            f"{given}={rtol if atol is None else atol}."
        )
    rule = _Rule(
        rtol, atol, equal_nan, allow_subclasses, check_device, check_dtype, check_stride, msg
    )
    _compare(actual, expected, rule)


def _compare(actual: Any, expected: Any, rule: _Rule) -> None:
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            rule.fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        for index, (a, b) in enumerate(zip(actual, expected, strict=True)):
            _compare(a, b, rule.below(index))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        _compare_mappings(actual, expected, rule)
    elif actual is None or expected is None:
        if actual is not expected:
            rule.fail(f"None mismatch: {actual!r} is not {expected!r}")
    elif isinstance(actual, Tensor) and isinstance(expected, Tensor):
        if not rule.subclasses and type(actual) is not type(expected):
            _unsupported(actual, expected, rule)
        _compare_tensors(actual, expected, rule)
    elif isinstance(actual, (np.ndarray, np.generic)) and isinstance(
        expected, (np.ndarray, np.generic)
    ):
        a, b = np.asarray(actual), np.asarray(expected)
        _attribute("shape", a.shape, b.shape, rule)
        if rule.dtype:
            _attribute("dtype", a.dtype, b.dtype, rule)
        _values(a, b, rule.tolerances(a.dtype.name, b.dtype.name), rule, scalar=False)
    elif isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
        if bool(actual) != bool(expected):
            rule.fail(f"Booleans mismatch: {actual} is not {expected}")
    elif _is_number(actual) and _is_number(expected):
        _compare_numbers(actual, expected, rule)
    else:
        _unsupported(actual, expected, rule)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)


def _unsupported(actual: Any, expected: Any, rule: _Rule) -> NoReturn:
    rule.fail(
        "No comparison pair was able to handle inputs of type "
        f"{type(actual)} and {type(expected)}; compare tensors with tensors, numbers with numbers.",
        TypeError,
    )


def _compare_mappings(actual: Mapping[Any, Any], expected: Mapping[Any, Any], rule: _Rule) -> None:
    missing = [k for k in expected if k not in actual]
    additional = [k for k in actual if k not in expected]
    if missing or additional:
        rule.fail(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {missing}\n"
            f"Additional keys in the actual mapping: {additional}"
        )
    for key in expected:
        _compare(actual[key], expected[key], rule.below(key))


def _compare_numbers(actual: Any, expected: Any, rule: _Rule) -> None:
    kinds = [
        "complex128" if isinstance(v, complex) else "float64" if isinstance(v, float) else "int64"
        for v in (actual, expected)
    ]
    a, b = np.asarray(actual), np.asarray(expected)
    _values(a, b, rule.tolerances(*kinds), rule, scalar=True)


def _attribute(name: str, actual: Any, expected: Any, rule: _Rule) -> None:
    if actual != expected:
        rule.fail(f"The values for attribute '{name}' do not match: {actual} != {expected}.")


def _compare_tensors(actual: Tensor, expected: Tensor, rule: _Rule) -> None:
    _attribute("shape", tuple(actual.shape), tuple(expected.shape), rule)
    if rule.device:
        _attribute("device", actual.device, expected.device, rule)
    if rule.dtype and actual.dtype is not expected.dtype:
        _attribute("dtype", actual.dtype, expected.dtype, rule)
    if rule.stride:
        _attribute("stride()", actual.stride(), expected.stride(), rule)
    tolerances = rule.tolerances(actual.dtype.name, expected.dtype.name)
    _values(host_of(actual), host_of(expected), tolerances, rule, scalar=False)


def host_of(tensor: Tensor) -> Array:
    """The elements as a host array; 16-bit floats come as float64, which numpy computes with."""
    host: Array = tensor._backend.to_host(tensor.detach()._raw)
    return host.astype(np.float64) if _is_half(tensor.dtype) else host


def _is_half(found: dtype) -> bool:
    return found.is_floating_point and found.itemsize == 2


def _wide(array: Array) -> Array:
    kind = array.dtype.kind
    if kind == "c":
        return array.astype(np.complex128)
    return array.astype(np.float64) if kind in "fV" else array


def _values(
    actual: Array, expected: Array, tolerances: tuple[float, float], rule: _Rule, *, scalar: bool
) -> None:
    rtol, atol = tolerances
    a, b = _wide(actual), _wide(expected)
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        same = a == b
        if same.all():
            return
        if rtol == 0 and atol == 0:
            matches = same
        a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        matches = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=rule.equal_nan)
        if rtol == 0 and atol == 0:
            matches = (a == b) | (rule.equal_nan & np.isnan(a) & np.isnan(b))
        if matches.all():
            return
        absolute = np.abs(a - b)
        relative = absolute / np.abs(b)
    if scalar:
        rule.fail(_scalar_message(actual, expected, absolute, relative, rtol, atol))
    rule.fail(_message(matches, absolute, relative, rtol, atol))


def _scalar_message(
    actual: Array, expected: Array, absolute: Array, relative: Array, rtol: float, atol: float
) -> str:
    if rtol == 0 and atol == 0:
        head = f"Scalars are not equal!\n\nExpected {expected[()]} but got {actual[()]}."
        return f"{head}\nAbsolute difference: {absolute[()]}\nRelative difference: {relative[()]}"
    return (
        f"Scalars are not close!\n\nExpected {expected[()]} but got {actual[()]}.\n"
        f"Absolute difference: {absolute[()]} (up to {atol} allowed)\n"
        f"Relative difference: {relative[()]} (up to {rtol} allowed)"
    )


def _message(matches: Array, absolute: Array, relative: Array, rtol: float, atol: float) -> str:
    wrong = ~matches
    count, total = int(wrong.sum()), matches.size
    exact = rtol == 0 and atol == 0
    lines = [
        f"Tensor-likes are not {'equal' if exact else 'close'}!",
        "",
        f"Mismatched elements: {count} / {total} ({count / total:.1%})",
    ]
    for name, found, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        where = np.where(wrong, np.where(np.isnan(found), np.inf, found), -1.0)
        at = np.unravel_index(int(where.argmax()), where.shape)
        place = f" at index {tuple(int(i) for i in at)}" if where.ndim else ""
        limit = "" if exact else f" (up to {allowed} allowed)"
        lines.append(f"Greatest {name} difference: {found[at]}{place}{limit}")
    return "\n".join(lines)


_OLD_TOLERANCES = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Deprecated: `assert_close` with wider tolerances, which does not compare dtypes."""
    warn(
        "`testing.assert_allclose()` is deprecated; use `testing.assert_close()`, which compares dtypes too",
        FutureWarning,
    )
    if not isinstance(actual, Tensor):
        actual = tensor(actual)
    if not isinstance(expected, Tensor):
        expected = tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        found = [_OLD_TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (actual, expected)]
        rtol, atol = max(r for r, _ in found), max(a for _, a in found)
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_dtype=False,
        msg=msg or None,
    )
