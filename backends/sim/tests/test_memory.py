"""Memory of simulated devices: what is held, the limit, and that a process goes on after it was met."""

import gc

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_sim import Settings, configure


def test_what_tensors_hold_is_counted_for_each_device():
    gc.collect()
    before = [dc.sim.memory_allocated(i) for i in (0, 1)]
    dc.sim.reset_peak_memory_stats(1)
    x = dc.ones(1000, device="sim:1")
    y = x.reshape(10, 100).t()
    assert [dc.sim.memory_allocated(i) for i in (0, 1)] == [before[0], before[1] + 4000]
    del x
    assert dc.sim.memory_allocated(1) == before[1] + 4000  # y shows it
    del y
    assert dc.sim.memory_allocated(1) == before[1]
    assert dc.sim.max_memory_allocated(1) >= before[1] + 4000
    assert dc.sim.max_memory_reserved(1) == dc.sim.max_memory_allocated(1)
    free, total = dc.sim.mem_get_info(1)
    assert (free, total) == (2**30 - before[1], 2**30)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dc.empty(2**19, device="sim"),
        lambda: dc.zeros(2**20, 2**20, device="sim"),
        lambda: dc.ones(2**17).to("sim").double(),
    ],
)
def test_too_much_is_an_error_that_says_what_is_held(make):
    configure(memory=2**20)
    with pytest.raises(
        dc.OutOfMemoryError, match=r"sim:0 out of memory\. Tried to allocate"
    ) as got:
        make()
    assert isinstance(got.value, RuntimeError)
    assert isinstance(got.value, dc.cuda.OutOfMemoryError)
    assert dc.sim.OutOfMemoryError is dc.OutOfMemoryError
    assert "of 1.00 MiB tensors hold" in str(got.value)


def test_the_process_goes_on_after_it():
    configure(memory=2**20)
    model = nn.Linear(64, 64, device="sim")
    x = dc.rand(8, 64, device="sim")
    held = dc.sim.memory_allocated()

    def step(batch):
        loss = model(batch).square().mean()
        loss.backward()
        model.zero_grad()
        return loss.item()

    first = step(x)
    for _ in range(3):
        with pytest.raises(dc.OutOfMemoryError):
            step(x.repeat(200, 1))
        gc.collect()
        assert dc.sim.memory_allocated() - held < 2**15
        assert step(x) == first


def test_what_only_cycles_hold_is_collected_first():
    configure(memory=2**20)
    cycle = [dc.zeros(150_000, device="sim")]
    cycle.append(cycle)
    del cycle
    dc.zeros(150_000, device="sim")


def test_a_fraction_of_it():
    dc.sim.set_per_process_memory_fraction(0.25, 1)
    with pytest.raises(dc.OutOfMemoryError, match="256.00 MiB"):
        dc.empty(2**27, device="sim:1")
    dc.empty(2**27, device="sim:0")
    with pytest.raises(ValueError, match="Invalid fraction value: 2"):
        dc.sim.set_per_process_memory_fraction(2)
    with pytest.raises(NotImplementedError, match="'cpu' cannot limit its memory"):
        dc.cpu.set_per_process_memory_fraction(0.5)


def test_numbers_that_are_no_settings():
    for wrong in ({"devices": 0}, {"devices": True}, {"memory": -1}, {"races": "perhaps"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            configure(**wrong)
    assert Settings().devices == 2


@pytest.mark.parametrize(
    ("text", "size"), [("512", 512), ("512M", 2**29), ("2 GiB", 2**31), ("1kb", 1024)]
)
def test_the_environment_says_how_much(monkeypatch, text, size):
    monkeypatch.setattr("dispatch_sim.simulation._Now.settings", None)
    monkeypatch.setenv("DISPATCH_SIM_MEMORY", text)
    monkeypatch.setenv("DISPATCH_SIM_DEVICES", "4")
    monkeypatch.setenv("DISPATCH_SIM_RACES", "warn")
    assert configure() == Settings(4, size, "warn")
    assert dc.sim.device_count() == 4
    monkeypatch.setattr("dispatch_sim.simulation._Now.settings", None)
    monkeypatch.setenv("DISPATCH_SIM_MEMORY", "a lot")
    with pytest.raises(ValueError, match="DISPATCH_SIM_MEMORY must be a number"):
        configure()
    monkeypatch.setattr("dispatch_sim.simulation._Now.settings", Settings())
