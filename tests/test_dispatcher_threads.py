"""Threads and tasks have modes of their own; registrations may happen while others call."""

import asyncio
import threading

import dispatch_core as dc
from dispatch_core._layer import LAYERS, Layer
from dispatch_core.backend.registry import backend_of


class Passing(Layer):
    """A layer that is in every chain and does nothing."""

    name = "passing"

    def active(self, op, keys, state):
        return True

    def compose(self, op, keys, state, below):
        return below()


def in_thread(function):
    """What a function returns in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_grad_mode_belongs_to_the_thread():
    with dc.no_grad():
        assert in_thread(dc.is_grad_enabled) is True
        assert not dc.is_grad_enabled()


def test_grad_mode_belongs_to_the_task():
    seen = {}

    async def off(event):
        with dc.no_grad():
            event.set()
            await asyncio.sleep(0)
            seen["off"] = dc.is_grad_enabled()

    async def on(event):
        await event.wait()
        seen["on"] = (dc.ones(1, requires_grad=True) * 2).requires_grad

    async def both():
        event = asyncio.Event()
        await asyncio.gather(off(event), on(event))

    asyncio.run(both())
    assert seen == {"off": False, "on": True}


def test_overrides_policies_and_layers_belong_to_the_thread():
    x = dc.tensor([4.0])
    with dc.override("sqrt", fn=lambda input: input * 0 - 1), dc.profiler.profile() as profile:
        assert in_thread(lambda: dc.sqrt(x).item()) == 2
        assert dc.sqrt(x).item() == -1
    assert [event.name for event in profile.events] == ["sqrt"]


def test_overrides_belong_to_the_task():
    x = dc.tensor([4.0])
    seen = []

    async def overridden():
        with dc.override("sqrt", fn=lambda input: input * 0 - 1):
            await asyncio.sleep(0)
            seen.append(dc.sqrt(x).item())

    async def plain():
        await asyncio.sleep(0)
        seen.append(dc.sqrt(x).item())

    async def both():
        await asyncio.gather(overridden(), plain())

    asyncio.run(both())
    assert sorted(seen) == [-1, 2]


def test_four_threads_call_while_thousands_of_registrations_happen():
    x = dc.arange(6.0).reshape(2, 3)
    leaf = dc.ones(2, 3, requires_grad=True)
    expected = (dc.exp(x) + x * 2).sum().item()
    table = backend_of("cpu").kernels.as_provider("a-test")
    original = backend_of("cpu").kernels.candidates("exp")[0].fn
    done = threading.Event()
    failures, calls = [], []

    def call():
        count = 0
        try:
            while not done.is_set():
                assert (dc.exp(x) + x * 2).sum().item() == expected
                (leaf * x).sum().backward()
                with dc.no_grad(), dc.override("mul", fn=lambda input, other: input):
                    assert (x * 3).sum().item() == 15
                count += 1
        except Exception as error:
            failures.append(error)
            raise
        finally:
            calls.append(count)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(2000):
            table.register("exp", lambda input: original(input), priority=100 + i % 3)
            if i % 20 == 0:
                LAYERS.add(Passing())
                LAYERS.remove("passing")
    finally:
        done.set()
        for thread in threads:
            thread.join()
        table.remove_provider("a-test")
    assert not failures
    assert min(calls) > 0
