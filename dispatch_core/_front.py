"""The functions users call, made from an operator's signature: they bind arguments and look up a chain.

Binding must cost nothing on the per-call path, so, as `dataclasses` does for `__init__`, a few lines of
source are generated and compiled for each operator. What they do for `add(input, other, *, alpha=1)`:

    if alpha != 1: return special(input, other, alpha=alpha, out=out)
    try: chain = T[state()][input._k][other._k if isinstance(other, Tensor) else kind(other)]
    except AttributeError: chain = found_chain(OP, (input, other))
    if out is not None: return into(OP, chain, (input, other), out)
    return chain.call(input, other)
"""

from __future__ import annotations

import linecache
import types
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dispatch_core._caller import GENERATED
from dispatch_core._dispatcher.chains import found_chain
from dispatch_core._dispatcher.inplace import apply_inplace, into
from dispatch_core._dispatcher.kinds import refuse_kinds
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.signature import REQUIRED, Parameter
from dispatch_core._dtypes import bool_
from dispatch_core._dtypes import dtype as DType
from dispatch_core._keys import KIND, NONE, has_hook
from dispatch_core._state import current_state
from dispatch_core._tensor import Tensor, is_readable

ALIASES = {"dim": "axis", "keepdim": "keepdims"}
"""numpy's names that are understood beside PyTorch's own, where the own one exists."""
INPLACE_FLAG = "inplace"
"""The parameter by which functions of `nn.functional` offer their in-place variant."""

_WHOLE = ("int", "int | None", "int | Sequence[int]", "Sequence[int]")
"""The annotations of arguments that may be tensors of one whole number."""

Parameters = dict[str, Parameter]
Written = tuple[str, dict[str, Any]]
"""Source, and the names it uses."""


def _kind(value: Any) -> int:
    number = KIND.get(value.__class__)
    if number is None:
        raise AttributeError
    return number


_NUMBERS = {kind: number for kind, number in KIND.items() if number != NONE}


def _number_kind(value: Any) -> int:
    number = _NUMBERS.get(value.__class__)
    if number is None:
        raise AttributeError
    return number


def _gather(op: Op, name: str, given: tuple[Any, ...], keyword: Any) -> tuple[Any, ...]:
    """The ints of a call whose first is no plain int: one sequence, int-like objects, or a keyword."""
    if keyword is not None:
        given = (keyword,)
    if not given and next(p for p in op.params if p.name == name).required:
        raise TypeError(f"{op.title}missing 1 required positional argument: '{name}'")
    value = given[0] if len(given) == 1 else given
    if (
        getattr(value, "shape", None) == ()
        or (hasattr(value, "__index__") and not hasattr(value, "__len__"))
        or (isinstance(value, Tensor) and value.numel() == 1)
    ):
        value = given
    elif isinstance(value, (str, Tensor)) or not hasattr(value, "__iter__"):
        raise TypeError(
            f"{op.title}argument '{name}' {_position(op, name)}must be tuple of ints, not "
            f"{type(value).__name__}"
        )
    for each in value:
        if isinstance(each, Tensor):
            return tuple(_whole(op, name, list(value)))
    return tuple(value)


def _whole(op: Op, name: str, value: Any) -> Any:
    """The int that a tensor stands for, which may be written to later; anything else as it is."""
    if isinstance(value, (list, tuple)):
        return [_whole(op, name, each) for each in value]
    if not isinstance(value, Tensor) or not is_readable(value):
        return value
    try:
        if value.dtype is not bool_:
            return value.__index__()
    except TypeError:
        pass  # not one whole number
    raise TypeError(f"{op.title}argument '{name}' {_position(op, name)}must be int, not Tensor")


def _position(op: Op, name: str) -> str:
    return f"(position {1 + [p.name for p in op.params].index(name)}) "


def _flag(op: Op, value: Any) -> bool:
    """Whether a call asks for the in-place variant."""
    if isinstance(value, Tensor):
        raise TypeError(f"{op.title}argument '{INPLACE_FLAG}' must be bool, not Tensor")
    return bool(value)


def make_front(
    op: Op,
    parameters: Parameters,
    body: Callable[..., Any],
    inplace: Callable[..., Any] | None,
    *,
    out: bool,
    handled: Sequence[str],
    keywords: Mapping[str, str],
) -> Callable[..., Any]:
    """The public function of an operator; `inplace` is that of its in-place variant."""

    def special(*positional: Any, out: Any = None, **named: Any) -> Any:
        try:
            result = body(*positional, **named)
        except Exception as error:
            refuse_kinds(op, positional, error, named)
            raise
        return result if out is None else into(op, None, (result,), out)

    def write() -> Written:
        names = [p.name for p in op.params]
        source = _Source(op, parameters, handled, out=out, keywords=keywords)
        positional = ", ".join(p.name for p in op.params if not p.keyword_only)
        if INPLACE_FLAG in parameters:
            named = "".join(f", {n}={n}" for n in (*_keyword_only(op), *handled))
            source.add(f"if {INPLACE_FLAG} is not False and flag(OP, {INPLACE_FLAG}):")
            source.add(f"  return inplace_front({positional}{named})")
        if handled:
            given = " or ".join(_given(parameters[name]) for name in handled)
            named = ", ".join(f"{n}={n}" for n in (*_keyword_only(op), *handled))
            outgoing = ", out=out" if out else ""
            source.add(f"if {given}: return special({positional}, {named}{outgoing})")
        args = ", ".join(names) + ("," if len(names) == 1 else "")
        source.look_up(args)
        if out:
            source.add(f"if out is not None: return into(OP, chain, ({args}), out)")
        source.add(f"return chain.call({', '.join(names)})")
        return source.written({"special": special, "inplace_front": inplace, "flag": _flag})

    return _dressed(_lazy(op, op.name, write), op, body)


