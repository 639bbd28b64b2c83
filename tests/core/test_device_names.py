"""`dc.cuda` and its kind, `dc.accelerator`, `dc.backends`: what programs ask before they choose a device."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import dispatch_core as dc


def test_types_that_nothing_provides_can_be_asked():
    assert not dc.mps.is_available()
    assert dc.mps.device_count() == 0
    assert dc.mps.manual_seed_all(3) is None
    assert repr(dc.mps) == "<devices of type 'mps', 0 of them usable>"
    with pytest.raises(RuntimeError, match="unknown device 'mps'"):
        dc.mps.synchronize()
    device = "mps" if dc.mps.is_available() else "cpu"
    assert dc.ones(1, device=device).device.type == "cpu"


def test_types_that_are_installed_have_a_module():
    assert dc.cpu.is_available()
    assert dc.cpu.device_count() == 1
    assert dc.cpu.get_device_name()
    assert dc.example.is_available()
    dc.example.synchronize()
    dc.cpu.manual_seed_all(5)
    assert dc.cpu.initial_seed() == 5
    first = dc.rand(3)
    dc.manual_seed(5)
    assert dc.equal(first, dc.rand(3))
    with pytest.raises(AttributeError, match="has no attribute 'nowhere'"):
        _ = dc.nowhere


def test_the_accelerator():
    found = dc.accelerator.current_accelerator()
    assert dc.accelerator.is_available() == (found is not None)
    assert found is None or found.type not in ("cpu", "meta")
    if found is not None:
        assert dc.accelerator.device_count() >= 1
        dc.accelerator.synchronize()
        assert dc.accelerator.current_device_index() in (found.type, 0)


def test_switches_of_libraries():
    cudnn = dc.backends.cudnn
    with cudnn.flags(benchmark=True):
        assert cudnn.benchmark is True
    assert cudnn.benchmark is False
    cudnn.deterministic = True
    assert cudnn.deterministic is True
    cudnn.deterministic = False
    dc.backends.cuda.matmul.allow_tf32 = True
    assert not dc.backends.mps.is_available()
    assert not dc.backends.mps.is_built()
    assert cudnn.version() is None
    with pytest.raises(AttributeError, match="has no switch 'benchmrk'"):
        cudnn.benchmrk = True


def test_typed_constructors_take_arrays_as_data():
    assert dc.LongTensor(np.arange(3)).tolist() == [0, 1, 2]
    assert dc.FloatTensor(np.ones((2, 3))).shape == (2, 3)
    assert dc.Tensor(np.int64(3)).shape == (3,)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's own count")
def test_memory_of_the_host():
    dc.cpu.reset_peak_memory_stats()
    before = dc.cpu.memory_allocated()
    held = dc.ones(1 << 23)
    assert dc.cpu.memory_allocated() - before > 24 << 20
    del held
    assert dc.cpu.max_memory_allocated() - before > 24 << 20
    free, total = dc.cpu.mem_get_info()
    assert 0 < free < total
    assert dc.cpu.memory_reserved() > 0
    assert dc.cpu.memory_stats()["allocated_bytes.all.peak"] > 0
    assert "MiB" in dc.cpu.memory_summary()


def test_devices_that_do_not_count_memory_say_so():
    with pytest.raises(NotImplementedError, match="does not say how much memory"):
        dc.example.memory_allocated()
