"""Global switches, and tensors on other people's memory."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc


def test_determinism() -> None:
    dc.use_deterministic_algorithms(True, warn_only=True)
    assert dc.get_deterministic_debug_mode() == 1
    dc.set_deterministic_debug_mode("error")
    assert dc.are_deterministic_algorithms_enabled()
    dc.use_deterministic_algorithms(False)
    assert not dc.are_deterministic_algorithms_enabled()
    with pytest.raises(TypeError, match="must be bool"):
        dc.use_deterministic_algorithms(1)  # type: ignore[arg-type]


def test_default_device() -> None:
    dc.set_default_device("cpu")
    assert dc.get_default_device() == dc.device("cpu")
    dc.set_default_device(None)
    with pytest.raises(RuntimeError):
        dc.set_default_device("nowhere")


def test_asarray_shares_where_it_can() -> None:
    array, x = np.arange(3), dc.ones(2)
    dc.asarray(array).fill_(9)
    assert array.tolist() == [9, 9, 9]
    assert dc.asarray(x) is x
    assert dc.asarray(x, copy=True) is not x
    with pytest.raises(ValueError, match="can't alias"):
        dc.asarray([1, 2], copy=False)


def test_frombuffer() -> None:
    memory = bytearray(8)
    dc.frombuffer(memory, dtype=dc.int16, count=2, offset=2).fill_(1)
    assert list(memory) == [0, 0, 1, 0, 1, 0, 0, 0]
    with pytest.raises(ValueError, match="multiple of element size"):
        dc.frombuffer(bytearray(5), dtype=dc.int16)


def test_from_file(tmp_path: Path) -> None:
    path = str(tmp_path / "numbers")
    dc.from_file(path, shared=True, size=3, dtype=dc.float32).fill_(2)
    alone = dc.from_file(path, size=3, dtype=dc.float32)
    alone[0] = 7
    assert dc.from_file(path, size=3, dtype=dc.float32).tolist() == [2, 2, 2]


def test_typename() -> None:
    assert dc.typename(3) == "int"
    assert dc.typename(dc.zeros(1)) == "dc.FloatTensor"


def test_a_device_as_a_context_is_where_factories_make_tensors():
    with dc.device("example"):
        assert dc.ones(2).device.type == "example"
        assert dc.get_default_device().type == "example"
        with dc.device("minimal") as inner:
            assert inner == dc.device("minimal")
            assert dc.tensor([1.0]).device.type == "minimal"
        assert dc.zeros(1).device.type == "example"
        assert dc.ones(1, device="cpu").device.type == "cpu"
    assert dc.ones(2).device.type == "cpu"


def test_an_entered_device_is_that_of_one_thread():
    found = []
    with dc.device("example"):
        thread = threading.Thread(target=lambda: found.append(dc.ones(1).device.type))
        thread.start()
        thread.join()
    assert found == ["cpu"]


def test_from_file_does_not_close_what_the_caller_has_open(tmp_path: Path) -> None:
    with (tmp_path / "numbers").open("wb+") as file:
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike object, not int"):
            dc.from_file(file.fileno(), shared=True, size=1)
        os.fstat(file.fileno())
