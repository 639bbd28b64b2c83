"""Declaring operators: `primitive` and `composite` turn one annotated function into a dispatched operator.

    @primitive(pointwise(FLOAT), grad={"input": lambda g, input: g / input})
    def log(input: Tensor) -> Tensor:
        "Natural logarithm of each element."

The signature is the public one; annotations say what a parameter may hold: `Tensor`,
`Tensor | Number`, `Tensor | None`, `Sequence[Tensor]`, `Ints` (several ints or one sequence), `Place`
(device and dtype of a factory), anything else is passed on as it is. What the decorator returns is the
function that users call; its `op` attribute is the operator.
"""

from __future__ import annotations

import sys
from collections.abc import (
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE, Gradient
from dispatch_core._dispatcher.operator import AUTOCAST_POLICIES, Op, Param, ParamKind, Traits
from dispatch_core._dispatcher.signature import REQUIRED, Parameter, parameters_of
from dispatch_core._errors import DeclarationError
from dispatch_core._families.base import Family
from dispatch_core._front import INPLACE_FLAG, make_front, make_inplace_front, make_operator

F = TypeVar("F", bound=Callable[..., Any])
Number = bool | int | float | complex
Ints = int | Sequence[int]
Grad = Mapping[str | tuple[str, ...], Any] | Any

_KINDS = {
    "Tensor": ParamKind.TENSOR,
    "Tensor | Number": ParamKind.OPERAND,
    "Tensor | Number | None": ParamKind.OPERAND,
    "Tensor | None": ParamKind.OPTIONAL,
    "Sequence[Tensor]": ParamKind.LIST,
    "Sequence[Tensor] | None": ParamKind.LIST,
    "Place": ParamKind.PLACE,
}


class Exposure(NamedTuple):
    """Where users find an operator."""

    namespace: str
    """Dotted path below the package ("" for `dispatch_core` itself); "_" for internal operators."""
    method: bool
    operators: tuple[str, ...]
    aliases: tuple[str, ...]
    """Further names: "name" in the same namespace, "a.b.name" elsewhere, "Tensor.name" for a method."""
    inplace: Callable[..., Any] | None
    out: bool
    """Whether the function takes `out=`."""


class Declared(NamedTuple):
    """One entry of the operator table."""

    op: Op
    front: Callable[..., Any]
    exposure: Exposure


class OperatorTable(dict[str, Declared]):
    """Every operator by name, in order of declaration.

    Declarations that a program may never need are imported when an operator is asked for that the others
    do not include, or all of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []

    def await_use(self, *modules: str) -> None:
        """Name modules of declarations to import at first need."""
        self._waiting += modules

    def complete(self) -> OperatorTable:
        """Import what waits."""
        while self._waiting:
            import_module(self._waiting.pop(0))
        return self

    def here(self) -> Iterator[Declared]:
        """What is declared so far."""
        return iter(list(super().values()))

    def is_here(self, name: str) -> bool:
        """Whether an operator of this name is declared so far."""
        return super().__contains__(name)

    def __missing__(self, name: str) -> Declared:
        if self._waiting:
            return self.complete()[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (bool(self._waiting) and name in self.complete())

    def get(self, name: str, default: Any = None) -> Any:
        """The operator, or a default."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return super().__iter__()

    def __len__(self) -> int:
        self.complete()
        return super().__len__()

    def values(self) -> Any:
        """All operators."""
        self.complete()
        return super().values()

    def items(self) -> Any:
        """All operators and their names."""
        self.complete()
        return super().items()

    def keys(self) -> Any:
        """All names."""
        self.complete()
        return super().keys()


OPERATORS = OperatorTable()


def operator_named(name: str) -> Op:
    """The operator of that name; AttributeError when there is none."""
    found = OPERATORS.get(name)
    if found is None:
        raise AttributeError(f"there is no operator '{name}'")
    return found.op


class _Slots:
    """Filled by the plugin loader."""

    namespace: Callable[[str], Any]
    """The operators of a plugin by the name of its namespace; None when nothing provides it."""
    load_all: Callable[[], None]
    """Import the operators of all plugins."""


SLOTS = _Slots()


def operators_in(namespace: str) -> Iterator[Declared]:
    """The operators that are public in a namespace."""
    return (d for d in list(OPERATORS.values()) if d.exposure.namespace == namespace)


def withdraw(name: str) -> Declared:
    """Take an operator out of the table (its plugin is unloaded)."""
    declared = OPERATORS.pop(name)
    vars(K).pop(name, None)
    return declared


def restore(declared: Declared) -> None:
    """Put an operator that was withdrawn into the table again."""
    name = declared.op.name
    if name in OPERATORS:
        raise DeclarationError(f"operator '{name}' is declared twice")
    OPERATORS[name] = declared


class Operators:
    """The operators by name, found at first use: `K.cos(x)`.

    Bodies and gradient formulas call operators through it, so that no file of declarations needs to
    import another, and names such as `sum` stay Python's.
    """

    def __getattr__(self, name: str) -> Callable[..., Any]:
        front = operator_named(name).front
        setattr(self, name, front)
        return front

    def conj(self, value: Any) -> Any:
        """The complex conjugate; of a saved argument, which may be a Python number, too."""
        if isinstance(value, (int, float, complex)):
            return value.conjugate()
        return operator_named("conj").front(value)


K: Any = Operators()


def primitive(family: Family, **options: Any) -> Callable[[F], F]:
    """Declare an operator that every device must bring a kernel for; options as in `declare`.

    Its function body runs only when a parameter named in `handled` is given, or an operand is None.
    """
    _check_family("primitive", family)
    return lambda function: declare(function, family, primitive=True, **options)


def composite(family: Family, **options: Any) -> Callable[[F], F]:
    """Declare an operator whose function body defines it; a device may bring a faster kernel."""
    _check_family("composite", family)
    return lambda function: declare(function, family, primitive=False, **options)


def _check_family(decorator: str, family: Any) -> None:
    if not isinstance(family, Family):
        found = getattr(family, "__name__", None) or type(family).__name__
        raise DeclarationError(
            f"@{decorator} takes the family of the operator, got '{found}': write "
            f"@{decorator}(pointwise(SAME)) or another family, called, above the function"
        )


def is_core(function: Callable[..., Any]) -> bool:
    """Whether the framework itself declares an operator, rather than a plugin or a program."""
    return (function.__module__ or "").startswith("dispatch_core.")


def _check_declaration(
    function: Callable[..., Any],
    parameters: Mapping[str, Parameter],
    named: Mapping[str, Sequence[str]],
) -> None:
    """Raise for what is missing: annotations, the docstring, parameters that options name."""
    name = function.__name__
    bare = [p for p in parameters if p not in function.__annotations__]
    if bare:
        raise DeclarationError(
            f"operator '{name}': parameter '{bare[0]}' has no annotation, which says what it may hold: "
            "Tensor, Tensor | Number, or the type of a plain argument"
        )
    if "return" not in function.__annotations__:
        raise DeclarationError(
            f"operator '{name}' does not say what it returns: annotate it, -> Tensor"
        )
    if not function.__doc__ and sys.flags.optimize < 2:
        raise DeclarationError(
            f"operator '{name}' has no docstring: say in one sentence what it computes"
        )
    for option, names in named.items():
        unknown = [each for each in names if each not in parameters]
        if unknown:
            raise DeclarationError(
                f"operator '{name}': {option}= names '{unknown[0]}', which is no parameter; there are "
                f"{', '.join(parameters)}"
            )


def declare(
    function: F,
    family: Family,
    *,
    primitive: bool,
    grad: Grad = None,
    view: Any = False,
    outputs: int = 1,
    fields: Sequence[str] = (),
    namespace: str = "",
    method: bool | None = None,
    operators: Sequence[str] = (),
    aliases: Sequence[str] = (),
    out: bool = False,
    inplace: bool | None = None,
    handled: Sequence[str] = (),
    random: bool = False,
    varying: bool = False,
    fallback: bool = True,
    batch: str | Callable[..., Any] | None = None,
    forward: bool = True,
    writes: Sequence[str] = (),
    raw_gradient: bool = True,
    autocast: str | None = None,
    keywords: Mapping[str, str] = MappingProxyType({}),
) -> F:
    """Make an operator of an annotated function and enter it into the table.

    A parameter named `inplace` asks for the in-place variant; neither kernels nor the body see it.

    Args:
        function: its signature and docstring are the operator's; its body the definition.
        family: the kind of operator.
        primitive: whether every device must bring a kernel.
        grad: parameter name(s) -> formula, or NOT_DIFFERENTIABLE; None for a composite that is
            differentiated through its body.
        view: True if the result shares memory with the first argument, "sometimes" if it may.
        outputs: number of results (0: a varying number).
        fields: names of the results, for a named tuple.
        namespace: where the function is public, "_" for nowhere.
        method: whether it is a method of Tensor (default: functions of "" whose first is `input`);
            the framework's own operators only.
        operators: Python operators, as "add", "radd"; the framework's own operators only.
        aliases: further public names.
        out: whether the function takes `out=`.
        inplace: whether there is an in-place variant (default: what the family says).
        handled: parameters that kernels never see: when one is not its default, the body runs.
            One named `inplace` is understood: the result is written into the first argument.
        random: whether results depend on a generator.
        varying: whether the result's shape depends on values.
        fallback: whether the host may compute it for another device.
        batch: the rule by which `vmap` computes it, where the family's does not do: "leading",
            "along_dims", "aligned", or rule(size, batched, *arguments) as in `ops/batching.py`.
        forward: whether forward mode takes the result of an operator without derivative for a
            constant; otherwise it refuses the operator.
        writes: lists of tensors that kernel and body overwrite; such an operator returns None.
        raw_gradient: whether formulas may be given raw arrays; otherwise they are given tensors, and
            may return such as are no mere array.
        autocast: what mixed precision does with floating arguments: "lower_precision" casts them to
            the block's 16-bit dtype, "float32" to float32, "promote" to the widest among them.
        keywords: further names -> parameters, by which arguments may be given.

    Raises:
        DeclarationError: the name is taken, a formula or option asks for an unknown name or policy; an
            annotation, the docstring or a gradient is missing; method=True or operators= outside
            the framework.

    """
    name = function.__name__
    if OPERATORS.is_here(name):
        first = OPERATORS[name].front.__module__
        raise DeclarationError(
            f"operator '{name}' is declared twice: in {first} and in {function.__module__}; rename one"
        )
    parameters = parameters_of(function)
    named = {"handled": handled, "writes": writes, "keywords": tuple(keywords.values())}
    _check_declaration(function, parameters, named)
    if autocast is not None and autocast not in AUTOCAST_POLICIES:
        raise DeclarationError(
            f"operator '{name}': autocast={autocast!r} is no policy; there are {', '.join(AUTOCAST_POLICIES)}"
        )
    if (method or operators) and not is_core(function):
        option = "method=True" if method else "operators="
        raise DeclarationError(
            f"operator '{name}': {option} is for operators of dispatch_core itself, other packages add "
            "nothing to Tensor; leave it out and call the function"
        )
    params = [
        Param(
            p.name,
            _KINDS.get(p.annotation, ParamKind.PLAIN),
            None if p.default is REQUIRED else p.default,
            p.default is REQUIRED,
            p.keyword_only,
        )
        for p in parameters.values()
        if p.name not in handled and p.name != INPLACE_FLAG
    ]
    gradient = _gradient(name, params, grad, outputs, primitive)
    factory = family.kind in ("creation", "random")
    traits = Traits(
        view=view,
        primitive=primitive,
        outputs=outputs,
        fields=tuple(fields),
        random=random,
        varying=varying,
        fallback=fallback and not view and not factory and not writes,
        differentiable=grad is not NOT_DIFFERENTIABLE,
        batch=batch,
        forward=forward,
        raw_gradient=raw_gradient,
        writes=tuple([p.name for p in params].index(each) for each in writes),
        autocast=autocast,
    )
    op = Op(name, params, family, gradient, function, traits)
    op.title = _title(name, namespace, method, aliases)
    has_inplace = family.inplace if inplace is None else inplace
    inplace_front = make_inplace_front(op, parameters, function, handled) if has_inplace else None
    front = make_front(
        op, parameters, function, inplace_front, out=out, handled=handled, keywords=keywords
    )
    op.front = front
    if method is None:
        method = (
            namespace == "" and bool(params) and params[0].name == "input" and is_core(function)
        )
    exposure = Exposure(namespace, method, tuple(operators), tuple(aliases), inplace_front, out)
    OPERATORS[name] = Declared(op, front, exposure)
    return front  # type: ignore[return-value]


def _title(name: str, namespace: str, method: bool | None, aliases: Sequence[str]) -> str:
    """The name by which users call an operator, as messages begin with it; "" where they never do."""
    dotted = [each for each in aliases if "." in each]
    if namespace != "_":
        shown = f"{namespace}.{name}" if namespace else name
    elif dotted:
        shown = dotted[0]
    else:
        shown = name if method else ""
    return f"{shown}(): " if shown else ""


def _gradient(
    name: str, params: Sequence[Param], grad: Grad, outputs: int, primitive: bool
) -> Gradient | None:
    tensors = [i for i, p in enumerate(params) if p.kind not in (ParamKind.PLAIN, ParamKind.PLACE)]
    if grad is NOT_DIFFERENTIABLE or (grad is None and not primitive):
        return None
    if grad is None:
        if not tensors:
            return None
        raise DeclarationError(
            f"operator '{name}' is a primitive: give its gradient or NOT_DIFFERENTIABLE"
        )
    return Gradient(name, [p.name for p in params], tensors, grad, outputs)


def dunder(declared: Declared, operator: str) -> Callable[..., Any]:
    """The method for one Python operator (`add` -> `__add__`)."""
    inplace = declared.exposure.inplace
    if operator.startswith("i") and operator != "invert" and inplace is not None:
        return inplace
    return make_operator(declared.op, operator)
