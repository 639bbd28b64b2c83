"""The kernels on sizes and layouts at which they do something else than on small arrays."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.extend import STEP_FORMULAS, K
from dispatch_opencl.kernels import optim
from dispatch_opencl.kernels._trace import Trace
from dispatch_opencl.kinds import FLOAT

F = dc.nn.functional
rng = np.random.default_rng(0)


def normal(*shape):
    return dc.tensor(rng.standard_normal(shape).astype(np.float32))


def compare(function, *given, rtol=1e-4, atol=1e-5):
    """The function on the cpu and here."""
    wanted = function(*given)
    found = function(*[x.to("opencl") for x in given])
    for a, b in zip(_all(found), _all(wanted), strict=True):
        assert a.device.type == "opencl"
        assert a.dtype is b.dtype
        a, b = a.cpu().numpy(), b.numpy()
        assert a.shape == b.shape
        scale = np.abs(b[np.isfinite(b)]).max(initial=1.0) if b.dtype.kind in "fc" else 1.0
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol * scale)


def _all(result):
    return result if isinstance(result, tuple) else (result,)


def gradients(function, *given, **close):
    """The function's gradients on the cpu and here."""

    def backward(*given):
        given = [x.detach().requires_grad_() for x in given]
        out = function(*given)
        (out * out * out).sum().backward()
        return tuple(x.grad for x in given)

    compare(function, *given, **close)
    compare(backward, *given, **{"rtol": 1e-3, "atol": 1e-4, **close})


# -- element-wise -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 8, 15, 16, 17, 1023, 1024, 100_003])
@pytest.mark.parametrize(
    "dtype", [dc.float32, dc.float64, dc.float16, dc.bfloat16, dc.int32, dc.bool]
)
def test_every_length_and_what_is_left_of_vectors(n, dtype):
    x = (normal(n) * 4).to(dtype)
    compare(lambda x: x + x if dtype is not dc.bool else x | ~x, x)
    compare(lambda x: x == x.flip(0), x)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((33, 70), (70,)),
        ((33, 70), (33, 1)),
        ((5, 1, 70), (3, 1)),
        ((4, 3, 65), (4, 1, 65)),
        ((70,), ()),
    ],
)
def test_broadcasting(left, right):
    compare(lambda x, y: x * y - y / 2, normal(*left), normal(*right))


