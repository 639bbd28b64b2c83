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


SHAPES = [[3], [2]]
MATRICES = [[2, 3], [3, 1]]
MIXED = [[2, 3], [2], [2, 1, 2]]


def start(shapes: list[list[int]], dtype: torch.dtype) -> list[torch.Tensor]:
    """Parameters of these shapes, whose elements are the sines of 1, 2, 3 ..."""
    parts = split([math.sin(i + 1) for i in range(size(shapes))], shapes, dtype)
    return [part.requires_grad_() for part in parts]


def size(shapes: list[list[int]]) -> int:
    """The number of elements."""
    return sum(map(math.prod, shapes))


def split(values: list[float], shapes: list[list[int]], dtype: torch.dtype) -> list[torch.Tensor]:
    """Tensors of these shapes; the imaginary parts are the real ones in reverse order, times 0.7."""
    whole = torch.tensor(values, dtype=torch.float64)
    if dtype.is_complex:
        whole = torch.complex(whole, 0.7 * whole.flip(0))
    parts = whole.split([math.prod(shape) for shape in shapes])
    return [part.reshape(shape).clone() for part, shape in zip(parts, shapes, strict=True)]


def gradient(step: int, shapes: list[list[int]], dtype: torch.dtype) -> list[torch.Tensor | None]:
    """The gradients of a step; the second parameter has none in step 3."""
    values = [math.cos(1.7 * step + 0.9 * i) * (1 + 0.1 * i) for i in range(size(shapes))]
    found = split(values, shapes, dtype)
    if step == 3:
        found[1] = None
    return found


def options(**axes):
    """All combinations of the given values."""
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*axes.values())]


