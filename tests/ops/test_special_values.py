"""Results and gradients at NaN, infinities, kinks and zeros: those that PyTorch 2.13 gives.

The tables are recorded; only where PyTorch's own answer is an accident of its formula does ours differ,
and then it stands in no table here.
"""

import math

import pytest

import dispatch_core as dc
from dispatch_core.nn import functional as F

nan, inf = math.nan, math.inf

GRADIENTS = {
    "acosh beyond the branch cut": (
        lambda *x: dc.acosh(x[0]),
        [[complex(-1.0, 0.5), complex(1.0, 0.5), complex(-2.0, -1.0), complex(2.0, 1.0)]],
        [
            complex(0.732857676, 2.46670381),
            complex(0.732857676, 0.674888846),
            complex(1.46935174, -2.63423635),
            complex(1.46935174, 0.507356303),
        ],
        [
            [
                complex(-0.606155253, 0.776349347),
                complex(0.606155253, 0.776349347),
                complex(-0.402247932, -0.248602894),
                complex(0.402247932, 0.248602894),
            ]
        ],
    ),
    "binary cross entropy of certain predictions": (
        lambda *x: F.binary_cross_entropy(x[0], dc.tensor([0.0, 0.0, 1.0, 1.0], dtype=dc.float64)),
        [[0.0, 1.0, 0.0, 1.0]],
        50.0,
        [[0.0, 250000001000.0, -250000001000.0, 0.0]],
    ),
    "binary cross entropy by the target": (
        lambda *x: F.binary_cross_entropy(*x),
        [[0.0, 1.0, 0.25], [0.2, 0.8, 0.5]],
        13.6123294,
        [[-66666666900.0, 66666666900.0, -0.444444444], [inf, -inf, 0.366204096]],
    ),
    "max with a NaN": (
        lambda *x: x[0].max(),
        [[1.0, 1.0, nan]],
        nan,
        [[0.0, 0.0, 1.0]],
    ),
    "min with a NaN": (
        lambda *x: x[0].min(),
        [[1.0, 1.0, nan]],
        nan,
        [[0.0, 0.0, 1.0]],
    ),
    "max of equal ones": (
        lambda *x: x[0].max(),
        [[1.0, 1.0, 0.0]],
        1.0,
        [[0.5, 0.5, 0.0]],
    ),
    "median with a NaN": (
        lambda *x: x[0].median(),
        [[1.0, 1.0, nan]],
        nan,
        [[0.0, 0.0, 1.0]],
    ),
    "nanmedian of NaNs": (
        lambda *x: x[0].nanmedian(),
        [[nan, nan]],
        nan,
        [[0.5, 0.5]],
    ),
    "nanmedian with a NaN": (
        lambda *x: x[0].nanmedian(),
        [[1.0, 2.0, nan]],
        1.0,
        [[1.0, 0.0, 0.0]],
    ),
    "amax with a NaN": (
        lambda *x: x[0].amax(),
        [[1.0, 1.0, nan]],
        nan,
        [[nan, nan, nan]],
    ),
    "atan2 at the origin": (
        lambda *x: dc.atan2(*x),
        [[0.0, 1e-200, 0.0, -0.0, nan], [0.0, 1e-200, -0.0, -1.0, 1.0]],
        [0.0, 0.785398163, 3.14159265, -3.14159265, nan],
        [[0.0, 0.0, -0.0, -1.0, nan], [-0.0, -0.0, -0.0, 0.0, nan]],
    ),
    "relu": (
        lambda *x: dc.relu(x[0]),
        [[nan, 0.0, -0.0, 1.0, -inf, inf]],
        [nan, 0.0, -0.0, 1.0, 0.0, inf],
        [[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]],
    ),
    "relu6": (
        lambda *x: F.relu6(x[0]),
        [[nan, 0.0, 6.0, 1.0, -inf, inf]],
        [nan, 0.0, 6.0, 1.0, 0.0, 6.0],
        [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]],
    ),
    "hardtanh": (
        lambda *x: F.hardtanh(x[0]),
        [[nan, -1.0, 1.0, 0.0, -inf, inf]],
        [nan, -1.0, 1.0, 0.0, -1.0, 1.0],
        [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]],
    ),
    "threshold": (
        lambda *x: F.threshold(x[0], 0.0, 1.0),
        [[nan, 0.0, 1.0, -inf]],
        [nan, 1.0, 1.0, 1.0],
        [[1.0, 0.0, 1.0, 0.0]],
    ),
    "elu": (
        lambda *x: F.elu(x[0]),
        [[nan, 0.0, 1.0, -inf]],
        [nan, 0.0, 1.0, -1.0],
        [[1.0, 1.0, 1.0, 0.0]],
    ),
    "celu": (
        lambda *x: F.celu(x[0]),
        [[nan, 0.0, 1.0, -inf]],
        [nan, 0.0, 1.0, -1.0],
        [[1.0, 1.0, 1.0, 0.0]],
    ),
    "selu": (
        lambda *x: F.selu(x[0]),
        [[nan, 0.0, 1.0, -inf]],
        [nan, 0.0, 1.05070099, -1.75809934],
        [[1.05070099, 1.75809934, 1.05070099, 0.0]],
    ),
    "hardswish": (
        lambda *x: F.hardswish(x[0]),
        [[-3.0, 3.0, 1.0, 0.0, -4.0, inf]],
        [-0.0, 3.0, 0.666666667, 0.0, -0.0, inf],
        [[0.0, 1.0, 0.833333333, 0.5, 0.0, 1.0]],
    ),
    "maximum": (
        lambda *x: dc.maximum(*x),
        [[nan, nan, 1.0, 1.0, inf, 2.0], [nan, 1.0, nan, 1.0, inf, 3.0]],
        [nan, nan, nan, 1.0, inf, 3.0],
        [[1.0, 1.0, 1.0, 0.5, 0.5, 0.0], [1.0, 1.0, 1.0, 0.5, 0.5, 1.0]],
    ),
    "minimum": (
        lambda *x: dc.minimum(*x),
        [[nan, nan, 1.0, 1.0, inf, 2.0], [nan, 1.0, nan, 1.0, inf, 3.0]],
        [nan, nan, nan, 1.0, inf, 2.0],
        [[1.0, 1.0, 1.0, 0.5, 0.5, 1.0], [1.0, 1.0, 1.0, 0.5, 0.5, 0.0]],
    ),
    "abs": (
        lambda *x: dc.abs(x[0]),
        [[nan, 0.0, -0.0, 1.0, -inf]],
        [nan, 0.0, 0.0, 1.0, inf],
        [[0.0, 0.0, 0.0, 1.0, -1.0]],
    ),
    "sign": (
        lambda *x: dc.sign(x[0]),
        [[nan, 0.0, -0.0, 1.0, -inf]],
        [0.0, 0.0, 0.0, 1.0, -1.0],
        [[0.0, 0.0, 0.0, 0.0, 0.0]],
    ),
    "angle": (
        lambda *x: dc.angle(x[0]),
        [[nan, 0.0, -0.0, 1.0, -inf]],
        [nan, 0.0, 0.0, 0.0, 3.14159265],
        [[0.0, 0.0, 0.0, 0.0, 0.0]],
    ),
    "angle of complex numbers": (
        lambda *x: dc.angle(x[0]),
        [[complex(0.0, 0.0), complex(1.0, 1.0), complex(-1.0, 0.0)]],
        [0.0, 0.785398163, 3.14159265],
        [[complex(0.0, 0.0), complex(-0.5, 0.5), complex(-0.0, -1.0)]],
    ),
    "logit": (
        lambda *x: dc.logit(x[0]),
        [[0.0, 1.0, 0.5, -0.5, 2.0, nan]],
        [-inf, inf, 0.0, nan, nan, nan],
        [[inf, inf, 4.0, nan, nan, nan]],
    ),
    "logit within limits": (
        lambda *x: dc.logit(x[0], 0.1),
        [[0.0, 1.0, 0.5, 0.05, nan]],
        [-2.19722458, 2.19722458, 0.0, -2.19722458, nan],
        [[0.0, 0.0, 4.0, 0.0, nan]],
    ),
    "entr": (
        lambda *x: dc.special.entr(x[0]),
        [[0.0, 1.0, 0.5, -1.0, inf]],
        [0.0, -0.0, 0.34657359, -inf, -inf],
        [[inf, -1.0, -0.306852819, nan, -inf]],
    ),
    "logsumexp of infinities": (
        lambda *x: dc.logsumexp(x[0], 0),
        [[inf, inf]],
        inf,
        [[nan, nan]],
    ),
    "logsumexp of one infinity": (
        lambda *x: dc.logsumexp(x[0], 0),
        [[inf, 1.0]],
        inf,
        [[nan, 0.0]],
    ),
    "logsumexp of nothing likely": (
        lambda *x: dc.logsumexp(x[0], 0),
        [[-inf, -inf]],
        -inf,
        [[nan, nan]],
    ),
    "zero to a power": (
        lambda *x: 0 ** x[0],
        [[-inf, 0.0, inf, nan, -1.0, 2.0]],
        [inf, 1.0, 0.0, nan, inf, 0.0],
        [[-inf, 0.0, 0.0, nan, -inf, 0.0]],
    ),
    "powers of zero": (
        lambda *x: dc.pow(*x),
        [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, -1.0, nan]],
        [1.0, 0.0, inf, nan],
        [[0.0, 1.0, -inf, nan], [0.0, 0.0, -inf, nan]],
    ),
    "the largest norm with a NaN": (
        lambda *x: x[0].norm(p=inf),
        [[0.0, nan, -1.0]],
        nan,
        [[0.0, 0.0, -0.0]],
    ),
    "the sum norm with a NaN": (
        lambda *x: x[0].norm(p=1),
        [[0.0, nan, -1.0]],
        nan,
        [[0.0, 0.0, -1.0]],
    ),
    "kl_div of negative targets": (
        lambda *x: F.kl_div(x[0], x[1], reduction="sum"),
        [[0.0, 1.0, 2.0], [-1.0, 0.5, 2.0]],
        nan,
        [[1.0, -0.5, -2.0], [nan, -0.693147181, -0.306852819]],
    ),
    "l1_loss at NaN": (
        lambda *x: F.l1_loss(x[0], 0 * x[0].detach(), reduction="sum"),
        [[0.0, 1.0, nan]],
        nan,
        [[0.0, 1.0, 0.0]],
    ),
    "softsign of complex numbers": (
        lambda *x: F.softsign(x[0]),
        [[complex(1.0, 1.0), complex(0.0, 0.5), complex(-2.0, 0.0), complex(0.0, 0.0)]],
        [
            complex(0.414213562, 0.414213562),
            complex(0.0, 0.333333333),
            complex(-0.666666667, 0.0),
            complex(0.0, 0.0),
        ],
        [
            [
                complex(0.292893219, -0.121320344),
                complex(0.666666667, 0.0),
                complex(0.111111111, 0.0),
                complex(1.0, 0.0),
            ]
        ],
    ),
    "tanhshrink of complex numbers": (
        lambda *x: F.tanhshrink(x[0]),
        [[complex(1.0, 1.0), complex(0.0, 0.5), complex(-2.0, 0.0)]],
        [
            complex(-0.0839233273, 0.728247415),
            complex(0.0, -0.0463024898),
            complex(-1.03597242, 0.0),
        ],
        [[complex(1.10104031, -0.589117933), complex(-0.29844641, 0.0), complex(0.929349175, 0.0)]],
    ),
    "logaddexp of complex numbers": (
        lambda *x: dc.logaddexp(*x),
        [
            [complex(1.0, 1.0), complex(0.0, 2.0), complex(0.0, 1.0)],
            [complex(0.0, 1.0), complex(2.0, 0.0), complex(0.0, 1.0)],
        ],
        [complex(1.31326169, 1.0), complex(1.95046369, 0.129672575), complex(0.693147181, 1.0)],
        [
            [complex(0.731058579, 0.0), complex(-0.0419616637, -0.135876293), complex(0.5, 0.0)],
            [complex(0.268941421, 0.0), complex(1.04196166, 0.135876293), complex(0.5, 0.0)],
        ],
    ),
    "logcumsumexp of complex numbers": (
        lambda *x: dc.logcumsumexp(x[0], 0),
        [[complex(1.0, 1.0), complex(0.0, 2.0), complex(-1.0, 0.5)]],
        [complex(1.0, 1.0), complex(1.21357008, 1.25271138), complex(1.29271486, 1.18361631)],
        [
            [
                complex(2.51573213, 0.338200479),
                complex(0.405969478, -0.401987055),
                complex(0.0782983946, 0.0637865763),
            ]
        ],
    ),
    "quantile between infinities": (
        lambda *x: dc.quantile(x[0], 0.25),
        [[-inf, 2.0, inf]],
        -inf,
        [[0.5, 0.5, 0.0]],
    ),
}
"""name -> function, its arguments, its result, and the gradients of the result's sum."""

