"""Gradients of tables that hold rows: what they are to users, to autograd and to optimizers."""

import copy
import math
import pickle

import pytest

import dispatch_core as dc
from dispatch_core import nn

F = nn.functional


def table(rows=4):
    return dc.tensor([[float(i), 1.0 + i] for i in range(rows)], requires_grad=True)


def looked_up(weight, indices, **options):
    return F.embedding(dc.tensor(indices), weight, sparse=True, **options)


def test_the_gradient_has_the_rows_that_were_looked_up():
    weight = table()
    looked_up(weight, [[2, 0], [2, 2]]).sum().backward()
    grad = weight.grad
    assert grad.is_sparse
    assert (grad.shape, grad.dtype, grad.device) == (weight.shape, weight.dtype, weight.device)
    assert grad.indices().tolist() == [[2, 0, 2, 2]]
    assert grad.values().tolist() == [[1.0, 1.0]] * 4
    assert not grad.is_coalesced()
    once = grad.coalesce()
    assert (once.indices().tolist(), once.values().tolist()) == ([[0, 2]], [[1, 1], [3, 3]])
    assert once.coalesce() is once
    assert (once._nnz(), once.sparse_dim(), once.dense_dim()) == (2, 1, 1)
    assert "indices=" in repr(grad)
    assert grad.to_dense().tolist() == [[1, 1], [0, 0], [3, 3], [0, 0]]
    assert not grad.to_dense().is_sparse
    assert grad.is_sparse


def test_padding_has_no_row():
    weight = table()
    looked_up(weight, [1, 3, 1], padding_idx=1).sum().backward()
    assert weight.grad.indices().tolist() == [[3]]


def test_gradients_of_one_table_are_joined():
    weight = table()
    (looked_up(weight, [0, 1]) * looked_up(weight, [1, 2])).sum().backward()
    looked_up(weight, [3]).sum().backward()
    assert weight.grad.is_sparse
    dense = table()
    (dense[:2] * dense[1:3]).sum().backward()
    dense[3].sum().backward()
    assert weight.grad.to_dense().tolist() == dense.grad.tolist()


def test_with_a_dense_gradient_it_becomes_dense():
    for order in (0, 1):
        weight = table()
        for which in (order, 1 - order):
            (looked_up(weight, [0]) if which else weight * 2).sum().backward()
        assert not weight.grad.is_sparse
        assert weight.grad[:2].tolist() == [[3, 3], [2, 2]]


def test_operators_take_it_for_the_dense_gradient():
    weight = table()
    looked_up(weight, [1]).sum().backward()
    grad = weight.grad
    assert (grad * 2).tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]
    assert grad.sum() == 2
    assert grad.is_sparse
    grad.mul_(3)
    assert not grad.is_sparse
    assert weight.grad[1].tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="written in place as a dense tensor"):
        grad.indices()


def test_higher_derivatives_and_captured_gradients():
    weight = table()
    (first,) = dc.autograd.grad((looked_up(weight, [1, 1]) ** 3).sum(), weight, create_graph=True)
    (second,) = dc.autograd.grad(first.sum(), weight)
    assert second[1].tolist() == [6 * 2, 12 * 2]
    (captured,) = dc.autograd.grad(looked_up(weight, [1]).sum(), weight)
    assert captured.is_sparse


def test_copies_and_pickles():
    weight = table()
    looked_up(weight, [1]).sum().backward()
    for twin in (copy.deepcopy(weight.grad), pickle.loads(pickle.dumps(weight.grad))):
        assert twin.is_sparse
        assert twin.tolist() == weight.grad.tolist()


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {"momentum": 0.9}), ("SGD", {}), ("Adagrad", {}), ("SparseAdam", {})],
)
def test_optimizers_that_take_it(name, options):
    tables = []
    for sparse in (True, False):
        layer = nn.Embedding(4, 2, sparse=sparse)
        with dc.no_grad():
            layer.weight.copy_(table().detach())
        if name == "SparseAdam" and not sparse:
            optimizer = dc.optim.Adam(layer.parameters(), lr=0.1)
        else:
            optimizer = getattr(dc.optim, name)(layer.parameters(), lr=0.1, **options)
        for step in range(3):
            optimizer.zero_grad()
            # Every row each time, so that Adam and SparseAdam do the same.
            (layer(dc.tensor([0, 1, 2, 3, step])) ** 2 * math.cos(step)).sum().backward()
            assert layer.weight.grad.is_sparse == sparse
            optimizer.step()
        tables.append(layer.weight.flatten().tolist())
    assert tables[0] == pytest.approx(tables[1], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "ASGD", "Rprop", "Adafactor", "Muon"])
def test_optimizers_that_do_not(name):
    weight = table()
    looked_up(weight, [1]).sum().backward()
    title = name.replace("AdamW", "Adam")
    with pytest.raises(RuntimeError, match=f"^{title} does not support sparse gradients"):
        getattr(dc.optim, name)([weight]).step()


def test_weight_decay_of_adagrad():
    weight = table()
    looked_up(weight, [1]).sum().backward()
    with pytest.raises(RuntimeError, match="weight_decay option is not compatible with sparse"):
        dc.optim.Adagrad([weight], weight_decay=0.1).step()


def test_lbfgs_and_bags():
    weight = table()
    optimizer = dc.optim.LBFGS([weight], max_iter=3)

    def closure():
        optimizer.zero_grad()
        bags = F.embedding_bag(dc.tensor([[0, 2], [2, 1]]), weight, mode="sum", sparse=True)
        loss = (bags**2).sum()
        loss.backward()
        assert weight.grad.is_sparse
        return loss

    assert optimizer.step(closure) > closure()
    assert weight[3].tolist() == [3, 4]
