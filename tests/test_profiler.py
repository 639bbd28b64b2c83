"""`dc.profiler`: which operators ran, on what, for how long; nothing when it is off."""

import json

import pytest

import dispatch_core as dc
from dispatch_core._dispatcher.chains import chain_of
from dispatch_core._op import OPERATORS


def test_operators_shapes_dtype_device_and_nesting_are_noted():
    x = dc.ones(3, 4, requires_grad=True)
    with dc.profiler.profile() as profile:
        dc.exp(x * 2).var()
    first = profile.events[0]
    assert (first.name, first.shapes, first.dtype, first.device) == (
        "mul",
        ((3, 4),),
        "float32",
        "cpu",
    )
    depths = {event.name: event.depth for event in profile.events}
    assert depths["exp"] == depths["var"] == 0
    assert depths["mean"] == 1
    assert all(event.duration > 0 for event in profile.events)


def test_own_time_leaves_nested_calls_out():
    with dc.profiler.profile() as profile:
        dc.ones(3, requires_grad=True).var()
    var = next(event for event in profile.events if event.name == "var")
    nested = [event for event in profile.events if event.depth == var.depth + 1]
    inside = [event for event in nested if event.start >= var.start]
    assert var.inside == sum(event.duration for event in inside)
    assert var.own == var.duration - var.inside


def test_the_backward_pass_is_seen():
    x = dc.ones(3, requires_grad=True)
    y = dc.sin(x).sum()
    with dc.profiler.profile() as profile:
        y.backward()
    assert "cos" in {event.name for event in profile.events}


def test_totals_by_operator():
    x = dc.ones(3)
    with dc.profiler.profile() as profile:
        for _ in range(4):
            x + 1
        dc.exp(x)
    totals = {average.key: average for average in profile.key_averages()}
    assert totals["add"].count == 4
    assert totals["add"].cpu_time == pytest.approx(totals["add"].cpu_time_total / 4)
    assert profile.key_averages().total_average().count == 5
    lines = profile.key_averages().table(sort_by="count").splitlines()
    assert lines[2].startswith("add")
    with pytest.raises(ValueError, match="sort_by is one of"):
        profile.key_averages().table(sort_by="luck")


def test_totals_by_shape():
    with dc.profiler.profile() as profile:
        for size in (2, 2, 3):
            dc.exp(dc.ones(size))
    found = profile.key_averages(group_by_input_shape=True)
    assert {(a.shapes, a.count) for a in found if a.key == "exp"} == {(((2,),), 2), (((3,),), 1)}


def test_the_table_shows_every_call():
    with dc.profiler.profile() as profile:
        dc.exp(dc.ones(2, 3))
    text = profile.table()
    assert "exp" in text
    assert "2x3" in text
    assert "float32" in text


def test_ranges_of_the_user():
    with dc.profiler.profile() as profile, dc.profiler.record_function("step"):
        dc.exp(dc.ones(2))
    assert profile.events[0].name == "step"
    assert profile.events[-1].depth == 1
    with dc.profiler.record_function("alone"):
        pass


def test_a_call_that_raises_is_noted_too():
    with dc.profiler.profile() as profile:
        with pytest.raises(RuntimeError):
            dc.ones(2) + dc.ones(3)
        dc.exp(dc.ones(1))
    assert [event.depth for event in profile.events if event.name == "exp"] == [0]


def test_profiles_nest():
    with dc.profiler.profile() as outer:
        with dc.profiler.profile() as inner:
            dc.exp(dc.ones(1))
        dc.sin(dc.ones(1))
    assert "exp" in {e.name for e in inner.events}
    assert "exp" not in {e.name for e in outer.events}
    assert "sin" in {e.name for e in outer.events}


def test_a_trace_for_a_browser(tmp_path):
    with dc.profiler.profile() as profile:
        dc.exp(dc.ones(1))
    profile.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert "exp" in {event["name"] for event in events}


def test_it_is_in_no_chain_when_it_is_off():
    x = dc.ones(1)
    op = OPERATORS["exp"].op
    assert "profiler" not in " ".join(chain_of(op, (x,)).describe())
    with dc.profiler.profile():
        assert "profiler" in " ".join(chain_of(op, (x,)).describe())
    assert "profiler" not in " ".join(chain_of(op, (x,)).describe())


