"""Hooks on modules: forward, backward and registration, of one module and of all."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn.modules import module as module_api


class Scale(nn.Module):
    """x * weight, with a keyword argument."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(dc.tensor([2.0, 3.0]))

    def forward(self, x: Any, times: float = 1.0) -> Any:
        return x * self.weight * times


def x_with_grad() -> Any:
    return dc.tensor([1.0, 5.0], requires_grad=True)


# Forward


def test_pre_hook_may_replace_arguments() -> None:
    scale = Scale()
    handle = scale.register_forward_pre_hook(lambda module, args: args[0] + 1)
    assert scale(dc.zeros(2)).tolist() == [2.0, 3.0]
    handle.remove()
    handle.remove()
    assert scale(dc.zeros(2)).tolist() == [0.0, 0.0]


def test_pre_hook_with_kwargs() -> None:
    scale = Scale()
    seen = []

    def hook(module: Any, args: Any, kwargs: Any) -> Any:
        seen.append((args, dict(kwargs)))
        return args, {"times": kwargs["times"] * 10}

    with scale.register_forward_pre_hook(hook, with_kwargs=True):
        assert scale(dc.ones(2), times=2.0).tolist() == [40.0, 60.0]
    assert seen[0][1] == {"times": 2.0}
    assert scale(dc.ones(2), times=2.0).tolist() == [4.0, 6.0]
    scale.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        scale(dc.ones(2))


def test_forward_hooks_run_in_order_and_may_replace_the_output() -> None:
    scale = Scale()
    order: list[str] = []
    scale.register_forward_hook(lambda module, args, output: order.append("second"))
    scale.register_forward_hook(lambda module, args, output: order.append("first"), prepend=True)
    scale.register_forward_hook(
        lambda module, args, kwargs, output: output * kwargs["times"], with_kwargs=True
    )
    assert scale(dc.ones(2), times=2.0).tolist() == [8.0, 12.0]
    assert order == ["first", "second"]


def test_always_called_hook_runs_after_an_error() -> None:
    scale = Scale()
    seen: list[Any] = []
    scale.register_forward_hook(lambda m, args, output: seen.append(output), always_call=True)
    scale.register_forward_hook(lambda m, args, output: seen.append("not me"))
    with pytest.raises(TypeError):
        scale(dc.ones(2), unknown=1)
    assert seen == [None]
    seen.clear()
    scale(dc.ones(2))
    assert len(seen) == 2


def test_an_error_in_an_always_called_hook_is_a_warning_beside_the_first() -> None:
    scale = Scale()

    def broken(module: Any, args: Any, output: Any) -> None:
        raise ValueError("in the hook")

    scale.register_forward_hook(broken, always_call=True)
    with pytest.raises(TypeError), pytest.warns(UserWarning, match="in the hook|always_call"):
        scale(dc.ones(2), unknown=1)
    with pytest.raises(ValueError, match="in the hook"):
        scale(dc.ones(2))


def test_hooks_are_copied_with_the_module() -> None:
    scale = Scale()
    scale.register_forward_hook(lambda module, args, output: output + 1)
    copied = deepcopy(scale)
    assert copied(dc.zeros(2)).tolist() == [1.0, 1.0]


# Backward


def test_full_backward_hook_sees_gradients_of_inputs_and_outputs() -> None:
    scale = Scale()
    seen: list[Any] = []
    scale.register_full_backward_hook(lambda module, gi, go: seen.append((module, gi, go)))
    x = x_with_grad()
    scale(x).backward(dc.tensor([1.0, 10.0]))
    ((module, (grad_input,), (grad_output,)),) = seen
    assert module is scale
    assert grad_input.tolist() == [2.0, 30.0]
    assert grad_output.tolist() == [1.0, 10.0]
    assert x.grad.tolist() == [2.0, 30.0]
    assert scale.weight.grad.tolist() == [1.0, 50.0]


def test_full_backward_hooks_may_replace_gradients() -> None:
    scale = Scale()
    scale.register_full_backward_pre_hook(lambda module, go: (go[0] * 2,))
    scale.register_full_backward_hook(lambda module, gi, go: (gi[0] + 100,))
    x = x_with_grad()
    scale(x).sum().backward()
    assert x.grad.tolist() == [104.0, 106.0]
    assert scale.weight.grad.tolist() == [2.0, 10.0]


def test_full_backward_hook_with_several_inputs_and_outputs() -> None:
    class Swap(nn.Module):
        def forward(self, a: Any, number: float, b: Any) -> Any:
            return b * number, a, 7

    swap = Swap()
    seen: list[Any] = []
    swap.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    a, b = x_with_grad(), dc.ones(2)
    first, second, seven = swap(a, 3.0, b)
    assert seven == 7
    assert first.tolist() == [3.0, 3.0]
    (second * 2).sum().backward()
    ((gi, go),) = seen
    assert gi[0].tolist() == [2.0, 2.0]
    assert gi[1] is None
    assert gi[2].tolist() == [0.0, 0.0]
    assert go[0] is None
    assert go[1].tolist() == [2.0, 2.0]
    assert go[2] is None


