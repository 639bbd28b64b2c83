"""Parametrizations: tensors that are computed from others whenever they are read."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn.utils import parametrizations, parametrize
from dispatch_core.nn.utils.parametrize import (
    cached,
    is_parametrized,
    register_parametrization,
    remove_parametrizations,
    transfer_parametrizations_and_params,
    type_before_parametrizations,
)


class Symmetric(nn.Module):
    calls = 0

    def forward(self, x):
        type(self).calls += 1
        return x.triu() + x.triu(1).mT


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, x):
        return x / 2


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y

    def right_inverse(self, z):
        return z - 1, dc.ones(z.shape)


class Wider(nn.Module):
    def forward(self, x):
        return dc.cat([x, x])


class ToDouble(nn.Module):
    def forward(self, x):
        return x.double()


def test_the_tensor_is_computed_and_its_original_is_trained():
    layer = nn.Linear(3, 3)
    weight = layer.weight
    optimizer = dc.optim.SGD(layer.parameters(), lr=0.1)
    assert register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.parametrizations.weight.original is weight
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    before = weight.detach().clone()
    layer(dc.randn(2, 3)).square().sum().backward()
    optimizer.step()
    assert dc.equal(layer.weight, layer.weight.mT)
    assert not dc.equal(before.triu(), weight.triu())
    assert dc.equal(before.tril(-1), weight.tril(-1))  # which has no influence


def test_class_and_repr():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    assert isinstance(layer, nn.Linear)
    assert type(layer).__name__ == "ParametrizedLinear"
    assert type_before_parametrizations(layer) is nn.Linear
    assert repr(layer).splitlines()[:4] == [
        "ParametrizedLinear(",
        "  in_features=2, out_features=2, bias=True",
        "  (parametrizations): ModuleDict(",
        "    (weight): ParametrizationList(",
    ]
    assert "weight" in dir(layer)


def test_assignment_goes_through_the_right_inverse():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Doubled())
    value = dc.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer.weight = value
    assert dc.equal(layer.weight, value)
    assert dc.equal(layer.parametrizations.weight.original, value / 2)
    register_parametrization(layer, "bias", Symmetric(), unsafe=True)
    with pytest.raises(RuntimeError, match="does not implement right_inverse"):
        layer.bias = dc.zeros(2)


def test_several_in_a_row():
    layer = nn.Linear(3, 3)
    weight = layer.weight.detach().clone()
    register_parametrization(layer, "weight", Doubled())
    dc.testing.assert_close(layer.weight, weight)
    register_parametrization(layer, "weight", Symmetric())
    dc.testing.assert_close(layer.weight, Symmetric()(weight))
    assert len(layer.parametrizations.weight) == 2


def test_several_originals():
    layer = nn.Linear(3, 2)
    weight = layer.weight.detach().clone()
    register_parametrization(layer, "weight", Sum())
    keys = ["parametrizations.weight.original0", "parametrizations.weight.original1"]
    assert list(layer.state_dict())[1:] == keys
    dc.testing.assert_close(layer.weight, weight)
    layer.weight = weight + 1
    dc.testing.assert_close(layer.weight, weight + 1)
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert isinstance(layer.weight, nn.Parameter)


@pytest.mark.parametrize("leave", [True, False])
def test_removal_keeps_the_parameter_object(leave):
    layer = nn.Linear(3, 3)
    weight = layer.weight
    register_parametrization(layer, "weight", Symmetric())
    register_parametrization(layer, "bias", Doubled())
    value = layer.weight.detach().clone() if leave else weight.detach().clone()
    remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert layer.weight is weight
    assert dc.equal(weight, value)
    assert is_parametrized(layer, "bias")
    assert not is_parametrized(layer, "weight")
    remove_parametrizations(layer, "bias")
    assert type(layer) is nn.Linear
    assert not hasattr(layer, "parametrizations")
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        remove_parametrizations(layer, "weight")


def test_buffers():
    layer = nn.BatchNorm1d(3)
    register_parametrization(layer, "running_var", Doubled())
    assert dict(layer.named_buffers()).keys() >= {"parametrizations.running_var.original"}
    layer.eval()(dc.randn(2, 3))
    remove_parametrizations(layer, "running_var")
    assert layer.running_var.tolist() == [1.0, 1.0, 1.0]
    assert "running_var" in dict(layer.named_buffers())


def test_copies_are_independent():
    layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert dc.equal(other.weight, layer.weight)
        remove_parametrizations(other, "weight")
        assert is_parametrized(layer, "weight")
        assert dc.equal(layer.weight, layer.weight.mT)


def test_cached_computes_once():
    layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    Symmetric.calls = 0
    with cached():
        first = layer.weight
        with cached():
            assert layer.weight is first
        assert layer.weight is first
        (first.sum() + layer(dc.ones(3)).sum()).backward()
    assert Symmetric.calls == 1
    assert layer.weight is not first


def test_transfer():
    source = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    parametrizations.weight_norm(source, "bias", dim=None)
    target = transfer_parametrizations_and_params(source, nn.Linear(3, 3))
    assert dc.equal(target.weight, source.weight)
    assert dc.equal(target.bias, source.bias)
    assert is_parametrized(target, "bias")


def test_mistakes():
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
        register_parametrization(layer, "nothing", Symmetric())
    for wrong, word in ((Wider(), "shape"), (ToDouble(), "dtype")):
        with pytest.raises(ValueError, match=word):
            register_parametrization(layer, "weight", wrong)
        assert type(layer) is nn.Linear
        assert isinstance(layer.weight, nn.Parameter)
    register_parametrization(layer, "weight", Wider(), unsafe=True)
    assert layer.weight.shape == (4, 2)
    with pytest.raises(ValueError, match="one or more modules"):
        parametrize.ParametrizationList([], dc.ones(2))


# -- those that are built in ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
@pytest.mark.parametrize("use_trivialization", [True, False])
@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder", None])
def test_orthogonal(shape, use_trivialization, orthogonal_map):
    layer = nn.Module()
    layer.weight = nn.Parameter(dc.randn(shape, dtype=dc.float64))
    parametrizations.orthogonal(
        layer, orthogonal_map=orthogonal_map, use_trivialization=use_trivialization
    )
    optimizer = dc.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        q = layer.weight
        assert q.shape == shape
        product = q.mH @ q if shape[-2] >= shape[-1] else q @ q.mH
        one = dc.eye(product.shape[-1], dtype=dc.float64).expand(product.shape)
        dc.testing.assert_close(product, one)
        (q * dc.arange(float(q.numel())).reshape(shape)).sum().backward()
        optimizer.step()


def test_orthogonal_begins_at_an_orthogonal_matrix():
    q = dc.linalg.qr(dc.randn(4, 4, dtype=dc.float64))[0]
    layer = nn.Linear(4, 4, dtype=dc.float64)
    parametrizations.orthogonal(layer)
    layer.weight = q
    dc.testing.assert_close(layer.weight, q)
    parametrizations.orthogonal(other := nn.Linear(3, 3), use_trivialization=False)
    with pytest.raises(NotImplementedError, match="use_trivialization=False"):
        other.weight = dc.eye(3)


def test_orthogonal_mistakes():
    with pytest.raises(ValueError, match="Expected a matrix or batch of matrices"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    with pytest.raises(ValueError, match="no parameter or buffer with name 'x'"):
        parametrizations.orthogonal(nn.Linear(2, 2), "x")
    complex_layer = nn.Linear(2, 2, dtype=dc.complex64)
    with pytest.raises(ValueError, match="does not support complex"):
        parametrizations.orthogonal(complex_layer, orthogonal_map="householder")


def _weight_norms(make):
    yield parametrizations.weight_norm(make())
    with pytest.warns(FutureWarning, match="deprecated"):
        yield nn.utils.weight_norm(make())


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 4), lambda: nn.Conv2d(2, 3, 2)])
def test_weight_norm(make):
    shape = (5, *make().weight.shape[1:])
    for layer in _weight_norms(make):
        before = layer.weight.detach().clone()
        names = {name.rpartition("_")[2] for name, _ in layer.named_parameters()} - {"bias"}
        assert names in (
            {"g", "v"},
            {"parametrizations.weight.original0", "parametrizations.weight.original1"},
        )
        magnitude = next(p for n, p in layer.named_parameters() if n.endswith(("_g", "original0")))
        with dc.no_grad():
            magnitude.mul_(3)
        layer(dc.randn(shape))
        dc.testing.assert_close(layer.weight, 3 * before)
    nn.utils.remove_weight_norm(layer)
    assert type(layer.weight) is nn.Parameter
    dc.testing.assert_close(layer.weight.detach(), 3 * before)
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
        nn.utils.remove_weight_norm(layer)


def test_weight_norm_reads_older_states():
    with pytest.warns(FutureWarning, match="deprecated"):
        older = nn.utils.weight_norm(nn.Linear(3, 4))
    newer = parametrizations.weight_norm(nn.Linear(3, 4))
    newer.load_state_dict(older.state_dict())
    dc.testing.assert_close(newer.weight, older.weight)
    with pytest.raises(RuntimeError, match="Cannot register two"), pytest.warns(FutureWarning):
        nn.utils.weight_norm(older)


@pytest.mark.parametrize("norm", [parametrizations.spectral_norm, nn.utils.spectral_norm])
@pytest.mark.parametrize(
    ("make", "shape"),
    [(lambda: nn.Linear(3, 4), (2, 3)), (lambda: nn.ConvTranspose2d(3, 4, 2), (1, 3, 4, 4))],
)
def test_spectral_norm(norm, make, shape):
    layer = norm(make(), n_power_iterations=60)
    layer(dc.randn(shape))
    dim = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
    matrix = layer.weight.detach().movedim(dim, 0).flatten(1).numpy()
    assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1, abs=1e-4)
    layer.eval()
    state = {k: v.clone() for k, v in layer.state_dict().items()}
    layer(dc.randn(shape)).sum().backward()
    for key, value in layer.state_dict().items():
        assert dc.equal(value, state[key])


def test_spectral_norm_mistakes_and_removal():
    for norm in (parametrizations.spectral_norm, nn.utils.spectral_norm):
        with pytest.raises(ValueError, match="Expected n_power_iterations to be positive"):
            norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match="Dimension out of range"):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)
    assert parametrizations.spectral_norm(
        nn.Linear(2, 2), "bias"
    ).bias.norm().item() == pytest.approx(1)
    layer = nn.utils.spectral_norm(nn.Linear(3, 4))
    layer(dc.randn(2, 3))
    layer.eval()
    expected = layer(dc.ones(3))
    nn.utils.remove_spectral_norm(layer)
    dc.testing.assert_close(layer(dc.ones(3)), expected)
    assert list(layer.state_dict()) == ["bias", "weight"]
