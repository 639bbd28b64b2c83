"""Writes the reference of the core's operators: a Markdown page for each file of declarations, and an overview.

    python -m dispatch_core.testing.reference FOLDER

What stands on a page follows from the declarations: names, signature, docstring, dtypes, derivatives, and
an example from the sample inputs, whose output is what it prints.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dispatch_core
from dispatch_core._construct import tensor
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import ALL_DTYPES, Category, complex64, float32
from dispatch_core._namespaces import functions_of
from dispatch_core._op import OPERATORS, Declared, is_core
from dispatch_core._tensor import Tensor
from dispatch_core.testing._reference_facts import found_out
from dispatch_core.testing._samples import Maker, Sample, accepts, tensors_in

_FEW = 24
"""Elements of a tensor that an example writes out."""
_MANY = 500
"""Elements of a tensor that an example still makes."""
_LONGEST = 1500
"""Characters of a result that is shown; of a longer one, the shape."""


def write(folder: Path) -> list[Path]:
    """Write all pages into a folder; returns them, the overview first."""
    folder.mkdir(parents=True, exist_ok=True)
    pages: dict[str, list[Declared]] = defaultdict(list)
    for declared in OPERATORS.values():
        if is_core(declared.front) and public_names(declared):
            pages[declared.front.__module__].append(declared)
    written = [folder / "overview.md"]
    titles: list[tuple[str, str, list[Declared]]] = []
    for module, members in sorted(pages.items()):
        name = module.removeprefix("dispatch_core.ops.").replace(".", "_")
        title = str(sys.modules[module].__doc__).partition("\n")[0].rstrip(".")
        path = folder / f"{name}.md"
        entries = [entry(d) for d in sorted(members, key=lambda d: public_names(d)[0])]
        path.write_text("\n\n".join([f"# {_escaped(title)}", *entries]) + "\n")
        written.append(path)
        titles.append((name, title, members))
    covered = {name for members in pages.values() for d in members for name in public_names(d)}
    for name, title, entries in (
        ("functions", "Functions beside the operators", _functions(covered)),
        ("tensor", "Methods and attributes of a tensor beside the operators", _attributes(covered)),
    ):
        path = folder / f"{name}.md"
        path.write_text("\n\n".join([f"# {title}", *entries]) + "\n")
        written.append(path)
        titles.append((name, title, []))
    written[0].write_text(_index(titles))
    return written


def _functions(covered: Container[str]) -> list[str]:
    """Entries of the public functions that are no operators."""
    spaces = ("", "nn.functional", "linalg", "fft", "special", "signal.windows")
    found = {
        f"{space}.{name}".lstrip("."): function
        for space in spaces
        for name, function in functions_of(space).items()
    }
    found |= {
        name: function
        for name in dispatch_core.__all__
        if inspect.isfunction(function := getattr(dispatch_core, name))
        and not hasattr(function, "op")
    }
    return [
        _plain_entry(name, function)
        for name, function in sorted(found.items())
        if name not in covered
    ]


def _attributes(covered: Container[str]) -> list[str]:
    """Entries of what a tensor has besides the operators: methods, attributes, Python's own names."""
    names = [
        n for n in dir(Tensor) if not n.startswith("_") or (n.endswith("__") and n in _DUNDERS)
    ]
    return [
        _plain_entry(f"Tensor.{name}", getattr(Tensor, name))
        for name in names
        if f"Tensor.{name}" not in covered
    ]


_DUNDERS = frozenset(
    [
        f"__{sign}__"
        for sign in ("getitem", "setitem", "len", "iter", "bool", "int", "float", "array")
    ]
    + [
        "__complex__",
        "__contains__",
        "__index__",
        "__deepcopy__",
        "__dlpack__",
        "__dlpack_device__",
    ]
    + [
        f"__r{sign}__"
        for sign in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
    ]
    + [f"__r{sign}__" for sign in ("and", "or", "xor", "lshift", "rshift")]
)


def _plain_entry(name: str, found: Any) -> str:
    """What a page says about a function or an attribute: its signature and its docstring."""
    text = _escaped(inspect.cleandoc(found.__doc__ or "")) if hasattr(found, "__doc__") else ""
    if not callable(found) and not isinstance(found, property):
        return f"## {name}\n\nAlways `{found!r}`."
    if isinstance(found, property):
        return f"## {name}\n\n{text}"
    try:
        signature = _signature(found)
    except ValueError:  # of what is written in C
        return f"## {name}\n\n{text}"
    return f"## {name}\n\n```python\n{name}{signature}\n```\n\n{text}"


