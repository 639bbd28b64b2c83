"""Fused layers, modules without first values, weights in another memory format."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn import utils


def _settled(bn):
    with dc.no_grad():
        bn.running_mean.normal_()
        bn.running_var.uniform_(0.5, 2)
        if bn.affine:
            bn.weight.normal_()
            bn.bias.normal_()
    return bn.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "bn", "shape"),
    [
        (nn.Conv1d, nn.BatchNorm1d, (2, 3, 6)),
        (nn.Conv2d, nn.BatchNorm2d, (2, 3, 6, 6)),
        (nn.ConvTranspose2d, nn.BatchNorm2d, (2, 3, 6, 6)),
    ],
)
def test_convolution_and_batch_norm(kind, bn, shape, bias, affine):
    conv = kind(3, 4, 3, bias=bias).eval()
    norm = _settled(bn(4, affine=affine))
    fused = utils.fuse_conv_bn_eval(conv, norm, transpose=kind is nn.ConvTranspose2d)
    x = dc.randn(shape)
    dc.testing.assert_close(fused(x), norm(conv(x)))
    assert type(fused) is kind
    assert fused is not conv
    assert conv.bias is None or not dc.equal(fused.bias, conv.bias)


def test_linear_and_batch_norm():
    linear, norm = nn.Linear(3, 4).eval(), _settled(nn.BatchNorm1d(4))
    x = dc.randn(5, 3)
    dc.testing.assert_close(utils.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)))
    with pytest.raises(RuntimeError, match=r"linear.out_features == bn.num_features"):
        utils.fuse_linear_bn_eval(linear, _settled(nn.BatchNorm1d(3)))


def test_fusion_is_for_evaluation():
    with pytest.raises(RuntimeError, match="only for eval"):
        utils.fuse_conv_bn_eval(nn.Conv1d(3, 4, 3), _settled(nn.BatchNorm1d(4)))
    norm = nn.BatchNorm1d(4, track_running_stats=False).eval()
    with pytest.raises(RuntimeError, match="running statistics"):
        utils.fuse_conv_bn_eval(nn.Conv1d(3, 4, 3).eval(), norm)


def test_skip_init():
    layer = utils.skip_init(nn.Linear, 3, 4, dtype=dc.float64)
    assert (layer.weight.shape, layer.weight.dtype) == ((4, 3), dc.float64)
    assert layer.weight.device.type == "cpu"
    layer.load_state_dict(nn.Linear(3, 4).state_dict())
    with pytest.raises(RuntimeError, match="Expected a Module"):
        utils.skip_init(dict)
    with pytest.raises(RuntimeError, match="must support a 'device' arg"):
        utils.skip_init(nn.ReLU)


def test_memory_formats_of_weights():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(2, 2), nn.ConvTranspose2d(4, 3, 3))
    before = [p.detach().clone() for p in model.parameters()]
    assert utils.convert_conv2d_weight_memory_format(model, dc.channels_last) is model
    for p, kept in zip(model.parameters(), before, strict=True):
        assert dc.equal(p, kept)


def test_the_older_name_of_clip_grad_norm():
    p = nn.Parameter(dc.ones(4))
    p.sum().backward()
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert utils.clip_grad_norm([p], 1.0).item() == 2.0
    assert p.grad.norm().item() == pytest.approx(1, abs=1e-5)
