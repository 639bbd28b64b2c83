"""The graph that autograd recorded, as text for Graphviz and as a picture."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dispatch_core._tensor import Tensor

_ROW, _GAP, _LETTER, _HEIGHT = 64, 24, 7, 30
"""Of the picture, in points: between rows, between boxes of a row, width of a letter, height of a box."""


@dataclass
class Box:
    """One node of the graph: an operation, or a tensor where gradients end."""

    number: int
    text: str
    is_leaf: bool


class ComputationGraph:
    """The operations behind some tensors: `boxes`, and `arrows` as pairs of their numbers.

    An arrow leads from what was computed to what it was computed of, the way gradients go.
    """

    def __init__(self, boxes: list[Box], arrows: list[tuple[int, int]]) -> None:
        self.boxes = boxes
        self.arrows = arrows

    def dot(self) -> str:
        """The graph in the language of Graphviz."""
        lines = ["digraph {", "  node [shape=box, fontname=Helvetica, fontsize=11];"]
        for box in self.boxes:
            style = ", style=filled, fillcolor=lightblue" if box.is_leaf else ""
            text = box.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append(f'  n{box.number} [label="{text}"{style}];')
        lines += [f"  n{above} -> n{below};" for above, below in self.arrows]
        return "\n".join([*lines, "}", ""])

    def svg(self) -> str:
        """The graph as a picture: a row for each distance from the results, the longest way counted."""
        rows = _rows(self.boxes, self.arrows)
        places, width = _places(rows)
        height = _ROW * len(rows)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="Helvetica" font-size="11">'
        )
        parts = [head]
        for above, below in self.arrows:
            (x1, y1), (x2, y2) = places[above], places[below]
            top, bottom = y1 + _HEIGHT / 2, y2 - _HEIGHT / 2
            middle = (top + bottom) / 2
            parts.append(
                f'<path d="M{x1:g} {top:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {bottom:g}" '
                'fill="none" stroke="gray"/>'
            )
        for box in self.boxes:
            x, y = places[box.number]
            wide = _width(box)
            fill = "lightblue" if box.is_leaf else "white"
            parts.append(
                f'<rect x="{x - wide / 2:g}" y="{y - _HEIGHT / 2:g}" width="{wide}" '
                f'height="{_HEIGHT}" rx="4" fill="{fill}" stroke="black"/>'
                f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle">{escape(box.text)}</text>'
            )
        return "\n".join([*parts, "</svg>", ""])

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.svg()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a name that ends in .svg, the text to one in .dot or .gv.

        Raises ValueError for another ending.
        """
        ending = os.path.splitext(path)[1].lower()
        if ending not in (".svg", ".dot", ".gv"):
            raise ValueError(
                f"expected a name that ends in .svg, .dot or .gv, got {os.fspath(path)!r}"
            )
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg() if ending == ".svg" else self.dot())


def computation_graph(
    outputs: Tensor | Sequence[Tensor], params: Mapping[str, Tensor] | None = None
) -> ComputationGraph:
    """The operations that autograd recorded for some tensors, down to the leaves.

    `params` gives names to leaves, as `dict(model.named_parameters())` does.

        dc.utils.computation_graph(loss, dict(model.named_parameters())).save("model.svg")

    Raises TypeError for what are no tensors, RuntimeError where nothing was recorded.
    """
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    if not all(isinstance(root, Tensor) for root in roots):
        raise TypeError("computation_graph() expects a tensor or a list of tensors")
    names = {id(tensor): name for name, tensor in (params or {}).items()}
    nodes = [root.grad_fn for root in roots if root.grad_fn is not None]
    if not nodes:
        raise RuntimeError(
            "computation_graph(): no operation was recorded; the tensors must come from some that "
            "require a gradient"
        )
    return _walked(nodes, names)


def _walked(roots: list[Any], names: Mapping[int, str]) -> ComputationGraph:
    numbers: dict[Any, int] = {}
    boxes: list[Box] = []
    arrows: list[tuple[int, int]] = []

    def number_of(node: Any) -> int:
        if node not in numbers:
            numbers[node] = len(boxes)
            boxes.append(_box(node, len(boxes), names))
            left.append(node)
        return numbers[node]

    left: list[Any] = []
    for root in roots:
        number_of(root)
    while left:
        node = left.pop()
        above = numbers[node]
        for below, _ in node.next_functions:
            if below is not None:
                arrows.append((above, number_of(below)))
    return ComputationGraph(boxes, arrows)


def _box(node: Any, number: int, names: Mapping[int, str]) -> Box:
    variable = getattr(node, "variable", None)
    if variable is None:
        return Box(number, node.name(), False)
    name = names.get(id(variable), "")
    shape = "x".join(map(str, variable.shape)) or "()"
    return Box(number, f"{name} {shape}".strip(), True)


def _rows(boxes: list[Box], arrows: list[tuple[int, int]]) -> list[list[Box]]:
    """Boxes by the length of the longest way to them, each row in the order of what is above."""
    below = defaultdict(list)
    waiting = [0] * len(boxes)
    above = defaultdict(list)
    for start, end in arrows:
        below[start].append(end)
        above[end].append(start)
        waiting[end] += 1
    depth = [0] * len(boxes)
    ready = [box.number for box in boxes if not waiting[box.number]]
    while ready:
        at = ready.pop()
        for end in below[at]:
            depth[end] = max(depth[end], depth[at] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    rows: list[list[Box]] = [[] for _ in range(max(depth, default=0) + 1)]
    for box in boxes:
        rows[depth[box.number]].append(box)
    order: dict[int, float] = {}
    for row in rows:
        row.sort(key=lambda box: _mean([order[n] for n in above[box.number] if n in order]))
        order |= {box.number: (i + 0.5) / len(row) for i, box in enumerate(row)}
    return rows


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _places(rows: list[list[Box]]) -> tuple[dict[int, tuple[float, float]], int]:
    """The middle of each box, and the width of all."""
    widths = [sum(_width(box) + _GAP for box in row) for row in rows]
    whole = max(widths)
    places = {}
    for at, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x = (whole - width) / 2
        for box in row:
            step = _width(box) + _GAP
            places[box.number] = (x + step / 2, _ROW * (at + 0.5))
            x += step
    return places, whole


def _width(box: Box) -> int:
    return _LETTER * len(box.text) + 16