def _index(titles: Sequence[tuple[str, str, list[Declared]]]) -> str:
    lines = [
        "# Operators",
        "",
        "Every operator, by the file that declares it. Made from the declarations by",
        "`python -m dispatch_core.testing.reference`.",
        "",
    ]
    for name, title, members in titles:
        names = sorted(public_names(d)[0] for d in members)
        linked = ", ".join(f"[{n}]({name}.md#{_anchor(n)})" for n in names)
        lines += [f"**[{_escaped(title)}]({name}.md)**: {linked}", ""]
    lines += ["```{toctree}", ":hidden:", "", *(name for name, _, _ in titles), "```", ""]
    return "\n".join(lines)


def _anchor(name: str) -> str:
    """The anchor of a heading, as Sphinx makes it of the text."""
    return re.sub(r"[^\w-]", "", name.lower())


def public_names(declared: Declared) -> list[str]:
    """The names under which users find an operator, the first of them the usual one."""
    where = declared.exposure
    name, space = declared.op.name, where.namespace
    found = [] if space == "_" else [f"{space}.{name}".lstrip(".")]
    found += [
        alias if "." in alias or space == "_" else f"{space}.{alias}".lstrip(".")
        for alias in where.aliases
    ]
    if where.method:
        found.append(f"Tensor.{name}")
    if where.inplace is not None:
        found.append(f"Tensor.{name}_")
    return list(dict.fromkeys(found))


def entry(declared: Declared) -> str:
    """What a page says about one operator."""
    op, names = declared.op, public_names(declared)
    signature = _signature(declared.front)
    out = "" if not declared.exposure.out else ", out=None" if "*" in signature else ", *, out=None"
    parts = [
        f"## {names[0]}",
        f"```python\n{names[0]}{signature[:-1]}{out})\n```",
        _escaped(inspect.cleandoc(declared.front.__doc__ or "")),
        "\n".join(f"- {_escaped(fact)}" for fact in facts(declared, names[1:])),
    ]
    shown = example(op, names[0])
    if shown:
        parts.append(f"```python\n{shown}\n```")
    return "\n\n".join(parts)


def _signature(front: Callable[..., Any]) -> str:
    """The parameters and their defaults, without annotations."""
    whole = inspect.signature(front)
    bare = [p.replace(annotation=p.empty) for p in whole.parameters.values()]
    return str(whole.replace(parameters=bare, return_annotation=whole.empty))


def facts(declared: Declared, others: Sequence[str]) -> Iterator[str]:
    """Short sentences that follow from the declaration."""
    op = declared.op
    signs = [f"`{_SIGNS[o]}`" for o in declared.exposure.operators if o in _SIGNS]
    also = [f"`{name}`" for name in others] + signs
    if also:
        yield f"Also {', '.join(also)}."
    yield f"Takes {_dtypes(op)}" + ("; operands are promoted." if op.family.promotes else ".")
    if not op.traits.differentiable:
        yield "Has no derivative."
    elif op.gradient is not None:
        names = [op.params[at].name for at in sorted(op.gradient.differentiable)]
        named = ", ".join(f"`{name}`" for name in names) or "nothing"
        yield f"Differentiable by {named}, any number of times, in both modes."
    elif op.tensors:
        yield "Differentiable through its definition, any number of times, in both modes."
    if op.traits.primitive:
        yield "A primitive: every device brings a kernel."
    yield from found_out(op)


_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "matmul": "@", "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>", "eq": "==",
    "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "neg": "-x", "invert": "~x",
}  # fmt: skip
_WORDS = {
    Category.BOOL: "bool",
    Category.INTEGRAL: "integers",
    Category.FLOATING: "floating types",
    Category.COMPLEX: "complex types",
}


def _dtypes(op: Op) -> str:
    taken = [word for category, word in _WORDS.items() if category in op.family.accepts]
    text = "all dtypes" if len(taken) == len(_WORDS) else ", ".join(taken)
    return text if op.family.halves else f"{text} (not 16-bit)"


def _escaped(text: str) -> str:
    """Text with what Markdown would take for markup made plain, outside of backquotes."""
    parts = re.split(r"(``?[^`]*``?)", text)
    return "".join(
        part if i % 2 else re.sub(r"([*_<>\[\]|\\])", r"\\\1", part) for i, part in enumerate(parts)
    )


# -- examples -----------------------------------------------------------------------------------------


class _Rounded(Maker):
    """Samples with few digits, so that they can be written out."""

    def __call__(self, *shape: int, **wishes: Any) -> Tensor:
        made = super().__call__(*shape, **wishes)
        if not (made.is_floating_point() or made.is_complex()):
            return made
        return tensor(np.round(np.asarray(made) * 20) / 20, dtype=made.dtype, device=self.device)


