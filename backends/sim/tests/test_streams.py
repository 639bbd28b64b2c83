"""Streams and events of simulated devices: what must be waited for, and that it is found when it is not."""

import threading
import warnings

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_sim import RaceError, configure
from dispatch_sim.races import RaceWarning


@pytest.fixture
def x():
    return dc.ones(3, device="sim")


def test_a_result_that_another_stream_made_must_be_waited_for(x):
    side = dc.sim.Stream()
    side.wait_stream(dc.sim.current_stream())
    with side:
        y = x * 2
    with pytest.raises(RaceError, match=r"add in .* reads a tensor that .* wrote, without waiting"):
        y + 1
    dc.sim.current_stream().wait_stream(side)
    assert (y + 1).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    "wait",
    [
        lambda side, here: here.wait_stream(side),
        lambda side, here: here.wait_event(side.record_event()),
        lambda side, here: side.record_event().wait(here),
        lambda side, here: side.record_event().wait(),
        lambda side, here: side.record_event().synchronize(),
        lambda side, here: side.synchronize(),
        lambda side, here: dc.sim.synchronize(),
        lambda side, here: dc.accelerator.synchronize("sim:0"),
    ],
)
def test_every_way_to_wait(x, wait, monkeypatch):
    monkeypatch.setattr("dispatch_core._loader.devices._FIRST", ("sim",))
    dc.sim.synchronize()
    side = dc.Stream("sim")
    with dc.sim.stream(side):
        y = x * 2
    wait(side, dc.sim.current_stream())
    assert (y + 1).tolist() == [3, 3, 3]


def test_waiting_is_passed_on(x):
    first, second, third = (dc.Stream("sim") for _ in range(3))
    dc.sim.synchronize()
    with first:
        y = x * 2
    second.wait_stream(first)
    third.wait_stream(second)
    with third:
        y + 1


def test_an_event_covers_what_came_before_it_and_no_more(x):
    side = dc.Stream("sim")
    dc.sim.synchronize()
    with side:
        y = x * 2
        mark = dc.sim.current_stream().record_event()
        z = x * 3
    mark.wait()
    y + 1
    with pytest.raises(RaceError):
        z + 1


def test_a_write_must_wait_for_those_who_read(x):
    side = dc.Stream("sim")
    dc.sim.synchronize()
    with side:
        x * 2
    with pytest.raises(RaceError, match=r"a write in .* writes a tensor that .* reads"):
        x.zero_()
    assert x.tolist() == [1, 1, 1]
    dc.sim.current_stream().wait_stream(side)
    x.zero_()


def test_views_are_the_same_memory(x):
    side = dc.Stream("sim")
    dc.sim.synchronize()
    with side:
        x[1:].zero_()
    with pytest.raises(RaceError):
        x[:1] + 1


def test_reading_by_the_host_waits_for_the_current_stream_only(x):
    side = dc.Stream("sim")
    dc.sim.synchronize()
    with side:
        y = x * 2
        assert y.tolist() == [2, 2, 2]
    y + 1  # the host has waited
    with side:
        z = x * 2
    with pytest.raises(RaceError, match="a copy to the host"):
        z.cpu()


def test_copies_to_the_device(x):
    side = dc.Stream("sim")
    host = dc.arange(3.0)
    with side:
        plain = host.to("sim")
        late = host.to("sim", non_blocking=True)
    plain + 1
    with pytest.raises(RaceError):
        late + 1
    x.copy_(host, non_blocking=True)
    with side, pytest.raises(RaceError):
        x + 1


def test_copies_between_devices_wait_for_both(x):
    y = x.to("sim:1")
    assert (y.device, (y + 1).tolist()) == (dc.device("sim:1"), [2, 2, 2])
    side = dc.Stream("sim:0")
    with side:
        z = dc.full((3,), 7.0, device="sim:0")
    with pytest.raises(RaceError):
        z.to("sim:1")


def test_memory_that_is_dropped_while_another_stream_uses_it(x):
    side = dc.Stream("sim")

    def use(recorded, waited=False):
        y = x * 2
        side.wait_stream(dc.sim.current_stream())
        with side:
            y.sum()
            if recorded:
                y.record_stream(side)
        del y
        if waited:
            dc.sim.current_stream().wait_stream(side)

    use(recorded=True)
    x * 3
    use(recorded=False, waited=True)
    x * 3
    use(recorded=False)
    with pytest.raises(RaceError, match=r"call x\.record_stream\(stream\)"):
        x * 3
    x * 3  # told once