def optimizer_cases():
    """(class name, options, shapes) of each trajectory."""
    decay, maximize = {"weight_decay": [0, 0.1]}, {"maximize": [False, True]}
    decoupled = {"decoupled_weight_decay": [False, True]}
    for case in options(
        momentum=[0, 0.9],
        dampening=[0, 0.3],
        weight_decay=[0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    ):
        if not (case["nesterov"] and (case["momentum"] == 0 or case["dampening"])):
            yield "SGD", {"lr": 0.05, **case}, SHAPES
    for name in ("Adam", "AdamW"):
        for case in options(**decay, amsgrad=[False, True], **maximize):
            yield name, {"lr": 0.05, **case}, SHAPES
        yield name, {"lr": 0.05, "betas": [0.7, 0.8], "eps": 0.001}, SHAPES
    for case in options(momentum=[0, 0.9], **decay, centered=[False, True]):
        yield "RMSprop", {"lr": 0.01, **case}, SHAPES
    yield "RMSprop", {"lr": 0.01, "alpha": 0.5, "eps": 0.001, "maximize": True}, SHAPES
    for case in options(t0=[1e6, 4], **decay, **maximize):
        yield "ASGD", {"lr": 0.05, **case}, SHAPES
    yield "ASGD", {"lr": 0.5, "lambd": 0.1, "alpha": 0.5, "t0": 2}, SHAPES
    for case in options(**decay, **maximize):
        yield "Adadelta", {"lr": 1.0, **case}, SHAPES
        yield "Adamax", {"lr": 0.05, **case}, SHAPES
    yield "Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 0.001}, SHAPES
    yield "Adamax", {"lr": 0.05, "betas": [0.7, 0.8], "eps": 0.001}, SHAPES
    for case in options(lr_decay=[0, 0.1], **decay, **maximize):
        yield "Adagrad", {"lr": 0.05, **case}, SHAPES
    yield "Adagrad", {"lr": 0.05, "initial_accumulator_value": 0.3, "eps": 0.001}, SHAPES
    for case in options(**decay, **decoupled, **maximize):
        yield "NAdam", {"lr": 0.05, **case}, SHAPES
        yield "RAdam", {"lr": 0.05, **case}, SHAPES
    yield "NAdam", {"lr": 0.05, "betas": [0.7, 0.8], "eps": 0.001, "momentum_decay": 0.1}, SHAPES
    yield "RAdam", {"lr": 0.05, "betas": [0.7, 0.8], "eps": 0.001}, SHAPES
    yield "Rprop", {"lr": 0.05}, SHAPES
    yield "Rprop", {"lr": 0.05, "maximize": True}, SHAPES
    yield "Rprop", {"lr": 0.05, "etas": [0.3, 2.0], "step_sizes": [0.01, 0.08]}, SHAPES
    for case in options(**decay, **maximize):
        yield "Adafactor", {"lr": 0.05, **case}, MIXED
    given = {"lr": 0.5, "beta2_decay": -0.5, "eps": [0.01, 0.1], "d": 1.5}
    yield "Adafactor", given, MIXED
    for case in options(nesterov=[False, True], adjust_lr_fn=[None, "match_rms_adamw"]):
        yield "Muon", {"lr": 0.05, **case}, MATRICES
    given = {"lr": 0.05, "weight_decay": 0, "momentum": 0.5, "ns_steps": 3, "eps": 0.5}
    yield "Muon", {**given, "ns_coefficients": [3.0, -4.0, 2.0]}, MATRICES


def complex_cases():
    """The same for complex parameters."""
    yield "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}, SHAPES
    yield "Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}, SHAPES
    yield "AdamW", {"lr": 0.05, "maximize": True}, SHAPES
    yield "RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.9}, SHAPES
    yield "ASGD", {"lr": 0.05, "t0": 4, "weight_decay": 0.1}, SHAPES
    yield "Adadelta", {"lr": 1.0, "weight_decay": 0.1}, SHAPES
    yield "Adagrad", {"lr": 0.05, "initial_accumulator_value": 0.3}, SHAPES
    yield "Adamax", {"lr": 0.05, "weight_decay": 0.1}, SHAPES
    yield "NAdam", {"lr": 0.05, "weight_decay": 0.1}, SHAPES
    yield "RAdam", {"lr": 0.05, "weight_decay": 0.1}, SHAPES
    yield "Rprop", {"lr": 0.05, "maximize": True}, SHAPES


def numbers(tensors: list[torch.Tensor]) -> list[float]:
    """All elements, complex ones as two."""
    real = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    return [float(f"{x:.15g}") for t in real for x in t.detach().flatten().tolist()]


def plain(value):
    """Tensors as their dtype, shape and elements, so that JSON can hold a state dict."""
    if isinstance(value, torch.Tensor):
        elements = numbers([value])
        return {"dtype": str(value.dtype)[6:], "shape": list(value.shape), "elements": elements}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def trajectory(name: str, given: dict, shapes: list[list[int]], dtype: torch.dtype) -> dict:
    """All numbers after each step, and the state dict after the fifth."""
    params = start(shapes, dtype)
    optimizer = getattr(torch.optim, name)(params, **given)
    result, saved = [], None
    for step in range(STEPS):
        if step == STEPS // 2:
            saved = plain(optimizer.state_dict())
        for param, grad in zip(params, gradient(step, shapes, dtype), strict=True):
            param.grad = grad
        optimizer.step()
        result.append(numbers(params))
    kind = {"name": name, "options": given, "shapes": shapes, "dtype": str(dtype)[6:]}
    return {**kind, "trajectory": result, "saved": saved}


LBFGS_CASES = [
    ({}, torch.float64),
    ({"max_iter": 4}, torch.float64),
    ({"lr": 0.1, "max_iter": 4, "history_size": 2}, torch.float64),
    ({"lr": 0.5, "max_iter": 6, "tolerance_grad": 0.1, "tolerance_change": 0.01}, torch.float64),
    ({"line_search_fn": "strong_wolfe"}, torch.float64),
    ({"line_search_fn": "strong_wolfe", "max_iter": 2}, torch.float64),
    ({"line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 3}, torch.float64),
    ({"line_search_fn": "strong_wolfe", "lr": 5, "max_iter": 3, "history_size": 2}, torch.float64),
    ({"line_search_fn": "strong_wolfe", "lr": 0.01, "max_iter": 3}, torch.float64),
    ({"max_iter": 4}, torch.complex128),
    ({"line_search_fn": "strong_wolfe", "max_iter": 2}, torch.complex128),
]


def valley(params: list[torch.Tensor]) -> torch.Tensor:
    """Something to minimize that is not quadratic."""
    x = torch.cat([torch.view_as_real(p) if p.is_complex() else p for p in params]).reshape(-1)
    return ((x - 1) ** 4).sum() + (x[0] * x[1:]).sum() + (x**2).sum()


def minimized(given: dict, dtype: torch.dtype) -> dict:
    """(loss, all numbers) after each call of LBFGS, and its state dict after the fifth."""
    params = start(SHAPES, dtype)
    optimizer = torch.optim.LBFGS(params, **given)

    def closure():
        optimizer.zero_grad()
        loss = valley(params)
        loss.backward()
        return loss

    result, saved = [], None
    for step in range(STEPS):
        if step == STEPS // 2:
            saved = plain(optimizer.state_dict())
        loss = optimizer.step(closure).item()
        result.append([float(f"{loss:.15g}"), *numbers(params)])
    kind = {"name": "LBFGS", "options": given, "shapes": SHAPES, "dtype": str(dtype)[6:]}
    return {**kind, "trajectory": result, "saved": saved}


def rows_only(given: dict) -> dict:
    """A table of four rows under SparseAdam, whose gradients name rows, some twice."""
    (param,) = start([[4, 2]], torch.float64)
    optimizer = torch.optim.SparseAdam([param], **given)
    result = []
    for step in range(STEPS):
        rows = [step % 4, (2 * step + 1) % 4, step % 3]
        (values,) = split([math.cos(1.7 * step + i) for i in range(6)], [[3, 2]], torch.float64)
        param.grad = torch.sparse_coo_tensor([rows], values, (4, 2), check_invariants=True)
        optimizer.step()
        result.append(numbers([param]))
    return {"options": given, "trajectory": result, "saved": plain(optimizer.state_dict())}


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
    ("SWALR", {"swa_lr": 0.3}),
    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 6, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 0}),
]


def schedule(name: str, given: dict) -> list[list[float]]:
    """(learning rate, momentum) in each of thirty epochs."""
    optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.05, momentum=0.9)
    module = torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler
    scheduler = getattr(module, name)(optimizer, **given)
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
        [trajectory(*case, torch.float64) for case in optimizer_cases()]
        + [trajectory(*case, torch.complex128) for case in complex_cases()],
    )
    write("lbfgs.json", [minimized(*case) for case in LBFGS_CASES])
    write(
        "sparse_adam.json",
        [rows_only(given) for given in ({}, {"lr": 0.1, "betas": [0.7, 0.8], "eps": 0.01})]
        + [rows_only({"lr": 0.1, "maximize": True})],
    )
    write(
        "schedules.json",
        [
            {"name": name, "options": given, "rates": schedule(name, given)}
            for name, given in SCHEDULES
        ],
    )
