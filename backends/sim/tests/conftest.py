"""Every test starts with the simulation as it is by default, and leaves no stream behind."""

import pytest

import dispatch_core as dc
import dispatch_sim


@pytest.fixture(autouse=True)
def simulation():
    before = dispatch_sim.configure(devices=2, memory=2**30, races="error")
    yield
    dispatch_sim.configure(devices=before.devices, memory=before.memory, races=before.races)
    for index in range(2):
        dc.sim.synchronize(index)
        dc.sim.set_per_process_memory_fraction(1, index)
