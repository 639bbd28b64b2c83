"""Thirty epochs of every schedule against PyTorch's, and what schedules share."""

import copy
import json
from pathlib import Path

import pytest

import dispatch_core as dc

CASES = json.loads((Path(__file__).parent / "golden" / "schedules.json").read_text())
each_case = pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: case["name"] + "-" + "-".join(map(str, case["options"].values())),
)
lrs = dc.optim.lr_scheduler


def sgd(lr=0.05, **options):
    return dc.optim.SGD([dc.zeros(2, requires_grad=True)], lr=lr, momentum=0.9, **options)


def rates(optimizer, scheduler, epochs, *metrics):
    result = []
    for _ in range(epochs):
        result.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step(*metrics)
    return result


def make(case, optimizer):
    module = dc.optim.swa_utils if case["name"] == "SWALR" else lrs
    return getattr(module, case["name"])(optimizer, **case["options"])


@each_case
def test_schedule(case):
    optimizer = sgd()
    scheduler = make(case, optimizer)
    for lr, momentum in case["rates"]:
        group = optimizer.param_groups[0]
        assert group["lr"] == pytest.approx(lr, rel=1e-12)
        assert group["momentum"] == pytest.approx(momentum, rel=1e-12)
        assert scheduler.get_last_lr() == [group["lr"]]
        optimizer.step()
        scheduler.step()


@each_case
def test_a_tensor_rate_is_filled_in_place(case):
    rate = dc.tensor(0.05, dtype=dc.float64)
    optimizer = sgd(rate)
    got = rates(optimizer, make(case, optimizer), 30)
    assert got == pytest.approx([lr for lr, _ in case["rates"]], rel=1e-9)
    assert optimizer.param_groups[0]["lr"] is rate


@each_case
def test_continues_from_state_dicts(case):
    optimizer = sgd()
    scheduler = make(case, optimizer)
    rates(optimizer, scheduler, 7)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    optimizer = sgd(0.7)
    scheduler = make(case, optimizer)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    got = rates(optimizer, scheduler, 23)
    assert got == pytest.approx([lr for lr, _ in case["rates"][7:]], rel=1e-12)


def test_state_dict_keys_are_pytorchs():
    assert sorted(lrs.StepLR(sgd(), 3).state_dict()) == [
        "_get_lr_called_within_step",
        "_is_initial",
        "_last_lr",
        "_step_count",
        "base_lrs",
        "gamma",
        "last_epoch",
        "step_size",
    ]


# ---------------------------------------------------------------- given functions


def test_functions_of_the_epoch():
    optimizer = sgd(1.0)
    assert rates(optimizer, lrs.LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1)), 3) == [
        1.0,
        1 / 2,
        1 / 3,
    ]
    optimizer = sgd(1.0)
    scheduler = lrs.MultiplicativeLR(optimizer, [lambda epoch: 0.5])
    assert rates(optimizer, scheduler, 3) == [1.0, 0.5, 0.25]


class Factor:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, epoch):
        return self.factor**epoch


def test_callable_objects_are_saved_and_functions_are_not():
    scheduler = lrs.LambdaLR(sgd(), Factor(0.5))
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"factor": 0.5}]
    other = lrs.LambdaLR(sgd(), Factor(0.1))
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].factor == 0.5
    assert lrs.LambdaLR(sgd(), lambda epoch: 1).state_dict()["lr_lambdas"] == [None]

    cyclic = lrs.CyclicLR(sgd(), 0.1, 1.0, 3, scale_fn=Factor(0.5), scale_mode="iterations")
    saved = cyclic.state_dict()
    assert saved["_scale_fn_custom"] == {"factor": 0.5}
    other = lrs.CyclicLR(sgd(), 0.1, 1.0, 3, scale_fn=Factor(0.1))
    other.load_state_dict(saved)
    assert other.scale_fn(2) == 0.25


def test_bad_functions():
    with pytest.raises(ValueError, match="Expected 1 lr_lambdas, but got 2"):
        lrs.LambdaLR(sgd(), [abs, abs])
    with pytest.raises(TypeError, match="lr_lambda should be a function, but got int"):
        lrs.MultiplicativeLR(sgd(), 3)


# ---------------------------------------------------------------- plateau


def test_plateau_waits_cools_down_and_stops_at_the_minimum():
    optimizer = sgd(1.0)
    scheduler = lrs.ReduceLROnPlateau(
        optimizer, factor=0.1, patience=1, cooldown=1, min_lr=0.05, threshold=0.1
    )
    seen = []
    for metric in (1.0, 0.95, 0.94, 0.93, 0.92, 0.93, 0.91, 0.92, 0.5, 0.5):
        scheduler.step(metric)
        seen.append(scheduler.get_last_lr()[0])
    assert seen == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05])
    other = lrs.ReduceLROnPlateau(sgd())
    other.load_state_dict(scheduler.state_dict())
    assert (other.best, other.patience) == (0.5, 1)


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "metric", "better"),
    [
        ("min", "rel", 9.5, True),
        ("min", "rel", 9.95, False),
        ("min", "abs", 9.5, True),
        ("max", "rel", 10.05, False),
        ("max", "abs", 10.5, True),
    ],
)
def test_plateau_modes(mode, threshold_mode, metric, better):
    scheduler = lrs.ReduceLROnPlateau(
        sgd(), mode, threshold=0.01, threshold_mode=threshold_mode, patience=5
    )
    scheduler.step(10.0)
    scheduler.step(dc.tensor(metric))
    assert scheduler.num_bad_epochs == (0 if better else 1)


# ---------------------------------------------------------------- combinations


