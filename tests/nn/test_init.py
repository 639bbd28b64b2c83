"""Initial values: what they are, how they are spread, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core.nn import init


def spread(tensor: Any) -> tuple[float, float, float]:
    """Mean, standard deviation and largest absolute value."""
    return tensor.mean().item(), tensor.std().item(), tensor.abs().max().item()


def test_constants() -> None:
    assert (init.constant_(dc.empty(2, 3), 4.0) == 4).all()
    assert (init.ones_(dc.empty(2)) == 1).all()
    assert (init.zeros_(dc.ones(2)) == 0).all()
    assert init.eye_(dc.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_dirac_passes_channels_through() -> None:
    weight = init.dirac_(dc.empty(4, 2, 3), groups=2)
    assert weight.sum() == 4
    assert all(weight[i, i % 2, 1] == 1 for i in range(4))
    assert init.dirac_(dc.empty(2, 3, 3, 3)).sum() == 2


def test_values_are_changed_in_place_and_not_recorded() -> None:
    weight = dc.empty(3, 3, requires_grad=True)
    assert init.normal_(weight) is weight
    assert weight.is_leaf


@pytest.mark.parametrize(
    ("fill", "std", "bound"),
    [
        (lambda w: init.uniform_(w, -3.0, 3.0), 6 / math.sqrt(12), 3.0),
        (lambda w: init.normal_(w, 0.0, 2.0), 2.0, None),
        (lambda w: init.trunc_normal_(w, std=0.5, a=-9.0, b=9.0), 0.5, 9.0),
        (lambda w: init.trunc_normal_(w, a=-0.1, b=0.1), 0.2 / math.sqrt(12), 0.1),
        (lambda w: init.xavier_uniform_(w, gain=2.0), 2 * math.sqrt(2 / 300), None),
        (lambda w: init.xavier_normal_(w), math.sqrt(2 / 300), None),
        (lambda w: init.kaiming_uniform_(w, mode="fan_out"), math.sqrt(2 / (1 + 1e-4) / 200), None),
        (lambda w: init.kaiming_normal_(w, nonlinearity="relu"), math.sqrt(2 / 100), None),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), math.sqrt(1 / 3 / 100), 0.1),
    ],
)
def test_distributions(fill: Any, std: float, bound: float | None) -> None:
    dc.manual_seed(0)
    mean, deviation, largest = spread(fill(dc.empty(200, 100)))
    assert abs(mean) < 5 * std / math.sqrt(20000)
    assert deviation == pytest.approx(std, rel=0.05)
    assert bound is None or largest <= bound


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    weight = init.orthogonal_(dc.empty(shape), gain=2.0).reshape(shape[0], -1)
    product = weight @ weight.t() if weight.shape[0] < weight.shape[1] else weight.t() @ weight
    assert (product - 4 * dc.eye(len(product))).abs().max().item() < 1e-4


def test_sparse() -> None:
    weight = init.sparse_(dc.empty(10, 5), sparsity=0.35)
    assert ((weight == 0).sum(0) == 4).all()


def test_generator_makes_values_repeatable() -> None:
    fills = [init.uniform_, init.normal_, init.trunc_normal_, init.orthogonal_]
    fills += [init.xavier_normal_, init.kaiming_uniform_]
    for fill in fills:
        first, second = (
            fill(dc.empty(3, 4), generator=dc.Generator().manual_seed(7)) for _ in range(2)
        )
        assert (first == second).all()


def test_gains() -> None:
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    with pytest.raises(ValueError, match="Unsupported nonlinearity nothing"):
        init.calculate_gain("nothing")
    with pytest.raises(ValueError, match="not a valid number"):
        init.calculate_gain("leaky_relu", "x")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: init.eye_(dc.empty(3)), "2 dimensions"),
        (lambda: init.dirac_(dc.empty(3)), "3, 4, or 5 dimensions"),
        (lambda: init.dirac_(dc.empty(3, 2, 2), groups=2), "divisible by groups"),
        (lambda: init.xavier_normal_(dc.empty(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(dc.empty(3, 3), mode="x"), "Mode x not supported"),
        (lambda: init.orthogonal_(dc.empty(3)), "2 or more dimensions"),
        (lambda: init.sparse_(dc.empty(3), 0.1), "2 dimensions"),
    ],
)
def test_mistakes(action: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action()


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(dc.empty(2), mean=9.0)
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(dc.empty(0, 3))
    with pytest.warns(FutureWarning, match="deprecated"):
        init.normal(dc.empty(2))
