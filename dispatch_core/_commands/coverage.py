"""Which operators each device computes in which dtypes: by a kernel or through their body."""

from __future__ import annotations

import difflib
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dispatch_core import _state
from dispatch_core._commands.table import table
from dispatch_core._dispatcher.explanation import ExplainedCall, Explanation
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.resolve import resolve
from dispatch_core._dtypes import ALL_DTYPES, bool_, dtype, from_name, int64
from dispatch_core._errors import DispatchCoreError
from dispatch_core._keys import GRAD, NONE, key_number
from dispatch_core._layer import Keys
from dispatch_core._loader.devices import devices
from dispatch_core._namespaces import find_operator
from dispatch_core._op import OPERATORS, Declared
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import backend_of
from dispatch_core.layers.explain import examine

KERNEL, BODY, MISSING, REFUSED = "kernel", "body", "missing", "-"
_MARKS = {KERNEL: "K", BODY: "b", MISSING: "!", REFUSED: "-"}


def how(op: Op, backend: Backend, computed: dtype) -> str:
    """How an operator is computed on a device in a dtype."""
    try:
        op.family.accept(op, computed)
    except NotImplementedError:
        return REFUSED
    if not op.selectors:
        return BODY
    found = resolve(op, backend, computed, frozenset())
    return KERNEL if found.kernels else BODY if found.body else MISSING


def _chosen(names: Sequence[str]) -> list[Declared]:
    return [OPERATORS[_named(n).name] for n in names] or list(OPERATORS.values())


def _named(name: str) -> Op:
    try:
        return find_operator(name)
    except AttributeError:
        close = difflib.get_close_matches(name.rpartition(".")[2], OPERATORS)
        guess = f"; did you mean {', '.join(close)}?" if close else ""
        raise ValueError(f"there is no operator '{name}'{guess}") from None


def _devices(device: str | None) -> list[str]:
    if device is not None:
        backend_of(device)
        return [device]
    return [info.type for info in devices() if info.available]


def _dtypes(name: str | None) -> Sequence[dtype]:
    return ALL_DTYPES if name is None else (from_name(name),)


def summary(device: str | None, dtype_name: str | None) -> str:
    """Counts by device and dtype."""
    primitives = sum(d.op.traits.primitive for d in OPERATORS.values())
    rows = []
    for name in _devices(device):
        backend = backend_of(name)
        for each in _dtypes(dtype_name):
            counts = Counter(how(d.op, backend, each) for d in OPERATORS.values())
            counted = [str(counts[k]) for k in (KERNEL, BODY, MISSING, REFUSED)]
            rows.append((name, each.name, *counted))
    head = ("device", "dtype", "by a kernel", "by their body", "missing", "make no sense")
    return (
        f"{len(OPERATORS)} operators, {primitives} of them primitives\n\n{table(head, rows)}\n\n"
        "ops --list shows each operator, ops --missing what a device lacks"
    )


def listing(
    names: Sequence[str], device: str | None, dtype_name: str | None, *, missing: bool
) -> str:
    """Every operator, one mark for each dtype."""
    parts = []
    dtypes = _dtypes(dtype_name)
    for name in _devices(device):
        backend = backend_of(name)
        rows = []
        for declared in _chosen(names):
            found = [how(declared.op, backend, each) for each in dtypes]
            if not missing or MISSING in found:
                kind = "primitive" if declared.op.traits.primitive else "composite"
                marks = " ".join(
                    _MARKS[f].center(len(d.abbr)) for f, d in zip(found, dtypes, strict=True)
                )
                rows.append((declared.op.name, kind, marks))
        head = ("operator", "kind", " ".join(d.abbr for d in dtypes))
        parts.append(f"device {name}\n" + (table(head, rows) if rows else "nothing is missing"))
    return "\n\n".join(parts) + "\n\nK kernel, b body, ! missing, - makes no sense in this dtype"