VALUES = [
    ("dc.logsumexp(dc.ones(2, 0), 1)", "float32", [-inf, -inf]),
    ("dc.logsumexp(dc.ones(0), 0, keepdim=True)", "float32", [-inf]),
    ("dc.all(dc.tensor([1.0, 0.0]), dim=())", "bool", [True, False]),
    ("dc.any(dc.tensor([[1, 0]], dtype=dc.uint8), dim=[])", "uint8", [[1, 0]]),
    (
        "dc.tensor([0.0, 1.0, 2.0, 0.5, -1.0], dtype=dc.float16).sinc()",
        "float16",
        [1.0, -0.0, 0.0, 0.63671875, -0.0],
    ),
    (
        "dc.linalg.solve_triangular(dc.tensor([[0.0, 1.0], [0.0, 1.0]]), dc.ones(2, 1), upper=True)",
        "float32",
        [[nan], [1.0]],
    ),
    (
        "dc.linalg.solve_triangular(dc.tensor([[1.0, 0.0], [1.0, 0.0]]), dc.ones(2, 1), upper=False)",
        "float32",
        [[1.0], [nan]],
    ),
    (
        "dc.linalg.solve_triangular(dc.zeros(2, 2), dc.ones(1, 2), upper=True, left=False)",
        "float32",
        [[inf, nan]],
    ),
    ("dc.triangular_solve(dc.ones(2, 1), dc.zeros(2, 2))[0]", "float32", [[nan], [inf]]),
    (
        "dc.quantile(dc.tensor([-inf, 2.0, inf]), dc.tensor([0.25, 0.5, 0.75]))",
        "float32",
        [-inf, 2.0, nan],
    ),
    ("dc.nanquantile(dc.tensor([-inf, 2.0, nan, inf]), 0.25)", "float32", -inf),
    (
        "dc.heaviside(dc.tensor([nan, 0.0, 1.0, -1.0]), dc.tensor([1.0, 2.0, 3.0, 4.0]))",
        "float32",
        [0.0, 2.0, 1.0, 0.0],
    ),
    ("dc.roll(dc.tensor([1, 2, 3]), 1, ())", "int64", [3, 1, 2]),
    ("dc.round(dc.tensor([1.5]), decimals=400)", "float32", [nan]),
    ("dc.round(dc.tensor([1.5]), decimals=-400)", "float32", [nan]),
    ("dc.searchsorted(dc.tensor([1, 2, 3]), dc.tensor([1.5, 2.5]))", "int64", [1, 2]),
    ("dc.searchsorted(dc.tensor([1, 2, 3]), 1.5)", "int64", 1),
    ("dc.bucketize(dc.tensor([1, 2]), dc.tensor([1.0, 2.0, 3.0]))", "int64", [0, 1]),
    ("dc.unique(dc.ones(0, 3), dim=0, return_inverse=True, return_counts=True)[2]", "int64", []),
    ("dc.unique_consecutive(dc.ones(0), return_counts=True)[1]", "int64", []),
    ("dc.chain_matmul(dc.ones(2, 2))", "float32", [[1.0, 1.0], [1.0, 1.0]]),
    ("dc.square(dc.tensor([True, False]))", "int64", [1, 0]),
    ("dc.dist(dc.tensor([1, 2], dtype=dc.int8), dc.tensor([1.0, 3.0]))", "float32", 1.0),
    ("F.hardtanh(dc.tensor([1, 5, -5]), -2, 3)", "int64", [1, 3, -2]),
    ("F.softsign(dc.tensor([1, -2]))", "float32", [0.5, -0.666666687]),
    ("F.tanhshrink(dc.tensor([1, -2]))", "float32", [0.238405824, -1.03597236]),
    ("F.silu(dc.tensor([1 + 1j]))", "complex64", [complex(0.580093324, 0.983989775)]),
    (
        "F.conv2d(dc.arange(9).reshape(1, 1, 3, 3), dc.ones(1, 1, 2, 2, dtype=dc.int64), dc.tensor([1]))",
        "int64",
        [[[[9, 13], [21, 25]]]],
    ),
    (
        "F.conv_transpose1d(dc.arange(3).reshape(1, 1, 3), dc.ones(1, 1, 2, dtype=dc.int64))",
        "int64",
        [[[0, 1, 3, 2]]],
    ),
    ("F.avg_pool2d(-dc.arange(9).reshape(1, 3, 3), 2, 1)", "int64", [[[-2, -3], [-5, -6]]]),
    ("F.adaptive_avg_pool2d(dc.ones(1, 1, 5, 5), (0, 3))", "float32", [[[]]]),
    ("F.adaptive_max_pool1d(dc.ones(1, 1, 5), 0)", "float32", [[[]]]),
    (
        "F.grid_sample(dc.ones(1, 1, 2, 2), dc.full((1, 1, 1, 2), nan), align_corners=False)",
        "float32",
        [[[[nan]]]],
    ),
    (
        'F.grid_sample(dc.ones(1, 1, 2, 2), dc.full((1, 1, 1, 2), nan), "bilinear", "border", False)',
        "float32",
        [[[[1.0]]]],
    ),
    (
        'F.grid_sample(dc.ones(1, 1, 2, 2), dc.full((1, 1, 1, 2), nan), "nearest", align_corners=False)',
        "float32",
        [[[[0.0]]]],
    ),
    (
        'F.grid_sample(dc.ones(1, 1, 2, 2), dc.full((1, 1, 1, 2), nan), "bicubic", align_corners=False)',
        "float32",
        [[[[nan]]]],
    ),
    ("F.cross_entropy(dc.ones(3), dc.tensor([1]))", "float32", 1.09861231),
    ('F.nll_loss(dc.ones(3), dc.tensor([1]), reduction="none")', "float32", -1.0),
    ('F.kl_div(dc.zeros(2), -dc.ones(2), reduction="sum")', "float32", nan),
    (
        "F.embedding_bag(dc.tensor([0, 1]), dc.ones(3, 2), dc.tensor([], dtype=dc.int64))",
        "float32",
        [],
    ),
]
"""Source, the dtype and the elements of its result."""