def make_inplace_front(
    op: Op, parameters: Parameters, body: Callable[..., Any], handled: Sequence[str]
) -> Callable[..., Any]:
    """The in-place variant `name_`: computes the operator and writes the result into its first argument."""

    def write() -> Written:
        names = [p.name for p in op.params]
        own = {name: p for name, p in parameters.items() if name != INPLACE_FLAG}
        source = _Source(op, own, handled, out=False, suffix="_")
        if handled:
            given = " or ".join(_given(own[name]) for name in handled)
            keywords = ", ".join(f"{n}={n}" for n in (*_keyword_only(op), *handled))
            positional = ", ".join(p.name for p in op.params if not p.keyword_only)
            source.add(f"if {given}: return apply(OP, ({positional},), dict({keywords}), body)")
        source.add(f"return apply(OP, ({', '.join(names)},))")
        return source.written({"apply": apply_inplace, "body": body})

    made = _dressed(_lazy(op, op.name + "_", write), op, body)
    made.__doc__ = f"In-place version of `{op.name}`."
    return made


def make_operator(op: Op, operator: str) -> Callable[..., Any]:
    """A Python operator as a method: NotImplemented for what is neither tensor nor number."""
    n = len(op.selectors)
    reflected = operator.startswith("r") and operator not in ("rshift",) and n == 2
    method = f"__{operator}__"
    if operator == "invert":
        text = [
            "def __invert__(self):",
            "  try: return T[state()][self._k].call(self)",
            "  except NotImplementedError as error: raise TypeError(f'~: {error}') from None",
        ]
    elif n == 1:
        text = [f"def {method}(self):", "  return T[state()][self._k].call(self)"]
    else:
        other = "other._k if isinstance(other, Tensor) else kind(other)"
        keys, args = (
            (f"[{other}][self._k]", "other, self")
            if reflected
            else (
                f"[self._k][{other}]",
                "self, other",
            )
        )
        text = [
            f"def {method}(self, other):",
            "  try:",
            f"    chain = T[state()]{keys}",
            "  except AttributeError:",
            "    other = plain(other)",
            "    if other is None: return NotImplemented",
            f"    chain = found_chain(OP, ({args}))",
            f"  return chain.call({args})",
        ]
    names = {"plain": plain_operand, "kind": _number_kind}
    made = _lazy(op, method, lambda: ("\n".join(text), names))
    made.__doc__ = f"See `dispatch_core.{op.name}`."
    return made


def plain_operand(value: Any) -> Any:
    """A number of numpy's or a subclass of Python's as a Python number; None for anything else.

    What has the hook by which operators ask stays what it is.
    """
    if has_hook(value):
        return value
    if isinstance(value, (bool, int, float, complex)):
        kinds: tuple[Any, ...] = (bool, int, float, complex)
        return next(cls(value) for cls in kinds if isinstance(value, cls))
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():
        found = item()
        return found if isinstance(found, (bool, int, float, complex)) else None
    return None


def _keyword_only(op: Op) -> list[str]:
    return [p.name for p in op.params if p.keyword_only]


def _given(parameter: Parameter) -> str:
    if parameter.default is None:
        return f"{parameter.name} is not None"
    # Another object that is equal, as True for 1, is for the body to judge.
    return f"{parameter.name} is not _{parameter.name}"