@pytest.mark.parametrize("dims", [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_permuted_operands(dims):
    x, y = normal(20, 17, 35), normal(20, 17, 35)
    compare(lambda x: x.permute(dims).contiguous(), x)
    compare(lambda x, y: x.permute(dims) + y.permute(dims), x, y)
    compare(lambda x, y: x.permute(dims) + y.permute(dims).contiguous(), x, y)
    found = x.to("opencl").permute(dims) + y.to("opencl").permute(dims)
    assert found.stride() == x.to("opencl").permute(dims).stride()


@pytest.mark.parametrize("dtype", [dc.float32, dc.bfloat16, dc.int32, dc.bool, dc.float64])
def test_turned_copies(dtype):
    x = (normal(3, 37, 4, 65) * 5).to(dtype)
    compare(lambda x: x.permute(3, 0, 1, 2).contiguous(), x)
    compare(lambda x: x.permute(0, 3, 2, 1).contiguous().to(dc.float32), x)
    compare(lambda x: dc.empty(65, 37).to(x).copy_(x[0, :, 1].t()), x)
    compare(lambda x: x[0, :, 1].t().contiguous() != 0, x)


def test_results_may_be_written_over_operands_that_they_overlap():
    x = dc.arange(100.0)

    def shifted(x):
        x = x.clone()
        x[1:] += x[:-1]
        dc.exp(x[:50] / 100, out=x[50:])
        dc.add(x[:60], 1, out=x[40:])
        return x

    compare(shifted, x)


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_all_casts():
    values = dc.tensor([-3.7, -1, -0.2, 0, 0.5, 1, 2.5, 100, 126.9])
    dtypes = [
        dc.bool, dc.uint8, dc.int8, dc.uint16, dc.int16, dc.uint32, dc.int32, dc.uint64, dc.int64,
        dc.float16, dc.bfloat16, dc.float32, dc.float64, dc.complex64, dc.complex128,
    ]  # fmt: skip
    for one in dtypes:
        start = values.abs().to(one) if not one.is_signed else values.to(one)
        for other in dtypes:
            if not other.is_signed and one.is_signed:
                compare(lambda x, other=other: x.abs().to(other), start)
            else:
                compare(lambda x, other=other: x.to(other), start)


def test_large_integers_keep_their_digits():
    x = dc.tensor([2**62 + 1, -(2**62) - 1, 2**53 + 1, 7])
    compare(lambda x: x // 3 + x % 3 + x * 5, x)
    compare(lambda x: x.to(dc.uint64).to(dc.int64), x)
    compare(lambda x: x.sum(), x)
    compare(lambda x: x.argsort(), x)


def test_division_by_zero_is_refused_and_the_next_call_works():
    x = dc.arange(20, device="opencl")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            x % x
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            x // 0
    least = dc.tensor([-(2**63)], device="opencl")
    assert (least % -1).tolist() == [0]
    assert (x % 7).tolist() == [i % 7 for i in range(20)]


# -- reductions, scans, sorting -----------------------------------------------------------------------


@pytest.mark.parametrize("dim", [None, 0, 1, 2, (0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("shape", [(40, 50, 60), (3, 2, 70_000), (70_000, 2, 3), (2, 70_000, 3)])
def test_reductions_of_every_shape(shape, dim):
    x = normal(*shape)
    compare(lambda x: x.double().sum(dim), x)
    compare(lambda x: x.amax(() if dim is None else dim), x)
    compare(lambda x: x.mT.sum(dim), x, atol=1e-4)
    compare(lambda x: (x > 0).sum(dim), x)


def test_sums_of_many_small_numbers_keep_their_digits():
    x = dc.full((1 << 22,), 0.1, device="opencl")
    assert abs(x.sum().item() / (0.1 * (1 << 22)) - 1) < 1e-6
    halves = dc.ones(4096, 3, device="opencl", dtype=dc.bfloat16)
    assert halves.sum(0).tolist() == [4096.0] * 3


@pytest.mark.parametrize("dtype", [dc.float32, dc.complex64])
def test_sums_of_infinities(dtype):
    for shape, dim in (((100_000,), 0), ((5000, 20), 0), ((20, 5000), 1)):
        x = dc.ones(shape, dtype=dtype)
        x[3] = float("inf")
        found = x.to("opencl").sum(dim).cpu()
        assert dc.equal(found.isinf(), x.sum(dim).isinf())
        assert not found.isnan().any()


def test_not_a_number_is_found_wherever_it_is():
    for place in (0, 5, 31, 4095, 99_999):
        x = dc.zeros(100_000)
        x[place] = float("nan")
        assert np.isnan(x.to("opencl").amax().item())


@pytest.mark.parametrize("n", [1, 15, 16, 17, 33, 1000, 1025, 70_001])
@pytest.mark.parametrize("descending", [False, True])
def test_sorting(n, descending):
    x = normal(2, n).round(decimals=1)
    x[0, n // 2] = float("nan")
    compare(lambda x: x.argsort(1, descending, stable=True), x)
    compare(lambda x: x.t().argsort(0, descending, stable=True), x)
    compare(lambda x: (x.nan_to_num() * 10).to(dc.int16).argsort(-1, descending, stable=True), x)


# -- by index -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1, 5, 2**40, -(2**40)])
def test_a_wrong_index_raises_and_writes_nothing_elsewhere(wrong):
    x = dc.zeros(5, 3, device="opencl")
    index = dc.zeros(5, 3, dtype=dc.int64, device="opencl")
    index[2, 1] = wrong
    for use in (
        lambda: x.gather(0, index),
        lambda: x.scatter_add(0, index, dc.ones_like(x)),
        lambda: x.scatter(0, index, dc.ones_like(x)),
    ):
        with pytest.raises((IndexError, RuntimeError), match=f"index {wrong} is out of bounds"):
            use()
    assert x.sum().item() == 0
    assert x.gather(0, index.clamp(0, 4)).tolist() == [[0.0] * 3] * 5


def test_a_wrong_class_or_place_raises():
    logits = normal(3, 4).to("opencl")
    with pytest.raises(IndexError, match="Target 4 is out of bounds"):
        F.cross_entropy(logits, dc.tensor([0, 4, 1], device="opencl"))
    with pytest.raises((IndexError, RuntimeError)):
        F.embedding(dc.tensor([4], device="opencl"), logits.t().contiguous())
    with pytest.raises((IndexError, RuntimeError)):
        F.max_unpool1d(logits[None], dc.full((1, 3, 4), 99, device="opencl"), 2)


def test_equal_places_accumulate_in_order_every_time():
    x = normal(4, 50).to("opencl") * 1e3
    index = dc.randint(0, 3, (4, 50), device="opencl")
    first = dc.zeros(4, 3, device="opencl").scatter_add(1, index, x)
    for _ in range(5):
        assert dc.equal(dc.zeros(4, 3, device="opencl").scatter_add(1, index, x), first)
    compare(lambda x, i: dc.zeros(4, 3, device=x.device).scatter(1, i, x), x.cpu(), index.cpu())


@pytest.mark.parametrize("width", [1, 5, 16, 100])
@pytest.mark.parametrize("dtype", [dc.float32, dc.bfloat16, dc.int32, dc.complex64])
def test_rows_by_index(width, dtype):
    rows, places = normal(20, width).to(dtype), dc.tensor(rng.integers(0, 20, 300))
    more = (normal(300, width) * 4).round().to(dtype)
    compare(lambda x, i: x.index_select(0, i), rows, places)
    compare(lambda x, i, y: x.index_add(0, i, y), rows, places, more, rtol=2e-2, atol=2e-2)
    compare(lambda x, i, y: x.index_copy(0, i, y), rows, places[:1], more[:1])
    if dtype is dc.float32:
        gradients(lambda x: F.embedding(places.to(x.device), x), rows)


def test_operands_of_other_dtypes_are_converted_or_refused_and_never_misread():
    single, double = normal(3, 4).to("opencl"), normal(3, 4).double().to("opencl")
    for use in (
        lambda: K.softmax_backward(single, double, 1),
        lambda: K.softmax_backward(double, single, 1),
    ):
        with pytest.raises((RuntimeError, TypeError)):
            use()
    mean, rstd = dc.zeros(3, 1, device="opencl"), dc.ones(3, 1, device="opencl")
    wanted = K.layer_norm_backward(double, double, (4,), None, mean.double(), rstd.double())
    found = K.layer_norm_backward(double, double, (4,), None, mean, rstd)
    for a, b in zip(found, wanted, strict=True):
        dc.testing.assert_close(a, b)
    small = dc.tensor([[0, 1], [2, 0], [1, 1]], device="opencl", dtype=dc.int32)
    assert dc.equal(single.gather(1, small), single.gather(1, small.long()))


def test_arrays_of_wrong_sizes_are_refused_before_a_kernel_reads_them():
    x, few = normal(3, 4).to("opencl"), dc.ones(2, device="opencl")
    image, classes = normal(2, 3, 5, 5).to("opencl"), dc.zeros(3, dtype=dc.int64, device="opencl")
    wide = normal(4, 3, 9, 9).to("opencl")
    for use in (
        lambda: K.native_layer_norm(x, (4,), few, None, 1e-5),
        lambda: K.layer_norm_backward(few, x, (4,), None, few, few),
        lambda: K.native_batch_norm(image, few, None, 1e-5),
        lambda: K.batch_norm_backward(image, image, None, few, few),
        lambda: K.softmax_backward(x, few, 0),
        lambda: K.cross_entropy_classes(x, classes, few, -100, "mean"),
        lambda: K.cross_entropy_classes(x, few.long(), None, -100, "mean"),
        lambda: K.convolution(image, wide, None, (1, 1), (0, 0), (1, 1), 1),
        lambda: K.convolution(image, wide[:, :, :3, :3], few, (1, 1), (0, 0), (1, 1), 1),
        lambda: K.convolution_weight(image, wide[:1], (3, 3), (1, 1), (1, 1), (1, 1), 1),
        lambda: K.avg_pool_backward(x[None], (2, 3, 8), (2,), (2,), (0,), False, True, None),
        lambda: K.max_pool(image, (9, 9), (1, 1), (0, 0), (1, 1), False),
        lambda: K.linear(x, wide[0, 0], None),
        lambda: K.matmul(x, x),
        lambda: K.gather(x, 0, dc.zeros(3, 5, dtype=dc.int64, device="opencl")),
        lambda: K.scatter_add(x, 0, classes[:, None].expand(3, 4), few[:, None]),
    ):
        with pytest.raises((RuntimeError, ValueError, IndexError)):
            use()
    assert dc.isfinite(x + x).all()


# -- random numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda device: dc.rand(1001, device=device),
        lambda device: dc.rand(1001, device=device, dtype=dc.float64),
        lambda device: dc.rand(1001, device=device, dtype=dc.bfloat16),
        lambda device: dc.rand(1001, device=device, dtype=dc.float16) * 3,
        lambda device: dc.randint(-5, 1000, (1001,), device=device),
        lambda device: dc.randint(-(2**63), 2**63 - 1, (1001,), device=device),
        lambda device: dc.randperm(5000, device=device),
        lambda device: dc.bernoulli(dc.full((999,), 0.3, device=device)),
        lambda device: dc.empty(999, device=device).uniform_(-3, 7),
    ],
)
def test_a_seed_gives_the_numbers_of_every_device(draw):
    drawn = []
    for device in ("cpu", "opencl"):
        dc.manual_seed(7)
        draw(device)
        drawn.append(draw(device).cpu())
    assert dc.equal(*drawn)


def test_normal_numbers_agree_to_the_last_digits():
    drawn = []
    for device in ("cpu", "opencl"):
        dc.manual_seed(7)
        drawn.append(dc.randn(10_001, device=device).cpu())
    dc.testing.assert_close(*drawn, rtol=1e-5, atol=1e-6)


# -- products and convolutions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 5, 7), (5, 3, 1), (6, 16, 16), (7, 300, 33), (97, 600, 65), (200, 1, 3)]
)
@pytest.mark.parametrize("dtype", [dc.float32, dc.float64, dc.float16, dc.int32, dc.complex64])
def test_products_in_every_layout(m, k, n, dtype):
    x, y = (normal(m, k) * 3).to(dtype), (normal(k, n) * 3).to(dtype)
    close = {"rtol": 5e-3, "atol": 5e-3} if dtype is dc.float16 else {}
    compare(lambda x, y: x @ y, x, y, **close)
    compare(lambda x, y: x.t() @ y.t(), x.t().contiguous(), y.t().contiguous(), **close)
    compare(lambda x, y: x[::2] @ y[:, ::3], x, y, **close)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 10, 7), (3, 7, 20)), ((3, 10, 7), (7, 20)), ((10, 7), (3, 7, 20)), ((3, 10, 7), (7,)),
        ((7,), (3, 7, 20)), ((2, 1, 10, 7), (1, 3, 7, 20)), ((7,), (7,)), ((0, 7), (7, 3)),
        ((4, 0), (0, 3)), ((2, 0, 5), (2, 5, 3)),
    ],
)  # fmt: skip
def test_products_of_batches(left, right):
    compare(lambda x, y: x @ y, normal(*left), normal(*right))


