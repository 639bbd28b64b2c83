"""Arrays, the pool behind them, and what happens when there is no memory left."""

import gc
import threading

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_opencl.devices import device_at
from dispatch_opencl.memory import size_class


@pytest.fixture
def pool():
    gc.collect()
    return device_at(0).pool


@pytest.mark.parametrize("size", [1, 64, 65, 100, 1000, 4097, (1 << 20) + 1, 3 << 20])
def test_size_classes_hold_what_they_are_for_and_waste_a_quarter_at_most(size):
    assert size <= size_class(size) <= max(64, size * 1.25)


def test_memory_is_counted_and_given_back(pool):
    before = dc.opencl.memory_allocated()
    x = dc.ones(1 << 20, device="opencl")
    assert dc.opencl.memory_allocated() == before + (4 << 20)
    view = x[10:20]
    del x
    assert dc.opencl.memory_allocated() == before + (4 << 20)
    assert view.sum().item() == 10
    del view
    gc.collect()
    assert dc.opencl.memory_allocated() == before
    assert dc.opencl.memory_reserved() >= 4 << 20
    assert dc.opencl.max_memory_allocated() >= before + (4 << 20)
    dc.opencl.reset_peak_memory_stats()
    assert dc.opencl.max_memory_allocated() == dc.opencl.memory_allocated()


def test_freed_memory_is_used_again_and_can_be_given_back(pool):
    x = dc.ones(12345, device="opencl")
    buffer = x._raw.memory.buffer
    del x
    y = dc.ones(12345, device="opencl")
    assert y._raw.memory.buffer is buffer
    del y, buffer
    dc.opencl.empty_cache()
    assert pool.reserved == pool.used


def test_out_of_memory_says_so_and_leaves_the_process_usable(pool):
    much = int(device_at(0).cl_device.global_mem_size) // 4
    with pytest.raises(dc.OutOfMemoryError, match=r"OpenCL out of memory.*tried to allocate"):
        dc.empty(much * 2, device="opencl")
    with pytest.raises(RuntimeError, match="out of memory"):
        dc.ones(1, device="opencl").expand(much * 2).contiguous()
    with pytest.raises(RuntimeError, match="out of memory"):
        dc.ones(1, device="opencl").expand(much * 2) + 1
    assert dc.ones(3, device="opencl").sum().item() == 3


def test_a_limit_is_kept_by_emptying_the_pool(pool, monkeypatch):
    dc.opencl.empty_cache()
    monkeypatch.setattr(device_at(0), "limit", pool.reserved + (8 << 20))
    x = dc.ones(1 << 20, device="opencl")  # 4 MiB
    del x
    y = dc.ones(3 << 19, device="opencl")  # 6 MiB, which only fit without what was kept
    with pytest.raises(dc.OutOfMemoryError):
        dc.ones(1 << 20, device="opencl")
    assert y.sum().item() == 3 << 19


def test_a_fraction_of_the_memory(pool):
    dc.opencl.empty_cache()
    total = dc.opencl.mem_get_info()[1]
    dc.opencl.set_per_process_memory_fraction((pool.reserved + (4 << 20)) / total)
    try:
        with pytest.raises(dc.OutOfMemoryError):
            dc.ones(2 << 20, device="opencl")
        assert dc.ones(1 << 18, device="opencl").sum().item() == 1 << 18
        assert dc.opencl.mem_get_info()[1] == total
    finally:
        dc.opencl.set_per_process_memory_fraction(1.0)
    assert dc.ones(2 << 20, device="opencl").sum().item() == 2 << 20


def test_views_are_free_and_share_memory():
    x = dc.arange(24.0).to("opencl").reshape(2, 3, 4)
    for view in (x.mT, x[1], x[:, ::2], x.flatten(), x[None, :, 1:2]):
        assert view._raw.memory is x._raw.memory
    y = x[0].t()
    y[1] = -1
    assert x[0].tolist() == [[0, -1, 2, 3], [4, -1, 6, 7], [8, -1, 10, 11]]


@pytest.mark.parametrize(
    "index",
    [(slice(None, None, -1),), (Ellipsis, slice(None, None, -2)), (1, slice(2, None, -1))],
)
def test_steps_backwards(index):
    host = np.arange(24.0).reshape(2, 3, 4)
    raw = dc.array_api.asarray(host, device=dc.device("opencl"))
    assert np.array_equal(np.asarray(raw[index].cpu()), host[index])


def test_many_dimensions_and_strides_that_cannot_be_joined():
    host = np.arange(2.0**11).reshape((2,) * 11)
    x = dc.tensor(host, device="opencl").permute(*range(0, 11, 2), *range(1, 11, 2))
    y = host.transpose(*range(0, 11, 2), *range(1, 11, 2))
    x, y = x[..., 1, :, 0, :, 1].flip(0), y[..., 1, :, 0, :, 1][::-1]
    assert (x + x.sum((1, 3, 5))[:, None, :, None].sum(0).sum()).shape == y.shape
    np.testing.assert_array_equal((x * 2).cpu().numpy(), y * 2)
    np.testing.assert_array_equal(x.sum((0, 2, 4)).cpu().numpy(), y.sum((0, 2, 4)))
    np.testing.assert_array_equal(x.amax((1, 3)).cpu().numpy(), y.max((1, 3)))


def test_threads_share_a_device():
    errors = []

    def work(seed):
        try:
            x = dc.tensor(np.full(1000, seed), device="opencl")
            for _ in range(200):
                x = x + 1 - 1
            assert x.cpu().tolist() == [seed] * 1000
        except Exception as error:  # noqa: BLE001  reported by the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_threads_wrong_index_is_its_own():
    found = []
    x = dc.arange(50.0).to("opencl")

    def right():
        index = dc.arange(50).to("opencl")
        found.extend(x.gather(0, index).sum().item() == 1225 for _ in range(100))

    def wrong():
        for _ in range(100):
            try:
                x.gather(0, dc.full((3,), 99, device="opencl"))
            except (IndexError, RuntimeError) as error:
                found.append("index 99" in str(error))
            else:
                found.append(False)

    threads = [threading.Thread(target=work) for work in (right, wrong, right, wrong)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 400
