"""Ten steps of every optimizer in every configuration, against PyTorch's."""

import copy
import functools
import inspect
import itertools
import json
import math
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core.optim import _core, _fused

CASES = json.loads((Path(__file__).parent / "golden" / "optimizers.json").read_text())
REAL = [case for case in CASES if case["dtype"] == "float64"]
IN_FLOAT32 = {"ASGD", "NAdam"}
"""Optimizers with numbers in their state that PyTorch keeps as float32."""


def named(case):
    return case["name"] + "-" + "-".join(map(str, case["options"].values()))


each_case = pytest.mark.parametrize("case", CASES, ids=named)
each_real_case = pytest.mark.parametrize("case", REAL, ids=named)


def split(values, shapes, dtype):
    whole = dc.tensor(values, dtype=dc.float64)
    if dtype.is_complex:
        whole = dc.complex(whole, 0.7 * whole.flip(0))
    parts = whole.split([math.prod(shape) for shape in shapes])
    return [
        part.reshape(shape).clone().to(dtype) for part, shape in zip(parts, shapes, strict=True)
    ]


def start(case=REAL[0], dtype=None):
    count = sum(map(math.prod, case["shapes"]))
    values = [math.sin(i + 1) for i in range(count)]
    parts = split(values, case["shapes"], dtype or getattr(dc, case["dtype"]))
    return [part.requires_grad_() for part in parts]


def set_gradients(params, step):
    shapes = [list(param.shape) for param in params]
    count = sum(map(math.prod, shapes))
    values = [math.cos(1.7 * step + 0.9 * i) * (1 + 0.1 * i) for i in range(count)]
    for param, part in zip(params, split(values, shapes, params[0].dtype), strict=True):
        param.grad = part.to(param.dtype)
    if step == 3:
        params[1].grad = None


def flat(params):
    real = [dc.view_as_real(p.detach()) if p.is_complex() else p for p in params]
    return [x for param in real for x in param.flatten().tolist()]


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


def tolerance(case):
    return 1e-7 if case["name"] in IN_FLOAT32 else 1e-10


def make(case, params, **options):
    return getattr(dc.optim, case["name"])(params, **{**case["options"], **options})


@each_case
def test_trajectory(case):
    params = start(case)
    assert_near(run(make(case, params), params, range(10)), case["trajectory"], tolerance(case))


@each_case
def test_the_plain_formulas_give_the_same(case):
    params = start(case)
    optimizer = make(case, params)
    optimizer.param_groups[0]["fused"] = False
    assert_near(run(optimizer, params, range(10)), case["trajectory"], tolerance(case))


def takes(case, option):
    return option in inspect.signature(getattr(dc.optim, case["name"])).parameters


@pytest.mark.parametrize(
    ("case", "option"),
    [
        pytest.param(case, option, id=f"{named(case)}-{option}")
        for case in CASES
        for option in ("foreach", "capturable", "differentiable", "fused")
        if takes(case, option) and (option, case["dtype"]) != ("fused", "complex128")
    ],
)
def test_options_that_do_not_change_results(case, option):
    params = start(case)
    if option == "differentiable":  # leaves that require gradients could not be written
        params = [param.detach() for param in params]
    optimizer = make(case, params, **{option: True})
    close = tolerance(case) if option != "capturable" else 1e-4  # counts in float32
    assert_near(run(optimizer, params, range(10)), case["trajectory"], close)


@each_real_case
def test_trajectory_in_float32_and_with_tensor_lr(case):
    params = start(case, dc.float32)
    optimizer = make(case, params, lr=dc.tensor([case["options"]["lr"]]))
    assert_near(run(optimizer, params, range(10)), case["trajectory"], 1e-4)


@each_case
def test_continues_from_a_state_dict(case):
    params = start(case)
    first = make(case, params)
    run(first, params, range(5))
    saved = copy.deepcopy(first.state_dict())
    second = getattr(dc.optim, case["name"])(params, lr=0.7)
    second.load_state_dict(saved)
    assert_near(run(second, params, range(5, 10)), case["trajectory"][5:], tolerance(case))


def built(value):
    if isinstance(value, list):
        return [built(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "elements" not in value:
        return {int(k) if k.isdigit() else k: built(each) for k, each in value.items()}
    dtype = getattr(dc, value["dtype"])
    real = dc.tensor(value["elements"], dtype=dtype.to_real())
    if dtype.is_complex:
        real = dc.view_as_complex(real.reshape(-1, 2))
    return real.reshape(value["shape"])


def layout(saved):
    state = {
        index: {key: (list(x.shape), x.dtype) for key, x in entry.items()}
        for index, entry in saved["state"].items()
    }
    return state, [list(group) for group in saved["param_groups"]]


@each_case
def test_continues_from_a_state_dict_of_pytorch(case):
    params = start(case)
    optimizer = make(case, params)
    run(optimizer, params, range(5))
    saved = built(case["saved"])
    assert layout(optimizer.state_dict()) == layout(saved)
    optimizer = getattr(dc.optim, case["name"])(params, lr=0.7)
    optimizer.load_state_dict(saved)
    assert_near(run(optimizer, params, range(5, 10)), case["trajectory"][5:], tolerance(case))


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
        ("ASGD", {}, [2, 2, 2]),
        ("Adadelta", {}, [2, 2, 2, 2]),
        ("Adafactor", {}, [2, 2, None, None, 2]),
        ("Adagrad", {}, [2, 2, 2]),
        ("Adamax", {}, [2, 2, 2, 2]),
        ("NAdam", {}, [2, 2, 2, 2]),
        ("RAdam", {}, [2, 2, 2, 2]),
        ("Rprop", {}, [2, 2, 2, 2]),
    ],
)
def test_a_group_is_one_call_with_plain_numbers(monkeypatch, name, options, lengths):
    calls = calls_of(monkeypatch)
    params = start()
    optimizer = getattr(dc.optim, name)(params, lr=dc.tensor(0.1), **options)
    run(optimizer, params, range(2))
    operator = f"{name.lower()}_step_".replace("adamw", "adam")
    # From where their state is, the two are one vector, unless each has numbers of its own.
    packed = [n and 1 for n in lengths] if optimizer._takes_vectors and lengths[2] else lengths
    first = packed if name == "Adagrad" else lengths
    assert [call[:2] for call in calls] == [(operator, first), (operator, packed)]
    for _, _, hyper in calls:
        rows = [hyper.pop(name, []) for name in ("steps", "etas", "mus", "mu_products")]
        numbers = [*itertools.chain(*rows), *hyper.values()]
        assert all(type(value) in (int, float, bool) for value in numbers)


def test_dtypes_are_not_mixed_in_a_call(monkeypatch):
    calls = calls_of(monkeypatch)
    params = [start(dtype=dc.float32)[0], *start()[1:]]
    run(dc.optim.Adam(params), params, range(1))
    assert [call[1][0] for call in calls] == [1, 1]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", {"weight_decay": 0.1}),
        ("AdamW", {}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
        ("ASGD", {"weight_decay": 0.1, "t0": 1}),
        ("Adadelta", {}),
        ("Adagrad", {"lr_decay": 0.1}),
        ("Adamax", {"weight_decay": 0.1}),
        ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
        ("RAdam", {"betas": (0.5, 0.9)}),
    ],
)
def test_differentiable_steps_have_the_gradient_of_differences(request, name, options):
    request.addfinalizer(functools.partial(dc.set_default_dtype, dc.get_default_dtype()))
    dc.set_default_dtype(dc.float64)  # in which the numbers of the state are kept

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
