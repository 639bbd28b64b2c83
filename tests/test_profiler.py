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
