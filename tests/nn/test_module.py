"""Module: what it owns, how it is found and listed, converted, copied and called."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from copy import deepcopy
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.body = nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3))
        self.scale = nn.Parameter(dc.ones(3))
        self.register_buffer("offset", dc.zeros(3))
        self.register_buffer("cache", dc.zeros(1), persistent=False)
        self.register_parameter("absent", None)

    def forward(self, x: Any) -> Any:
        return self.body(self.first(x)) * self.scale + self.offset


# What a module owns


def test_listing_is_own_members_first_then_children_in_order() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        "scale",
        "first.weight",
        "first.bias",
        "body.1.weight",
        "body.1.bias",
    ]
    assert [name for name, _ in net.named_buffers()] == [
        "offset",
        "cache",
        "body.1.running_mean",
        "body.1.running_var",
        "body.1.num_batches_tracked",
    ]
    assert [name for name, _ in net.named_modules()] == ["", "first", "body", "body.0", "body.1"]
    assert [name for name, _ in net.named_children()] == ["first", "body"]
    assert [name for name, _ in net.named_parameters("p", recurse=False)] == ["p.scale"]
    assert len(list(net.parameters())) == 5
    assert len(list(net.buffers(recurse=False))) == 2
    assert next(iter(net.modules())) is net


def test_shared_members_are_listed_once_unless_asked_for() -> None:
    net = nn.Module()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    assert [name for name, _ in net.named_parameters()] == ["a.weight", "a.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert [name for name, _ in net.named_modules(remove_duplicate=False)] == ["", "a", "b"]
    assert len(list(net.children())) == 1
    assert list(net.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]


def test_assignment_sorts_values_into_tables() -> None:
    net = nn.Module()
    net.value = 3
    net.value = nn.Parameter(dc.ones(2))
    assert "value" in net._parameters
    assert "value" not in net.__dict__
    net.value = None
    assert dict(net._parameters) == {"value": None}
    del net.value
    net.value = nn.Linear(1, 1)
    assert "value" in net._modules
    net.value = nn.Parameter(dc.ones(2))
    assert not net._modules
    del net.value
    net.value = nn.Buffer(dc.ones(2), persistent=False)
    assert "value" in net._buffers
    assert list(net.state_dict()) == []
    net.value = dc.zeros(2)
    assert net.value.sum() == 0
    assert "value" in net._buffers
    net.value = None
    assert net.value is None
    assert "value" in net._buffers
    del net.value
    assert not hasattr(net, "value")


def test_a_plain_tensor_is_a_plain_attribute() -> None:
    net = nn.Module()
    net.tensor = dc.ones(2)
    assert "tensor" in net.__dict__
    assert not list(net.buffers())


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda net: setattr(net, "scale", dc.ones(3)), TypeError, "as parameter 'scale'"),
        (lambda net: setattr(net, "scale", nn.ReLU()), TypeError, "as parameter 'scale'"),
        (lambda net: setattr(net, "first", 3), TypeError, "as child module 'first'"),
        (lambda net: setattr(net, "first", nn.Buffer()), TypeError, "as child module"),
        (lambda net: setattr(net, "offset", 3), TypeError, "as buffer 'offset'"),
        (lambda net: net.register_parameter("a.b", None), KeyError, "t contain"),
        (lambda net: net.register_parameter("", None), KeyError, "empty string"),
        (lambda net: net.register_parameter("forward", None), KeyError, "already exists"),
        (lambda net: net.register_parameter(3, None), TypeError, "should be a string. Got int"),
        (lambda net: net.register_parameter("w", dc.ones(1)), TypeError, "to parameter 'w'"),
        (lambda net: net.register_buffer("first", None), KeyError, "already exists"),
        (lambda net: net.register_buffer("b", 3), TypeError, "'int' object to buffer 'b'"),
        (lambda net: net.add_module("scale", nn.ReLU()), KeyError, "already exists"),
        (lambda net: net.add_module("m", 3), TypeError, "int is not a Module subclass"),
        (lambda net: net.missing, AttributeError, "'Net' object has no attribute 'missing'"),
        (lambda net: delattr(net, "missing"), AttributeError, "missing"),
        (lambda net: net.train("yes"), ValueError, "expected to be boolean"),
        (lambda net: net.to(dc.int32), TypeError, "floating point or complex dtypes"),
        (lambda net: net.get_submodule("body.7"), AttributeError, "has no attribute `7`"),
        (lambda net: net.get_submodule("scale"), AttributeError, "is not an nn.Module"),
        (lambda net: net.get_parameter("offset"), AttributeError, "is not an nn.Parameter"),
        (lambda net: net.get_buffer("scale"), AttributeError, "is not a buffer"),
        (lambda net: net.set_submodule("", nn.ReLU()), ValueError, "target name"),
        (lambda net: net.set_submodule("body", 3), ValueError, "is not an nn.Module"),
        (lambda net: net.set_submodule("a.b", nn.ReLU()), AttributeError, "no attribute `a`"),
        (lambda net: net.set_submodule("x", nn.ReLU(), strict=True), AttributeError, "`x`"),
        (lambda net: nn.Module()(1), NotImplementedError, 'missing the required "forward"'),
        (lambda net: nn.Module(3), TypeError, "takes 1 positional argument but 2"),
        (lambda net: nn.ReLU(size=3), TypeError, "unexpected keyword argument 'size'"),
        (lambda net: nn.Parameter(dc.ones(2, dtype=dc.int64)), RuntimeError, "floating point"),
    ],
)
def test_mistakes(action: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        action(Net())


def test_a_computed_tensor_is_no_parameter() -> None:
    computed = nn.Parameter(dc.ones(2)) * 2
    with pytest.raises(TypeError):
        nn.Module().register_parameter("w", computed)


def test_members_need_init() -> None:
    class Late(nn.Module):
        def __init__(self, value: Any) -> None:
            self.value = value

    for value in (nn.Parameter(dc.ones(1)), nn.ReLU(), nn.Buffer(dc.ones(1))):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            Late(value)


def test_get_and_set_by_path() -> None:
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("body.1") is net.body[1]
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("body.1.running_mean") is net.body[1].running_mean
    net.set_submodule("body.0", nn.Tanh())
    assert isinstance(net.body[0], nn.Tanh)
    net.set_submodule("extra", nn.Tanh())
    assert isinstance(net.extra, nn.Tanh)


def test_dir_lists_members_but_no_positions() -> None:
    names = dir(Net())
    assert {"first", "scale", "offset", "forward"} <= set(names)
    assert not [name for name in dir(nn.Sequential(nn.ReLU())) if name[0].isdigit()]


def test_call_super_init_passes_arguments_on() -> None:
    class Left(nn.Module):
        call_super_init = True

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    class Right:
        def __init__(self, *, size: int) -> None:
            self.size = size

    class Both(Left, Right):
        pass

    assert Both(size=3).size == 3


# Conversions and modes


def test_conversion_keeps_parameter_objects_and_gradients() -> None:
    net = Net()
    before = list(net.parameters())
    net(dc.ones(2, 2)).sum().backward()
    assert net.double() is net
    assert [id(p) for p in net.parameters()] == [id(p) for p in before]
    assert all(p.dtype == dc.float64 and p.requires_grad for p in net.parameters())
    assert net.scale.grad is not None
    assert net.scale.grad.dtype == dc.float64
    assert net.offset.dtype == dc.float64
    assert net.body[1].num_batches_tracked.dtype == dc.int64
    assert net(dc.ones(2, 2, dtype=dc.float64)).dtype == dc.float64
    assert net.to(dc.float32).offset.dtype == dc.float32
    assert net.half().scale.dtype == dc.float16
    assert net.bfloat16().scale.dtype == dc.bfloat16
    assert net.float().scale.dtype == dc.float32
    assert net.to("cpu", dc.float64).scale.dtype == dc.float64
    assert net.to(dc.zeros(1)).scale.dtype == dc.float32
    assert net.to(device="cpu", non_blocking=True).cpu().scale.device.type == "cpu"
    assert net.to_empty(device="cpu").scale.shape == (3,)
    assert net.type(dc.float64).body[1].num_batches_tracked.dtype == dc.float64


def test_modes() -> None:
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())


def test_requires_grad_and_zero_grad() -> None:
    net = Net()
    net(dc.ones(2, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad is not None and p.grad.sum() == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    net = Net()
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "ReLU", "BatchNorm1d", "Sequential", "Net"]


# Copies


def test_deep_copy_and_pickle_are_independent() -> None:
    dc.manual_seed(0)
    net = Net()
    x = dc.tensor([[1.0, 2.0], [3.0, 5.0]])
    net.eval()
    for other in (deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(other.state_dict()) == list(net.state_dict())
        assert (other(x) == net(x)).all()
        assert isinstance(other.scale, nn.Parameter)
        with dc.no_grad():
            other.scale.add_(1)
        assert not (other(x) == net(x)).all()
        assert other._non_persistent_buffers_set == {"cache"}


def test_parameter() -> None:
    data = dc.ones(2)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, dc.Tensor)
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert type(parameter * 2) is dc.Tensor
    with dc.no_grad():
        parameter.add_(1)
    assert (data == 2).all()
    assert repr(parameter).startswith("Parameter containing:\n")
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    shared = [parameter, parameter]
    copied = deepcopy(shared)
    assert copied[0] is copied[1]
    assert copied[0] is not parameter
    frozen = pickle.loads(pickle.dumps(nn.Parameter(data, requires_grad=False)))
    assert isinstance(frozen, nn.Parameter)
    assert not frozen.requires_grad


def test_buffer_keeps_persistence_through_a_copy() -> None:
    buffer = nn.Buffer(dc.ones(2), persistent=False)
    assert isinstance(buffer, dc.Tensor)
    assert not buffer.requires_grad
    net = nn.Module()
    net.buffer = buffer
    assert list(deepcopy(net).state_dict()) == []
    assert list(dict(deepcopy(net).named_buffers())) == ["buffer"]


def test_repr_of_nested_modules() -> None:
    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.child = nn.ReLU()

        def extra_repr(self) -> str:
            return "a=1"

    assert repr(nn.Module()) == "Module()"
    assert repr(Wide()) == "Wide(\n  a=1\n  (child): ReLU()\n)"
    assert repr(nn.Sequential(OrderedDict(x=Wide()))) == (
        "Sequential(\n  (x): Wide(\n    a=1\n    (child): ReLU()\n  )\n)"
    )


def test_share_memory_is_seen_by_a_forked_process() -> None:
    layer = nn.Linear(2, 1).share_memory()
    assert all(parameter.is_shared() for parameter in layer.parameters())
    before = layer.weight.tolist()
    child = os.fork()
    if child == 0:
        with dc.no_grad():
            layer.weight.add_(1.0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert layer.weight.tolist()[0] == pytest.approx([value + 1 for value in before[0]])
