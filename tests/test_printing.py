"""Printing: the strings that PyTorch 2.13 printed, and the options."""

from __future__ import annotations

import base64
import json
import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core import _dtypes, _printing
from dispatch_core._printing import (
    PrintOptions,
    format_tensor,
    format_without_elements,
    get_printoptions,
    printoptions,
    set_printoptions,
)

GOLDEN = json.loads((Path(__file__).parent / "data" / "printing.json").read_text())["cases"]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    default = _dtypes.get_default_dtype()
    with printoptions():
        yield
    _dtypes.set_default_dtype(default)


def array_of(case: dict[str, Any]) -> Any:
    dtype = _dtypes.from_name(case["dtype"]).numpy_dtype
    shape = tuple(case["shape"])
    if "arange" in case:
        return np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    data = base64.b64decode(case.get("data", ""))
    return np.ndarray(shape, dtype, bytearray(data)) if data else np.empty(shape, dtype)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: f"{c['dtype']}-{c['shape']}")
def test_as_pytorch(case: dict[str, Any]) -> None:
    _dtypes.set_default_dtype(_dtypes.from_name(case.get("default", "float32")))
    set_printoptions(**case.get("options", {}))
    text = format_tensor(
        array_of(case),
        dtype_name=f"torch.{case['dtype']}",  # its length decides where lines break
        grad_fn=case.get("grad_fn"),
        requires_grad=case.get("requires_grad", False),
    )
    assert text == case["text"]


def test_our_names() -> None:
    array = np.arange(2, dtype=np.int32)
    assert format_tensor(array) == "tensor([0, 1], dtype=dc.int32)"
    assert format_tensor(array, prefix="Parameter(", device="cuda:0") == (
        "Parameter([0, 1], device='cuda:0', dtype=dc.int32)"
    )
    assert format_without_elements((2, 3), _dtypes.float32) == "tensor(..., size=(2, 3))"
    assert format_without_elements(
        (2,), _dtypes.int64, device="meta", grad_fn="AddBackward0", requires_grad=True
    ) == ("tensor(..., device='meta', size=(2,), dtype=dc.int64, grad_fn=<AddBackward0>)")
    assert format_tensor(np.arange(9), options=PrintOptions(threshold=5, edgeitems=1)) == (
        "tensor([0,  ..., 8])"
    )


def test_any_memory_layout() -> None:
    base = np.arange(24).reshape(4, 6)
    for view in (base.T, base[::-1, ::2], np.broadcast_to(base[0], (3, 6))):
        assert format_tensor(view) == format_tensor(view.copy())


def test_signalling_nan_is_printed_without_a_warning() -> None:
    assert format_tensor(np.array([0x7F800001], np.uint32).view(np.float32)) == "tensor([nan])"


def test_options() -> None:
    defaults = get_printoptions()
    assert defaults == {
        "precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
    }  # fmt: skip
    set_printoptions(profile="short", linewidth=np.int64(60), sci_mode=True)
    assert get_printoptions() == {
        "precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 60, "sci_mode": True,
    }  # fmt: skip
    set_printoptions(precision=1)
    assert get_printoptions()["sci_mode"] is None
    assert get_printoptions()["edgeitems"] == 2
    set_printoptions(profile="full")
    assert get_printoptions()["threshold"] == math.inf
    set_printoptions(profile="default")
    assert get_printoptions() == defaults


def test_options_of_a_block_are_undone() -> None:
    with printoptions(precision=2):
        assert format_tensor(np.array([1.234], np.float32)) == "tensor([1.23])"
    with pytest.raises(KeyError), printoptions(precision=2):
        raise KeyError
    assert _printing._current == PrintOptions()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"profile": "long"}, ValueError, "unknown profile 'long'; expected one of default, short"),
        ({"precision": -1}, ValueError, "precision must not be negative, got -1"),
        ({"edgeitems": 1.5}, TypeError, "edgeitems must be an integer, got float"),
        ({"linewidth": "80"}, TypeError, "linewidth must be an integer, got str"),
        ({"threshold": "all"}, TypeError, "threshold must be a number, got str"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        set_printoptions(**options)
    assert _printing._current == PrintOptions()


def test_a_summary_of_what_does_not_fit_into_memory():
    assert str(dc.ones(1).expand(2**40)) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_named_results_are_printed_a_field_a_line():
    found = dc.tensor([[1.0, 5.0], [3.0, 2.0]]).max(0)
    text = "dc.return_types.max(\nvalues=tensor([3., 5.]),\nindices=tensor([1, 0]))"
    assert repr(found) == str(found) == text
    assert f"{[found]}" == f"[{text}]"
    hist, edges = dc.histogramdd(dc.zeros(1, 2), 1)
    assert repr(dc.histogramdd(dc.zeros(1, 2), 1)) == (
        f"dc.return_types.histogramdd(\nhist={hist!r},\nbin_edges={edges!r})"
    )


NAMED = {
    "max": lambda: dc.eye(2).max(0),
    "sort": lambda: dc.eye(2).sort(),
    "linalg_svd": lambda: dc.linalg.svd(dc.eye(2)),
    "aminmax": lambda: dc.aminmax(dc.eye(2)),
    "histogramdd": lambda: dc.histogramdd(dc.zeros(1, 2), 1),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_results_have_public_classes(name):
    found = NAMED[name]()
    kind = getattr(dc.return_types, name)
    assert type(found) is kind
    assert kind.__module__ == "dispatch_core.return_types"
    assert name in dir(dc.return_types)
    back = pickle.loads(pickle.dumps(found))
    assert type(back) is kind
    assert repr(back) == repr(found)
    assert found._replace(**{found._fields[0]: 1})[0] == 1


@pytest.mark.parametrize("name", ["no_operator", "exp", "max_dim"])
def test_other_names_have_none(name):
    with pytest.raises(AttributeError, match="several named results"):
        getattr(dc.return_types, name)
