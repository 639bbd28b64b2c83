"""Device `meta` as it is used: models built and traced for their shapes, and what cannot be asked of it."""

import copy
import io
import pickle

import pytest

import dispatch_core as dc
from dispatch_core import nn


@pytest.fixture
def x():
    return dc.ones(2, 3, device="meta")


def test_a_tensor_larger_than_any_memory_has_a_product():
    a = dc.empty(10**7, 10**7, device="meta")
    assert (a @ a.t()).shape == (10**7, 10**7)
    assert a.is_meta


def test_it_prints_without_elements(x):
    assert repr(x) == "tensor(..., device='meta', size=(2, 3))"
    shown = repr(dc.ones(2, device="meta", dtype=dc.float64, requires_grad=True))
    assert shown == "tensor(..., device='meta', size=(2,), dtype=dc.float64, requires_grad=True)"


@pytest.mark.parametrize("read", [dc.Tensor.item, float, int, bool, lambda x: f"{x:.2f}"])
def test_a_value_cannot_be_asked_for(x, read):
    with pytest.raises(NotImplementedError, match="no data"):
        read(x.sum())


@pytest.mark.parametrize("copy", [dc.Tensor.cpu, dc.Tensor.tolist, dc.ones(2, 3).copy_])
def test_there_is_no_data_to_copy(x, copy):
    with pytest.raises(NotImplementedError, match="no data"):
        copy(x)


def test_numpy_is_refused_and_the_host_does_not_mix_with_it(x):
    with pytest.raises(TypeError, match="can't convert meta device type tensor to numpy"):
        x.numpy()
    with pytest.raises(RuntimeError, match="input on meta, other on cpu"):
        x + dc.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x + dc.ones(2, device="meta"), "must match the size of tensor b"),
        (lambda x: x @ x, "cannot be multiplied"),
        (lambda x: x.sum(2), "Dimension out of range"),
        (lambda x: dc.cat([x, x[:, :2]]), "Sizes of tensors must match"),
        (lambda x: x.view(5), "invalid for input of size 6"),
        (lambda x: x.gather(0, dc.zeros(2, dtype=dc.int64, device="meta")), "same number of dim"),
        (lambda x: x.copy_(dc.ones(5)), "must match the existing size"),
        (lambda x: x.gather(0, dc.zeros(2, 3, device="meta")), "dtype int32/int64 for index"),
        (lambda x: x.scatter(1, dc.zeros(2, 1, device="meta"), 1.0), "dtype int32/int64 for index"),
        (
            lambda x: x.scatter_add(0, dc.zeros(2, 3, dtype=dc.int64, device="meta"), x[:, :2]),
            "no larger than src",
        ),
    ],
)
def test_mistakes_in_shapes_are_found(x, call, message):
    with pytest.raises((RuntimeError, IndexError), match=message):
        call(x)


def test_layouts_are_kept_as_on_the_cpu():
    for make in (
        lambda d: dc.empty(2, 3, 4, device=d).permute(2, 0, 1).exp(),
        lambda d: dc.empty(2, 3, 4, device=d)[:, ::2].neg(),
        lambda d: dc.empty(3, 4, device=d).t() + dc.empty(3, device=d),
        lambda d: dc.empty(1, 4, device=d).expand(3, 4) * 2,
        lambda d: nn.functional.gelu(dc.empty(3, 4, device=d).t()),
        lambda d: dc.erf(dc.empty(3, 4, device=d).t()),
        lambda d: dc.empty(3, 4, device=d).t().rsqrt(),
        lambda d: dc.empty(3, 4, device=d, dtype=dc.complex64).t().tan(),
        lambda d: dc.empty(3, 4, device=d).t().softmax(0),
        lambda d: dc.empty(2, 3, 4, device=d).permute(2, 0, 1).log_softmax(1),
        lambda d: dc.empty(3, 4, device=d)[1:2].expand(5, 4),
    ):
        assert make("meta").stride() == make("cpu").stride()


def test_views_share_what_there_is_and_count_versions(x):
    y = x.t()[1:]
    y.fill_(2)
    assert x._version == y._version == 1


def test_a_model_is_made_without_memory_and_filled_later():
    with dc.device("meta"):
        model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    assert all(p.is_meta for p in model.parameters())
    source = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    model.load_state_dict(source.state_dict(), assign=True)
    model(dc.ones(2, 4))
    empty = nn.Linear(4, 3, device="meta").to_empty(device="cpu")
    assert empty.weight.shape == (3, 4)
    assert not empty.weight.is_meta
    with pytest.raises(NotImplementedError, match="to_empty"):
        nn.Linear(4, 3, device="meta").to("cpu")


def test_a_training_step_has_shapes():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 30 * 30, 10))
    model.to("meta")
    optimizer = dc.optim.Adam(model.parameters())
    target = dc.empty(5, dtype=dc.int64, device="meta")
    loss = nn.functional.cross_entropy(model(dc.empty(5, 3, 32, 32, device="meta")), target)
    loss.backward()
    optimizer.step()
    assert loss.shape == ()
    assert all(p.grad.shape == p.shape and p.grad.is_meta for p in model.parameters())


@pytest.mark.parametrize("name", ["inv", "det", "eigh", "cholesky", "slogdet", "matrix_exp", "eig"])
def test_matrices_must_be_square(name):
    with pytest.raises(RuntimeError, match="square"):
        getattr(dc.linalg, name)(dc.empty(2, 3, device="meta"))


def test_dimensions_are_permuted_once(x):
    with pytest.raises(RuntimeError, match="duplicate dims"):
        x.permute(0, 0)


def test_a_number_is_formatted_without_a_value(x):
    assert f"{x.sum()}" == "tensor(..., device='meta', size=())"


def test_an_index_may_lie_on_the_host_or_in_a_list(x):
    two, mask = dc.tensor([0, 1, 1]), dc.tensor([True, False])
    assert x[two].shape == x[[0, 1, 1]].shape == (3, 3)
    assert x[mask].shape == x[[True, False]].shape == (1, 3)
    assert x[:, two, None].is_meta
    for index in (two, [0, 1], mask, [True, False]):
        x[index] = 1
    with pytest.raises(RuntimeError, match="same device"):
        dc.ones(3)[dc.zeros(2, dtype=dc.int64, device="meta")]


def test_it_is_saved_without_data(x):
    def through_a_file(value):
        file = io.BytesIO()
        dc.save({"value": value, "other": dc.ones(2)}, file)
        file.seek(0)
        loaded = dc.load(file, map_location="cpu")
        assert loaded["other"].tolist() == [1, 1]
        return loaded["value"]

    turned = x.double().t().requires_grad_()
    for again in (through_a_file, lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy):
        found = again(turned)
        assert (found.shape, found.stride(), found.dtype) == ((3, 2), (1, 3), dc.float64)
        assert found.is_meta
        assert found.requires_grad
        assert isinstance(again(nn.Parameter(x)), nn.Parameter)


def test_there_is_one_of_it(x):
    assert x.to("meta:0") is x
    assert dc.ones(2).to("meta:0").device == x.device
    with pytest.raises(RuntimeError, match="there are 1 device"):
        x.to("meta:1")


def test_there_is_no_memory_to_point_at(x):
    assert x.data_ptr() == x[1:].data_ptr() == 0
    for error in (BufferError, ValueError):
        with pytest.raises(error, match="no memory to share"):
            dc.from_dlpack(x)
        with pytest.raises(error, match="no DLPack number"):
            x.__dlpack_device__()
    assert x[1:0].storage_offset() == 3
