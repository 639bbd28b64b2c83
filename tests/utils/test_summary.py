"""`summary` of models and the graph of a computation."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.utils import computation_graph, summary


def model():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)
    )


def test_rows_and_totals():
    net = model()
    net[4].weight.requires_grad_(False)
    found = summary(net, dc.rand(2, 3, 4, 4))
    assert [row.path for row in found.rows] == ["", "0", "1", "2", "3", "4"]
    assert [row.outputs for row in found.rows[1:]] == [
        [(2, 4, 4, 4)], [(2, 4, 4, 4)], [(2, 4, 4, 4)], [(2, 64)], [(2, 2)],
    ]  # fmt: skip
    assert [row.parameters for row in found.rows] == [0, 112, 8, 0, 0, 130]
    assert (found.parameters, found.trained) == (250, 122)
    assert found.rows[2].buffers == 9
    assert found.size == 4 * (250 + 8) + 8
    lines = str(found).splitlines()
    assert lines[0].split() == ["module", "class", "output", "parameters", "calls"]
    assert lines[3].split() == ["0", "Conv2d", "2x4x4x4", "112", "1"]
    assert lines[-2] == "parameters: 250 (122 trained, 128 frozen)"


def test_the_model_is_afterwards_as_before():
    net = model()
    net[1].eval()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    summary(net, dc.rand(2, 3, 4, 4))
    assert [m.training for m in net] == [True, False, True, True, True]
    assert all(dc.equal(v, state[k]) for k, v in net.state_dict().items())
    assert not any(m._forward_hooks for m in net.modules())
    with pytest.raises(RuntimeError):
        summary(net, dc.rand(2, 5, 4, 4))
    assert not any(m._forward_hooks for m in net.modules())
    assert net.training


def test_shared_modules_and_without_a_call():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    assert summary(net).parameters == 6
    assert "-" in str(summary(net))
    assert next(r for r in summary(net, dc.rand(1, 2)).rows if r.path == "0").calls == 2
    lstm = summary(nn.LSTM(2, 3), dc.rand(4, 1, 2))
    assert lstm.rows[0].outputs == [(4, 1, 3), (1, 1, 3), (1, 1, 3)]
    assert summary(nn.LazyLinear(3)).parameters == 0
    with pytest.raises(TypeError, match="expects a Module"):
        summary(3)


def test_the_graph_as_text_and_picture(tmp_path):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    loss = net(dc.rand(4, 2)).square().sum()
    graph = computation_graph(loss, dict(net.named_parameters()))
    texts = [box.text for box in graph.boxes]
    assert texts[0] == "SumBackward0"
    assert {"0.weight 3x2", "0.bias 3", "2.weight 1x3", "2.bias 1"} <= set(texts)
    assert len(graph.arrows) == len({*graph.arrows}) == len(texts) - 1
    dot = graph.dot()
    assert dot.startswith("digraph {")
    assert dot.count("->") == len(graph.arrows)
    root = ElementTree.fromstring(graph.svg())
    assert len(root.findall("{*}rect")) == len(texts)
    assert len(root.findall("{*}path")) == len(graph.arrows)
    assert graph._repr_svg_() == graph.svg()
    for name in ("x.svg", "x.dot", "x.gv"):
        graph.save(tmp_path / name)
        assert (tmp_path / name).read_text() in (graph.svg(), graph.dot())
    with pytest.raises(ValueError, match=r"\.svg"):
        graph.save(tmp_path / "x.png")


def test_what_is_used_twice_has_one_box_below_both():
    x = dc.ones(2, requires_grad=True)
    y = x.exp()
    graph = computation_graph([(y * y).sum(), y.sin()])
    assert [box.text for box in graph.boxes].count("ExpBackward0") == 1
    assert [box.text for box in graph.boxes].count("2") == 1


def test_long_graphs():
    x = dc.ones(1, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y + 1
    graph = computation_graph(y)
    assert len(graph.boxes) == 5001
    assert graph.svg().count("<rect") == 5001


def test_mistakes():
    with pytest.raises(RuntimeError, match="no operation was recorded"):
        computation_graph(dc.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="expects a tensor"):
        computation_graph([3])
