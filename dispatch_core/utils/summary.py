"""`summary(model, input)`: what a model is made of, what each part gives, and how many numbers it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dispatch_core._tensor import Tensor
from dispatch_core.autograd import no_grad
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import is_lazy


@dataclass
class Row:
    """One module: where it is, what it is, what it gave, and its own parameters and buffers."""

    path: str
    kind: str
    depth: int
    parameters: int
    trained: int
    buffers: int
    calls: int = 0
    outputs: list[tuple[int, ...]] = field(default_factory=list)
    """The shapes of the tensors of its last call."""


class Summary:
    """The rows of a model in order, and totals; prints as a table."""

    def __init__(self, rows: list[Row], size: int) -> None:
        self.rows = rows
        self.size = size
        """The bytes of all parameters and buffers, shared ones once."""

    @property
    def parameters(self) -> int:
        """How many numbers there are to learn or to keep, shared ones once."""
        return sum(row.parameters for row in self.rows)

    @property
    def trained(self) -> int:
        """How many of them require a gradient."""
        return sum(row.trained for row in self.rows)

    def __str__(self) -> str:
        head = ("module", "class", "output", "parameters", "calls")
        table = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(cells[i]) for cells in table) for i in range(len(head))]
        lines = []
        for cells in table:
            words = [cell.ljust(width) for cell, width in zip(cells[:3], widths, strict=False)]
            numbers = [c.rjust(width) for c, width in zip(cells[3:], widths[3:], strict=True)]
            lines.append("  ".join([*words, *numbers]).rstrip())
        rule = "-" * max(map(len, lines))
        lines[1:1] = [rule]
        frozen = self.parameters - self.trained
        lines += [
            rule,
            f"parameters: {self.parameters:,} ({self.trained:,} trained, {frozen:,} frozen)",
            f"size: {self.size / 2**20:,.2f} MiB",
        ]
        return "\n".join(lines)

    __repr__ = __str__


def summary(model: Module, *inputs: Any, **keywords: Any) -> Summary:
    """What a model is made of and, called with the inputs, the shapes that each module gives.

    The call is in evaluation mode and records nothing; the model is afterwards as before. Without
    inputs it is not called. Lazy modules, which the call would change, count as without parameters.

        print(dc.utils.summary(model, dc.rand(1, 3, 32, 32)))

    Raises TypeError for what is no Module, and what the model raises.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary() expects a Module, got {type(model).__name__}")
    rows = _rows(model)
    if inputs or keywords:
        modules = dict(model.named_modules())
        with _watched(modules, {row.path: row for row in rows}), _evaluated(model), no_grad():
            model(*inputs, **keywords)
    tensors = {id(t): t for t in (*model.parameters(), *model.buffers()) if not is_lazy(t)}
    return Summary(rows, sum(t.numel() * t.element_size() for t in tensors.values()))


def _rows(model: Module) -> list[Row]:
    seen: set[int] = set()
    rows = []
    for path, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if id(p) not in seen and not is_lazy(p)]
        seen.update(map(id, own))
        buffers = [b for b in module.buffers(recurse=False) if not is_lazy(b)]
        rows.append(
            Row(
                path,
                type(module).__name__,
                path.count(".") + 1 if path else 0,
                sum(p.numel() for p in own),
                sum(p.numel() for p in own if p.requires_grad),
                sum(b.numel() for b in buffers),
            )
        )
    return rows


@contextmanager
def _watched(modules: dict[str, Module], rows: dict[str, Row]) -> Iterator[None]:
    """Note what every module gives."""

    def noting(row: Row) -> Any:
        def note(module: Any, inputs: Any, result: Any) -> None:
            row.calls += 1
            row.outputs = [tuple(t.shape) for t in _tensors(result)]

        return note

    handles = [module.register_forward_hook(noting(rows[path])) for path, module in modules.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _evaluated(model: Module) -> Iterator[None]:
    """Evaluation mode; afterwards each module has the one it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)


def _cells(row: Row) -> tuple[str, ...]:
    name = row.path.rpartition(".")[2] or "(model)"
    shapes = " ".join("x".join(map(str, shape)) or "()" for shape in row.outputs)
    return (
        "  " * row.depth + name,
        row.kind,
        shapes or "-",
        f"{row.parameters:,}" if row.parameters else "-",
        str(row.calls) if row.calls else "-",
    )