class _Source:
    """The source of one front while it is written."""

    def __init__(
        self,
        op: Op,
        parameters: Parameters,
        handled: Sequence[str],
        *,
        out: bool,
        suffix: str = "",
        keywords: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.op = op
        self.handled = handled
        self.name = op.name + suffix
        self.lines: list[str] = []
        self.defaults: dict[str, Any] = {}
        parts: list[str] = []
        starred = None
        keyword_only = False
        aliases = [(own, also) for own, also in ALIASES.items() if own in parameters]
        aliases = [pair for pair in aliases if pair[1] not in parameters]
        aliases += [(own, also) for also, own in keywords.items()]
        elsewhere = False
        """Whether a required parameter may have come by another name, so that it has a default."""
        for p in parameters.values():
            elsewhere |= p.name in keywords.values()
            if p.annotation == "Ints":
                starred = p
                parts += [f"*{p.name}_", f"{p.name}=None"]
                keyword_only = True
                continue
            if p.keyword_only and not keyword_only:
                parts.append("*")
                keyword_only = True
            if p.default is REQUIRED:
                parts.append(f"{p.name}=None" if elsewhere else p.name)
            else:
                self.defaults[f"_{p.name}"] = p.default
                parts.append(f"{p.name}=_{p.name}")
        if out:
            parts += ["out=None"] if keyword_only else ["*", "out=None"]
        if aliases and not (keyword_only or out):
            parts.append("*")
        parts += [f"{also}=None" for _, also in aliases]
        self.head = f"def {self.name}({', '.join(parts)}):"
        for own, also in aliases:
            self.add(f"if {also} is not None: {own} = {also}")
        if starred is not None:
            self._gather(starred)
        for n, annotation in ((p.name, p.annotation) for p in parameters.values()):
            if annotation in _WHOLE:
                given = f"{n} is not None and " if annotation.endswith("None") else ""
                self.add(f"if {given}{n}.__class__ is not int: {n} = whole(OP, {n!r}, {n})")

    def add(self, line: str) -> None:
        """One line of the function's body."""
        self.lines.append(f"  {line}")

    def _gather(self, p: Parameter) -> None:
        """Several ints, one sequence of ints, or the keyword: all give a tuple."""
        n = p.name
        self.add(f"if {n}_ and {n}_[0].__class__ is int: {n} = {n}_")
        if "dtype" in self.handled:  # x.view(dtype)
            self.add(f"elif {n}_ and isinstance({n}_[0], DType): dtype, {n} = {n}_[0], ()")
            self.add(f"elif dtype is not None: {n} = ()")
        self.add(f"else: {n} = gather(OP, {n!r}, {n}_, {n})")
        if p.default is not REQUIRED:
            self.defaults[f"_{n}"] = p.default
            self.add(f"if not {n}: {n} = _{n}")

    def look_up(self, args: str) -> None:
        """The lines that find the chain."""
        op = self.op
        if op.has_list and len(op.selectors) == 1:
            name = op.params[op.selectors[0]].name
            self.add("try:")
            self.add(f"  key = {name}[0]._k")
            self.add(f"  for each in {name}:")
            self.add("    if each._k != key: raise KeyError")
            self.add("  chain = T[state()][key]")
            self.add("except (AttributeError, KeyError, TypeError, IndexError):")
            self.add(f"  chain = found_chain(OP, ({args}))")
            return
        if not op.nested:
            self.add(f"chain = found_chain(OP, ({args}))")
            return
        keys = ""
        for at in op.selectors:
            p = op.params[at]
            if p.kind is ParamKind.TENSOR:
                keys += f"[{p.name}._k]"
            elif p.kind is ParamKind.PLACE:
                keys += f"[{p.name}.key]"
            else:
                keys += f"[{p.name}._k if isinstance({p.name}, Tensor) else kind({p.name})]"
        self.add("try:")
        self.add(f"  chain = T[state()]{keys}")
        self.add("except AttributeError:")
        self.add(f"  chain = found_chain(OP, ({args}))")

    def written(self, names: dict[str, Any]) -> Written:
        """The finished source, and the names that it uses beside those that every front uses."""
        return "\n".join([self.head, *self.lines]), names | self.defaults


def _dressed(made: types.FunctionType, op: Op, body: Callable[..., Any]) -> types.FunctionType:
    """A front with the documentation and, for `inspect`, the signature of its declaration."""
    made.__doc__, made.__module__ = body.__doc__, body.__module__
    made.__annotations__ = body.__annotations__
    made.__wrapped__ = body  # type: ignore[attr-defined]
    made.op = op  # type: ignore[attr-defined]
    return made


def _lazy(op: Op, name: str, write: Callable[[], Written]) -> types.FunctionType:
    """A function whose source is written and compiled at its first call.

    Doing so for every operator when it is declared would be half of the import's time.
    """
    scope: dict[str, Any] = {"__name__": __name__}
    made = types.FunctionType(_unbuilt.__code__, scope, name)
    made.__qualname__ = name
    scope["build"] = lambda: _build(made, op, write)
    return made


def _unbuilt(*args: Any, **kwargs: Any) -> Any:
    return build()(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821  in the front's scope


def _build(made: types.FunctionType, op: Op, write: Callable[[], Written]) -> types.FunctionType:
    text, names = write()
    scope = made.__globals__
    scope |= {
        "T": op.table,
        "OP": op,
        "Tensor": Tensor,
        "found_chain": found_chain,
        "DType": DType,
        "gather": _gather,
        "into": into,
        "kind": _kind,
        "state": current_state,
        "whole": _whole,
        **names,
    }
    local: dict[str, Any] = {}
    owner = "Tensor." if made.__name__.startswith("__") else ""
    file = f"{GENERATED}{owner}{made.__name__}>"
    # For tracebacks, inspect.getsource and the debugger; without a time, linecache keeps the lines.
    linecache.cache[file] = (len(text), None, [line + "\n" for line in text.splitlines()], file)
    exec(compile(text, file, "exec"), scope, local)
    (built,) = local.values()
    made.__defaults__, made.__kwdefaults__ = built.__defaults__, built.__kwdefaults__
    made.__code__ = built.__code__
    return made