def test_full_backward_hook_without_gradients_of_inputs() -> None:
    scale = Scale()
    seen: list[Any] = []
    scale.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        scale(dc.ones(2)).sum().backward()
    ((gi, go),) = seen
    assert gi == (None,)
    assert go[0].tolist() == [1.0, 1.0]
    assert scale.weight.grad.tolist() == [1.0, 1.0]


def test_backward_hooks_do_nothing_without_recording() -> None:
    scale = Scale()
    scale.register_full_backward_hook(lambda module, gi, go: None)
    with dc.no_grad():
        assert not scale(x_with_grad()).requires_grad


def test_wrong_number_of_gradients_from_a_hook() -> None:
    scale = Scale()
    scale.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        scale(x_with_grad()).sum().backward()


def test_second_derivative_through_backward_hooks() -> None:
    scale = Scale()
    scale.register_full_backward_hook(lambda module, gi, go: None)
    x = x_with_grad()
    (grad,) = dc.autograd.grad((scale(x) ** 2).sum(), x, create_graph=True)
    grad.sum().backward()
    assert x.grad.tolist() == [8.0, 18.0]


def test_older_and_full_backward_hooks_do_not_mix() -> None:
    scale = Scale()
    seen: list[Any] = []
    scale.register_backward_hook(lambda module, gi, go: seen.append(go))
    with pytest.raises(RuntimeError, match="Cannot use both"):
        scale.register_full_backward_hook(lambda module, gi, go: None)


# All modules


@pytest.fixture
def handles() -> Iterator[list[Any]]:
    registered: list[Any] = []
    yield registered
    for handle in registered:
        handle.remove()


def test_global_hooks_apply_to_every_module(handles: list[Any]) -> None:
    names: list[str] = []
    handles.append(
        module_api.register_module_forward_pre_hook(
            lambda module, args: names.append(f"before {type(module).__name__}")
        )
    )
    handles.append(
        module_api.register_module_forward_hook(
            lambda module, args, output: names.append(f"after {type(module).__name__}")
        )
    )
    net = nn.Sequential(nn.ReLU())
    net(dc.ones(2))
    assert names == ["before Sequential", "before ReLU", "after ReLU", "after Sequential"]
    while handles:
        handles.pop().remove()
    names.clear()
    net(dc.ones(2))
    assert names == []


def test_global_backward_hooks(handles: list[Any]) -> None:
    names: list[str] = []
    handles.append(
        module_api.register_module_full_backward_pre_hook(
            lambda module, go: names.append(f"pre {type(module).__name__}")
        )
    )
    handles.append(
        module_api.register_module_full_backward_hook(
            lambda module, gi, go: names.append(f"full {type(module).__name__}")
        )
    )
    nn.Sequential(nn.ReLU(), Scale())(x_with_grad()).sum().backward()
    assert names == [
        "pre Sequential",
        "pre Scale",
        "full Scale",
        "pre ReLU",
        "full ReLU",
        "full Sequential",
    ]


def test_registration_hooks_see_and_replace(handles: list[Any]) -> None:
    names: list[str] = []

    def on_module(module: Any, name: str, child: Any) -> Any:
        names.append(name)
        return nn.Tanh()

    handles.append(module_api.register_module_module_registration_hook(on_module))
    handles.append(
        module_api.register_module_parameter_registration_hook(
            lambda module, name, parameter: names.append(name)
        )
    )
    handles.append(
        module_api.register_module_buffer_registration_hook(
            lambda module, name, buffer: names.append(name)
        )
    )
    net = nn.Module()
    net.child = nn.ReLU()
    net.weight = nn.Parameter(dc.ones(1))
    net.register_buffer("buffer", dc.ones(1))
    assert names == ["child", "weight", "buffer"]
    assert isinstance(net.child, nn.Tanh)


def test_a_module_without_hooks_takes_the_short_way(handles: list[Any]) -> None:
    scale = Scale()
    scale(dc.ones(2))  # whatever hooks other tests have removed is noticed at a call
    assert not scale._hooked
    handle = scale.register_forward_hook(lambda module, args, output: None)
    assert scale._hooked
    handle.remove()
    scale(dc.ones(2))
    assert not scale._hooked
    handles.append(module_api.register_module_forward_hook(lambda module, args, output: None))
    assert scale._hooked
    handles.pop().remove()
    scale(dc.ones(2))
    assert not scale._hooked
