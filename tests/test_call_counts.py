"""How many Python functions one call enters: what keeps calls cheap, counted so that load cannot matter.

A number here may fall. Where a change makes it rise, every call got dearer: find out why first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dispatch_core as dc

NUMPY = os.path.dirname(np.__file__)


def python_calls(statement: Callable[[], Any]) -> list[str]:
    """The names of the Python functions that a second run of `statement` enters."""
    statement()
    entered: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        # numpy's own wrappers are numpy's affair; comprehensions are no calls from Python 3.12 on.
        if event == "call" and not code.co_filename.startswith(NUMPY) and code.co_name[0] != "<":
            entered.append(code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        statement()
    finally:
        sys.setprofile(before)
    return entered


def tensors(requires_grad: bool) -> dict[str, Any]:
    return {
        "x": dc.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=requires_grad),
        "y": dc.tensor([[1.5, 2.0], [-0.5, 4.0]], requires_grad=requires_grad),
        "b": dc.tensor([0.5, -0.5], requires_grad=requires_grad),
        "c": dc.tensor([[True, False], [False, True]]),
        "dc": dc,
    }


# statement: (calls without gradient, calls with gradient)
COUNTS = {
    "x + y": (2, 3),
    "x * 2.5": (4, 5),
    "dc.exp(x)": (2, 2),
    "dc.relu(x)": (3, 3),
    "x.reshape(4)": (2, 2),
    "x.transpose(0, 1)": (3, 4),
    "x[1]": (2, 2),
    "x[0:1]": (2, 2),
    "x.sum()": (3, 3),
    "x @ y": (4, 5),
    "dc.where(c, x, y)": (2, 3),
    "dc.cat([x, y])": (4, 6),
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("statement", COUNTS)
def test_python_calls(statement: str, requires_grad: bool) -> None:
    names = tensors(requires_grad)
    run = eval(f"lambda: {statement}", names)
    entered = python_calls(run)
    assert len(entered) <= COUNTS[statement][requires_grad], entered


def test_a_number_is_made_an_array_once_however_many_came_before() -> None:
    names = tensors(False)
    for i in range(200):
        names["x"] * (i + 0.5)
    assert len(python_calls(eval("lambda: x * 777.5", names))) <= COUNTS["x * 2.5"][0]


def test_layers_that_are_off_are_not_entered() -> None:
    names = tensors(True)
    entered = python_calls(eval("lambda: x + y", names))
    assert entered == ["__add__", "call", "call"]


def test_backward_enters_a_bounded_number_of_functions_a_node() -> None:
    def chain(length: int) -> Callable[[], Any]:
        x = dc.ones(4, requires_grad=True)
        y = x
        for _ in range(length):
            y = y * 1.5
        total = y.sum()
        return lambda: total.backward(retain_graph=True)

    short, long = len(python_calls(chain(10))), len(python_calls(chain(110)))
    assert (long - short) / 100 <= 3  # the formula, what calls it, K.conj


def test_no_pluggy_and_no_signature_binding_in_a_call() -> None:
    names = tensors(True)
    for statement in COUNTS:
        entered = python_calls(eval(f"lambda: {statement}", names))
        assert not {"bind", "_hookexec", "signature", "get_type_hints"} & set(entered)
