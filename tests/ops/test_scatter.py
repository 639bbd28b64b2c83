"""Gather, scatter and their relatives where tensors without dimensions count as vectors, and mistakes."""

import itertools

import pytest

import dispatch_core as dc

ONE = {"number": dc.tensor(0), "vector": dc.tensor([0])}
SOURCES = {"number": dc.tensor(5.0), "vector": dc.tensor([5.0]), "longer": dc.tensor([5.0, 9.0])}
INPUTS = {"number": dc.tensor(2.0), "one": dc.tensor([2.0]), "three": dc.tensor([2.0, 3.0, 4.0])}
WAYS = {
    "scatter": (lambda x, i, s: x.scatter(0, i, s), 5.0),
    "scatter_add": (lambda x, i, s: x.scatter_add(0, i, s), 7.0),
    "sum": (lambda x, i, s: x.scatter_reduce(0, i, s, "sum"), 7.0),
    "mean": (lambda x, i, s: x.scatter_reduce(0, i, s, "mean"), 3.5),
    "prod": (lambda x, i, s: x.scatter_reduce(0, i, s, "prod"), 10.0),
    "amax": (lambda x, i, s: x.scatter_reduce(0, i, s, "amax", include_self=False), 5.0),
}
DEVICES = ("cpu", "example")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("given", "at", "sent"), [*itertools.product(INPUTS, ONE, SOURCES)])
def test_what_has_no_dimensions_counts_as_a_vector(way, given, at, sent, device):
    scatter, first = WAYS[way]
    x = INPUTS[given].detach().to(device, dc.float64).requires_grad_()
    source = SOURCES[sent].detach().to(device, dc.float64).requires_grad_()
    index = ONE[at].to(device)
    found = scatter(x, index, source)
    assert found.shape == x.shape
    assert found.reshape(-1).tolist() == [first, *x.reshape(-1).tolist()[1:]]
    assert dc.autograd.gradcheck(lambda *both: scatter(both[0], index, both[1]), (x, source))
    assert x.gather(0, index).shape == index.shape


@pytest.mark.parametrize("index", [*ONE.values()])
def test_numbers_that_are_scattered(index):
    assert INPUTS["three"].scatter(0, index, 7.0).tolist() == [7, 3, 4]
    assert INPUTS["number"].scatter(0, index, 7.0, reduce="multiply").tolist() == 14
    assert INPUTS["number"].index_reduce(0, index, SOURCES["number"], "prod").tolist() == 10


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("way", WAYS)
def test_an_index_without_elements_changes_nothing(way, device):
    scatter, _ = WAYS[way]
    none = dc.zeros(0, dtype=dc.int64, device=device)
    for x in INPUTS.values():
        for source in (*SOURCES.values(), dc.ones(2, 2)):
            assert scatter(x.to(device), none, source.to(device)).tolist() == x.tolist()


MISTAKES = {
    "more indices than values": lambda f: f(dc.ones(3), dc.tensor([0, 1]), dc.ones(1)),
    "a number for two": lambda f: f(dc.ones(3), dc.tensor([0, 1]), dc.tensor(1.0)),
    "a matrix of values": lambda f: f(dc.ones(3), dc.tensor([0]), dc.ones(1, 1)),
    "a matrix of indices": lambda f: f(dc.ones(3), dc.tensor([[0]]), dc.ones(1, 1)),
    "a matrix for a number": lambda f: f(dc.tensor(1.0), dc.tensor([[0]]), dc.ones(1, 1)),
    "more rows than there are": lambda f: f(
        dc.ones(3, 1), dc.zeros(1, 2, dtype=dc.int64), dc.ones(1, 2)
    ),
    "just beyond": lambda f: f(dc.ones(3), dc.tensor([3]), dc.ones(1)),
    "beyond a number": lambda f: f(dc.tensor(1.0), dc.tensor([0, 1]), dc.ones(2)),
    "negative": lambda f: f(dc.ones(3), dc.tensor(-1), dc.ones(1)),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_does_not_fit_is_refused(mistake, way, device):
    def call(*tensors):
        return WAYS[way][0](*(t.to(device) for t in tensors))

    with pytest.raises(RuntimeError, match=r"dimension|out of bounds"):
        MISTAKES[mistake](call)


def test_slices_that_are_no_slices():
    x, two = dc.ones(3, 2), dc.tensor([0, 1])
    with pytest.raises(IndexError, match="Number of indices"):
        x.index_add(0, two, dc.tensor(1.0))
    with pytest.raises(RuntimeError, match="Number of indices"):
        x.index_add(0, two, dc.ones(1, 2))
    with pytest.raises(RuntimeError, match="source of shape"):
        x.index_copy(0, two, dc.ones(2, 1))
    with pytest.raises(IndexError, match="source of shape"):
        x.index_copy(0, two, dc.ones(3, 2))
    with pytest.raises(IndexError, match="source of shape"):
        dc.tensor(1.0).index_copy(0, dc.tensor(0), dc.ones(1, 1))
    with pytest.raises(IndexError, match="out of bounds"):
        dc.tensor(1.0).index_reduce(0, dc.tensor(1), dc.tensor(1.0), "prod")