def test_linear_with_and_without_bias():
    compare(F.linear, normal(3, 10, 70), normal(33, 70), normal(33))
    compare(F.linear, normal(10, 70), normal(33, 70))
    with pytest.raises(RuntimeError):
        F.linear(normal(10, 70).to("opencl"), normal(33, 71).to("opencl"))


@pytest.mark.parametrize(
    ("input", "weight", "options"),
    [
        ((2, 3, 8, 8), (5, 3, 3, 3), {}),
        ((2, 3, 8, 9), (7, 3, 3, 3), {"padding": 1}),
        ((2, 3, 9, 11), (8, 3, 3, 3), {"padding": 1, "stride": 2}),
        ((2, 4, 12, 11), (6, 4, 3, 2), {"padding": (2, 1), "dilation": 2}),
        ((2, 4, 12, 30), (6, 2, 3, 3), {"padding": 1, "groups": 2, "stride": (1, 2)}),
        ((1, 6, 20, 20), (6, 1, 3, 3), {"padding": 1, "groups": 6}),
        ((2, 2, 17, 17), (3, 2, 2, 2), {"stride": 3}),
        ((70, 3, 6, 6), (20, 3, 1, 1), {}),
    ],
)
def test_convolutions_and_their_gradients(input, weight, options):
    gradients(lambda x, w: F.conv2d(x, w, **options), normal(*input), normal(*weight) / 4)


