"""The cases: each one statement over names that a setup makes from a module with PyTorch's API."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

Names = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    `statement` is source, so that the timed loop has no call around it. It sees what `setup`
    returns for the module under test, which is PyTorch or a module with its API.
    """

    name: str
    statement: str
    setup: Callable[[Any], Names]
    goal: float | None = None  # highest wanted ratio to PyTorch's time
    group: str = "training"

    def code(self) -> CodeType:
        """Compiled `loop(repeats)` that runs the statement that often."""
        body = textwrap.indent(textwrap.dedent(self.statement).strip(), " " * 8)
        source = f"def loop(repeats):\n    for _ in repeats:\n{body}\n"
        return compile(source, f"<case {self.name}>", "exec")

    def loop(self, torch_like: Any) -> Callable[[Any], None]:
        """The statement bound to a module: call it with an iterable as long as it shall run."""
        names = self.setup(torch_like)
        exec(self.code(), names)
        return names["loop"]


# ---------------------------------------------------------------- calls on four elements
def _four_elements(torch_like: Any, *, requires_grad: bool) -> Names:
    """Float32 tensors of four elements: x, y and the weight w as (2, 2), the bias b as (2,)."""
    return {
        "t": torch_like,
        "F": torch_like.nn.functional,
        "x": torch_like.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=requires_grad),
        "y": torch_like.tensor([[1.5, 2.0], [-0.5, 4.0]], requires_grad=requires_grad),
        "w": torch_like.tensor([[0.1, 0.2], [-0.3, 0.4]], requires_grad=requires_grad),
        "b": torch_like.tensor([0.5, -0.5], requires_grad=requires_grad),
        "c": torch_like.tensor([[True, False], [False, True]]),
    }


def _without_gradient(torch_like: Any) -> Names:
    return _four_elements(torch_like, requires_grad=False)


def _with_gradient(torch_like: Any) -> Names:
    return _four_elements(torch_like, requires_grad=True)


ONE_NUMPY_CALL = 0.65
ONE_HEAVIER_CALL = 0.9

# name: (statement, goal); the mean over all of them has a goal of its own.
CALLS = {
    "add": ("x + y", ONE_NUMPY_CALL),
    "sub": ("x - y", ONE_NUMPY_CALL),
    "div": ("x / y", ONE_NUMPY_CALL),
    "mul by scalar": ("x * 2.5", ONE_NUMPY_CALL),
    "exp": ("t.exp(x)", ONE_NUMPY_CALL),
    "relu": ("t.relu(x)", ONE_NUMPY_CALL),
    "tanh": ("t.tanh(x)", ONE_NUMPY_CALL),
    "reshape": ("x.reshape(4)", ONE_NUMPY_CALL),
    "transpose": ("x.transpose(0, 1)", ONE_NUMPY_CALL),
    "integer index": ("x[1]", ONE_NUMPY_CALL),
    "slice": ("x[0:1]", ONE_NUMPY_CALL),
    "sum": ("x.sum()", ONE_HEAVIER_CALL),
    "mean": ("x.mean()", ONE_HEAVIER_CALL),
    "matmul": ("x @ y", ONE_HEAVIER_CALL),
    "softmax": ("t.softmax(x, 1)", None),
    "sum over a dim": ("x.sum(1)", None),
    "max over a dim": ("x.max(1)", None),
    "where": ("t.where(c, x, y)", None),
    "cat": ("t.cat([x, y])", None),
    "linear": ("F.linear(x, w, b)", None),
}
MEAN_OF_CALLS_GOAL = 0.7
CALL_GROUPS = {
    "calls without gradient": _without_gradient,
    "calls with gradient": _with_gradient,
}


# ---------------------------------------------------------------- training
def _one_leaf(torch_like: Any) -> Names:
    return {"t": torch_like, "x": torch_like.tensor([0.5, -1.0, 2.0, 3.0], requires_grad=True)}


def _mlp(torch_like: Any) -> Names:
    """784-128-10 with plain SGD, a batch of 64."""
    torch_like.manual_seed(0)
    nn = torch_like.nn
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return {
        "model": model,
        "criterion": nn.CrossEntropyLoss(),
        "optimizer": torch_like.optim.SGD(model.parameters(), lr=0.01),
        "x": torch_like.randn(64, 784),
        "y": torch_like.arange(64) % 10,
    }


def _resnet_block(torch_like: Any) -> Names:
    """Two times convolution 3x3, batch norm, ReLU, around a skip; 16 images of 64x32x32."""
    torch_like.manual_seed(0)
    nn = torch_like.nn
    layers = [
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
    ]
    return {
        "branch": nn.Sequential(*layers),
        "relu": nn.ReLU(),
        "x": torch_like.randn(16, 64, 32, 32, requires_grad=True),
    }


def _adam(count: int, size: int, **how: bool) -> Callable[[Any], Names]:
    """Adam over so many parameters of one size, after a first step; `how` is PyTorch's way of doing it."""

    def setup(torch_like: Any) -> Names:
        params = [torch_like.zeros(size, requires_grad=True) for _ in range(count)]
        for param in params:
            param.grad = torch_like.ones(size)
        optimizer = torch_like.optim.Adam(params, **how)
        optimizer.step()
        return {"optimizer": optimizer}

    return setup


CASES = [
    *(
        Case(name, statement, setup, goal, group)
        for group, setup in CALL_GROUPS.items()
        for name, (statement, goal) in CALLS.items()
    ),
    Case("no_grad enter and exit", "with t.no_grad(): pass", _without_gradient),
    Case("(x*x + x).sum() forward and backward", "(x * x + x).sum().backward()", _one_leaf, 0.45),
    Case(
        "chain of 20 calls forward and backward",
        "h = x\n" + "h = t.tanh(h)\nh = h * 1.01\n" * 10 + "h.sum().backward()",
        _one_leaf,
        0.5,
    ),
    Case(
        "SGD step of an MLP 784-128-10, batch 64",
        """
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
        """,
        _mlp,
        1.0,
    ),
    Case(
        "ResNet block 16x64x32x32 forward and backward",
        "relu(branch(x) + x).sum().backward()",
        _resnet_block,
        3.0,
    ),
    *(
        Case(f"Adam step, {name}", "optimizer.step()", setup, goal, "optimizers")
        for name, setup, goal in (
            ("200 of 50,000, PyTorch's foreach", _adam(200, 50_000, foreach=True), 1.0),
            ("200 of 50,000, PyTorch's fused", _adam(200, 50_000, fused=True), 3.0),
            ("200 of 1,000, PyTorch's foreach", _adam(200, 1_000, foreach=True), None),
            ("200 of 1,000, PyTorch's fused", _adam(200, 1_000, fused=True), 0.6),
        )
    ),
]
