"""The layer counts what it says, where it is on."""

import threading

import dispatch_core as dc


def test_operators_are_counted_forward_and_back():
    x = dc.rand(3, 4, requires_grad=True)
    with dc.layer("mylayer") as counts:
        (x @ x.t()).exp().sum().backward()
    assert counts["exp"] == 1
    assert counts["matmul"] >= 3
    before = counts.copy()
    dc.exp(x)
    assert counts == before


def test_it_is_seen_by_explain():
    with dc.layer("mylayer"):
        assert "mylayer" in dc.explain("exp", dc.ones(2)).layers
    assert "mylayer" not in dc.explain("exp", dc.ones(2)).layers


def test_it_is_on_in_its_own_thread_only():
    with dc.layer("mylayer") as counts:
        thread = threading.Thread(target=lambda: dc.exp(dc.ones(2)))
        thread.start()
        thread.join()
    assert not counts
