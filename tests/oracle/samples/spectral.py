"""Samples of Fourier transforms."""

from __future__ import annotations

from tests.oracle.calls import COMPLEXES, Call, Maker, call
from tests.oracle.samples.unary import Samples

NORMS = ("forward", "backward", "ortho")


def _one(m: Maker) -> list[Call]:
    return [
        call(m(6)),
        call(m(3, 5)),
        call(m(3, 6), 4),
        call(m(3, 6), n=8, dim=0),
        call(m(2, 3, 4), dim=-2),
        *(call(m(5), norm=n) for n in NORMS),
    ]


def _two(m: Maker) -> list[Call]:
    return [
        call(m(4, 6)),
        call(m(2, 4, 5)),
        call(m(4, 6), (3, 4)),
        call(m(4, 6, 3), s=(5, 8), dim=(0, 1)),
        *(call(m(3, 5), norm=n) for n in NORMS),
    ]


def _several(m: Maker) -> list[Call]:
    return [
        call(m(4, 6)),
        call(m(2, 3, 4)),
        call(m(2, 3, 4), s=(3, 5)),
        call(m(2, 3, 4), dim=(0, -1)),
        call(m(2, 3, 4), (4,), (1,)),
        *(call(m(3, 5), norm=n) for n in NORMS),
    ]


def _shift(m: Maker) -> list[Call]:
    return [call(m(5)), call(m(4, 3)), call(m(4, 3), 0), call(m(2, 3, 4), dim=(0, -1))]


def _real(m: Maker, *shape: int, **bounds: float) -> object:
    """A real window for signals of any dtype."""
    part = {"complex64": "float32", "complex128": "float64"}.get(m.dtype, m.dtype)
    return m(*shape, dtype=part, **bounds)


def _stft(m: Maker) -> list[Call]:
    window = _real(m, 8, low=0.2, high=1)
    return [
        call(m(32), 8, return_complex=True, window=window),
        call(m(2, 32), 8, 4, 8, window, True, "reflect", True, None if m.complex else True, True),
        call(m(32), 8, hop_length=3, center=False, window=window, return_complex=True),
        call(m(32), 8, window=window, pad_mode="constant", onesided=False, return_complex=True),
        call(m(32), 10, win_length=8, window=window, return_complex=True),
        *([] if m.complex else [call(m(32), 8, window=window, return_complex=False)]),
    ]


def _istft(m: Maker) -> list[Call]:
    dtype = m.dtype if m.dtype in COMPLEXES else "complex64"
    part = {"complex64": "float32", "complex128": "float64"}[dtype]
    window = m(8, dtype=part, low=0.5, high=1)
    return [
        call(m(5, 9, dtype=dtype), 8, window=window),
        call(m(2, 5, 9, dtype=dtype), 8, hop_length=4, window=window, length=20),
        call(m(5, 9, dtype=dtype), 8, 2, window=window, center=False),
        call(m(5, 9, dtype=dtype), 8, window=window, normalized=True),
        call(m(8, 9, dtype=dtype), 8, window=window, onesided=False, return_complex=True),
    ]


SAMPLES: dict[str, Samples] = {
    **{f"fft.{name}": _one for name in ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]},
    **{f"fft.{name}2": _two for name in ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]},
    **{f"fft.{name}n": _several for name in ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]},
    "fft.fftshift": _shift,
    "fft.ifftshift": _shift,
    "stft": _stft,
    "istft": _istft,
}
