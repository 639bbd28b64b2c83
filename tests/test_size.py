"""`Size` is a tuple that stays a `Size`."""

# ruff: noqa: RUF005 - concatenation is what is tested

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from dispatch_core._size import Size, trusted_size

S = Size((2, 3, 4))


def test_is_a_tuple() -> None:
    assert S == (2, 3, 4)
    assert hash(S) == hash((2, 3, 4))
    assert (S[0], S[-1], len(S), S.index(3), S.count(4)) == (2, 4, 3, 1, 1)
    assert repr(S) == str(S) == f"{S}" == "dc.Size([2, 3, 4])"
    assert repr(Size()) == "dc.Size([])"
    assert type(tuple(S)) is tuple


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (S[1:], (3, 4)),
        (S[::-1], (4, 3, 2)),
        (S + (1,), (2, 3, 4, 1)),
        (S + S[:1], (2, 3, 4, 2)),
        ((1,) + S, (1, 2, 3, 4)),
        (S[:1] * 2, (2, 2)),
        (2 * S[:1], (2, 2)),
        (trusted_size((5, 6)), (5, 6)),
        (Size(range(3)), (0, 1, 2)),
        (copy.copy(S), S),
        (copy.deepcopy(S), S),
        (pickle.loads(pickle.dumps(S)), S),
    ],
)
def test_stays_a_size(made: Size, expected: tuple[int, ...]) -> None:
    assert type(made) is Size
    assert made == expected


def test_items_become_plain_ints() -> None:
    assert [type(item) for item in Size([np.int64(4), True, 3])] == [int, int, int]


def test_numel() -> None:
    assert [S.numel(), Size().numel(), Size((0, 3)).numel()] == [24, 1, 0]
    assert Size((2**40, 2**40)).numel() == 2**80


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Size([2, 3.0]), r"takes an iterable of 'int' \(item 1 is 'float'\)"),
        (lambda: Size([2, "a"]), r"\(item 1 is 'str'\)"),
        (lambda: Size(3), "'int' object is not iterable"),
        (lambda: S + [1], r"can only concatenate tuple \(not list\) to dc.Size"),
        (lambda: [1] + S, "can only concatenate list"),
        (lambda: S + ("a",), r"\(item 3 is 'str'\)"),
        (lambda: (1.5,) + S, r"\(item 0 is 'float'\)"),
        (lambda: S * 1.5, "float"),
    ],
)
def test_wrong_items(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()
