"""Lazy modules: parameters without shape, and how they get one."""

from __future__ import annotations

import copy
import pickle

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn.modules.lazy import LazyModuleMixin
from dispatch_core.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

LAYERS = [
    (lambda: nn.LazyLinear(3), nn.Linear(4, 3), (2, 4)),
    (lambda: nn.LazyLinear(3, bias=False), nn.Linear(4, 3, bias=False), (4,)),
    (lambda: nn.LazyConv1d(4, 3, groups=2), nn.Conv1d(6, 4, 3, groups=2), (2, 6, 5)),
    (lambda: nn.LazyConv2d(4, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1), (6, 5, 5)),
    (lambda: nn.LazyConv3d(2, 2, bias=False), nn.Conv3d(3, 2, 2, bias=False), (1, 3, 3, 3, 3)),
    (lambda: nn.LazyConvTranspose1d(4, 3), nn.ConvTranspose1d(6, 4, 3), (2, 6, 5)),
    (lambda: nn.LazyConvTranspose2d(4, 3, 2), nn.ConvTranspose2d(6, 4, 3, 2), (2, 6, 5, 5)),
    (lambda: nn.LazyConvTranspose3d(2, 2), nn.ConvTranspose3d(3, 2, 2), (1, 3, 3, 3, 3)),
    (lambda: nn.LazyBatchNorm1d(), nn.BatchNorm1d(4), (3, 4)),
    (lambda: nn.LazyBatchNorm2d(momentum=0.3), nn.BatchNorm2d(4, momentum=0.3), (3, 4, 2, 2)),
    (lambda: nn.LazyBatchNorm3d(affine=False), nn.BatchNorm3d(4, affine=False), (3, 4, 2, 2, 2)),
    (
        lambda: nn.LazyInstanceNorm1d(),
        nn.InstanceNorm1d(4, affine=True, track_running_stats=True),
        (3, 4, 5),
    ),
    (
        lambda: nn.LazyInstanceNorm2d(track_running_stats=False),
        nn.InstanceNorm2d(4, affine=True),
        (4, 5, 5),
    ),
    (lambda: nn.LazyInstanceNorm3d(1e-3, 0.1, False, False), nn.InstanceNorm3d(4, 1e-3), (2, 4, 3, 3, 3)),
]  # fmt: skip
every_layer = pytest.mark.parametrize(
    ("make", "like", "shape"), LAYERS, ids=[type(like).__name__ + str(s) for _, like, s in LAYERS]
)


@every_layer
def test_the_first_call_makes_it_the_plain_layer(make, like, shape):
    layer = make()
    assert layer.has_uninitialized_params() == any(t.dim() for t in like.state_dict().values())
    layer(dc.randn(shape))
    assert type(layer) is type(like)
    assert repr(layer) == repr(like)
    found = {n: (type(t), t.shape, t.dtype) for n, t in layer.state_dict(keep_vars=True).items()}
    kept = like.state_dict(keep_vars=True).items()
    assert {n: (s, d) for n, (_, s, d) in found.items()} == {n: (t.shape, t.dtype) for n, t in kept}
    assert all(type(p) is nn.Parameter and p.requires_grad for p in layer.parameters())
    assert list(layer.state_dict()) == list(like.state_dict())
    layer(dc.randn(shape))


@every_layer
def test_a_state_gives_the_shapes(make, like, shape):
    layer = make()
    assert layer.load_state_dict(like.state_dict()) == ([], [])
    assert not layer.has_uninitialized_params()
    x = dc.randn(shape)
    reference = copy.deepcopy(like)
    dc.testing.assert_close(layer(x), reference(x))
    assert repr(layer) == repr(like)
    dc.testing.assert_close(layer(x), reference(x))


@every_layer
def test_copies_and_pickles_before_the_first_call(make, like, shape):
    layer = make().double()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.has_uninitialized_params() == layer.has_uninitialized_params()
        other(dc.randn(shape, dtype=dc.float64))
        assert type(other) is type(like)
        assert all(p.dtype is dc.float64 for p in other.parameters())
    assert type(layer) is not type(like)


def test_lazy_state_into_lazy_module():
    source, target = nn.LazyLinear(3), nn.LazyLinear(3)
    target.load_state_dict(source.state_dict())
    assert target.has_uninitialized_params()


def test_lazy_state_into_a_plain_module_is_refused():
    with pytest.raises(RuntimeError, match="shape of an uninitialized parameter"):
        nn.Linear(4, 3).load_state_dict(nn.LazyLinear(3).state_dict())


def test_in_a_model_that_trains():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    model(dc.randn(2, 3, 6, 6))
    optimizer = dc.optim.SGD(model.parameters(), lr=0.1)
    model(dc.randn(2, 3, 6, 6)).sum().backward()
    optimizer.step()
    assert [type(m).__name__ for m in model] == ["Conv2d", "ReLU", "Flatten", "Linear"]


def test_parameters_without_shape():
    parameter = UninitializedParameter(dtype=dc.float64)
    assert (parameter.dtype, parameter.requires_grad, parameter.is_leaf) == (dc.float64, True, True)
    assert repr(parameter) == "<UninitializedParameter>"
    for use in (lambda: parameter.shape, lambda: parameter.size(), parameter.share_memory_):
        with pytest.raises(RuntimeError, match="uninitialized"):
            use()
    for use in (lambda: parameter + 1, lambda: dc.sum(parameter), lambda: parameter.mul_(2)):
        with (
            dc.no_grad(),
            pytest.raises(ValueError, match="Attempted to use an uninitialized parameter in"),
        ):
            use()
    parameter.materialize((2, 3))
    assert type(parameter) is nn.Parameter
    assert (parameter.shape, parameter.dtype, parameter.requires_grad) == ((2, 3), dc.float64, True)
    assert (parameter * 2).requires_grad


def test_buffers_without_shape():
    buffer = UninitializedBuffer()
    assert is_lazy(buffer)
    assert not buffer.requires_grad
    buffer.materialize([4], dtype=dc.float16)
    assert type(buffer) is nn.Buffer
    assert (buffer.shape, buffer.dtype) == ((4,), dc.float16)


class _Scale(LazyModuleMixin, nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = UninitializedParameter()

    def initialize_parameters(self, x, *, extra=0):
        if extra >= 0:
            self.scale.materialize((x.shape[-1] + extra,))
            with dc.no_grad():
                self.scale.fill_(3)

    def forward(self, x, *, extra=0):
        return x * self.scale[: x.shape[-1]]


def test_own_lazy_modules():
    module = _Scale()
    assert module(dc.ones(2), extra=3).tolist() == [3.0, 3.0]
    assert module.scale.shape == (5,)
    assert type(module) is _Scale


def test_own_lazy_modules_must_initialize_everything():
    with pytest.raises(RuntimeError, match="has not been fully initialized"):
        _Scale()(dc.ones(2), extra=-1)


def test_mistakes_of_the_first_input():
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input"):
        nn.LazyConv2d(4, 3)(dc.ones(2, 2))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv2d(4, 3, groups=2)(dc.ones(1, 3, 5, 5))
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.LazyBatchNorm2d()(dc.ones(2, 2))