def test_it_is_a_layer_like_any_other():
    with dc.layer("profiler") as profile:
        dc.exp(dc.ones(1))
    assert "exp" in {event.name for event in profile.events}


def test_memory_of_results():
    x = dc.ones(256)
    with dc.profiler.profile(profile_memory=True) as profile:
        y = x.exp()
        y.reshape(16, 16)
        y.mul_(2)
        dc.var(x)
    memory = {event.name: event.memory for event in profile.events if event.depth == 0}
    assert memory["exp"] == 1024
    assert memory["reshape"] == 0
    var = next(event for event in profile.events if event.name == "var")
    assert var.memory > var.self_cpu_memory_usage >= 0
    assert "KiB" in profile.key_averages().table(sort_by="self_cpu_memory_usage")
    total = profile.key_averages().total_average()
    assert total.self_cpu_memory_usage == sum(memory.values())


def test_stacks(tmp_path):
    def called():
        return dc.exp(dc.ones(1))

    with dc.profiler.profile(with_stack=True) as profile:
        called()
    event = next(event for event in profile.events if event.name == "exp")
    assert event.stack[0].endswith("): called")
    assert "test_stacks" in event.stack[1]
    assert not any("dispatch_core/" in line and "tests" not in line for line in event.stack)
    grouped = profile.key_averages(group_by_stack_n=1)
    assert "called" in grouped.table()
    profile.export_stacks(tmp_path / "stacks.txt")
    line = next(s for s in (tmp_path / "stacks.txt").read_text().splitlines() if ";exp " in s)
    assert int(line.rpartition(" ")[2]) >= 1
    with pytest.raises(ValueError, match="no metric"):
        profile.export_stacks(tmp_path / "x", "luck")
    with dc.profiler.profile() as without:
        called()
    with pytest.raises(ValueError, match="with_stack=True"):
        without.export_stacks(tmp_path / "x")


def test_flops():
    x, w = dc.ones(2, 3), dc.ones(4, 3)
    with dc.profiler.profile(with_flops=True) as profile:
        dc.nn.functional.linear(x, w)
        x @ w.T
        dc.nn.functional.conv2d(dc.ones(1, 2, 5, 5), dc.ones(3, 2, 3, 3))
        x + x
    flops = {a.key: a.flops for a in profile.key_averages()}
    assert flops["linear"] == 2 * 2 * 3 * 4
    assert flops["matmul"] == 48
    assert max(flops.get("conv2d", 0), flops.get("convolution", 0)) == 2 * 3 * 9 * 18
    assert flops["add"] == 6
    assert "MFLOP" in profile.key_averages().table(sort_by="flops", row_limit=2, header="title")


def test_a_schedule():
    ready = []

    def handle(profile):
        ready.append([event.name for event in profile.events if event.depth == 0])

    names = ["sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "sqrt"]
    planned = dc.profiler.schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    x = dc.ones(1)
    with dc.profiler.profile(schedule=planned, on_trace_ready=handle) as profile:
        for name in names:
            getattr(dc, name)(x)
            profile.step()
    assert ready == [["exp", "log"], ["tanh", "sqrt"]]
    assert profile.step_num == len(names)
    Action = dc.profiler.ProfilerAction
    assert [planned(i) for i in range(5)] == [
        Action.NONE, Action.NONE, Action.WARMUP, Action.RECORD, Action.RECORD_AND_SAVE,
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="Invalid profiler schedule"):
        dc.profiler.schedule(wait=0, warmup=0, active=0)


def test_traces_in_a_folder(tmp_path):
    for packed in (False, True):
        handler = dc.profiler.tensorboard_trace_handler(tmp_path / str(packed), "w", packed)
        activities = [dc.profiler.ProfilerActivity.CPU]
        with dc.profiler.profile(activities=activities, on_trace_ready=handler):
            dc.exp(dc.ones(1))
        (file,) = (tmp_path / str(packed)).iterdir()
        assert file.name.startswith("w.")
        assert file.name.endswith(".pt.trace.json" + (".gz" if packed else ""))


def test_names_of_pytorch():
    with dc.profiler.profile() as profile:
        dc.exp(dc.ones(2))
    event = next(e for e in profile.events() if e.key == "exp")
    assert event.input_shapes == [[2]]
    assert event.cpu_time_total == event.duration / 1e3
    assert profile.key_averages(group_by_input_shape=True)[-1].input_shapes == [[2]]