def same(found, expected, tolerance=1e-6):
    """Whether nested lists hold the same numbers, NaN in the same places."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, complex):
        return same(found.real, expected.real) and same(found.imag, expected.imag)
    if expected != expected:
        return found != found
    return found == pytest.approx(expected, rel=tolerance, abs=1e-9)


@pytest.mark.parametrize("device", ["cpu", "example", "minimal"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name, device):
    function, values, result, gradients = GRADIENTS[name]
    kind = dc.complex128 if isinstance(values[0][0], complex) else dc.float64
    with dc.device(device):
        x = [dc.tensor(v, dtype=kind, requires_grad=True) for v in values]
        y = function(*x)
        y.backward(dc.ones_like(y))
    assert same(y.tolist(), result)
    for leaf, gradient in zip(x, gradients, strict=True):
        assert same(leaf.grad.tolist(), gradient), leaf.grad


@pytest.mark.parametrize("device", ["cpu", "example", "minimal"])
@pytest.mark.parametrize(("call", "dtype", "expected"), VALUES)
def test_values(call, dtype, expected, device):
    with dc.device(device):
        found = eval(call)
    assert found.dtype is getattr(dc, dtype)
    # In half precision devices may round each step.
    assert same(found.tolist(), expected, 1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("kind", [dc.float16, dc.bfloat16, dc.float32])
def test_relu_lets_gradients_through_nan(kind):
    x = dc.tensor([nan, -1.0, 0.0, 2.0], dtype=kind, requires_grad=True)
    dc.relu(x).sum().backward()
    assert x.grad.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("device", ["cpu", "example", "minimal"])
@pytest.mark.parametrize(
    "function",
    [
        dc.relu,
        F.relu6,
        lambda x: F.hardtanh(x, 0.0, 9.0),
        lambda x: F.threshold(x, 0.0, 0.0),
        lambda x: F.hardshrink(x, 0.5),
        lambda x: F.softshrink(x, 0.5) * 1,
    ],
)
def test_no_gradient_goes_through_a_closed_gate(function, device):
    """The square root's slope at 0 is infinite, and 0 times infinity is NaN."""
    x = dc.tensor([0.0, -0.25, 2.0], device=device, requires_grad=True)
    function(x).sqrt().sum().backward()
    assert x.grad[:2].tolist() == [0, 0]
    assert x.grad[2].item() > 0
