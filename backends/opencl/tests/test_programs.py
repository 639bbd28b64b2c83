"""The folder of compiled programs: what it is keyed by, and that it cannot do harm."""

import numpy as np
import pyopencl as cl
import pytest

from dispatch_opencl.devices import device_at
from dispatch_opencl.programs import ProgramCache, cache_folder

SOURCE = "kernel void twice(global int* x) { x[get_global_id(0)] *= 2; }"


def doubled(program):
    device = device_at(0)
    host = np.arange(4, dtype=np.int32)
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    buffer = cl.Buffer(device.context, flags, hostbuf=host)
    cl.Kernel(program, "twice")(device.queue, (4,), (1,), buffer)
    cl.enqueue_copy(device.queue, host, buffer)
    return host.tolist()


@pytest.fixture
def cache(tmp_path):
    return ProgramCache(tmp_path / "programs")


def build(cache, source=SOURCE, options="-w"):
    device = device_at(0)
    return cache.build(device.context, device.cl_device, source, options)


def files(cache):
    return sorted(cache.folder.iterdir())


def test_a_program_is_compiled_once(cache, monkeypatch):
    assert doubled(build(cache)) == [0, 2, 4, 6]
    (file,) = files(cache)
    monkeypatch.setattr(cl, "link_program", None)  # compiling again would fail
    assert doubled(build(cache)) == [0, 2, 4, 6]
    assert files(cache) == [file]


def test_source_and_options_have_files_of_their_own(cache):
    build(cache)
    build(cache, options="-w -DX")
    build(cache, SOURCE.replace("2", "3"))
    assert len(files(cache)) == 3


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[:40],
        lambda content: b"",
        lambda content: content[:-1] + b"x",
        lambda content: b"something else altogether",
    ],
)
def test_a_spoilt_file_is_compiled_anew(cache, harm):
    build(cache)
    (file,) = files(cache)
    whole = file.read_bytes()
    file.write_bytes(harm(whole))
    assert doubled(build(cache)) == [0, 2, 4, 6]
    assert cache.read(file) is not None


def test_a_binary_that_the_driver_refuses_is_compiled_anew(cache):
    device = device_at(0)
    file = cache.path(device.cl_device, SOURCE, "-w")
    cache.write(file, b"no program of any driver")
    assert cache.read(file) == b"no program of any driver"
    assert doubled(build(cache)) == [0, 2, 4, 6]


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert doubled(build(ProgramCache(blocked / "below"))) == [0, 2, 4, 6]


def test_the_folder_is_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("DISPATCH_OPENCL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("DISPATCH_OPENCL_CACHE", "0")
    assert cache_folder() is None
    monkeypatch.delenv("DISPATCH_OPENCL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dispatch-opencl"