def test_one_schedule_after_the_other():
    optimizer = sgd(1.0)
    warmup = lrs.ConstantLR(optimizer, 0.1, 2)
    decay = lrs.ExponentialLR(optimizer, 0.5)
    scheduler = lrs.SequentialLR(optimizer, [warmup, decay], [3])
    assert rates(optimizer, scheduler, 6) == pytest.approx([0.1, 0.1, 1.0, 1.0, 0.5, 0.25])
    saved = copy.deepcopy(scheduler.state_dict())
    optimizer = sgd(0.25 / 2)
    pair = [lrs.ConstantLR(optimizer, 0.1, 2), lrs.ExponentialLR(optimizer, 0.5)]
    other = lrs.SequentialLR(optimizer, pair, [3])
    other.load_state_dict(saved)
    assert (other.last_epoch, other.get_last_lr()) == (6, [0.125])


def test_schedules_at_once():
    optimizer = sgd(1.0)
    pair = [lrs.ConstantLR(optimizer, 0.1, 2), lrs.ExponentialLR(optimizer, 0.5)]
    scheduler = lrs.ChainedScheduler(pair)
    assert rates(optimizer, scheduler, 4) == pytest.approx([0.1, 0.05, 0.25, 0.125])
    assert [state["last_epoch"] for state in scheduler.state_dict()["_schedulers"]] == [4, 4]


def test_combinations_that_cannot_be():
    optimizer = sgd()
    one = lrs.StepLR(optimizer, 3)
    with pytest.raises(ValueError, match="at least one scheduler"):
        lrs.SequentialLR(optimizer, [], [])
    with pytest.raises(ValueError, match="one more than the number of milestone points"):
        lrs.SequentialLR(optimizer, [one], [3])
    with pytest.raises(ValueError, match="belong to the same optimizer"):
        lrs.ChainedScheduler([one, lrs.StepLR(sgd(), 3)])
    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        lrs.ChainedScheduler([one, lrs.ReduceLROnPlateau(optimizer)])
    with pytest.raises(TypeError, match="should have `optimizer` as its attribute"):
        lrs.ChainedScheduler([one, 3])


# ---------------------------------------------------------------- the base


def test_schedules_step_after_optimizers():
    scheduler = lrs.StepLR(sgd(), 3)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before"):
        scheduler.step()
    optimizer = sgd()
    scheduler = lrs.StepLR(optimizer, 3)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden"):
        scheduler.step()


def test_an_epoch_uses_the_closed_form():
    optimizer = sgd(1.0)
    scheduler = lrs.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(5)
    assert scheduler.get_last_lr() == [1 / 32]


def test_get_lr_is_not_for_users():
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        lrs.ExponentialLR(sgd(), 0.5).get_lr()


def test_resuming_needs_the_initial_rates():
    with pytest.raises(KeyError, match="initial_lr"):
        lrs.StepLR(sgd(), 3, last_epoch=4)
    optimizer = sgd(1.0)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    scheduler = lrs.LambdaLR(optimizer, lambda epoch: epoch, last_epoch=4)
    assert scheduler.get_last_lr() == [5.0]


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("ConstantLR", {"factor": 2.0}, ValueError, "between 0 and 1"),
        ("LinearLR", {"start_factor": 0.0}, ValueError, "greater than 0"),
        ("LinearLR", {"end_factor": 2.0}, ValueError, "between 0 and 1"),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}, ValueError, "positive integer T_0"),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 1.5}, ValueError, "T_mult >= 1"),
        ("ReduceLROnPlateau", {"factor": 1.0}, ValueError, "Factor should be < 1.0"),
        ("ReduceLROnPlateau", {"mode": "mid"}, ValueError, "mode mid is unknown"),
        ("ReduceLROnPlateau", {"min_lr": [1, 2]}, ValueError, "expected 1 min_lrs, got 2"),
        ("OneCycleLR", {"max_lr": 1}, ValueError, "either total_steps OR"),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 0}, ValueError, "positive integer total_steps"),
        ("OneCycleLR", {"max_lr": [1, 2], "total_steps": 3}, ValueError, "same length"),
        (
            "OneCycleLR",
            {"max_lr": 1, "total_steps": 3, "anneal_strategy": "x"},
            ValueError,
            "anneal_strategy must be one of",
        ),
        ("CyclicLR", {"base_lr": 1, "max_lr": 2, "mode": "x"}, ValueError, "mode is invalid"),
    ],
)
def test_bad_options(name, options, error, message):
    with pytest.raises(error, match=message):
        getattr(lrs, name)(sgd(), **options)


def test_schedules_want_an_optimizer():
    for schedule in (
        lambda: lrs.StepLR(3, 1),
        lambda: lrs.CyclicLR(3, 1, 2),
        lambda: lrs.OneCycleLR(3, 1, 2),
        lambda: lrs.ReduceLROnPlateau(3),
    ):
        with pytest.raises(TypeError, match="int is not an Optimizer"):
            schedule()


def test_momentum_is_cycled_only_where_there_is_one():
    param = dc.zeros(2, requires_grad=True)
    adam = dc.optim.Adam([param])
    lrs.OneCycleLR(adam, 1.0, 10)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)

    class Bare(dc.optim.Optimizer):
        def step(self, closure=None):
            return None

    bare = Bare([param], {"lr": 0.1})
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        lrs.CyclicLR(bare, 0.1, 1.0)


def test_a_planned_length_is_not_exceeded():
    optimizer = sgd()
    scheduler = lrs.OneCycleLR(optimizer, 1.0, total_steps=2)
    rates(optimizer, scheduler, 2)
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        scheduler.step()
