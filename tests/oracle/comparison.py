"""Whether what two calls came to is the same: values, dtypes, shapes, fields, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.oracle.sides import Side

TOLERANCES = {
    "float64": (1e-8, 1e-9),
    "complex128": (1e-8, 1e-9),
    "float32": (1e-4, 1e-5),
    "complex64": (1e-4, 1e-5),
    "float16": (1e-2, 4e-3),
    "bfloat16": (3e-2, 2e-2),
}
"""rtol and atol by the coarsest dtype that takes part; all others compare exactly."""


class Difference(AssertionError):
    """What the two libraries do not agree in."""


@dataclass(frozen=True)
class Outcome:
    """What a call came to: a result or an exception."""

    result: Any = None
    error: Exception | None = None

    def __str__(self) -> str:
        if self.error is None:
            return "a result"
        return f"{type(self.error).__name__}: {str(self.error).strip().split(chr(10))[0][:150]}"


def attempt(function: Callable[[], Any]) -> Outcome:
    """Call a function and keep what it raises."""
    try:
        return Outcome(function())
    except Exception as error:  # noqa: BLE001  the classes of both sides are compared
        return Outcome(error=error)


def kind_of(error: Exception) -> type:
    """The builtin class of an exception, by which a caller catches it.

    For a missing kernel it is RuntimeError: whether that or another reason to refuse is seen first
    is chance.
    """
    found = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
    return RuntimeError if found is NotImplementedError else found


def same_errors(ours: Outcome, theirs: Outcome) -> bool:
    """Whether both raised and `except` of PyTorch's class catches ours; a Difference if not."""
    if theirs.error is None and ours.error is None:
        return False
    if theirs.error is None or ours.error is None:
        raise Difference(f"ours {ours}; theirs {theirs}")
    if not isinstance(ours.error, kind_of(theirs.error)):
        raise Difference(f"ours {ours}; theirs {theirs}")
    return True


@dataclass(frozen=True)
class Comparison:
    """Compares results of one library with those of the other."""

    ours: Side
    theirs: Side
    coarsest: str = "float64"
    tolerance: tuple[float, float] | None = None

    def outcomes(self, ours: Outcome, theirs: Outcome) -> None:
        """Raise a Difference unless both calls came to the same."""
        if not same_errors(ours, theirs):
            self.results(ours.result, theirs.result)

    def results(self, ours: Any, theirs: Any, where: str = "") -> None:
        """Raise a Difference unless two results are the same."""
        if self.theirs.is_tensor(theirs):
            if not self.ours.is_tensor(ours):
                raise Difference(f"{where}ours is a {type(ours).__name__}, theirs a tensor")
            self._tensors(ours, theirs, where)
        elif isinstance(theirs, Sequence) and not isinstance(theirs, str):
            self._sequences(ours, theirs, where)
        elif isinstance(theirs, (bool, int, float, complex)):
            if type(ours) is not type(theirs):
                raise Difference(f"{where}ours {ours!r}, theirs {theirs!r}")
            self._values(np.asarray(ours), np.asarray(theirs), where)
        elif str(ours).rpartition(".")[2] != str(theirs).rpartition(".")[2]:
            raise Difference(f"{where}ours {ours!r}, theirs {theirs!r}")

    def _sequences(self, ours: Any, theirs: Any, where: str) -> None:
        if isinstance(ours, list) is not isinstance(theirs, list) or not isinstance(ours, Sequence):
            names = type(ours).__name__, type(theirs).__name__
            raise Difference(f"{where}ours is a {names[0]}, theirs a {names[1]}")
        if fields(ours) != fields(theirs):
            raise Difference(f"{where}fields: ours {fields(ours)}, theirs {fields(theirs)}")
        if len(ours) != len(theirs):
            raise Difference(f"{where}ours has {len(ours)} items, theirs {len(theirs)}")
        for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            self.results(a, b, f"{where}item {index}: ")

    def _tensors(self, ours: Any, theirs: Any, where: str) -> None:
        self.kinds(ours, theirs, where)
        self._values(self.ours.numpy(ours), self.theirs.numpy(theirs), where)

    def kinds(self, ours: Any, theirs: Any, where: str = "") -> None:
        """Raise a Difference unless two tensors are of the same shape and dtype."""
        for said, a, b in (
            ("shape", tuple(ours.shape), tuple(theirs.shape)),
            ("dtype", self.ours.dtype(ours), self.theirs.dtype(theirs)),
            ("requires_grad", ours.requires_grad, theirs.requires_grad),
        ):
            if a != b:
                raise Difference(f"{where}{said}: ours {a}, theirs {b}")

    def _values(self, ours: np.ndarray, theirs: np.ndarray, where: str) -> None:
        same = ours == theirs
        if same.all():
            return
        if theirs.dtype.kind in "fc":
            rtol, atol = self._tolerance(theirs.dtype.name)
            with np.errstate(all="ignore"):
                close = np.isclose(
                    ours.astype(_WIDE[ours.dtype.kind]),
                    theirs.astype(_WIDE[theirs.dtype.kind]),
                    rtol,
                    atol,
                    equal_nan=True,
                )
            same = same | close | _same_parts(ours, theirs, rtol, atol)
        if not same.all():
            at = tuple(int(i) for i in np.argwhere(~same)[0])
            raise Difference(
                f"{where}{int((~same).sum())} of {same.size} values, at {at}: "
                f"ours {ours[at]!s}, theirs {theirs[at]!s}"
            )

    def _tolerance(self, dtype: str) -> tuple[float, float]:
        if self.tolerance is not None:
            return self.tolerance
        known = [TOLERANCES[d] for d in (dtype, self.coarsest) if d in TOLERANCES]
        return max(t[0] for t in known), max(t[1] for t in known)


_WIDE = {"f": np.float64, "c": np.complex128, "b": np.float64, "i": np.float64, "u": np.float64}


def _same_parts(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> Any:
    """Complex numbers with NaN or infinity compare part by part."""
    if a.dtype.kind != "c" or b.dtype.kind != "c":
        return False
    with np.errstate(all="ignore"):
        return np.isclose(a.real, b.real, rtol, atol, equal_nan=True) & np.isclose(
            a.imag, b.imag, rtol, atol, equal_nan=True
        )


def fields(result: Any) -> tuple[str, ...]:
    """The names that a result's items have, none of a plain tuple."""
    return tuple(getattr(result, "_fields", None) or getattr(result, "__match_args__", ()))
