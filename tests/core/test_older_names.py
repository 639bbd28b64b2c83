"""Names under which programs written for PyTorch look for what is called otherwise today."""

import importlib

import pytest

import dispatch_core as dc
from dispatch_core.autograd import Variable


def test_variable_makes_a_leaf_and_every_tensor_is_one():
    data = dc.ones(2)
    leaf = Variable(data, requires_grad=True)
    (leaf * 3).sum().backward()
    assert leaf.grad.tolist() == [3, 3]
    assert not data.requires_grad
    assert not Variable(leaf * 2).requires_grad
    assert isinstance(data, Variable)
    assert not isinstance(3, Variable)
    with pytest.raises(TypeError, match="must be Tensor"):
        Variable([1.0])


@pytest.mark.parametrize(
    ("module", "name"),
    [("grad_mode", "no_grad"), ("function", "Function"), ("variable", "Variable")],
)
def test_modules_of_autograd(module, name):
    found = importlib.import_module(f"dispatch_core.autograd.{module}")
    assert getattr(found, name) is getattr(dc.autograd, name)
    assert getattr(dc.autograd, module) is found


def test_vmap_is_a_public_function():
    assert dc.vmap is dc.func.vmap


def test_types_of_tensors_make_and_recognise_them():
    assert dc.LongTensor([1, 2]).dtype is dc.int64
    assert dc.FloatTensor(2, 3).shape == (2, 3)
    assert dc.ByteTensor().shape == (0,)
    assert dc.DoubleTensor(dc.Size([2])).shape == (2,)
    assert dc.HalfTensor(((1, 2), (3, 4))).tolist() == [[1, 2], [3, 4]]
    assert dc.FloatTensor(range(3), device="example").device.type == "example"
    x = dc.ones(2)
    assert dc.FloatTensor(x).data_ptr() == x.data_ptr()
    assert isinstance(x, dc.FloatTensor)
    assert not isinstance(x, dc.DoubleTensor)
    assert not isinstance(3, dc.FloatTensor)
    assert x.type() == "dc.FloatTensor"
    assert dc.ones(2, device="meta").long().type() == "dc.meta.LongTensor"
    assert x.type(dc.LongTensor).dtype is dc.int64
    assert x.type("torch.DoubleTensor").dtype is dc.float64
    assert repr(dc.IntTensor) == "<class 'dc.IntTensor'>"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.FloatTensor(dc.ones(2).double()), TypeError, "expected a tensor of dc.float32"),
        (lambda: dc.LongTensor(3.0), TypeError, "data must be a sequence"),
        (lambda: dc.FloatTensor("a"), TypeError, "data must be a sequence"),
        (lambda: dc.ones(1).type("dc.FooTensor"), ValueError, "invalid type: 'dc.FooTensor'"),
        (lambda: dc.set_default_tensor_type(dc.LongTensor), TypeError, "floating-point"),
    ],
)
def test_types_of_tensors_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_default_type_is_that_of_numbers():
    try:
        dc.set_default_tensor_type(dc.DoubleTensor)
        assert dc.ones(2).dtype is dc.float64
        dc.set_default_tensor_type("torch.HalfTensor")
        assert dc.tensor(0.5).dtype is dc.float16
    finally:
        dc.set_default_dtype(dc.float32)


def test_whether_backward_uses_threads_is_remembered():
    asked = dc.autograd.is_multithreading_enabled
    assert asked()
    with dc.autograd.set_multithreading_enabled(False):
        assert not asked()
    assert asked()
    assert not dc.autograd.grad_mode.set_multithreading_enabled(False)(asked)()
    assert asked()


def test_functions_may_ask_as_operators_do():
    class Like:
        @classmethod
        def __dispatch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, types, args, kwargs

    def mine(*args, **kwargs):
        if dc.overrides.has_torch_function(args):
            return dc.overrides.handle_torch_function(mine, args, *args, **kwargs)
        return "plain"

    like = Like()
    assert mine(1, like, a=2) == ("mine", (Like,), (1, like), {"a": 2})
    assert mine(dc.ones(1), dc.nn.Parameter(dc.ones(1))) == "plain"
    with dc.subclass_hooks(False):
        assert mine(like) == "plain"
    assert [dc.overrides.is_tensor_like(x) for x in (like, dc.ones(1), 3)] == [True, True, False]
    assert dc.autograd.is_tensor_like is dc.overrides.is_tensor_like


def test_assert_allclose_is_assert_close_without_dtypes():
    with pytest.warns(FutureWarning, match="assert_close"):
        dc.testing.assert_allclose([1.0, 2.0], dc.tensor([1.00001, 2.0], dtype=dc.float64))
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="mine"):
        dc.testing.assert_allclose(1.0, 2.0, msg="mine")


def test_devices_of_a_type_are_an_object():
    host = dc.get_device_module()
    assert host.__name__ == "dispatch_core.cpu"
    assert host.is_available()
    assert host.device_count() == 1
    assert host.current_device() == "cpu"
    host.synchronize()
    host.empty_cache()
    host.manual_seed(3)
    state = host.get_rng_state()
    drawn = dc.rand(2)
    host.set_rng_state(state)
    assert dc.rand(2).equal(drawn)
    assert dc.get_device_module(dc.device("example")).current_device() in ("example", 0)
    with pytest.raises(RuntimeError, match="'meta' has no module"):
        dc.get_device_module("meta")
    with pytest.raises(ValueError, match="expected a device of type 'cpu'"):
        host.synchronize("example")


def test_small_names():
    assert dc.thread_safe_generator() is dc.random.thread_safe_generator() is None
    x = dc.ones(1, requires_grad=True) * 2
    assert dc.detach_(x) is x
    assert not x.requires_grad
    dc.set_anomaly_enabled(True)
    assert dc.is_anomaly_enabled()
    dc.set_anomaly_enabled(False)
    assert not dc.is_anomaly_enabled()
    for exponent in (dc.int64, dc.float32):
        with pytest.raises(RuntimeError, match="int32 can't be cast"):
            dc.frexp(dc.ones(2), out=(dc.empty(0), dc.empty(0, dtype=exponent)))


@pytest.mark.parametrize("name", ["eig", "lstsq", "matrix_rank", "solve", "symeig"])
def test_what_was_removed_says_what_to_use(name):
    with pytest.raises(RuntimeError, match=r"was removed, .* use linalg\."):
        getattr(dc, name)(dc.eye(2))
    if name != "matrix_rank":
        with pytest.raises(RuntimeError, match="was removed"):
            getattr(dc.eye(2), name)()


def test_feature_dropout_drops_whole_channels():
    x = dc.ones(20, 10, 3)
    y = dc.feature_dropout(x, 0.5, True)
    assert set(y.reshape(200, 3).unique(dim=0).flatten().tolist()) == {0.0, 2.0}
    assert dc.feature_dropout(x, 0.5, False) is x
    assert dc.feature_dropout_(x, 1.0, True) is x
    assert not x.any()