def test_other_convolutions():
    compare(
        lambda x, w, b: F.conv1d(x, w, b, padding=2), normal(2, 3, 19), normal(4, 3, 5), normal(4)
    )
    compare(
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1),
        normal(2, 3, 9, 9), normal(3, 4, 3, 3),
    )  # fmt: skip
    compare(
        lambda x, w: F.conv_transpose2d(x, w, stride=3, padding=4, dilation=2, groups=3),
        normal(2, 3, 9, 9), normal(3, 4, 3, 3),
    )  # fmt: skip
    compare(lambda x, w: F.conv3d(x, w), normal(1, 2, 4, 4, 4), normal(2, 2, 2, 2, 2))
    half = dc.bfloat16
    compare(
        lambda x, w: F.conv2d(x.to(half), w.to(half)), normal(1, 3, 8, 8), normal(2, 3, 3, 3),
        rtol=2e-2, atol=2e-2,
    )  # fmt: skip


def test_what_lies_behind_an_image_does_not_count():
    # Memory that is used again holds what was there; NaN times zero would be NaN.
    dc.full((1 << 14,), float("nan"), device="opencl")
    x, w = normal(2, 3, 8, 9).to("opencl"), normal(7, 3, 3, 3).to("opencl").requires_grad_()
    F.conv2d(x, w, padding=1).sum().backward()
    assert dc.isfinite(w.grad).all()