def primitives(declared: Iterable[Declared] | None = None) -> str:
    """What a device must bring, as docs/primitives.md shows it: three tables."""
    chosen = [d for d in declared or OPERATORS.values() if d.op.traits.primitive]
    views = [d for d in chosen if _is_view(d.op)]
    compute = [d for d in chosen if not _is_view(d.op)]
    needed = [n for n in vars(Backend) if n in (*Backend.__abstractmethods__, "synchronize")]
    rows = [
        f"| `{name}` | {_code(list(inspect.signature(method).parameters)[1:])} | "
        f"{_first_line(method)} |"
        for name, method in ((n, getattr(Backend, n)) for n in needed)
    ]
    return "\n".join(
        [
            f"## Compute: {len(compute)} operators\n",
            *_operator_rows(compute),
            f"\n## Views: {len(views)} operators\n",
            *_operator_rows(views),
            f"\n## Run time: {len(rows)} functions\n",
            "| method of `Backend` | arguments | meaning |",
            "|---|---|---|",
            *rows,
        ]
    )


def _is_view(op: Op) -> bool:
    """Whether a primitive only looks at memory in another way, which the host cannot do for a device."""
    return not op.traits.fallback and op.family.kind not in ("creation", "random")


def _operator_rows(chosen: Iterable[Declared]) -> Iterator[str]:
    yield "| primitive | kind | arguments | meaning |"
    yield "|---|---|---|---|"
    for each in sorted(chosen, key=lambda d: (d.op.family.kind, d.op.name)):
        arguments = _code([p.name for p in each.op.params])
        meaning = _first_line(each.front)
        yield f"| `{each.op.name}` | {each.op.family.kind} | {arguments} | {meaning} |"


def _code(names: Sequence[str]) -> str:
    return f"`{', '.join(names)}`" if names else ""


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").partition("\n")[0].replace("|", "\\|")


def explained(name: str, device: str, dtype_name: str, *, grad: bool) -> str:
    """What a call of an operator with tensors of one device and dtype would run."""
    op = _named(name)
    backend_of(device)
    number = key_number(device, from_name(dtype_name))
    inexact = from_name(dtype_name).is_floating_point or from_name(dtype_name).is_complex
    if grad and not inexact:
        raise ValueError(f"tensors of dtype {dtype_name} cannot require grad; leave --grad out")
    fixed = _fixed_dtypes(op)
    keys = _keys(
        op, number | GRAD if grad else number, {n: key_number(device, d) for n, d in fixed.items()}
    )
    tensor = f"{device}/{dtype_name}{', requires_grad' if grad else ''}"
    shown = ", ".join(
        f"{p.name}: {f'{device}/{fixed[p.name].name}' if p.name in fixed else tensor}"
        for p in (op.params[i] for i in op.tensors)
        if p.required
    )
    call = ExplainedCall(op.name, shown)
    state = _state.current_state() or _state.open_context()
    try:
        examine(op, keys, state, call, [])
    except (DispatchCoreError, NotImplementedError) as error:
        call.error = f"{type(error).__name__}: {error}"
    return str(Explanation([call]))


def _fixed_dtypes(op: Op) -> dict[str, dtype]:
    """The dtypes of those parameters that are conditions or indices, whatever that of the others."""
    indices = op.family.apart if op.family.kind == "indexing" else op.family.whole
    return dict.fromkeys(indices, int64) | dict.fromkeys(op.family.truths, bool_)


def _keys(op: Op, number: int, fixed: Mapping[str, int]) -> Keys:
    found: list[int | frozenset[int]] = []
    for at in op.selectors:
        param = op.params[at]
        if param.kind is ParamKind.LIST:
            found.append(frozenset({number}))
        elif param.kind is ParamKind.OPTIONAL or not param.required:
            found.append(NONE)
        elif param.kind is ParamKind.PLACE:
            found.append(number & ~GRAD)
        elif param.name in fixed:
            found.append(fixed[param.name])
        else:
            found.append(number)
    return tuple(found)
