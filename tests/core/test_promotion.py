"""Result dtypes of operators against PyTorch's, for all pairs of dtypes and kinds of operand."""

import json
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core._dtypes import ALL_DTYPES

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "data" / "dtype_promotion.json").read_text(encoding="utf-8")
)
BY_ABBR = {d.abbr: d for d in ALL_DTYPES}
SCALARS = {"bool": True, "int": 3, "float": 1.5, "complex": 1 + 2j}


def rows(table):
    for name, line in table.items():
        yield name, list(zip(GOLDEN["dtypes"], line.split(), strict=True))


def made(name, shape):
    return dc.ones(shape, dtype=getattr(dc, name))


@pytest.mark.parametrize("op", [dc.add, dc.mul], ids=["add", "mul"])
def test_tensors_of_equal_rank(op):
    for a, row in rows(GOLDEN["promote"]):
        for b, expected in row:
            for shape in ((2,), ()):
                if expected == "-":
                    with pytest.raises(RuntimeError, match=r"Promotion|promotion"):
                        op(made(a, shape), made(b, shape))
                    continue
                result = op(made(a, shape), made(b, shape))
                assert result.dtype is BY_ABBR[expected], (a, b)
                assert result._backend.dtype_of(result._raw) is result.dtype, (a, b)


def test_a_zero_dimensional_tensor_is_weaker():
    for a, row in rows(GOLDEN["dim_zero"]):
        for b, expected in row:
            if expected == "-":
                continue
            assert dc.add(made(a, (2,)), made(b, ())).dtype is BY_ABBR[expected], (a, b)
            assert dc.add(made(b, ()), made(a, (2,))).dtype is BY_ABBR[expected], (a, b)


@pytest.mark.parametrize("shape", [(2,), ()], ids=["tensor", "zero-dim"])
def test_python_numbers(shape):
    default = dc.get_default_dtype()
    try:
        for name, table in GOLDEN["scalar"].items():
            dc.set_default_dtype(getattr(dc, name))
            for kind, row in rows(table):
                for dtype, expected in row:
                    x = made(dtype, shape)
                    assert (x + SCALARS[kind]).dtype is BY_ABBR[expected], (name, kind, dtype)
                    assert (SCALARS[kind] * x).dtype is BY_ABBR[expected], (name, kind, dtype)
    finally:
        dc.set_default_dtype(default)


def test_division_and_functions_of_integers_give_floats():
    for dtype in ALL_DTYPES:
        x = dc.ones(2, dtype=dtype)
        expected = dtype if dtype.is_floating_point or dtype.is_complex else dc.float32
        assert (x / x).dtype is expected
        assert x.exp().dtype is expected
        assert dc.sin(x).dtype is expected
        if not dtype.is_complex:
            assert (x / 2).dtype is expected
            assert (2 / x).dtype is expected


def test_comparisons_give_bool_and_promote_their_operands():
    big = dc.tensor([2**53 + 1], dtype=dc.int64)
    assert (big == 2**53 + 1).item()
    assert not (big == 2**53).item()
    assert (dc.tensor([1], dtype=dc.int8) < dc.tensor([1.5])).item()
    assert dc.eq(dc.tensor([1], dtype=dc.int32), dc.tensor([True])).dtype is dc.bool


def test_sums_of_integers_are_int64():
    for dtype in ALL_DTYPES:
        x = dc.ones(3, dtype=dtype)
        discrete = not (dtype.is_floating_point or dtype.is_complex)
        assert x.sum().dtype is (dc.int64 if discrete else dtype)
        assert x.prod().dtype is (dc.int64 if discrete else dtype)
        assert x.cumsum(0).dtype is (dc.int64 if discrete else dtype)
    assert dc.ones(3, dtype=dc.int8).sum(dtype=dc.float64).dtype is dc.float64


def test_values_are_converted_not_reinterpreted():
    x = dc.tensor([200], dtype=dc.uint8) + dc.tensor([-1], dtype=dc.int8)
    assert (x.dtype, x.item()) == (dc.int16, 199)
    assert (dc.tensor([250], dtype=dc.uint8) + 10).item() == 4  # wraps, as PyTorch does
    assert (dc.tensor([1.0], dtype=dc.float16) + 1e-8).dtype is dc.float16


def test_a_scalar_that_does_not_fit_wraps_around():
    assert (dc.ones(2, dtype=dc.uint8) + 300).tolist() == [45, 45]


def test_where_and_cat_promote():
    condition = dc.tensor([True, False])
    assert dc.where(condition, dc.ones(2, dtype=dc.int32), 1.5).dtype is dc.float32
    assert dc.where(condition, 1, 2).dtype is dc.int64
    assert dc.where(condition, 1.0, 2).dtype is dc.float32
    assert dc.cat([dc.ones(1, dtype=dc.int8), dc.ones(1, dtype=dc.float16)]).dtype is dc.float16
    assert dc.stack([dc.tensor(1), dc.tensor(1.5)]).dtype is dc.float32


def test_contractions_do_not_promote():
    with pytest.raises(RuntimeError, match="same dtype"):
        dc.ones(2, 2) @ dc.ones(2, 2, dtype=dc.float64)


def test_promotion_of_recorded_operands_is_differentiated():
    a = dc.ones(2, dtype=dc.float16, requires_grad=True)
    b = dc.ones(2, dtype=dc.float64, requires_grad=True)
    c = dc.tensor(2.0, dtype=dc.float32, requires_grad=True)
    (a * b * c).sum().backward()
    assert [t.grad.dtype for t in (a, b, c)] == [dc.float16, dc.float64, dc.float32]
    assert c.grad.item() == 2.0


def test_integer_quotients_are_exact_beyond_what_floats_hold():
    import random

    from dispatch_core._op import OPERATORS

    draw = random.Random(0)
    a = [draw.randint(-(2**63) + 1, 2**63 - 1) for _ in range(300)]
    b = [draw.choice([-1, 1]) * draw.randint(1, 2 ** draw.randint(1, 62)) for _ in range(300)]
    expected = [
        abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a, b, strict=True)
    ]
    for divide in (OPERATORS["trunc_divide"].front, OPERATORS["trunc_divide"].op.body):
        assert divide(dc.tensor(a), dc.tensor(b)).tolist() == expected
