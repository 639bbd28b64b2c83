"""Containers behave like the sequence, list or dict they are named after."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn


def names(container: Any) -> list[tuple[str, str]]:
    return [(name, type(module).__name__) for name, module in container.named_children()]


def test_sequential() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a, b)
    assert len(net) == 2
    assert list(net) == [a, b]
    assert net[-1] is b
    assert net.append(c) is net
    assert names(net) == [("0", "ReLU"), ("1", "Tanh"), ("2", "Sigmoid")]
    net[0] = c
    assert net[0] is c
    net.insert(0, b)
    assert [type(m).__name__ for m in net] == ["Tanh", "Sigmoid", "Tanh", "Sigmoid"]
    assert list(net._modules) == ["0", "1", "2", "3"]
    net.insert(-1, a)
    assert net[3] is a
    assert net.pop(3) is a
    del net[0]
    assert [type(m).__name__ for m in net] == ["Sigmoid", "Tanh", "Sigmoid"]
    del net[1:]
    assert list(net._modules) == ["0"]
    assert type(net[:1]) is nn.Sequential
    assert net.extend([a, b]) is net
    assert len(net) == 3


def test_sequential_arithmetic() -> None:
    a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh(), nn.Sigmoid())
    assert len(a + b) == 3
    assert len(b * 2) == len(2 * b) == 4
    same = a
    same += b
    assert same is a
    assert len(a) == 3
    a *= 2
    assert len(a) == 6
    with pytest.raises(ValueError, match="only objects of Sequential"):
        a + 3
    with pytest.raises(ValueError, match="Non-positive multiplication factor 0"):
        a * 0
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*"):
        a * "2"


def test_sequential_by_name_keeps_names_in_slices() -> None:
    net = nn.Sequential(OrderedDict(first=nn.ReLU(), second=nn.Tanh(), third=nn.Sigmoid()))
    assert names(net[1:]) == [("second", "Tanh"), ("third", "Sigmoid")]
    assert net.second is net[1]
    net[1] = nn.ReLU()
    assert isinstance(net.second, nn.ReLU)


@pytest.mark.parametrize("container", [nn.Sequential(nn.ReLU()), nn.ModuleList([nn.ReLU()])])
def test_positions_out_of_range(container: Any) -> None:
    for index in (1, -2):
        with pytest.raises(IndexError, match="out of range"):
            container[index]
        with pytest.raises(IndexError, match="out of range"):
            container[index] = nn.ReLU()
        with pytest.raises(IndexError, match="out of range"):
            del container[index]
    with pytest.raises(TypeError):
        container["a"]


def test_sequential_mistakes() -> None:
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        nn.Sequential(3)
    with pytest.raises(IndexError, match="Index out of range: 9"):
        nn.Sequential().insert(9, nn.ReLU())
    with pytest.raises(AssertionError, match="module should be of type"):
        nn.Sequential().insert(0, 3)


def test_module_list() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    modules = nn.ModuleList([a, b])
    modules.append(c)
    modules.insert(1, c)
    assert list(modules) == [a, c, b, c]
    assert modules[1:3]._modules == {"0": c, "1": b}
    assert type(modules[1:3]) is nn.ModuleList
    modules += [a]
    assert len(modules) == 5
    assert len(modules + [b]) == 6  # noqa: RUF005  # `+` is what is tested
    assert modules.pop(-1) is a
    del modules[1:3]
    assert list(modules) == [a, c]
    modules[0] = b
    assert list(modules) == [b, c]
    assert b in modules
    with pytest.raises(NotImplementedError, match="forward"):
        modules(1)
    for wrong in (3, None):
        with pytest.raises(TypeError, match="with an iterable"):
            modules.extend(wrong)
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        modules.append(3)


def test_module_dict() -> None:
    a, b = nn.ReLU(), nn.Tanh()
    modules = nn.ModuleDict({"a": a})
    modules["b"] = b
    assert list(modules) == ["a", "b"]
    assert list(modules.keys()) == ["a", "b"]
    assert list(modules.values()) == [a, b]
    assert list(modules.items()) == [("a", a), ("b", b)]
    assert "a" in modules
    assert modules["a"] is modules.a is a
    modules.update([("c", b)])
    modules.update(nn.ModuleDict({"d": a}))
    assert len(modules) == 4
    assert modules.pop("c") is b
    del modules["d"]
    with pytest.raises(KeyError):
        modules["d"]
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(TypeError, match="iterable of key/value pairs, but got int"):
        nn.ModuleDict(3)
    with pytest.raises(ValueError, match="#0 has length 1; 2 is required"):
        nn.ModuleDict([("a",)])
    with pytest.raises(TypeError, match="#0 should be Iterable"):
        nn.ModuleDict([3])
    with pytest.raises(KeyError, match="already exists"):
        nn.ModuleDict({"keys": nn.ReLU()})


def test_parameter_list() -> None:
    values = nn.ParameterList([dc.ones(2), nn.Parameter(dc.zeros(3)), 5])
    assert len(values) == 3
    assert isinstance(values[0], nn.Parameter)
    assert values[2] == 5
    assert values[-1] == 5
    assert [name for name, _ in values.named_parameters()] == ["0", "1"]
    assert type(values[:2]) is nn.ParameterList
    values.append(dc.ones(1)).extend([dc.ones(4)])
    values += [dc.ones(6)]
    values[0] = dc.zeros(7)
    assert len(values) == 6
    assert [len(p) for p in values.parameters()] == [7, 3, 1, 4, 6]
    assert next(iter(values)).shape == (7,)
    with pytest.raises(IndexError, match="index 9 is out of range"):
        values[9]
    with pytest.raises(TypeError, match="with an iterable, but got int"):
        values.extend(3)
    with pytest.raises(RuntimeError, match="should not be called"):
        values(1)
    text = repr(values)
    assert text.startswith("ParameterList(\n    (0): Parameter containing: [")
    assert "(2): Object of type: int" in text
    assert "float32 of size 7]" in text


def test_parameter_dict() -> None:
    values = nn.ParameterDict({"a": dc.ones(2), "b": 3})
    assert isinstance(values["a"], nn.Parameter)
    assert values["b"] == 3
    assert values.get("c", 7) == 7
    assert values.setdefault("c", dc.ones(1)).shape == (1,)
    assert [name for name, _ in values.named_parameters()] == ["a", "c"]
    assert list(values) == list(values.keys()) == ["a", "b", "c"]
    assert [key for key, _ in values.items()] == ["a", "b", "c"]
    assert len(list(values.values())) == len(values) == 3
    assert list(reversed(values)) == ["c", "b", "a"]
    assert values.popitem()[0] == "c"
    assert values.pop("b") == 3
    assert "b" not in values
    both = values | nn.ParameterDict({"z": dc.ones(1)})
    assert list(both) == ["a", "z"]
    both |= nn.ParameterDict({"y": dc.ones(1)})
    assert list(both.state_dict()) == ["a", "z", "y"]
    assert list(values.fromkeys(["p", "q"], 1)) == ["p", "q"]
    assert list(values.copy()) == ["a"]
    values.clear()
    assert len(values) == 0
    assert list(nn.ParameterDict({"b": 1, "a": 2})) == ["a", "b"]
    assert list(nn.ParameterDict(OrderedDict(b=1, a=2))) == ["b", "a"]
    with pytest.raises(TypeError, match="not a string"):
        values[3]
    with pytest.raises(TypeError, match="iterable of key/value pairs, but got int"):
        nn.ParameterDict(3)
    with pytest.raises(RuntimeError, match="should not be called"):
        values(1)
    assert "(a): Parameter containing: [" in repr(nn.ParameterDict({"a": dc.ones(2, 3)}))
