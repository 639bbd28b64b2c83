"""Public names by namespace: those of the operator table and plain functions beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dispatch_core._dispatcher.operator import Op
from dispatch_core._op import OPERATORS, SLOTS, Declared, is_core, operator_named

F = TypeVar("F", bound=Callable[..., Any])

METHODS = "Tensor"
"""The namespace of methods."""

_FUNCTIONS: dict[str, dict[str, Callable[..., Any]]] = {}


def public(*places: str) -> Callable[[F], F]:
    """Make a function that is no operator (it takes any number of tensors, say) public.

    Each place is a namespace ("" for the package, "linalg", "Tensor" for a method), or a full name
    in one ("Tensor.new_name").
    """

    def decorate(function: F) -> F:
        for place in places:
            namespace, _, name = place.rpartition(".") if "." in place else (place, "", "")
            _FUNCTIONS.setdefault(namespace, {})[name or function.__name__] = function
        return function

    return decorate


def names_of(namespace: str) -> dict[str, Callable[..., Any]]:
    """Every public function of a namespace by name; "" is the package itself.

    An operator is in the namespace it was declared for, under its name and the aliases that name no
    namespace of their own, with the in-place variant beside it in the package itself, in
    `nn.functional` and in the namespaces of plugins.
    """
    found: dict[str, Callable[..., Any]] = {}
    # What waits for its use is no method; the package itself looks there for names it does not know.
    late = namespace not in ("", METHODS)
    for declared in OPERATORS.values() if late else OPERATORS.here():
        found |= _names(declared, namespace)
    return found | _FUNCTIONS.get(namespace, {})


def functions_of(namespace: str) -> dict[str, Callable[..., Any]]:
    """The public functions of a namespace that are no operators, by name."""
    return dict(_FUNCTIONS.get(namespace, {}))


def _names(declared: Declared, namespace: str) -> dict[str, Callable[..., Any]]:
    where = declared.exposure
    names = [declared.op.name] if where.namespace == namespace else []
    for alias in where.aliases:
        place, _, last = alias.rpartition(".")
        if (place or where.namespace) == namespace:
            names.append(last)
    found = dict.fromkeys(names, declared.front)
    beside = namespace in ("", "nn.functional") or (
        namespace == where.namespace and not is_core(declared.front)
    )
    if where.inplace is not None and beside:
        found |= {f"{name}_": where.inplace for name in names}
    return found


def find_operator(name: str) -> Op:
    """The operator of a name: its own, or any public one (`nn.functional.relu`, `Tensor.add`, an alias).

    Operators of plugins are imported for it: `example.smoothstep`, or `smoothstep` alone. Raises
    AttributeError when there is none.
    """
    if name in OPERATORS:
        return OPERATORS[name].op
    path = name.removeprefix("dispatch_core.").removeprefix("dc.").removeprefix("ops.")
    place, _, last = path.rpartition(".")
    front = _known(place, last)
    if front is None and place:
        front = getattr(SLOTS.namespace(place), last, None)
    elif front is None:
        SLOTS.load_all()
        front = _known(place, last)
    return front.op if isinstance(getattr(front, "op", None), Op) else operator_named(name)


def operator_of(op: Any) -> Op:
    """An operator by its name or its public function; TypeError for anything else."""
    if isinstance(op, str):
        return find_operator(op)
    found = getattr(op, "op", None)
    if not isinstance(found, Op):
        raise TypeError(
            f"expected an operator, by name ('exp') or as a function (dispatch_core.exp), got "
            f"{op!r}"
        )
    return found


def _known(place: str, last: str) -> Any:
    if place == METHODS:
        declared = OPERATORS.get(last)
        if declared is not None and declared.exposure.method:
            return declared.front
    elif not place and last in OPERATORS:
        return OPERATORS[last].front
    return names_of(place).get(last)
