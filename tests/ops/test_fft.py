"""Fourier transforms against numpy's, short-time transforms, windows, and their mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS

NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
HALF_IN = ("irfft", "hfft")
REAL_IN = ("rfft", "ihfft")


def _array(*shape: int, real: bool = False) -> Any:
    random = np.random.default_rng(len(shape))
    x = random.standard_normal(shape)
    return x if real else x + 1j * random.standard_normal(shape)


def _close(tensor: dc.Tensor, array: Any, tolerance: float = 1e-12) -> None:
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_allclose(tensor.numpy(), array, rtol=tolerance, atol=tolerance)


# -- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [None, "backward", "forward", "ortho"])
@pytest.mark.parametrize("n", [None, 1, 4, 7, 100])
@pytest.mark.parametrize("name", NAMES)
def test_one_dimension_equals_numpy(name: str, n: int | None, norm: str | None) -> None:
    x = _array(3, 6, 2, real=name in REAL_IN)
    for dim in (-1, 1):
        found = getattr(dc.fft, name)(dc.tensor(x), n, dim, norm)
        _close(found, getattr(np.fft, name)(x, n, dim, norm))


@pytest.mark.parametrize("norm", [None, "forward", "ortho"])
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_several_dimensions_equal_numpy(name: str, norm: str | None) -> None:
    x = _array(3, 4, 5, real=name == "rfftn")
    for s, dim in [(None, (2, 0)), ((4, 3), (0, 1)), ((2, 6), (-2, -1))]:
        found = getattr(dc.fft, name)(dc.tensor(x), s, dim, norm)
        _close(found, getattr(np.fft, name)(x, s, dim, norm))
    two = getattr(dc.fft, name[:-1] + "2")(dc.tensor(x), norm=norm)
    _close(two, getattr(np.fft, name[:-1] + "2")(x, norm=norm))


def test_hermitian_transforms_of_several_dimensions_are_each_others_inverse() -> None:
    x = _array(3, 4, 5, real=True)
    for norm in (None, "forward", "ortho"):
        half = dc.fft.ihfftn(dc.tensor(x), norm=norm)
        whole = dc.fft.ifftn(dc.tensor(x), norm=norm)
        _close(half, whole.numpy()[..., :3])
        _close(dc.fft.hfftn(half, (3, 4, 5), norm=norm), x)
        half = dc.fft.ihfft2(dc.tensor(x), norm=norm)
        _close(dc.fft.hfft2(half, (4, 5), norm=norm), x)


def test_sizes_of_minus_one_stay_as_they_are() -> None:
    x = dc.randn(3, 4)
    assert dc.fft.fftn(x, (-1, 6)).shape == (3, 6)
    assert dc.fft.irfftn(x, (2, -1)).shape == (2, 6)
    assert dc.fft.fftn(x, 6).shape == (3, 6)


def test_without_dimensions_a_copy() -> None:
    x = dc.tensor([1 + 2j])
    found = dc.fft.fftn(x, dim=())
    found[0] = 0
    assert x.tolist() == [1 + 2j]
    assert dc.fft.fftn(dc.tensor(2.0)).tolist() == 2 + 0j


def test_an_empty_batch_stays_empty() -> None:
    assert dc.fft.fft(dc.zeros(0, 3)).shape == (0, 3)
    assert dc.fft.irfft(dc.zeros(0, 3)).shape == (0, 4)


@pytest.mark.parametrize(
    ("given", "complex_", "real"),
    [
        (dc.float32, dc.complex64, dc.float32),
        (dc.float64, dc.complex128, dc.float64),
        (dc.complex128, dc.complex128, dc.float64),
        (dc.int64, dc.complex64, dc.float32),
        (dc.bool, dc.complex64, dc.float32),
    ],
)
def test_dtypes(given: dc.dtype, complex_: dc.dtype, real: dc.dtype) -> None:
    x = dc.ones(4, dtype=given)
    assert dc.fft.fft(x).dtype is complex_
    assert dc.fft.irfft(x).dtype is real
    assert dc.fft.hfftn(x).dtype is real


def test_integers_become_the_default_dtype() -> None:
    before = dc.get_default_dtype()
    dc.set_default_dtype(dc.float64)
    try:
        assert dc.fft.rfft(dc.ones(4, dtype=dc.int32)).dtype is dc.complex128
        dc.set_default_dtype(dc.float16)
        with pytest.raises(RuntimeError, match="Unsupported dtype float16"):
            dc.fft.fft(dc.ones(4, dtype=dc.int32))
    finally:
        dc.set_default_dtype(before)


@pytest.mark.parametrize("size", [1, 2, 3, 64, 97, 500])
def test_definitions_and_kernels_agree_in_single_precision(size: int) -> None:
    x = dc.tensor(_array(2, size), dtype=dc.complex64)
    half = dc.fft.rfft(x.real)
    for op, args in [
        ("fft_c2c", (x, (1, 0), "ortho", True)),
        ("fft_r2c", (x.real, (1,), "ortho")),
        ("fft_c2r", (half, (1,), "ortho", size)),
    ]:
        declared = OPERATORS[op]
        defined = declared.op.body(*args)
        _close(declared.front(*args), defined.numpy(), 2e-5)


def test_imaginary_parts_without_a_partner_have_no_influence() -> None:
    x = dc.tensor([1 + 5j, 2 + 1j, 3 - 4j])
    y = dc.tensor([1 + 0j, 2 + 1j, 3 + 0j])
    assert dc.allclose(dc.fft.irfft(x), dc.fft.irfft(y))
    assert not dc.allclose(dc.fft.irfft(x, 5), dc.fft.irfft(y, 5))


def test_gradient_of_half_a_spectrum_counts_inner_frequencies_twice() -> None:
    half = dc.tensor([1 + 0j, 2 + 1j, 3 + 0j], requires_grad=True)
    dc.fft.irfft(half, norm="forward")[0].backward()
    assert half.grad.tolist() == [1, 2, 1]
    x = dc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    dc.fft.rfft(x)[1].imag.backward()
    np.testing.assert_allclose(x.grad.numpy(), -np.sin(2 * np.pi * np.arange(3) / 3), atol=1e-6)


# -- order and frequencies -----------------------------------------------------------------------


@pytest.mark.parametrize("dim", [None, 0, (1,), (0, -1)])
def test_shifts_equal_numpy(dim: Any) -> None:
    x = np.arange(20).reshape(4, 5)
    assert dc.fft.fftshift(dc.tensor(x), dim).tolist() == np.fft.fftshift(x, dim).tolist()
    assert dc.fft.ifftshift(dc.tensor(x), dim).tolist() == np.fft.ifftshift(x, dim).tolist()


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_equal_numpy(n: int) -> None:
    _close(dc.fft.fftfreq(n, 0.5, dtype=dc.float64), np.fft.fftfreq(n, 0.5))
    _close(dc.fft.rfftfreq(n, 0.5, dtype=dc.float64), np.fft.rfftfreq(n, 0.5))


def test_frequencies_of_nothing() -> None:
    assert dc.fft.fftfreq(0).shape == (0,)
    assert dc.fft.rfftfreq(0).isnan().tolist() == [True]
    assert dc.fft.fftfreq(3, 0.0)[1].item() == float("inf")


# -- short time ----------------------------------------------------------------------------------


def _stft_by_hand(x: Any, n: int, hop: int, window: Any) -> Any:
    frames = [x[i : i + n] * window for i in range(0, len(x) - n + 1, hop)]
    return np.fft.rfft(np.stack(frames)).T


def test_short_time_transform_by_hand() -> None:
    x, window = _array(20, real=True), np.hanning(8)
    found = dc.stft(dc.tensor(x), 8, 3, window=dc.tensor(window), center=False, return_complex=True)
    _close(found, _stft_by_hand(x, 8, 3, window))
    padded = np.pad(x, 4, mode="reflect")
    found = dc.tensor(x).stft(8, window=dc.tensor(window), return_complex=True)
    _close(found, _stft_by_hand(padded, 8, 2, window))
    parts = dc.stft(dc.tensor(x), 8, window=dc.tensor(window), return_complex=False)
    assert parts.shape == (5, 11, 2)


def test_aligned_windows_begin_with_the_signal() -> None:
    x = dc.arange(1.0, 10.0)
    found = dc.stft(
        x, 4, 2, 2, center=False, align_to_window=True, onesided=False, return_complex=True
    )
    frames = dc.fft.ifft(found, dim=0).real.round().T
    assert frames.tolist() == [[0, 1, 2, 0], [0, 3, 4, 0], [0, 5, 6, 0], [0, 7, 8, 0]]


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("win_length", [8, 7, 4])
@pytest.mark.parametrize("complex_", [False, True])
def test_the_signal_comes_back(win_length: int, normalized: bool, complex_: bool) -> None:
    x = dc.tensor(_array(2, 30, real=not complex_))
    window = dc.hann_window(win_length, dtype=dc.float64)
    options: dict[str, Any] = {"hop_length": 2, "win_length": win_length, "normalized": normalized}
    found = dc.stft(x, 8, window=window, return_complex=True, **options)
    back = dc.istft(found, 8, window=window, length=30, return_complex=complex_, **options)
    assert dc.allclose(back, x)


def test_a_signal_too_short_is_extended_with_a_warning() -> None:
    found = dc.ones(3, 5, dtype=dc.complex64)
    with pytest.warns(UserWarning, match="padded with zeros"):
        assert dc.istft(found, 4, length=9).shape == (9,)


# -- windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("M", [1, 2, 5, 8])
def test_windows_equal_numpy(M: int) -> None:
    windows = dc.signal.windows
    for name, reference in [
        ("bartlett", np.bartlett),
        ("blackman", np.blackman),
        ("hamming", np.hamming),
        ("hann", np.hanning),
    ]:
        wanted = reference(M)
        _close(getattr(windows, name)(M, dtype=dc.float64), wanted)
        _close(getattr(dc, f"{name}_window")(M, False, dtype=dc.float64), wanted)
        periodic = reference(M + 1)[:-1] if M > 1 else wanted
        _close(getattr(windows, name)(M, sym=False, dtype=dc.float64), periodic)
        _close(getattr(dc, f"{name}_window")(M, dtype=dc.float64), periodic)
    _close(windows.kaiser(M, beta=5.0, dtype=dc.float64), np.kaiser(M, 5.0), 1e-7)
    _close(dc.kaiser_window(M, False, 5.0, dtype=dc.float64), np.kaiser(M, 5.0), 1e-7)


def test_windows_by_formula() -> None:
    windows, n = dc.signal.windows, np.arange(5)
    _close(windows.cosine(5, dtype=dc.float64), np.sin(np.pi * (n + 0.5) / 5))
    _close(windows.gaussian(5, std=2, dtype=dc.float64), np.exp(-(((n - 2) / 2) ** 2) / 2))
    _close(windows.exponential(5, tau=3, dtype=dc.float64), np.exp(-np.abs(n - 2) / 3))
    found = windows.exponential(5, center=0, sym=False, dtype=dc.float64)
    _close(found, np.exp(-n))
    a = [0.5, 0.3, 0.2]
    wanted = sum((-1) ** i * w * np.cos(i * n * np.pi / 2) for i, w in enumerate(a))
    _close(windows.general_cosine(5, a=a, dtype=dc.float64), wanted)
    _close(windows.general_hamming(5, dtype=dc.float64), np.hamming(5))
    assert windows.nuttall(5)[2].item() == pytest.approx(1.0)


def test_windows_have_the_place_that_is_asked_for() -> None:
    assert dc.hann_window(4, dtype=dc.bfloat16).dtype is dc.bfloat16
    assert dc.signal.windows.hann(3, requires_grad=True).requires_grad
    assert dc.signal.windows.hann(0).shape == (0,)


# -- mistakes ------------------------------------------------------------------------------------

X = dc.ones(4)
Z = dc.ones(3, 5, dtype=dc.complex64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.fft.fft(dc.tensor(1.0)), IndexError, "tensor has no dimensions"),
        (lambda: dc.fft.fft(X, dim=1), IndexError, "out of range"),
        (lambda: dc.fft.fft2(X), IndexError, "out of range"),
        (lambda: dc.fft.fft(X, 0), RuntimeError, r"data points \(0\)"),
        (lambda: dc.fft.irfft(X[:1]), RuntimeError, r"data points \(0\)"),
        (lambda: dc.fft.fft(X[:0]), RuntimeError, r"data points \(0\)"),
        (lambda: dc.fft.fft(X, 2.0), TypeError, "'n' must be int"),
        (lambda: dc.fft.fft(X, dim=None), TypeError, "'dim' must be int"),
        (lambda: dc.fft.fft2(dc.ones(2, 2), dim=None), TypeError, "tuple of ints"),
        (lambda: dc.fft.fft(X, norm="x"), RuntimeError, 'mode: "x"'),
        (lambda: dc.fft.fft(X, norm=1), TypeError, "must be str"),
        (lambda: dc.fft.fft(X.half()), RuntimeError, "not 16-bit"),
        (lambda: dc.fft.rfft(X + 0j), RuntimeError, "not implemented for 'complex64'"),
        (lambda: dc.fft.fftn(X, dim=(0, -1)), RuntimeError, "unique"),
        (lambda: dc.fft.fftn(X, (2, 2)), RuntimeError, "only has 1 dimensions"),
        (lambda: dc.fft.fftn(X, (2, 2), 0), RuntimeError, "same length"),
        (lambda: dc.fft.rfftn(dc.tensor(1.0)), RuntimeError, "at least one axis"),
        (lambda: dc.fft.fft(X, out=dc.empty(4)), RuntimeError, "can't be cast"),
        (lambda: dc.fft.irfft(X, out=dc.empty(6) + 0j), RuntimeError, "can't be cast"),
        (lambda: dc.fft.fftshift(dc.tensor(1.0)), RuntimeError, "`shifts` required"),
        (lambda: dc.fft.fftfreq(-1), RuntimeError, "negative dimension"),
        (lambda: dc.fft.fftfreq(4, dtype=dc.int64), RuntimeError, "floating point"),
        (lambda: dc.stft(X, 4), RuntimeError, "return_complex"),
        (lambda: dc.stft(X, 5, center=False, return_complex=True), RuntimeError, "0 < n_fft <= 4"),
        (lambda: dc.stft(X, 4, 0, return_complex=True), RuntimeError, "hop_length > 0"),
        (lambda: dc.stft(X, 4, 1, 5, return_complex=True), RuntimeError, "win_length <= n_fft"),
        (lambda: dc.stft(X, 4, window=X[:3], return_complex=True), RuntimeError, "1D window"),
        (lambda: dc.stft(X + 0j, 4, onesided=True), RuntimeError, "onesided"),
        (lambda: dc.stft(X, 4, align_to_window=True), RuntimeError, "align_to_window"),
        (lambda: dc.stft(dc.ones(1, 1, 4), 4, return_complex=True), RuntimeError, "1D or 2D"),
        (lambda: dc.istft(dc.ones(3, 5), 4), RuntimeError, "complex"),
        (lambda: dc.istft(Z[:2], 4), RuntimeError, "frequency dimension"),
        (lambda: dc.istft(Z, 4, 5), RuntimeError, "hop_length"),
        (lambda: dc.istft(Z, 4, window=dc.zeros(4)), RuntimeError, "overlap add min"),
        (lambda: dc.istft(Z, 4, window=X + 0j), RuntimeError, "Complex windows"),
        (lambda: dc.istft(Z, 4, return_complex=True), RuntimeError, "onesided"),
        (lambda: dc.istft(Z, 4, length=0), RuntimeError, "nothing is left"),
        (lambda: dc.hann_window(-1), RuntimeError, "non-negative"),
        (lambda: dc.hann_window(3, dtype=dc.int64), RuntimeError, "floating point"),
        (lambda: dc.signal.windows.hann(-1), ValueError, "non-negative"),
        (lambda: dc.signal.windows.hann(3, dtype=dc.float16), ValueError, "float32 or float64"),
        (lambda: dc.signal.windows.gaussian(3, std=0), ValueError, "positive"),
        (lambda: dc.signal.windows.exponential(3, tau=0), ValueError, "positive"),
        (lambda: dc.signal.windows.exponential(3, center=1), ValueError, "Center"),
        (lambda: dc.signal.windows.kaiser(3, beta=-1), ValueError, "non-negative"),
        (lambda: dc.signal.windows.general_cosine(3, a=[]), ValueError, "empty"),
        (lambda: dc.signal.windows.general_cosine(3, a=3), TypeError, "list/tuple"),
    ],
)
def test_mistakes(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
