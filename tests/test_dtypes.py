"""Dtypes and type promotion against tables that PyTorch 2.13 produced."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from dispatch_core import _dtypes as D
from dispatch_core._dtypes import Priority

GOLDEN = json.loads((Path(__file__).parent / "data" / "dtype_promotion.json").read_text())
BY_ABBR = {d.abbr: d for d in D.ALL_DTYPES}


@pytest.fixture
def restored_default() -> Iterator[None]:
    before = D.get_default_dtype()
    yield
    D.set_default_dtype(before)


def check(expected: str, compute: Callable[[], D.dtype]) -> None:
    if expected == "-":
        with pytest.raises(RuntimeError, match="uint16, uint32, uint64"):
            compute()
    else:
        assert compute() is BY_ABBR[expected]


@pytest.mark.parametrize("a", D.ALL_DTYPES, ids=repr)
def test_pairs_as_in_pytorch(a: D.dtype) -> None:
    rows = zip(
        D.ALL_DTYPES,
        GOLDEN["promote"][a.name].split(),
        GOLDEN["dim_zero"][a.name].split(),
        GOLDEN["can_cast"][a.name],
        strict=True,
    )
    for b, promoted, dimensioned_with_zero_dim, castable in rows:
        check(promoted, lambda b=b: D.promote_types(a, b))
        for priority in Priority:
            check(promoted, lambda b=b, p=priority: D.promote_operands([(a, p), (b, p)]))
        operands = [(b, Priority.ZERO_DIM), (a, Priority.DIMENSIONED)]
        check(dimensioned_with_zero_dim, lambda operands=operands: D.promote_operands(operands))
        assert D.can_cast(a, b) == (castable == "1")


@pytest.mark.parametrize("default", GOLDEN["scalar"])
@pytest.mark.parametrize("scalar", [True, 1, 1.5, 1j])
@pytest.mark.parametrize("priority", [Priority.ZERO_DIM, Priority.DIMENSIONED])
@pytest.mark.usefixtures("restored_default")
def test_python_scalars_as_in_pytorch(default: str, scalar: complex, priority: Priority) -> None:
    D.set_default_dtype(D.from_name(default))
    expected = GOLDEN["scalar"][default][type(scalar).__name__].split()
    for d, name in zip(D.ALL_DTYPES, expected, strict=True):
        weak = (D.scalar_dtype(scalar), Priority.SCALAR)
        assert D.promote_operands([weak, (d, priority)]) is BY_ABBR[name]


def test_three_priorities_together() -> None:
    operands = [
        (D.int8, Priority.DIMENSIONED),
        (D.uint8, Priority.DIMENSIONED),
        (D.int64, Priority.ZERO_DIM),
        (D.float32, Priority.SCALAR),
    ]
    assert D.promote_operands(operands) is D.float32
    assert D.promote_operands(operands[:3]) is D.int16
    with pytest.raises(ValueError, match="at least one"):
        D.promote_operands([])


@pytest.mark.parametrize("d", D.ALL_DTYPES, ids=repr)
def test_a_dtype_is_one_immutable_object(d: D.dtype) -> None:
    assert pickle.loads(pickle.dumps(d)) is d
    assert copy.copy(d) is d
    assert copy.deepcopy([d])[0] is d
    assert D.from_name(d.name) is d
    assert D.from_numpy_dtype(d.numpy_dtype) is d
    assert D.ALL_DTYPES[d.number] is d
    assert repr(d) == str(d) == "dc." + d.name
    assert {d: 1}[d] == 1
    for change in (lambda: setattr(d, "name", "x"), lambda: delattr(d, "name")):
        with pytest.raises(AttributeError, match="immutable"):
            change()


def test_dtypes_are_a_closed_set() -> None:
    with pytest.raises(TypeError, match="cannot create dtype"):
        D.dtype("float32")
    with pytest.raises(ValueError, match=r"unknown dtype 'float128'.*float64"):
        D.from_name("float128")


def test_aliases() -> None:
    pairs = "half=float16 float=float32 double=float64 cfloat=complex64 cdouble=complex128 "
    for pair in (pairs + "short=int16 int=int32 long=int64 bool=bool").split():
        alias, name = pair.split("=")
        assert D.PUBLIC_NAMES[alias] is D.from_name(name)


def test_from_numpy_dtype_accepts_c_types_and_refuses_the_rest() -> None:
    for c_type in (np.longlong, np.ulonglong, np.long, np.intc, np.byte):
        width = np.dtype(c_type)
        assert D.from_numpy_dtype(width).numpy_dtype == np.dtype(f"{width.kind}{width.itemsize}")
    with pytest.raises(ValueError, match="byte order"):
        D.from_numpy_dtype(np.dtype(np.float32).newbyteorder("S"))
    for refused in ("O", "U3", "S3", "M8[s]", "i4,f4", np.longdouble, ml_dtypes.float8_e5m2):
        with pytest.raises(TypeError, match="supported types are: bool, uint8"):
            D.from_numpy_dtype(np.dtype(refused))


def test_to_complex_and_to_real() -> None:
    assert [D.float16.to_complex(), D.bfloat16.to_complex()] == [D.complex64, D.complex64]
    assert D.float64.to_complex() is D.complex128.to_complex() is D.complex128
    assert [D.complex64.to_real(), D.complex128.to_real()] == [D.float32, D.float64]
    assert D.int8.to_real() is D.int8
    with pytest.raises(RuntimeError, match=r"dc\.int32 has no complex counterpart"):
        D.int32.to_complex()


@pytest.mark.usefixtures("restored_default")
def test_default_dtype_tells_its_listeners() -> None:
    calls = []
    D.default_dtype_listeners.append(lambda: calls.append(D.get_default_dtype()))
    try:
        D.set_default_dtype(D.float64)
        D.set_default_dtype(D.float64)
    finally:
        D.default_dtype_listeners.pop()
    assert calls == [D.float64]
    assert D.finfo().bits == 64
    for refused in (D.int32, D.complex64, 3, "float32"):
        with pytest.raises(TypeError, match="only floating-point types are supported"):
            D.set_default_dtype(refused)


def test_finfo_and_iinfo() -> None:
    assert repr(D.finfo(D.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, "
        "smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)"
    )
    bf16 = D.finfo(D.bfloat16)
    assert (bf16.bits, bf16.eps, bf16.max) == (16, 0.0078125, 3.3895313892515355e38)
    assert (bf16.tiny, bf16.resolution, bf16.dtype) == (1.1754943508222875e-38, 0.01, "bfloat16")
    assert D.finfo(D.complex64) == D.finfo(D.float32) != D.finfo(D.float64)
    assert len({D.finfo(D.complex64), D.finfo(D.float32)}) == 1
    assert len({D.iinfo(D.int8), D.iinfo(D.uint8), D.iinfo(D.int8)}) == 2
    assert repr(D.iinfo(D.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert (D.iinfo(D.uint64).max, D.iinfo(D.uint64).min, D.iinfo(D.int8).bits) == (2**64 - 1, 0, 8)


def test_wrong_arguments_name_the_argument() -> None:
    for function, arguments, message in (
        (D.finfo, (D.int32,), r"dc\.finfo\(\) requires a floating point input.*dc\.iinfo"),
        (D.iinfo, (D.float32,), r"requires an integer input type, got dc\.float32"),
        (D.iinfo, (D.bool_,), r"dc\.bool is not supported by dc\.iinfo"),
        (D.finfo, (3,), r"finfo\(\): argument 'type' .* must be dc\.dtype, not int"),
        (
            D.promote_types,
            (D.int8, 2),
            r"argument 'type2' \(position 2\) must be dc\.dtype, not int",
        ),
        (D.can_cast, ("x", D.int8), r"argument 'from_' \(position 1\) must be dc\.dtype, not str"),
        (D.scalar_dtype, ("x",), "expected a Python number, got str"),
    ):
        with pytest.raises(TypeError, match=message):
            function(*arguments)
