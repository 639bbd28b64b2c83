"""Moving tensors between devices: the calls, gradients through them, and what is refused."""

import pytest

import dispatch_core as dc

DEVICES = ["example", "minimal"]


def moves():
    """Ways to another device, each with the inverse: functions of a tensor."""
    return {
        "to_host": ("example", lambda x: x.cpu()),
        "to_device": ("cpu", lambda x: x.to("example")),
        "between": ("minimal", lambda x: x.to("example")),
        "copy_": ("example", lambda x: dc.zeros(3).copy_(x)),
        "twice": ("example", lambda x: x.cpu().to("minimal")),
    }


@pytest.mark.parametrize("way", moves())
@pytest.mark.parametrize(
    "use",
    [
        lambda y: y.sum(),
        lambda y: (y * y).sum(),
        lambda y: y.sum() + (y * 2).sum(),
        lambda y: dc.stack(y.unbind()).sum() + y[0],
        lambda y: dc.cat([y, y * 3]).prod(),
    ],
)
def test_gradients_come_back_to_where_a_tensor_is(way, use):
    device, move = moves()[way]
    x = dc.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
    use(move(x)).backward()
    plain = dc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    use(plain).backward()
    assert x.grad.device.type == device
    assert x.grad.tolist() == plain.grad.tolist()


@pytest.mark.parametrize("way", moves())
def test_hooks_and_captured_gradients_see_the_device_of_the_result(way):
    device, move = moves()[way]
    x = dc.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
    y = move(x * 1)
    seen = []
    y.register_hook(lambda g: seen.append(g.device))
    y.grad_fn.register_prehook(lambda gs: seen.append(gs[0].device))
    y.retain_grad()
    (g,) = dc.autograd.grad(y.sum(), y, retain_graph=True)
    y.sum().backward()
    assert {g.device, y.grad.device, *seen} == {y.device}
    assert x.grad.device.type == device


@pytest.mark.parametrize("device", DEVICES)
def test_one_of_several_results_that_is_used_twice(device):
    x = dc.tensor([3.0, 1.0, 2.0], device=device, requires_grad=True)
    ordered = x.sort()[0]
    ((ordered * 2).sum() + ordered[0] + ordered.cpu()[2]).backward()
    assert x.grad.tolist() == [3, 3, 2]


def test_second_derivatives_go_through_a_move():
    x = dc.tensor([1.0, 2.0], device="example", requires_grad=True)
    (g,) = dc.autograd.grad((x.cpu() ** 3).sum(), x, create_graph=True)
    assert g.device.type == "example"
    (second,) = dc.autograd.grad(g.cpu().sum(), x)
    assert second.tolist() == [6, 12]


@pytest.mark.parametrize("device", DEVICES)
def test_every_form_of_to(device):
    x = dc.ones(2, 3)
    there = x.to(device)
    for moved in (
        x.to(dc.device(device)),
        x.to(device=device),
        x.to(device, non_blocking=True),
        x.to(device, dc.float32, True, False),
        x.to(there),
        x.to(other=there),
        dc.empty(2, 3, device=device).copy_(x, non_blocking=True),
    ):
        assert moved.device.type == device
        assert moved.cpu().tolist() == x.tolist()
    both = x.to(device, dc.int64)
    assert (both.device.type, both.dtype) == (device, dc.int64)
    assert there.to(device) is there
    assert there.to(device, copy=True) is not there
    assert x.cpu() is x
    with pytest.raises(TypeError, match="argument 'non_blocking' must be bool, not int"):
        x.to(device, non_blocking=1)


def test_to_a_memory_format():
    x = dc.ones(2, 3, 4, 5)
    assert x.to(memory_format=dc.channels_last).stride() == (60, 1, 15, 3)
    assert x.to(memory_format=dc.preserve_format) is x
    assert x.to("cpu", dc.float64, memory_format=dc.channels_last).stride() == (60, 1, 15, 3)


