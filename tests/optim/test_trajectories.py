"""Ten steps of every optimizer in every configuration, against PyTorch's."""

import copy
import json
import math
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core.optim import _core, _fused

CASES = json.loads((Path(__file__).parent / "golden" / "optimizers.json").read_text())
each_case = pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: case["name"] + "-" + "-".join(map(str, case["options"].values())),
)


def start(dtype=None):
    values = [math.sin(i + 1) for i in range(5)]
    return [
        dc.tensor(part, dtype=dtype or dc.float64, requires_grad=True)
        for part in (values[:3], values[3:])
    ]


def set_gradients(params, step):
    values = [math.cos(1.7 * step + 0.9 * i) * (1 + 0.1 * i) for i in range(5)]
    for param, part in zip(params, (values[:3], values[3:]), strict=True):
        param.grad = dc.tensor(part, dtype=param.dtype)
    if step == 3:
        params[1].grad = None


def flat(params):
    return [x for param in params for x in param.tolist()]


def run(optimizer, params, steps):
    result = []
    for step in steps:
        set_gradients(params, step)
        optimizer.step()
        result.append(flat(params))
    return result


def assert_near(got, expected, tolerance):
    for mine, theirs in zip(got, expected, strict=True):
        assert mine == pytest.approx(theirs, rel=tolerance, abs=tolerance)


@each_case
def test_trajectory(case):
    params = start()
    optimizer = getattr(dc.optim, case["name"])(params, **case["options"])
    assert_near(run(optimizer, params, range(10)), case["trajectory"], 1e-10)


@each_case
def test_the_plain_formulas_give_the_same(case):
    params = start()
    optimizer = getattr(dc.optim, case["name"])(params, **case["options"])
    optimizer.param_groups[0]["fused"] = False
    assert_near(run(optimizer, params, range(10)), case["trajectory"], 1e-10)


@each_case
def test_trajectory_in_float32_and_with_tensor_lr(case):
    params = start(dc.float32)
    options = {**case["options"], "lr": dc.tensor([case["options"]["lr"]])}
    optimizer = getattr(dc.optim, case["name"])(params, **options)
    assert_near(run(optimizer, params, range(10)), case["trajectory"], 1e-4)


@each_case
def test_continues_from_a_state_dict(case):
    make = getattr(dc.optim, case["name"])
    params = start()
    first = make(params, **case["options"])
    run(first, params, range(5))
    saved = copy.deepcopy(first.state_dict())
    second = make(params, lr=0.7)
    second.load_state_dict(saved)
    assert_near(run(second, params, range(5, 10)), case["trajectory"][5:], 1e-10)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
        ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
        ("AdamW", {"maximize": True}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
    ],
)
def test_a_complex_parameter_moves_like_its_two_real_parts(name, options):
    values = [[0.3, -1.2], [2.0, 0.7]]
    real = dc.tensor(values, dtype=dc.float64, requires_grad=True)
    whole = dc.view_as_complex(dc.tensor(values, dtype=dc.float64)).requires_grad_()
    ours = getattr(dc.optim, name)([whole], lr=0.05, **options)
    theirs = getattr(dc.optim, name)([real], lr=0.05, **options)
    for step in range(5):
        grad = dc.tensor([[math.cos(step), 0.2], [math.sin(step), -0.4]], dtype=dc.float64)
        real.grad, whole.grad = grad, dc.view_as_complex(grad.clone())
        ours.step()
        theirs.step()
    assert flat(dc.view_as_real(whole.detach())) == pytest.approx(flat(real.detach()), rel=1e-10)


def calls_of(monkeypatch):
    calls = []

    def operator(name):
        def step(*lists, **hyper):
            calls.append((name, [column and len(column) for column in lists], hyper))
            _core.step_body(name)(*lists, **hyper)

        return step

    monkeypatch.setattr(_fused, "step_operator", operator)
    return calls


@pytest.mark.parametrize(
    ("name", "options", "lengths"),
    [
        ("SGD", {}, [2, 2, None]),
        ("SGD", {"momentum": 0.9}, [2, 2, 2]),
        ("Adam", {}, [2, 2, 2, 2, None]),
        ("AdamW", {"amsgrad": True}, [2, 2, 2, 2, 2]),
        ("RMSprop", {}, [2, 2, 2, None, None]),
        ("RMSprop", {"momentum": 0.9, "centered": True}, [2, 2, 2, 2, 2]),
    ],
)
def test_a_group_is_one_call_with_plain_numbers(monkeypatch, name, options, lengths):
    calls = calls_of(monkeypatch)
    params = start()
    optimizer = getattr(dc.optim, name)(params, lr=dc.tensor(0.1), **options)
    run(optimizer, params, range(2))
    operator = {"SGD": "sgd_step_", "RMSprop": "rmsprop_step_"}.get(name, "adam_step_")
    assert [call[:2] for call in calls] == [(operator, lengths)] * 2
    for _, _, hyper in calls:
        numbers = [*hyper.pop("steps", []), *hyper.values()]
        assert all(type(value) in (int, float, bool) for value in numbers)


def test_dtypes_are_not_mixed_in_a_call(monkeypatch):
    calls = calls_of(monkeypatch)
    params = [start(dc.float32)[0], *start(dc.float64)[1:]]
    run(dc.optim.Adam(params), params, range(1))
    assert [call[1][0] for call in calls] == [1, 1]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", {"weight_decay": 0.1}),
        ("AdamW", {}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
    ],
)
def test_differentiable_steps_have_the_gradient_of_differences(name, options):
    def loss(value, lr):
        first = dc.tensor(value, dtype=dc.float64, requires_grad=True)
        rate = dc.tensor(lr, dtype=dc.float64, requires_grad=True)
        param = first.clone()
        optimizer = getattr(dc.optim, name)([param], lr=rate, differentiable=True, **options)
        for _ in range(3):
            param.grad = param.clone() ** 2
            optimizer.step()
        return (param**3).sum(), first, rate

    result, first, rate = loss([1.0, 2.0], 0.1)
    got_first, got_rate = dc.autograd.grad(result, [first, rate])
    step = 1e-6
    by_rate = loss([1.0, 2.0], 0.1 + step)[0] - loss([1.0, 2.0], 0.1 - step)[0]
    assert got_rate.item() == pytest.approx(by_rate.item() / (2 * step), rel=1e-5)
    by_first = loss([1.0 + step, 2.0], 0.1)[0] - loss([1.0 - step, 2.0], 0.1)[0]
    assert got_first.tolist()[0] == pytest.approx(by_first.item() / (2 * step), rel=1e-5)


def test_capturable_counts_on_the_device_and_agrees():
    results = []
    for capturable in (False, True):
        params = start()
        optimizer = dc.optim.Adam(params, lr=0.05, capturable=capturable)
        run(optimizer, params, range(5))
        results.append(flat(params))
    assert results[0] == pytest.approx(results[1], rel=1e-4)
