"""Every name of the standard is there, with its arguments."""

from __future__ import annotations

import inspect

import pytest

import dispatch_core as dc
from dispatch_core import array_api as xp


def words(text: str) -> list[str]:
    return text.split()


NAMES = words("""
e inf nan newaxis pi bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64
complex64 complex128 arange asarray empty empty_like eye from_dlpack full full_like linspace
meshgrid ones ones_like tril triu zeros zeros_like astype can_cast finfo iinfo isdtype result_type
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert
bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1
floor floor_divide greater greater_equal hypot imag isfinite isinf isnan less less_equal log log1p
log2 log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply
negative nextafter not_equal positive pow real reciprocal remainder round sign signbit sin sinh
square sqrt subtract tan tanh trunc take take_along_axis matmul matrix_transpose tensordot vecdot
broadcast_arrays broadcast_shapes broadcast_to concat expand_dims flip moveaxis permute_dims
repeat reshape roll squeeze stack tile unstack argmax argmin count_nonzero nonzero searchsorted
where isin unique_all unique_counts unique_inverse unique_values argsort sort cumulative_prod
cumulative_sum max mean min prod std sum var all any diff linalg fft __array_api_version__
__array_namespace_info__
""")
LINALG = words("""
cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power
matrix_rank matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot
vector_norm
""")
FFT = words("""
fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift
""")
METHODS = words("""
abs add and bool complex dlpack dlpack_device eq float floordiv ge getitem gt index int invert le
lshift lt matmul mod mul ne neg or pos pow rshift setitem sub truediv xor array_namespace radd
rsub rmul rtruediv rfloordiv rmod rpow rmatmul rand ror rxor rlshift rrshift iadd isub imul
itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift
""")
ATTRIBUTES = words("""
dtype device mT ndim shape size T to_device
""")


def test_the_namespace_is_complete_and_has_nothing_else() -> None:
    assert [name for name in NAMES if not hasattr(xp, name)] == []
    assert set(dir(xp)) - set(NAMES) == {"Array", "__version__"}
    assert set(xp.linalg.__dict__["FUNCTIONS"]["linalg"]) == set(LINALG)
    assert set(xp.fft.__dict__["FUNCTIONS"]["fft"]) == set(FFT)
    assert all(hasattr(xp.linalg, n) for n in LINALG)
    assert all(hasattr(xp.fft, n) for n in FFT)


def test_arrays_have_the_methods_and_attributes() -> None:
    x = xp.ones((2, 2))
    assert [n for n in METHODS if not hasattr(x, f"__{n}__")] == []
    assert [n for n in ATTRIBUTES if not hasattr(x, n)] == []


def test_tensors_name_the_namespace() -> None:
    assert dc.ones(2).__array_namespace__() is xp
    assert dc.ones(2).__array_namespace__(api_version="2025.12") is xp
    assert xp.__array_api_version__ == "2025.12"
    with pytest.raises(ValueError, match="unknown version of the array API standard '2019.01'"):
        dc.ones(2).__array_namespace__(api_version="2019.01")


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("sum", "(x, /, *, axis=None, dtype=None, keepdims=False)"),
        ("any", "(x, /, *, axis=None, keepdims=False)"),
        ("atan2", "(x1, x2, /)"),
        ("clip", "(x, /, min=None, max=None)"),
        ("permute_dims", "(x, /, axes)"),
        ("std", "(x, /, *, axis=None, correction=0.0, keepdims=False)"),
    ],
)
def test_signatures(name: str, signature: str) -> None:
    found = inspect.signature(getattr(xp, name))
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    assert str(inspect.Signature(plain)) == signature


def test_functions_say_who_they_are() -> None:
    for name in NAMES[5:]:
        function = getattr(xp, name)
        if inspect.isfunction(function):
            assert function.__name__ == name
            assert function.__doc__


def test_info() -> None:
    info = xp.__array_namespace_info__()
    assert info.default_device() == dc.device("cpu")
    assert dc.device("cpu") in info.devices()
    assert info.default_dtypes()["real floating"] is dc.float32
    assert set(info.dtypes(kind="unsigned integer")) == {"uint8", "uint16", "uint32", "uint64"}
    assert len(info.dtypes()) == 13
    assert info.capabilities()["boolean indexing"] is True
