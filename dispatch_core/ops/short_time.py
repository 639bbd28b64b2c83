"""Fourier transforms of the windows of a signal, and the signal again by overlap and add.

The inverse is the least-squares estimate of Griffin and Lim, Signal estimation from modified
short-time Fourier transform (1984): windowed frames are added up and divided by the added squares
of the window.
"""

from __future__ import annotations

import warnings
from typing import Any

from dispatch_core._families.base import COMPLEX, INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import any_true

ONESIDED = "Cannot have onesided output if window or input is complex"
LEAST_ENVELOPE = 1e-11


def _check(ok: bool, name: str, expected: str, came: Any) -> None:
    if not ok:
        raise RuntimeError(f"{name}(): expected {expected}, but got {came}")


def _lengths(n_fft: Any, hop_length: Any, win_length: Any) -> tuple[int, int, int]:
    n = whole("n_fft", n_fft)
    hop = n >> 2 if hop_length is None else whole("hop_length", hop_length)
    return n, hop, n if win_length is None else whole("win_length", win_length)


def _whole_window(input: Tensor, window: Any, win_length: int, n_fft: int) -> Any:
    """The window (ones, where none is given) in the middle of n_fft elements; None for all ones."""
    if win_length == n_fft:
        return window
    if window is None:
        real = K.real(input) if input.is_complex() else input
        window = K.new_ones(real, (win_length,))
    left = (n_fft - win_length) // 2
    return K.pad_constant(window, ((left, n_fft - win_length - left),), 0.0)


# -- to frames -----------------------------------------------------------------------------------


def _stft_samples(make: Any) -> list[Any]:
    return [
        (make(9), 4, 2, None, make(4, low=0.5), {"return_complex": True}),
        (
            make(2, 8),
            5,
            3,
            4,
            make(4, low=0.5),
            False,
            {"normalized": True, "onesided": False, "return_complex": False},
        ),
    ]


def _returns_complex(input: Tensor, window: Any, wanted: Any) -> bool:
    if wanted is not None:
        return bool(wanted)
    if input.is_complex() or (window is not None and window.is_complex()):
        return True
    raise RuntimeError(
        "stft requires the return_complex parameter be given for real inputs; use "
        "return_complex=True"
    )


def _centred(input: Tensor, n_fft: int, pad_mode: str) -> Tensor:
    side = n_fft // 2
    padded = K.pad(K.reshape(input, (1, 1, *input.shape)[-3:]), (side, side), pad_mode)
    return K.reshape(padded, (*input.shape[:-1], padded.shape[-1]))


def _check_stft(size: int, n_fft: int, hop: int, win: int, window: Any) -> None:
    _check(0 < n_fft <= size, "stft", f"0 < n_fft <= {size}, the signal's length", f"n_fft={n_fft}")
    _check(hop > 0, "stft", "hop_length > 0", f"hop_length={hop}")
    _check(0 < win <= n_fft, "stft", f"0 < win_length <= n_fft={n_fft}", f"win_length={win}")
    if window is not None:
        _check(
            window.shape == (win,),
            "stft",
            f"a 1D window tensor of size equal to win_length={win}",
            f"window with size {list(window.shape)}",
        )


@composite(custom(INEXACT, halves=False, apart=("window",), samples=_stft_samples))
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: Any = None,
    win_length: Any = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: Any = None,
    return_complex: Any = None,
    align_to_window: Any = None,
) -> Tensor:
    """The Fourier transforms of windows of n_fft elements, hop_length (default n_fft // 4) apart.

    `input` is (L) or (B, L), real or complex; the result (B?, N, T) with T windows and N frequencies:
    n_fft, or n_fft // 2 + 1 if `onesided` (the default where input and window are real), and complex,
    or real with a last dimension 2 where not `return_complex`, which must be given for real input.
    Each window is multiplied by `window` (win_length elements, default n_fft, in the middle). With
    `center` the signal is extended by n_fft // 2 on both sides in `pad_mode`, so that window t lies
    around t * hop_length; else window t begins there, or, with `align_to_window`, its win_length
    inner elements do. `normalized` divides by the root of n_fft.

    RuntimeError for another number of dimensions, for lengths or a window that do not fit, and for a
    onesided transform of complex numbers.
    """
    n, hop, win = _lengths(n_fft, hop_length, win_length)
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    as_complex = _returns_complex(input, window, return_complex)
    _check(input.ndim in (1, 2), "stft", "a 1D or 2D tensor", f"{input.ndim} dimensions")
    x = _centred(input, n, pad_mode) if center and n > 0 else input
    _check_stft(x.shape[-1], n, hop, win, window)
    if align_to_window:
        left = (n - win) // 2
        extended = (left, n - win - left)
        x = K.pad_constant(x, (((0, 0),) * (x.ndim - 1)) + (extended,), 0.0)
    frames = K.unfold_windows(x, -1, n, hop)
    window = _whole_window(input, window, win, n)
    if window is not None:
        frames = frames * window
    norm, last = "ortho" if normalized else "backward", (frames.ndim - 1,)
    if frames.is_complex():
        if onesided:
            raise RuntimeError(ONESIDED)
        found = K.fft_c2c(frames, last, norm, True)
    elif onesided is None or onesided:
        found = K.fft_r2c(frames, last, norm)
    else:
        found = K.fft_c2c(K.cast(frames, frames.dtype.to_complex()), last, norm, True)
    found = K.transpose(found, -2, -1)
    return found if as_complex else K.view_as_real(found)


