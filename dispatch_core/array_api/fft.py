"""The standard's extension for Fourier transforms."""

from __future__ import annotations

from typing import Any

from dispatch_core._namespaces import names_of
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._names import FUNCTIONS, renamed, standard


class _Transforms:
    """The functions of `dispatch_core.fft` as attributes."""

    def __getattr__(self, name: str) -> Any:
        found = names_of("fft")[name]
        setattr(self, name, found)
        return found


_T = _Transforms()
_ONE = "(x, /, *, n=None, axis=-1, norm='backward')"
_SEVERAL = "(x, /, *, s=None, axes=None, norm='backward')"
_SHIFT = "(x, /, *, axes=None)"

renamed(
    "floating-point",
    {f"{n}{_ONE}": f"{n}(x, n, axis, norm)" for n in ("fft", "ifft")}
    | {f"{n}{_SEVERAL}": f"{n}(x, s, axes, norm)" for n in ("fftn", "ifftn")}
    | {f"{n}{_SHIFT}": f"{n}(x, axes)" for n in ("fftshift", "ifftshift")},
    "fft",
    _T,
)
renamed(
    "real-valued floating-point",
    {f"{n}{_ONE}": f"{n}(x, n, axis, norm)" for n in ("rfft", "ihfft")}
    | {f"rfftn{_SEVERAL}": "rfftn(x, s, axes, norm)"},
    "fft",
    _T,
)
renamed(
    "floating-point",
    {f"{n}{_ONE}": f"{n}(x, n, axis, norm)" for n in ("irfft", "hfft")}
    | {f"irfftn{_SEVERAL}": "irfftn(x, s, axes, norm)"},
    "fft",
    _T,
)


@standard("fft.fftfreq")
def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the elements of `fft`'s result, for samples `d` apart."""
    return _T.fftfreq(n, d, dtype=dtype, device=device)


@standard("fft.rfftfreq")
def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the elements of `rfft`'s result, for samples `d` apart."""
    return _T.rfftfreq(n, d, dtype=dtype, device=device)


globals().update(FUNCTIONS["fft"])