def example(op: Op, name: str) -> str:
    """A call on sample inputs with what it prints; empty where no sample is small enough."""
    dtype = next((d for d in (float32, complex64, *ALL_DTYPES) if accepts(op, d)), None)
    if dtype is None:
        return ""
    found = []
    for given in op.family.samples(op, _Rounded(op.name, dtype, "cpu")):
        sample = Sample(given[:-1], given[-1]) if _has_keywords(given) else Sample(tuple(given))
        sizes = [t.numel() for t in tensors_in((sample.args, sample.kwargs))]
        if min(sizes, default=1) and max(sizes, default=1) <= _MANY:
            scalar = all(t.ndim < 1 for t in sample.tensors())
            found.append((max(sizes, default=0) > _FEW, scalar, sample))
    if not found:
        found = [(False, False, sample) for sample in _usual_call(op)]
    for _, _, sample in sorted(found, key=lambda each: each[:2]):
        shown = _shown(op, name, sample)
        if shown:
            return shown
    return ""


_USUAL: dict[str, Any] = {
    "M": 5, "a": [0.5, 0.5], "col": 3, "end": 4, "fill_value": 7, "high": 10, "n": 4, "num_samples": 2,
    "physical_layout": (1, 0), "row": 3, "size": (2, 3), "start": 0, "std": 1.0, "steps": 5,
    "stride": (1, 2), "window_length": 5, "mean": 0.0,
}  # fmt: skip


def _usual_call(op: Op) -> list[Sample]:
    """A call of a factory, or of an operator that draws, with arguments that anybody might give."""
    if "empty" in op.name:
        return []
    draw = _Rounded(op.name, float32, "cpu")
    args = []
    for param in op.params:
        if param.name in _USUAL and (param.required or param.name in ("size", "end")):
            args.append(_USUAL[param.name])
        elif not param.required:
            break
        elif op.params.index(param) in op.tensors:
            args.append(draw(2, 3, low=0.1, high=0.9))
        else:
            return []
    return [Sample(tuple(args))]


def _has_keywords(given: Sequence[Any]) -> bool:
    return bool(given) and isinstance(given[-1], dict)


def _shown(op: Op, name: str, sample: Sample) -> str:
    lines: list[str] = []
    parts = [
        _argument(lines, param.name, value)
        for param, value in zip(op.params, sample.args, strict=False)
    ]
    parts += [f"{key}={_argument(lines, key, value)}" for key, value in sample.kwargs.items()]
    if None in parts or any(p.endswith("None") and "=" in p for p in map(str, parts)):
        return ""
    if op.traits.random or op.family.kind == "random":
        lines.append("dc.manual_seed(0)")
    method = name.removeprefix("Tensor.")
    if method != name:
        call = f"{parts[0]}.{method}({', '.join(map(str, parts[1:]))})"
    else:
        call = f"dc.{name}({', '.join(map(str, parts))})"
    scope: dict[str, Any] = {"dc": dispatch_core}
    exec("\n".join(lines), scope)
    try:
        result = eval(call, scope)
    except (RuntimeError, TypeError):  # a guess, or exact only before its digits were cut
        return ""
    text = repr(result)
    if len(text) > _LONGEST and isinstance(result, Tensor):
        call, text = f"{call}.shape", repr(result.shape)
    lines.append(call)
    return "\n".join([*(f">>> {line}" for line in lines), text]) if len(text) <= _LONGEST else ""


def _argument(lines: list[str], name: str, value: Any) -> str | None:
    """How an argument is written in a call; what is long gets a line of its own before it."""
    if isinstance(value, Tensor):
        source = _source(value)
        if source is None:
            return None
        lines.append(f"{name} = {source}")
        return name
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        items = [_argument(lines, f"{name}{i}", v) for i, v in enumerate(value)]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    if isinstance(value, (bool, int, float, complex, str, type(None), slice)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return repr(value)
    return None


def _source(value: Tensor) -> str | None:
    """An expression that makes a tensor of these values, or of many like them."""
    dtype = value.dtype
    suffix = "" if dtype.name in ("float32", "int64", "bool", "complex64") else f", dtype={dtype!r}"
    if value.numel() <= _FEW:
        return f"dc.tensor({_rounded(value.tolist())}{suffix})"
    host = np.asarray(value.detach())
    if not value.is_floating_point() or host.min() < -2.5 or host.max() > 2.5:
        return None
    low, high = (0.1, 2) if host.min() >= 0 else (-2, 2)
    return f"dc.linspace({low}, {high}, {value.numel()}{suffix}).reshape({tuple(value.shape)})"


def _rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [_rounded(v) for v in values]
    if isinstance(values, float):
        return round(values, 4)
    if isinstance(values, complex):
        return complex(round(values.real, 4), round(values.imag, 4))
    return values


if __name__ == "__main__":
    write(Path(sys.argv[1]))