# -- and back ------------------------------------------------------------------------------------


def _istft_samples(make: Any) -> list[Any]:
    window = K.real(make(4, low=0.5)) if make.dtype.is_complex else make(4)
    return [
        (make(3, 5), 4, 2, None, window),
        (make(2, 5, 3), 5, 2, 4, window, False, True, False, {"length": 7}),
        (make(5, 3), 5, 2, None, None, False, {"return_complex": True}),
    ]


def _check_istft(
    input: Tensor, n_fft: int, hop: int, win: int, window: Any, onesided: bool
) -> None:
    name, rows = "istft", input.shape[-2]
    wanted = n_fft // 2 + 1 if onesided else n_fft
    what = "n_fft / 2 + 1" if onesided else "n_fft"
    _check(
        rows == wanted,
        name,
        f"the frequency dimension of the input to match {what} when onesided={onesided}",
        f"{rows} frequencies for n_fft={n_fft}",
    )
    _check(0 < hop <= win, name, f"0 < hop_length <= win_length={win}", f"hop_length={hop}")
    _check(0 < win <= n_fft, name, f"0 < win_length <= n_fft={n_fft}", f"win_length={win}")
    if window is not None:
        _check(
            window.shape == (win,),
            name,
            f"a 1D window of win_length={win} elements",
            f"shape {list(window.shape)}",
        )


def _frames_of(
    input: Tensor, n_fft: int, norm: str, window: Any, onesided: bool, as_complex: bool
) -> Tensor:
    """The signals (B, n_fft, T) of the spectra (B, N, T)."""
    if as_complex:
        if onesided:
            raise RuntimeError(ONESIDED)
        return K.fft_c2c(input, (1,), norm, False)
    if window is not None and window.is_complex():
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    return K.fft_c2r(K.narrow(input, 1, 0, n_fft // 2 + 1), (1,), norm, n_fft)


def _added(frames: Tensor, hop: int) -> Tensor:
    """Frames (B, n, T) added up, hop apart: (B, length)."""
    batch, n, count = frames.shape
    shape = (1, batch, n + hop * (count - 1))
    wide = K.unsqueeze(frames, 0)
    return K.select(K.fold_windows(wide, shape, (n,), (hop,), (0,), (1,), (count,)), 0, 0)


@composite(custom(COMPLEX, apart=("window",), samples=_istft_samples))
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: Any = None,
    win_length: Any = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: Any = None,
    length: Any = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal whose `stft` with the same arguments is nearest to `input`, (B?, N, T) and complex.

    A tensor (L) or (B, L), complex if `return_complex`, which needs all frequencies. `onesided` says
    whether N is n_fft // 2 + 1 (default: unless it is n_fft). With `center`, n_fft // 2 elements are
    taken off at both ends; `length` cuts the signal, or extends it by zeros with a warning.

    RuntimeError for real or empty input, shapes and lengths that do not fit, and where the windows
    leave an element of the signal without weight.
    """
    n, hop, win = _lengths(n_fft, hop_length, win_length)
    if input.ndim < 2:
        raise IndexError(f"istft(): expected 2 or 3 dimensions (B?, N, T), but got {input.ndim}")
    _check(input.numel() > 0, "istft", "an input that is not empty", list(input.shape))
    _check(input.ndim <= 3, "istft", "a tensor with 2 or 3 dimensions", input.ndim)
    onesided = input.shape[-2] != n if onesided is None else bool(onesided)
    _check_istft(input, n, hop, win, window, onesided)
    x = K.unsqueeze(input, 0) if input.ndim == 2 else input
    norm = "ortho" if normalized else "backward"
    frames = _frames_of(x, n, norm, window, onesided, return_complex)
    window = _whole_window(input, window, win, n)
    if window is None:
        window = K.new_ones(K.real(frames) if return_complex else frames, (n,))
    column = K.unsqueeze(window, -1)
    signal = _added(frames * column, hop)
    weight = K.expand(K.unsqueeze(column * column, 0), (1, n, x.shape[-1]))
    envelope = _added(weight, hop)

    whole_length, start = signal.shape[-1], n // 2 if center else 0
    end = whole_length - start
    if length is not None:
        end = start + whole("length", length)
    kept = min(end, whole_length) - start
    if kept <= 0:
        raise RuntimeError(
            f"istft(): nothing is left of the signal of {whole_length} elements from {start} to {end}"
        )
    signal, envelope = K.narrow(signal, 1, start, kept), K.narrow(envelope, 1, start, kept)
    if any_true(K.lt(K.abs(envelope), LEAST_ENVELOPE)):
        raise RuntimeError(
            "istft(): window overlap add min: the windows leave elements of the signal without weight "
            f"(below {LEAST_ENVELOPE}), use a smaller hop_length, center=True or another window"
        )
    signal = signal / envelope
    if end > whole_length:
        warnings.warn(
            f"The length of signal is shorter than the length parameter ({length}). Result is being "
            "padded with zeros in the tail. Please check your center and hop_length settings.",
            UserWarning,
            stacklevel=4,
        )
        signal = K.pad_constant(signal, ((0, 0), (0, end - whole_length)), 0.0)
    return K.select(signal, 0, 0) if input.ndim == 2 else signal
