"""Threads and tasks: modes belong to one, graphs may be used from any."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import dispatch_core as dc


def run(function):
    """The result of a function in a new thread; its exception if it raised one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_modes_belong_to_a_thread():
    with dc.no_grad():
        assert run(dc.is_grad_enabled)
        assert not dc.is_grad_enabled()
    inside, leave = threading.Event(), threading.Event()

    def quiet():
        with dc.no_grad():
            inside.set()
            leave.wait(5)
            return dc.is_grad_enabled()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(quiet)
        inside.wait(5)
        assert dc.is_grad_enabled()
        x = dc.ones(1, requires_grad=True)
        assert (x * 2).requires_grad
        leave.set()
        assert future.result() is False


def test_modes_belong_to_a_task():
    async def quiet():
        with dc.no_grad():
            await asyncio.sleep(0.01)
            return dc.is_grad_enabled()

    async def plain():
        found = []
        for _ in range(5):
            await asyncio.sleep(0.003)
            found.append(dc.is_grad_enabled())
        return found

    async def both():
        return await asyncio.gather(quiet(), plain())

    assert asyncio.run(both()) == [False, [True] * 5]


def test_backward_in_another_thread():
    x = dc.tensor([2.0], requires_grad=True)
    y = x * x
    run(y.backward)
    assert x.grad.item() == 4.0


def test_many_threads_with_graphs_of_their_own():
    def work(k):
        x = dc.full((3,), float(k), requires_grad=True)
        for _ in range(20):
            x.grad = None
            y = (x * x + x.exp().log()).sum()
            y.backward()
        return x.grad.tolist() == [2.0 * k + 1] * 3

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 25)))


def test_operators_are_resolved_by_many_threads_at_once():
    """First calls compose chains; they must not disturb one another."""
    dtypes = [
        dc.float32,
        dc.float64,
        dc.int32,
        dc.int64,
        dc.complex64,
        dc.float16,
        dc.int8,
        dc.uint8,
    ]
    start = threading.Barrier(8)

    def work(k):
        dc._dispatcher.operator.forget_all()
        start.wait(5)
        x = dc.ones(2, dtype=dtypes[k])
        return [(x + y).shape == (2,) for y in (1, x, dc.ones(2, 1).expand(2, 2)[0])]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(found) for found in pool.map(work, range(8)))


def test_warnings_of_numpy_stay_silent_in_threads():
    assert run(lambda: (dc.ones(1) / 0).item()) == float("inf")
    assert run(lambda: dc.log(dc.zeros(1)).item()) == -float("inf")