def test_norms_and_softmax():
    gradients(lambda x, w, b: F.layer_norm(x, (77,), w, b), normal(33, 77), normal(77), normal(77))
    gradients(lambda x: F.layer_norm(x, (7, 11)), normal(33, 7, 11))
    gradients(
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
        normal(8, 5, 7, 9), normal(5), normal(5),
    )  # fmt: skip
    gradients(lambda x: F.batch_norm(x, None, None, training=True), normal(80, 5))
    for dim in (0, 1, -1):
        gradients(lambda x, dim=dim: F.softmax(x, dim), normal(33, 21, 40))
        gradients(lambda x, dim=dim: F.log_softmax(x, dim), normal(33, 21, 40))


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda x: F.max_pool2d(x, 2, dilation=2),
        lambda x: F.avg_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, 3, 2, 1, True, False),
        lambda x: F.avg_pool2d(x, 2, divisor_override=3),
    ],
)
def test_pooling(pool):
    gradients(pool, normal(3, 4, 9, 12))


# -- optimizers ---------------------------------------------------------------------------------------


OPTIMIZERS = {
    "Adadelta": {"weight_decay": 0.1},
    "Adagrad": {"lr_decay": 0.1},
    "Adam": {"amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"maximize": True},
    "Adamax": {},
    "ASGD": {},
    "NAdam": {"weight_decay": 0.01},
    "RAdam": {"decoupled_weight_decay": True, "weight_decay": 0.01},
    "RMSprop": {"centered": True, "momentum": 0.9},
    "Rprop": {},
    "SGD": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [dc.float32, dc.float64, dc.bfloat16])
def test_optimizers_follow_the_path_that_they_take_on_the_cpu(name, dtype):
    ends = []
    for device in ("cpu", "opencl"):
        random = np.random.default_rng(1)
        params = []
        for shape in ((50, 70), (3,), (), (0,), (40_000,)):
            made = dc.tensor(random.standard_normal(shape), dtype=dtype, device=device)
            params.append(made.t().requires_grad_() if len(shape) == 2 else made.requires_grad_())
        optimizer = getattr(dc.optim, name)(params, lr=0.01, **OPTIMIZERS[name])
        for _ in range(6):
            for p in params:
                grad = random.standard_normal(tuple(p.shape))
                p.grad = dc.tensor(grad, dtype=dtype, device=device)
            optimizer.step()
        ends.append([p.detach().cpu().double() for p in params])
    rtol = {dc.float32: 1e-5, dc.float64: 1e-12, dc.bfloat16: 2e-2}[dtype]
    for a, b in zip(*ends, strict=True):
        dc.testing.assert_close(b, a, rtol=rtol, atol=rtol)


def test_a_step_of_another_number_is_the_same_program():
    formula = STEP_FORMULAS["adam_step_"]
    options = {
        "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0, "maximize": False,
        "decoupled_weight_decay": False,
    }  # fmt: skip
    present = [True] * 4 + [False]
    one, other = (
        optim._traced(formula, FLOAT, present, {"step": step, "lr": lr, **options})
        for step, lr in ((1.0, 0.1), (7.0, 0.3))
    )
    assert one[0] == other[0]
    assert one[1] != other[1]
    assert Trace(FLOAT).text(0.5) == "(V_f)(number[0])"
