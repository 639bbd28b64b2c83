"""LBFGS against PyTorch's, call by call, and the line search by itself."""

import copy
import json
import math
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core.optim._line_search import Point, cubic_minimum, strong_wolfe
from tests.optim.test_trajectories import built, flat, named, start

CASES = json.loads((Path(__file__).parent / "golden" / "lbfgs.json").read_text())
each_case = pytest.mark.parametrize("case", CASES, ids=named)


def valley(params):
    x = dc.cat([dc.view_as_real(p) if p.is_complex() else p for p in params]).reshape(-1)
    return ((x - 1) ** 4).sum() + (x[0] * x[1:]).sum() + (x**2).sum()


def run(optimizer, params, steps):
    def closure():
        optimizer.zero_grad()
        loss = valley(params)
        loss.backward()
        return loss

    return [[optimizer.step(closure).item(), *flat(params)] for _ in steps]


def assert_near(got, expected):
    for mine, theirs in zip(got, expected, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-8)


@each_case
def test_trajectory(case):
    params = start(case)
    optimizer = dc.optim.LBFGS(params, **case["options"])
    assert_near(run(optimizer, params, range(5)), case["trajectory"][:5])
    mine, theirs = optimizer.state_dict()["state"][0], case["saved"]["state"]["0"]
    assert sorted(mine) == sorted(theirs)
    assert [mine[key] for key in ("func_evals", "n_iter")] == [
        theirs[key] for key in ("func_evals", "n_iter")
    ]
    assert [len(mine[key]) for key in ("old_dirs", "old_stps", "ro")] == [
        len(theirs[key]) for key in ("old_dirs", "old_stps", "ro")
    ]
    assert_near(run(optimizer, params, range(5)), case["trajectory"][5:])


@each_case
def test_continues_from_a_state_dict_of_pytorch(case):
    params = start(case)
    run(dc.optim.LBFGS(params, **case["options"]), params, range(5))
    optimizer = dc.optim.LBFGS(params)
    optimizer.load_state_dict(built(case["saved"]))
    assert_near(run(optimizer, params, range(5)), case["trajectory"][5:])


def test_continues_from_its_own_state_dict():
    case = CASES[1]
    params = start(case)
    first = dc.optim.LBFGS(params, **case["options"])
    run(first, params, range(5))
    second = dc.optim.LBFGS(params)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert_near(run(second, params, range(5)), case["trajectory"][5:])


def test_a_rate_may_be_a_tensor_and_parameters_float32():
    case = CASES[4]
    params = start(case, dc.float32)
    optimizer = dc.optim.LBFGS(params, lr=dc.tensor(1.0), **case["options"])
    for mine, theirs in zip(run(optimizer, params, range(3)), case["trajectory"], strict=False):
        assert mine == pytest.approx(theirs, abs=1e-3)


def test_nothing_moves_where_the_gradient_vanishes():
    param = dc.zeros(2, requires_grad=True)
    optimizer = dc.optim.LBFGS([param])

    def closure():
        optimizer.zero_grad()
        loss = (param**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0
    assert optimizer.state_dict()["state"] == {0: {"func_evals": 1, "n_iter": 0}}


def test_a_parameter_without_gradient_stays():
    used, unused = (dc.ones(2, requires_grad=True) for _ in range(2))
    optimizer = dc.optim.LBFGS([used, unused])

    def closure():
        optimizer.zero_grad()
        loss = (used**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert unused.tolist() == [1, 1]
    assert used.tolist() == pytest.approx([0, 0], abs=1e-5)


def test_what_it_refuses():
    a, b = (dc.ones(2, requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        dc.optim.LBFGS([{"params": [a]}, {"params": [b]}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        dc.optim.LBFGS([a], lr=-1)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        dc.optim.LBFGS([a], lr=dc.ones(2))
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        dc.optim.LBFGS([a], line_search_fn="golden").step(lambda: a.sum())
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'closure'"):
        dc.optim.LBFGS([a]).step()


# ---------------------------------------------------------------- line search


def searched(function, derivative, first, rounds=25):
    seen = []

    def evaluate(t):
        seen.append(t)
        return Point(t, function(t), dc.zeros(1), derivative(t))

    start = Point(0.0, function(0.0), dc.zeros(1), derivative(0.0))
    found, calls = strong_wolfe(evaluate, start, first, 1.0, 1e-9, rounds)
    assert calls == len(seen)
    return start, found, calls


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
        (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
        (lambda t: math.cos(t) + 0.05 * t, lambda t: 0.05 - math.sin(t) - 1e-3),
    ],
)
def test_what_is_found_satisfies_the_conditions(function, derivative, first):
    start, found, _ = searched(function, derivative, first)
    if start.slope < 0:
        assert found.loss <= start.loss + 1e-4 * found.t * start.slope
        assert abs(found.slope) <= 0.9 * abs(start.slope)


def test_a_search_without_rounds_goes_nowhere_or_takes_the_first():
    _, found, calls = searched(lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3), 100.0, 0)
    assert (found.t, calls) == (0.0, 1)


def test_the_cubic_through_two_points():
    def at(t):  # t^3 - 3 t, whose minimum is at 1
        return Point(t, t**3 - 3 * t, dc.zeros(1), 3 * t**2 - 3)

    assert cubic_minimum(at(0.5), at(3.0), (0.5, 3.0)) == pytest.approx(1)
    assert cubic_minimum(at(3.0), at(0.5), (0.5, 3.0)) == pytest.approx(1)
    assert cubic_minimum(at(0.5), at(3.0), (2.0, 3.0)) == 2
    flat = Point(0.0, 0.0, dc.zeros(1), 1.0), Point(1.0, 1.0, dc.zeros(1), 1.0)
    assert cubic_minimum(*flat, (0.0, 1.0)) == 0.5
