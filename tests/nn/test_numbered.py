"""The package's own functions whose options are numbers: the same values as those of `nn.functional`."""

import pytest

import dispatch_core as dc
from dispatch_core.nn import functional as F
from dispatch_core.testing import assert_close

X = dc.arange(24.0).view(2, 3, 4) * 7 % 5 - 1.3
W = dc.tensor([1.0, -2.0, 0.5])
A, B = X[:, 0], X[:, 1].abs() + 0.1
T = dc.tensor([1.0, -1.0])
TABLE = dc.arange(10.0).view(5, 2)
INDEX = dc.tensor([[1, 2], [4, 0]])


def of(each, reduction):
    return each if reduction == "none" else getattr(each, reduction)()


LAYERS = [
    (
        lambda: dc.batch_norm(X, W, W, None, None, True, 0.1, 1e-5, False),
        lambda: F.batch_norm(X, None, None, W, W, True),
    ),
    (
        lambda: dc.instance_norm(X, W, W, None, None, True, 0.1, 1e-5, False),
        lambda: F.instance_norm(X, None, None, W, W),
    ),
    (lambda: dc.embedding(TABLE, INDEX), lambda: F.embedding(INDEX, TABLE)),
    (
        lambda: dc.convolution(X, X[:, :, :3], None, [1], [1], [1], False, [0], 1),
        lambda: F.conv1d(X, X[:, :, :3], padding=1),
    ),
    (
        lambda: dc.convolution(X, X[0, :, None, :3], None, [2], [1], [1], True, [1], 1),
        lambda: F.conv_transpose1d(X, X[0, :, None, :3], None, 2, 1, 1),
    ),
]
LOSSES = [
    (
        lambda n: dc.binary_cross_entropy_with_logits(A, B, None, W[:1], n),
        lambda r: F.binary_cross_entropy_with_logits(A, B, pos_weight=W[:1], reduction=r),
    ),
    (lambda n: dc.kl_div(A, B, n), lambda r: of(F.kl_div(A, B, reduction="none"), r)),
    (
        lambda n: dc.kl_div(A, B, n, log_target=True),
        lambda r: of(F.kl_div(A, B, reduction="none", log_target=True), r),
    ),
    (
        lambda n: dc.poisson_nll_loss(A, B, True, True, 1e-8, n),
        lambda r: F.poisson_nll_loss(A, B, full=True, reduction=r),
    ),
    (
        lambda n: dc.hinge_embedding_loss(A[:, 0], T, 1.5, n),
        lambda r: F.hinge_embedding_loss(A[:, 0], T, 1.5, reduction=r),
    ),
    (
        lambda n: dc.margin_ranking_loss(A, B, T[:, None], 0.5, n),
        lambda r: F.margin_ranking_loss(A, B, T[:, None], 0.5, reduction=r),
    ),
    (
        lambda n: dc.cosine_embedding_loss(A, B, T, 0.1, n),
        lambda r: F.cosine_embedding_loss(A, B, T, 0.1, reduction=r),
    ),
    (
        lambda n: dc.triplet_margin_loss(A, B, B + 1, 1.0, 2, 1e-6, True, n),
        lambda r: F.triplet_margin_loss(A, B, B + 1, swap=True, reduction=r),
    ),
]


@pytest.mark.parametrize(("ours", "functional"), LAYERS)
def test_layers(ours, functional):
    assert_close(ours(), functional())


@pytest.mark.parametrize(("ours", "functional"), LOSSES)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_losses(ours, functional, number):
    assert_close(ours(number), functional(["none", "mean", "sum"][number]))


def test_the_default_is_no_reduction():
    assert_close(dc.kl_div(A, B), F.kl_div(A, B, reduction="none"))
    assert dc.margin_ranking_loss(A, B, T[:, None]).shape == (2, 4)


def test_norms():
    assert_close(dc.frobenius_norm(X, [1, 2]), X.square().sum((1, 2)).sqrt())
    assert_close(dc.frobenius_norm(X, []), X.square().sum().sqrt())
    assert_close(dc.nuclear_norm(A), dc.linalg.svdvals(A).sum())
    assert dc.nuclear_norm(A, True).shape == (1, 1)
    assert dc.nuclear_norm(X, [0, 2]).shape == (3,)
    assert_close(dc.norm_except_dim(X, 2, 1), X.square().sum((0, 2), keepdim=True).sqrt())
    assert_close(dc.norm_except_dim(X, 1, -1), X.abs().sum())
    assert_close(dc.norm_except_dim(W), W.abs())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.kl_div(A, B, "sum"), TypeError, "must be int, not str"),
        (lambda: dc.kl_div(A, B, 3), ValueError, r"0 \(none\), 1 \(mean\) or 2 \(sum\), got 3"),
        (
            lambda: dc.convolution(W, W, None, [1], [0], [1], False, [0], 1),
            RuntimeError,
            "3 to 5 dimensions",
        ),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()
