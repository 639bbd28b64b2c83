"""Special functions where they are easily wrong: negative arguments, poles, large orders."""

import pytest

import dispatch_core as dc


@pytest.mark.parametrize(
    ("order", "expected"),
    [  # PyTorch 2.13, at -0.7, -2.5, 0.3 and 5
        (1, [14.286181, 9.5392466, 12.245365, 0.22132296]),
        (2, [-69.441633, -0.10820405, -75.272537, -0.048789732]),
    ],
)
def test_polygamma_of_negative_numbers(order, expected):
    x = dc.tensor([-0.7, -2.5, 0.3, 5.0], dtype=dc.float64)
    found = dc.polygamma(order, x)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_polygamma_is_the_slope_of_the_one_before(order):
    x = dc.tensor([-0.7, -1.3, -2.6, 0.4], dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(lambda v: dc.polygamma(order, v), (x,), rtol=1e-4)


def test_polygamma_at_poles_and_of_large_order():
    assert dc.polygamma(1, dc.tensor([0.0, -1.0])).tolist() == [float("inf")] * 2
    assert dc.polygamma(2, dc.tensor([0.0, -1.0])).tolist() == [-float("inf")] * 2
    dc.polygamma(10**6, dc.tensor([1.0]))


def test_polygamma_as_a_method():
    x = dc.tensor([0.5, 2.0])
    expected = dc.polygamma(1, x).tolist()
    assert x.polygamma(1).tolist() == expected
    assert x.polygamma_(1) is x
    assert x.tolist() == expected
    with pytest.raises(RuntimeError, match="can't be cast"):
        dc.tensor([1]).polygamma_(1)
    with pytest.raises(RuntimeError, match="negative n"):
        x.polygamma(-1)


def test_polygamma_in_place_is_recorded():
    x = dc.tensor([0.5, 2.0], dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(lambda v: (v * 1).polygamma_(2), (x,))
