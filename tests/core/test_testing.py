"""The testing kit itself: `assert_close`, `make_tensor`, `gradcheck`, known gaps."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.extend import STEP_FORMULAS
from dispatch_core.testing import assert_close, conformance, gradcheck, gradgradcheck, make_tensor
from dispatch_core.testing._samples import has_samples


def fails(*args, **kwargs):
    with pytest.raises(AssertionError) as caught:
        assert_close(*args, **kwargs)
    return str(caught.value)


# -- assert_close ------------------------------------------------------------------------------


def test_close_and_not_close():
    x = dc.tensor([1.0, 2.0, 4.0])
    assert_close(x, x + 1e-6)
    message = fails(dc.tensor([1.0, 2.5, 4.0]), x)
    assert message.splitlines() == [
        "Tensor-likes are not close!",
        "",
        "Mismatched elements: 1 / 3 (33.3%)",
        "Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)",
        "Greatest relative difference: 0.25 at index (1,) (up to 1.3e-06 allowed)",
    ]
    assert_close(dc.tensor([1.0, 2.5, 4.0]), x, rtol=0, atol=0.5)
    assert "not equal" in fails(dc.tensor([1, 2]), dc.tensor([1, 3]))


@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("float16", 1e-3, 1e-2),
        ("bfloat16", 1e-2, 5e-2),
        ("float32", 1e-6, 1e-4),
        ("float64", 1e-8, 1e-6),
        ("complex64", 1e-6, 1e-4),
        ("complex128", 1e-8, 1e-6),
    ],
)
def test_tolerances_follow_the_dtype(name, near, far):
    dtype = getattr(dc, name)
    one = dc.tensor(1.0, dtype=dtype)
    assert_close(dc.tensor(1.0 + near, dtype=dtype), one)
    fails(dc.tensor(1.0 + far, dtype=dtype), one)


def test_metadata():
    x = dc.ones(2, 2)
    assert "'shape'" in fails(x, dc.ones(4))
    assert "'dtype'" in fails(x, x.double())
    assert_close(x, x.double(), check_dtype=False)
    assert_close(x.t(), x)
    assert "stride" in fails(dc.ones(2, 3).t(), dc.ones(3, 2), check_stride=True)


def test_nan_and_infinities():
    x = dc.tensor([float("nan"), float("inf")])
    fails(x, x)
    assert_close(x, x, equal_nan=True)
    fails(dc.tensor([float("inf")]), dc.tensor([-float("inf")]))
    fails(dc.tensor([float("inf")]), dc.tensor([1.0]), rtol=1.0, atol=1.0)


def test_structures():
    a = {"x": [dc.ones(1), 2.0], "y": (None, True)}
    assert_close(a, {"y": (None, True), "x": [dc.ones(1), 2.0]})
    message = fails({"x": [dc.ones(1), 3.0]}, {"x": [dc.ones(1), 2.0]})
    assert "Scalars are not close!" in message
    assert "Expected 2.0 but got 3.0." in message
    assert "The failure occurred for item ['x'][1]" in message
    assert "length of the sequences mismatch: 1 != 2" in fails([1], [1, 2])
    assert "Missing keys in the actual mapping: ['b']" in fails({"a": 1}, {"b": 1})
    assert "None mismatch" in fails(None, 1)
    assert "Booleans mismatch" in fails(True, False)


def test_numbers_and_arrays():
    assert_close(1.0, 1.0 + 1e-9)
    assert_close(3, 3)
    assert_close(np.ones(2), np.ones(2))
    fails(np.ones(2), np.zeros(2))
    for a, b in ((dc.ones(1), np.ones(1)), ("a", "a"), (1.0, dc.tensor(1.0))):
        with pytest.raises(TypeError, match="No comparison pair"):
            assert_close(a, b)
    with pytest.raises(ValueError, match="must both be specified"):
        assert_close(1.0, 1.0, rtol=0.1)


def test_messages():
    assert fails(1, 2, msg="mine") == "mine"
    assert fails(1, 2, msg=lambda m: "Header\n" + m).startswith("Header\nScalars")


# -- make_tensor -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", [dc.bool, dc.uint8, dc.int32, dc.uint64, dc.bfloat16, dc.complex64]
)
def test_random_tensors(dtype):
    x = make_tensor(4, 5, dtype=dtype)
    assert (x.shape, x.dtype) == ((4, 5), dtype)
    y = make_tensor((4, 5), dtype=dtype, noncontiguous=True)
    assert not y.is_contiguous()
    assert make_tensor((), dtype=dtype).ndim == 0


def test_bounds_and_options():
    x = make_tensor(100, dtype=dc.float32, low=2, high=3, requires_grad=True)
    assert x.requires_grad
    assert ((x >= 2) & (x < 3)).all()
    assert (make_tensor(200, dtype=dc.int8, low=0, high=2, exclude_zero=True) == 1).all()
    with pytest.raises(ValueError, match="low must be below high"):
        make_tensor(2, dtype=dc.float32, low=1, high=1)
    with pytest.raises(ValueError, match="does not fit"):
        make_tensor(2, dtype=dc.uint8, low=0, high=300)


# -- gradcheck ---------------------------------------------------------------------------------


class Wrong(dc.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x * 2.01


@pytest.mark.parametrize("fast_mode", [False, True])
def test_wrong_gradients_are_found(fast_mode):
    x = dc.tensor([1.0, 2.0], dtype=dc.float64, requires_grad=True)
    with pytest.raises(dc.autograd.GradcheckError, match="numerical"):
        gradcheck(Wrong.apply, (x,), fast_mode=fast_mode)
    assert not gradcheck(Wrong.apply, x, raise_exception=False, fast_mode=fast_mode)
    assert gradcheck(lambda t: t * t, x, fast_mode=fast_mode)
    assert x.tolist() == [1.0, 2.0]


def test_what_gradcheck_expects():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda t: t, dc.ones(1, dtype=dc.float64))
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(lambda t: t * 2, dc.ones(1, requires_grad=True), eps=1e-2, atol=1e-2)
    x = dc.ones(1, dtype=dc.float64).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(lambda t: t * 2, x)


def test_outputs_without_gradient_must_not_depend_on_the_inputs():
    x = dc.tensor([1.0], dtype=dc.float64, requires_grad=True)
    assert gradcheck(lambda t: (t * 2, (t > 0)), x)
    with pytest.raises(dc.autograd.GradcheckError, match="expected to be zero"):
        gradcheck(lambda t: t.detach() * 2, x)


def test_complex_and_several_inputs():
    z = dc.tensor([1 + 2j], dtype=dc.complex128, requires_grad=True)
    w = dc.tensor([3.0], dtype=dc.float64, requires_grad=True)
    assert gradcheck(lambda z, w, k: (z * w * k, z.abs()), (z, w, 2.0))
    assert gradgradcheck(lambda z, w: z * z * w, (z, w))
    assert gradgradcheck(
        lambda z: (z * z.conj()).real, z, dc.ones(1, dtype=dc.float64).requires_grad_()
    )


# -- the conformance suite ---------------------------------------------------------------------


def test_known_gaps_are_read(tmp_path):
    file = tmp_path / "known_gaps.txt"
    file.write_text(
        "# a comment\nadd: all wrong\nsum.layouts: strides  # really\n\n", encoding="utf-8"
    )
    assert conformance.read_gaps(file) == {"add": "all wrong", "sum.layouts": "strides"}
    for line in ("add", "nonsense: x", "add.nonsense: x"):
        file.write_text(line, encoding="utf-8")
        with pytest.raises(ValueError, match="line 1"):
            conformance.read_gaps(file)


TESTED_ELSEWHERE = {
    "new_empty": "uninitialised",
    "new_empty_strided": "uninitialised",
    "empty_like": "uninitialised",
    "to_device": "needs two devices: the example plugin's tests",
    "fill_new_like": "a part of scatter",
    "storage_index": "a part of flip, diag_embed and others",
    "cast_like": "a part of cast",
    **dict.fromkeys(
        ("count_", "unflatten_tensors_", *STEP_FORMULAS), "in place over lists: tests/optim"
    ),
    "rnn_layer_backward": "takes what rnn_layer saves: the gradient of rnn_layer",
    "lstm_layer_backward": "takes what lstm_layer saves: the gradient of lstm_layer",
    "gru_layer_backward": "takes what gru_layer saves: the gradient of gru_layer",
    "lu_order": "a part of lu_unpack",
    "narrow_like": "a part of scatter_reduce",
    "scatter_combine": "a part of scatter_reduce",
    "bits_as": "a part of view(dtype)",
}


def test_every_operator_has_samples():
    """An operator without sample calls is tested by nobody: give its family `samples=`."""
    missing = [
        name
        for name, declared in dc._op.OPERATORS.items()
        if not has_samples(declared.op)
        and declared.op.family.kind not in ("creation", "random", "transfer")
        and not declared.op.traits.random
        and name not in TESTED_ELSEWHERE
    ]
    assert not missing, f"operators without samples: {', '.join(missing)}"


@pytest.mark.parametrize("pair", [(1.0, 1), (1j, 1.0), ([1.0], [1]), ({"a": 1}, {"a": 1.0})])
def test_numbers_of_two_types_are_not_close(pair):
    with pytest.raises(AssertionError, match=r"The \(d\)types do not match: <class"):
        dc.testing.assert_close(*pair)
    dc.testing.assert_close(*pair, check_dtype=False) if pair[0] != 1j else None
