"""Storages, and what else of PyTorch's older interfaces is about memory."""

import pytest

import dispatch_core as dc


def test_all_views_of_a_tensor_have_one_storage():
    x = dc.arange(6.0).view(2, 3)
    bytes_, elements = x[1:].untyped_storage(), x.t().storage()
    assert bytes_.nbytes() == len(bytes_) == bytes_.size() == 24
    assert (elements.size(), elements.nbytes(), elements.element_size()) == (6, 24, 4)
    assert elements.tolist() == list(elements) == [0, 1, 2, 3, 4, 5]
    assert bytes_.data_ptr() == elements.data_ptr() == x.data_ptr()
    assert x.diagonal().storage().data_ptr() == x.data_ptr()
    assert dc.ones(4).view(dc.int16).storage().size() == 8
    assert dc.empty(0).untyped_storage().nbytes() == 0
    assert elements.dtype is dc.float32
    assert elements.device == bytes_.device == x.device
    assert elements.untyped()[:4].tolist() == [0, 0, 0, 0]


def test_what_is_written_into_a_storage_is_in_the_tensor():
    x = dc.ones(3)
    x.storage()[1] = 5
    assert x.tolist() == [1, 5, 1]
    x.untyped_storage()[-1] = 0x40  # the highest byte of the last number
    assert x.tolist() == [1, 5, 4]
    assert x._version == 2
    x.storage().copy_(dc.zeros(3).storage())
    assert x.storage().clone().fill_(2).tolist() == [2, 2, 2]
    assert x.tolist() == [0, 0, 0]
    y = x.requires_grad_() * 1
    assert not y.storage().is_shared()
    assert x.storage().type(dc.int64).tolist() == [0, 0, 0]


@pytest.mark.parametrize("device", ["example", "meta"])
def test_storages_of_other_devices(device):
    x = dc.ones(2, 3, device=device)[1:]
    storage = x.untyped_storage()
    assert (storage.nbytes(), storage.device.type) == (24, device)
    assert (
        storage.cpu().tolist()[:4] == [0, 0, 128, 63]
        if device == "example"
        else not storage.data_ptr()
    )


def test_storages_print():
    assert (
        repr(dc.ones(1).storage())
        == " 1.0\n[dispatch_core.TypedStorage(dtype=dc.float32, device=cpu) of size 1]"
    )
    shown = repr(dc.ones(1, device="meta").untyped_storage())
    assert shown == "...\n[dispatch_core.UntypedStorage(device=meta) of size 4]"
    assert dc.is_storage(dc.UntypedStorage(8))
    assert dc.is_storage(dc.TypedStorage(8, dtype=dc.int32))
    assert not dc.is_storage(dc.ones(1))
    assert dc.ones(1).storage_type() is dc.TypedStorage


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s[3], IndexError, "index 3 out of range for storage of size 2"),
        (lambda s: s["a"], TypeError, "can't index a TypedStorage with str"),
        (lambda s: s[0:1], RuntimeError, "slices are only supported"),
        (lambda s: s.resize_(4), NotImplementedError, "from 2 to 4"),
        (lambda s: s.copy_(dc.ones(3).storage()), RuntimeError, "size 2, got one of size 3"),
        (lambda s: dc.vmap(lambda x: x.storage())(dc.ones(2, 2)), RuntimeError, "under vmap"),
    ],
)
def test_mistakes(call, error, message):
    storage = dc.ones(2).storage()
    assert storage.resize_(2) is storage
    with pytest.raises(error, match=message):
        call(storage)


def test_new_makes_a_tensor_of_the_same_kind():
    x = dc.ones(2, dtype=dc.int32, device="example")
    for made, shape in ((x.new(2, 3), (2, 3)), (x.new([1.5, 2]), (2,)), (x.new(), (0,))):
        assert (made.shape, made.dtype, made.device.type) == (shape, dc.int32, "example")
    assert dc.ones(2, requires_grad=True).new([1.0]).requires_grad is False
    assert x.new(2, device="cpu").device.type == "cpu"
    with pytest.raises(TypeError, match="expected a tensor of dc.int32, got one of dc.float32"):
        x.new(dc.ones(2))
    assert x.record_stream(dc.Stream("example")) is None
