"""Pruning: what stays, in which order methods work, and how it ends."""

from __future__ import annotations

import copy
import pickle

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn.utils import prune


def layer(weight):
    made = nn.Linear(len(weight[0]), len(weight))
    with dc.no_grad():
        made.weight.copy_(dc.tensor(weight))
    return made


def mask(module, name="weight"):
    return getattr(module, f"{name}_mask").tolist()


WEIGHT = [[1.0, -4.0, 2.0], [-3.0, 0.5, -6.0]]


def test_the_smallest_elements_go():
    module = layer(WEIGHT)
    weight = module.weight
    assert prune.l1_unstructured(module, "weight", 2) is module
    assert mask(module) == [[0, 1, 1], [1, 0, 1]]
    assert module.weight.tolist() == [[0, -4, 2], [-3, 0, -6]]
    assert module.weight_orig is weight
    assert [n for n, _ in module.named_parameters()] == ["bias", "weight_orig"]
    assert list(module.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    module(dc.ones(3)).sum().backward()
    assert weight.grad.tolist() == [[0, 1, 1], [1, 0, 1]]


def test_a_share_and_scores():
    module = layer(WEIGHT)
    scores = dc.tensor([[5.0, 0.0, 5.0], [5.0, 5.0, 1.0]])
    prune.l1_unstructured(module, "weight", 1 / 3, importance_scores=scores)
    assert mask(module) == [[1, 0, 1], [1, 1, 0]]
    assert prune.is_pruned(module)
    assert not prune.is_pruned(nn.Linear(2, 2))


def test_further_pruning_works_on_what_is_left():
    module = layer(WEIGHT)
    prune.l1_unstructured(module, "weight", 2)
    prune.l1_unstructured(module, "weight", 0.5)  # of the four that are left
    assert mask(module) == [[0, 1, 0], [0, 0, 1]]
    prune.ln_structured(module, "weight", 1, n=2, dim=1)
    assert mask(module) == [[0, 0, 0], [0, 0, 1]]
    (hook,) = module._forward_pre_hooks.values()
    assert [type(m).__name__ for m in hook] == ["L1Unstructured", "L1Unstructured", "LnStructured"]
    assert len(hook) == 3


@pytest.mark.parametrize(("n", "dropped"), [(1, 0), (2, 0), (float("inf"), 0), ("fro", 0)])
def test_slices(n, dropped):
    module = layer(WEIGHT)
    prune.ln_structured(module, "weight", 1, n=n, dim=0)
    assert mask(module) == [[0, 0, 0], [1, 1, 1]]
    module = layer(WEIGHT)
    prune.ln_structured(module, "weight", 2, n=n, dim=-1)
    assert [sum(column) for column in zip(*mask(module), strict=True)].count(0) == 2


def test_random():
    module = layer(WEIGHT)
    prune.random_unstructured(module, "weight", 4)
    assert sum(map(sum, mask(module))) == 2
    module = layer(WEIGHT)
    prune.random_structured(module, "weight", 1, dim=1)
    assert sorted(map(sum, zip(*mask(module), strict=True))) == [0, 2, 2]


def test_identity_custom_and_removal():
    module = layer(WEIGHT)
    weight = module.weight
    prune.identity(module, "weight")
    prune.custom_from_mask(module, "weight", dc.tensor([[1, 0, 1], [0, 1, 1]]))
    assert prune.remove(module, "weight") is module
    assert module.weight is weight
    assert module.weight.tolist() == [[1, 0, 2], [0, 0.5, -6]]
    assert list(module.state_dict()) == ["bias", "weight"]
    assert not prune.is_pruned(module)
    with pytest.raises(ValueError, match="has to be pruned before pruning can be removed"):
        prune.remove(module, "weight")


def test_several_parameters_compete():
    first, second = layer([[1.0, 5.0]]), layer([[2.0, 3.0]])
    pairs = [(first, "weight"), (second, "weight")]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=2)
    assert (mask(first), mask(second)) == ([[0, 1]], [[0, 1]])
    scores = {(first, "weight"): dc.tensor([[9.0, 1.0]])}
    prune.global_unstructured(pairs, prune.L1Unstructured, scores, amount=1)
    assert (mask(first), mask(second)) == ([[0, 0]], [[0, 1]])


def test_copies():
    module = prune.l1_unstructured(layer(WEIGHT), "weight", 2)
    with dc.no_grad():  # what is computed with a history cannot be copied
        module(dc.ones(3))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        with dc.no_grad():
            other.weight_orig.fill_(2)
        other(dc.ones(3))
        assert other.weight.tolist() == [[0, 2, 2], [2, 0, 2]]
        assert module.weight.tolist() == [[0, -4, 2], [-3, 0, -6]]


def test_a_method_without_a_module():
    method = prune.L1Unstructured(1)
    assert method.prune(dc.tensor([3.0, -1.0, 2.0])).tolist() == [3, 0, 2]


class _Odd(prune.BasePruningMethod):
    PRUNING_TYPE = "odd"

    def compute_mask(self, t, default_mask):
        return default_mask


def test_mistakes():
    for amount, kind in (("1", TypeError), (-1, ValueError), (1.5, ValueError), (True, TypeError)):
        with pytest.raises(kind, match="amount"):
            prune.l1_unstructured(layer(WEIGHT), "weight", amount)
    with pytest.raises(ValueError, match="should be smaller than the number of parameters"):
        prune.l1_unstructured(layer(WEIGHT), "weight", 7)
    with pytest.raises(ValueError, match="multidimensional"):
        prune.ln_structured(layer(WEIGHT), "bias", 1, 2, 0)
    with pytest.raises(IndexError, match="Invalid index 2"):
        prune.random_structured(layer(WEIGHT), "weight", 1, 2)
    with pytest.raises(AssertionError, match="same shape"):
        prune.l1_unstructured(layer(WEIGHT), "weight", 1, importance_scores=dc.ones(2))
    with pytest.raises(TypeError, match='Only "unstructured"'):
        prune.global_unstructured([(layer(WEIGHT), "weight")], prune.LnStructured, amount=1, n=2)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        prune.identity(layer(WEIGHT), "nothing")
    twice = prune.identity(layer(WEIGHT), "weight")
    with pytest.raises(ValueError, match="Unrecognized PRUNING_TYPE odd"):
        _Odd.apply(twice, "weight")
