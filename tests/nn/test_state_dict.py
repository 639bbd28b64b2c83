"""Saving and loading the state of modules: layout, mistakes, hooks, extra state, versions."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn


def make_net() -> Any:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


class Counted(nn.Module):
    """Has extra state."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(dc.ones(2))
        self.count = 0

    def get_extra_state(self) -> Any:
        return {"count": self.count}

    def set_extra_state(self, state: Any) -> None:
        self.count = state["count"]


def test_layout_and_metadata() -> None:
    state = make_net().state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    assert state._metadata == {"": {"version": 1}, "0": {"version": 1}, "1": {"version": 2}}


def test_tensors_share_memory_and_are_detached_unless_kept() -> None:
    net = make_net()
    state = net.state_dict()
    assert not state["0.weight"].requires_grad
    with dc.no_grad():
        net[0].weight.fill_(7)
    assert (state["0.weight"] == 7).all()
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight


def test_prefix_and_destination() -> None:
    destination: Any = OrderedDict()
    assert nn.Linear(1, 1).state_dict(destination=destination, prefix="a.") is destination
    assert list(destination) == ["a.weight", "a.bias"]


def test_load_copies_and_reports() -> None:
    net, other = make_net(), make_net()
    result = net.load_state_dict(other.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert (net[0].weight == other[0].weight).all()
    assert net[0].weight is not other[0].weight
    result = net.load_state_dict({"0.bias": dc.ones(3), "x": dc.ones(1)}, strict=False)
    assert "0.weight" in result.missing_keys
    assert result.unexpected_keys == ["x"]
    missing, _unexpected = result
    assert repr(result) == f"_IncompatibleKeys(missing_keys={missing}, unexpected_keys=['x'])"
    assert (net[0].bias == 1).all()


def test_load_casts_to_the_module_and_assign_does_not() -> None:
    state = make_net().double().state_dict()
    net = make_net()
    weight = net[0].weight
    net.load_state_dict(state)
    assert net[0].weight is weight
    assert weight.dtype == dc.float32
    net.load_state_dict(state, assign=True)
    assert isinstance(net[0].weight, nn.Parameter)
    assert net[0].weight.requires_grad
    assert net[0].weight.dtype == dc.float64
    assert net[1].running_mean.dtype == dc.float64
    net[0].weight.requires_grad_(False)
    net.load_state_dict(make_net().state_dict(keep_vars=True), assign=True)
    assert not net[0].weight.requires_grad


def test_all_mistakes_are_reported_together() -> None:
    net = make_net()
    state = net.state_dict()
    state["0.weight"] = dc.ones(4, 2)
    state["0.bias"] = 3
    state["extra"] = dc.ones(1)
    del state["1.weight"]
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    for part in (
        "Error(s) in loading state_dict for Sequential:",
        '\n\tMissing key(s) in state_dict: "1.weight". ',
        '\n\tUnexpected key(s) in state_dict: "extra". ',
        "\n\tsize mismatch for 0.weight: copying a param with shape",
        '\n\tWhile copying the parameter named "0.bias", expected',
    ):
        assert part in text
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict({"0.weight": dc.ones(4, 2)}, strict=False)
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict(3)


@pytest.mark.parametrize("key", ["0.weight.x", "2.weight", "0.x", "1.a.b"])
def test_unexpected_keys_at_every_depth(key: str) -> None:
    state = make_net().state_dict()
    state[key] = dc.ones(1)
    with pytest.raises(RuntimeError, match=f'Unexpected key.s. in state_dict: "{key}"'):
        make_net().load_state_dict(state)


def test_extra_state() -> None:
    module = Counted()
    module.count = 5
    state = module.state_dict()
    assert state["_extra_state"] == {"count": 5}
    fresh = nn.Sequential(Counted())
    fresh.load_state_dict({f"0.{key}": value for key, value in state.items()})
    assert fresh[0].count == 5
    with pytest.raises(RuntimeError, match=r'Missing key.s. in state_dict: "_extra_state"'):
        module.load_state_dict({"weight": dc.ones(2)})
    with pytest.raises(RuntimeError, match=r'Unexpected key.s. in state_dict: "_extra_state"'):
        nn.Linear(1, 1).load_state_dict({**nn.Linear(1, 1).state_dict(), "_extra_state": 1})
    with pytest.raises(RuntimeError):
        nn.Module().get_extra_state()
    with pytest.raises(RuntimeError):
        nn.Module().set_extra_state(1)


def test_batch_norm_loads_states_from_before_batches_were_counted() -> None:
    norm = nn.BatchNorm1d(3)
    state = dict(norm.state_dict())
    del state["num_batches_tracked"]
    assert repr(norm.load_state_dict(state)) == "<All keys matched successfully>"
    new = norm.state_dict()
    del new["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="Missing key"):
        norm.load_state_dict(new)


def test_state_dict_hooks() -> None:
    net = make_net()
    seen: list[Any] = []
    net[0].register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep)))

    def rename(module: Any, state: Any, prefix: str, metadata: Any) -> None:
        state[prefix + "renamed"] = state.pop(prefix + "weight")

    handle = net[0].register_state_dict_post_hook(rename)
    assert list(net.state_dict())[-1] != "0.weight"
    assert "0.renamed" in net.state_dict()
    assert seen[0] == ("0.", False)
    handle.remove()
    assert "0.renamed" not in net.state_dict()
    net.register_state_dict_post_hook(lambda *args: 1)
    with pytest.raises(RuntimeError, match="must return None"):
        net.state_dict()


def test_private_state_dict_hook_replaces_the_dict() -> None:
    net = make_net()
    net._register_state_dict_hook(lambda module, state, prefix, metadata: {"only": 1})
    assert net.state_dict() == {"only": 1}


def test_load_state_dict_hooks() -> None:
    net = make_net()
    seen: list[Any] = []

    def before(module: Any, state: Any, prefix: str, *rest: Any) -> None:
        seen.append(module)
        state[prefix + "weight"] = state.pop(prefix + "old")

    def after(module: Any, keys: Any) -> None:
        keys.missing_keys.clear()

    net[0].register_load_state_dict_pre_hook(before)
    handle = net.register_load_state_dict_post_hook(after)
    state = net.state_dict()
    state["0.old"] = state.pop("0.weight")
    del state["0.bias"]
    assert net.load_state_dict(state).missing_keys == []
    assert seen == [net[0]]
    handle.remove()
    with pytest.raises(RuntimeError, match="Missing key"):
        net.load_state_dict(state)
    net.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(AssertionError, match="are not expected to return new values"):
        net.load_state_dict(state, strict=False)


def test_scalar_saved_with_one_dimension() -> None:
    class Scalar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value = nn.Parameter(dc.tensor(1.0))

    scalar = Scalar()
    scalar.load_state_dict({"value": dc.tensor([4.0])})
    assert scalar.value.item() == 4.0
