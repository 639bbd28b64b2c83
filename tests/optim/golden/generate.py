"""Writes the trajectories that the tests compare with; needs PyTorch 2.13, which the tests do not.

python tests/optim/golden/generate.py
"""

import itertools
import json
import math
from pathlib import Path

import torch

HERE = Path(__file__).parent
STEPS = 10


def start() -> list[torch.Tensor]:
    """Two parameters, of three and of two elements, in float64."""
    values = [math.sin(i + 1) for i in range(5)]
    return [
        torch.tensor(part, dtype=torch.float64, requires_grad=True)
        for part in (values[:3], values[3:])
    ]


def gradient(step: int) -> list[list[float] | None]:
    """The gradients of a step; the second parameter has none in step 3."""
    values = [math.cos(1.7 * step + 0.9 * i) * (1 + 0.1 * i) for i in range(5)]
    return [values[:3], None if step == 3 else values[3:]]


def options(**axes):
    """All combinations of the given values."""
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*axes.values())]


def optimizer_cases():
    """(class name, options) of each trajectory."""
    for case in options(
        momentum=[0, 0.9],
        dampening=[0, 0.3],
        weight_decay=[0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    ):
        if not (case["nesterov"] and (case["momentum"] == 0 or case["dampening"])):
            yield "SGD", {"lr": 0.05, **case}
    for name in ("Adam", "AdamW"):
        for case in options(weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True]):
            yield name, {"lr": 0.05, **case}
        yield name, {"lr": 0.05, "betas": [0.7, 0.8], "eps": 0.001}
    for case in options(momentum=[0, 0.9], weight_decay=[0, 0.1], centered=[False, True]):
        yield "RMSprop", {"lr": 0.01, **case}
    yield "RMSprop", {"lr": 0.01, "alpha": 0.5, "eps": 0.001, "maximize": True}


def trajectory(name: str, given: dict) -> list[list[float]]:
    """All five numbers after each step."""
    params = start()
    optimizer = getattr(torch.optim, name)(params, **given)
    result = []
    for step in range(STEPS):
        for param, grad in zip(params, gradient(step), strict=True):
            param.grad = None if grad is None else torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
        result.append([float(f"{x:.15g}") for param in params for x in param.tolist()])
    return result


SCHEDULES = [
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 7, 7, 20], "gamma": 0.3}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.25, "total_iters": 7}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 12}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"total_iters": 20, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 30}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.3,
            "epochs": 3,
            "steps_per_epoch": 10,
            "anneal_strategy": "linear",
            "three_phase": True,
            "pct_start": 0.25,
        },
    ),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 4,
            "step_size_down": 6,
            "mode": "triangular2",
        },
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3, "mode": "exp_range", "gamma": 0.95},
    ),
]


def schedule(name: str, given: dict) -> list[list[float]]:
    """(learning rate, momentum) in each of thirty epochs."""
    optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.05, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **given)
    result = []
    for _ in range(30):
        group = optimizer.param_groups[0]
        result.append([group["lr"], group["momentum"]])
        optimizer.step()
        scheduler.step()
    return result


def write(name: str, cases: list[dict]) -> None:
    """One case a line."""
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    write(
        "optimizers.json",
        [
            {"name": name, "options": given, "trajectory": trajectory(name, given)}
            for name, given in optimizer_cases()
        ],
    )
    write(
        "schedules.json",
        [
            {"name": name, "options": given, "rates": schedule(name, given)}
            for name, given in SCHEDULES
        ],
    )