def test_cuda_is_for_cuda_devices():
    x = dc.ones(1)
    with pytest.raises(RuntimeError, match="Invalid device, must be cuda device, got 'cpu'"):
        x.cuda("cpu")
    if not dc.cuda.is_available():
        for call in (x.cuda, lambda: x.cuda(0), lambda: x.cuda("cuda:0", non_blocking=True)):
            with pytest.raises(RuntimeError, match="device 'cuda"):
                call()


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda a, b: a + b, r"input on example, other on cpu, in add\(\)"),
        (
            lambda a, b: dc.cat([a, b, b]),
            r"tensors\[0\] on example, tensors\[1\] and tensors\[2\] on",
        ),
        (
            lambda a, b: dc.stack([a[0], dc.tensor(1.0)]),
            r"tensors\[0\] on example, tensors\[1\] on cpu",
        ),
        (lambda a, b: dc.where(b > 0, a, a), r"condition on cpu, input and other on example"),
        (lambda a, b: dc.nn.functional.linear(b, a), r"input on cpu, weight on example, in linear"),
        (lambda a, b: a.add_(b), "input on example, other on cpu"),
        (lambda a, b: a.gather(0, b.long()), "input on example, index on cpu, in gather"),
    ],
)
def test_arguments_on_different_devices_are_named(call, found):
    a, b = dc.ones(3, device="example"), dc.ones(3)
    with pytest.raises(
        RuntimeError, match=rf"same device, but found at least two devices \({found}"
    ):
        call(a, b)


def test_a_number_in_a_tensor_of_the_host_goes_along():
    a = dc.ones(3, device="example")
    assert (a + dc.tensor(2.0)).tolist() == (dc.tensor(2.0) + a).tolist() == [3, 3, 3]
    with pytest.raises(RuntimeError, match="same device"):
        dc.ones(3) + dc.tensor(2.0, device="example")


def test_the_default_device_is_for_factories_only():
    x = dc.ones(2)
    with dc.device("example"):
        for made in (
            dc.zeros(2),
            dc.rand(2),
            dc.tensor([1.0]),
            dc.arange(3),
            dc.nn.Linear(1, 1).bias,
        ):
            assert made.device.type == "example"
        assert (
            (x + 1).device.type
            == dc.zeros_like(x).device.type
            == x.new_ones(1).device.type
            == "cpu"
        )
    assert dc.zeros(1).device.type == "cpu"


# -- streams of devices that have one queue ----------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", *DEVICES])
def test_streams_of_one_queue(device):
    stream = dc.Stream(device, priority=-1)
    assert (stream.device.type, stream.device_index, stream.priority) == (device, None, -1)
    module = dc.get_device_module(device)
    with stream as entered:
        assert entered is stream
        assert module.current_stream() is stream
        x = dc.ones(3, device=device)
    assert module.current_stream() is module.default_stream()
    stream.wait_stream(module.current_stream())
    mark = stream.record_event()
    mark.wait()
    mark.wait(module.current_stream())
    module.current_stream().wait_event(mark)
    assert mark.query()
    assert stream.query()
    mark.synchronize()
    stream.synchronize()
    x.record_stream(stream)
    assert stream.stream_id != dc.Stream(device).stream_id


def test_events_tell_the_time_between_them():
    start, end = (dc.Event("cpu", enable_timing=True) for _ in range(2))
    with pytest.raises(RuntimeError, match="Both events must be recorded before"):
        start.elapsed_time(end)
    start.record()
    dc.rand(300, 300) @ dc.rand(300, 300)
    end.record(dc.cpu.current_stream())
    assert 0 < start.elapsed_time(end) < 60_000
    assert "not recorded" in repr(dc.Event("cpu"))
    with pytest.raises(RuntimeError, match="enable_timing=True"):
        start.elapsed_time(dc.Event("cpu"))
    with pytest.raises(RuntimeError, match=r"event of device 'cpu' .* stream of 'example'"):
        start.record(dc.Stream("example"))
    with pytest.raises(NotImplementedError, match="cannot be shared between processes"):
        dc.Event("cpu", interprocess=True)


def test_streams_of_devices_that_are_not_there():
    with pytest.raises(RuntimeError, match="unknown device 'mps'"):
        dc.Stream("mps")
    with pytest.raises(RuntimeError, match="unknown device 'nowhere'"):
        dc.Event("nowhere")


def test_without_an_accelerator_its_calls_say_so(monkeypatch):
    monkeypatch.setattr("dispatch_core._loader.devices.devices", tuple)
    assert dc.accelerator.current_accelerator() is None
    assert not dc.accelerator.is_available()
    assert dc.accelerator.device_count() == 0
    assert dc.Stream().device.type == dc.Event().device.type == "cpu"
    for call in (
        "current_device_index",
        "synchronize",
        "empty_cache",
        "memory_stats",
        "current_stream",
    ):
        with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is"):
            getattr(dc.accelerator, call)()


def test_stand_ins_are_no_accelerators():
    found = dc.accelerator.current_accelerator()
    assert found is None or found.type not in ("cpu", "meta", "example", "minimal")