def test_record_stream_takes_streams_of_the_same_device(x):
    with pytest.raises(RuntimeError, match=r"argument 'stream' must be dc\.Stream, not int"):
        x.record_stream(1)
    with pytest.raises(RuntimeError, match="the tensor is on sim:0, the stream of sim:1"):
        x.record_stream(dc.Stream("sim:1"))


def test_training_on_a_side_stream(x):
    side = dc.Stream("sim")
    side.wait_stream(dc.sim.current_stream())
    w = dc.ones(3, device="sim", requires_grad=True)
    dc.sim.synchronize()
    with side:
        loss = (w * x).sum()
        loss.backward()
    with pytest.raises(RaceError):
        w.grad + 1
    dc.sim.current_stream().wait_stream(side)
    assert w.grad.tolist() == [1, 1, 1]


def test_races_may_warn_or_pass(x):
    side = dc.Stream("sim")
    dc.sim.synchronize()
    with side:
        y = x * 2
    configure(races="warn")
    with pytest.warns(RaceWarning, match="without waiting"):
        y + 1
    configure(races="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y + 1


def test_streams_overlap_in_simulated_time():
    x = dc.rand(200, 200, device="sim")
    side = dc.Stream("sim")
    start, end = (dc.Event("sim", enable_timing=True) for _ in range(2))
    start.record(side)
    for _ in range(5):
        x @ x
    end.record(side)
    assert start.elapsed_time(end) == 0
    side.wait_stream(dc.sim.current_stream())
    end.record(side)
    assert start.elapsed_time(end) > 0
    assert not end.query()
    end.synchronize()
    assert end.query()
    assert start.query()


def test_what_runs_asks_nothing_of_the_host(x):
    stream = dc.sim.current_stream()
    stream.synchronize()
    assert stream.query()
    x * 2
    assert not stream.query()
    stream.synchronize()
    assert stream.query()


def test_the_current_stream_belongs_to_the_thread(x):
    side = dc.Stream("sim")
    found = []
    with side:
        thread = threading.Thread(target=lambda: found.append(dc.sim.current_stream()))
        thread.start()
        thread.join()
        assert dc.sim.current_stream() is side
    assert found == [dc.sim.default_stream()]
    assert dc.sim.current_stream() is dc.sim.default_stream()


def test_a_stream_brings_its_device_along():
    side = dc.Stream("sim:1")
    with side:
        assert dc.sim.current_device() == 1
        assert dc.ones(1, device="sim").device == dc.device("sim:1")
        assert dc.sim.current_stream() is side
        assert dc.sim.current_stream(0) is dc.sim.default_stream(0)
        with dc.Stream("sim:1") as inner:
            assert dc.sim.current_stream() is inner
        assert dc.sim.current_stream() is side
    assert dc.sim.current_device() == 0


def test_the_classes_of_a_device_type_know_their_own():
    stream, event = dc.sim.Stream(1, -1), dc.sim.Event(enable_timing=True)
    assert (stream.device, stream.priority) == (dc.device("sim:1"), -1)
    assert (event.device, event.timed) == (dc.device("sim:0"), True)
    assert isinstance(stream, dc.sim.Stream)
    assert isinstance(event, dc.sim.Event)
    assert isinstance(stream, dc.Stream)
    for other in (stream, event, dc.Stream("cpu"), 3):
        assert not isinstance(other, dc.cpu.Event)
    assert not isinstance(stream, dc.cuda.Stream)
    assert isinstance(dc.Stream("cpu"), dc.cpu.Stream)


def test_constants_are_everybodys():
    side = dc.Stream("sim:0")
    for device in ("sim:0", "sim:1"):
        assert (dc.ones(2, device=device) * 2.5).tolist() == [2.5, 2.5]
    with side:
        assert (dc.ones(2, device="sim:0") * 2.5).tolist() == [2.5, 2.5]


def test_threads_on_streams_of_their_own():
    results, errors = {}, []

    def work(number):
        try:
            with dc.Stream(f"sim:{number % 2}"):
                x = dc.full((50,), float(number), device="sim")
                for _ in range(50):
                    x = x + 1
                results[number] = x.cpu().numpy()
        except Exception as error:  # noqa: BLE001  the main thread looks at it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(np.all(results[n] == n + 50) for n in range(8))
