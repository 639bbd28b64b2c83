"""`Op`: one operator as the dispatcher knows it - parameters, family, gradient, body and chain table.

The table is nested lists indexed by state number and then by the key of each argument that selects a
kernel (up to three); with more such arguments, or a list of tensors, it holds a dict per state. Rows
that nothing was resolved in are shared, and unresolved places hold a `Miss`, so looking up never fails.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dispatch_core import _keys, _state
from dispatch_core._dispatcher.gradient import Gradient
from dispatch_core._dispatcher.named import named_results
from dispatch_core._dispatcher.signature import spelled
from dispatch_core._keys import KIND, LOCK
from dispatch_core._tensor import Tensor

if TYPE_CHECKING:
    from dispatch_core._dispatcher.chains import Chain
    from dispatch_core._families.base import Family


class ParamKind(enum.Enum):
    """What a parameter may hold, as its annotation says."""

    TENSOR = "Tensor"
    OPERAND = "Tensor | Number"
    OPTIONAL = "Tensor | None"
    LIST = "Sequence[Tensor]"
    PLACE = "device"
    """The `device` of a factory; selects a kernel together with the argument named `dtype`."""
    PLAIN = ""


AUTOCAST_POLICIES = ("lower_precision", "float32", "promote")
"""To the block's dtype; to float32; to the widest dtype among the arguments."""


class Param(NamedTuple):
    """One parameter of an operator."""

    name: str
    kind: ParamKind
    default: Any = None
    required: bool = True
    keyword_only: bool = False


class Traits(NamedTuple):
    """What a declaration says of an operator beside its signature, family and gradient."""

    view: Any = False
    """The result shares memory with the first argument (or may: `reshape`)."""
    primitive: bool = False
    outputs: int = 1
    fields: tuple[str, ...] = ()
    """Names of the results, for operators that return a named tuple."""
    random: bool = False
    varying: bool = False
    """The result's shape depends on values (`nonzero`)."""
    differentiable: bool = True
    forward: bool = True
    """Whether forward mode may call it: the result has a tangent, or does not vary with the arguments."""
    fallback: bool = True
    """Whether the host may compute it for a device that has no kernel (never views, factories, random)."""
    batch: str | Callable[..., Any] | None = None
    """The batching rule, where that of the family does not do: its name, or a function of the
    declaration (see `ops/batching.py`)."""
    raw_gradient: bool = True
    """Whether gradient formulas may be given raw arrays."""
    writes: tuple[int, ...] = ()
    """The list parameters that are overwritten; such an operator returns None."""
    autocast: str | None = None
    """What autocast does with it, one of `AUTOCAST_POLICIES`; None: nothing, or what the layer says."""


class Op:
    """One operator; `front` is the function users call."""

    front: Callable[..., Any]

    @functools.cached_property
    def result_type(self) -> type[Any] | None:
        """The named tuple of several results."""
        fields = self.traits.fields
        return named_results(self.name.removesuffix("_dim"), fields) if fields else None

    @functools.cached_property
    def pack(self) -> Callable[[Sequence[Any]], Any]:
        """Makes the (named) tuple of several results."""
        kind = self.result_type
        return tuple if kind is None else functools.partial(tuple.__new__, kind)

    def __init__(
        self,
        name: str,
        params: Sequence[Param],
        family: Family,
        gradient: Gradient | None,
        body: Callable[..., Any] | None,
        traits: Traits,
    ) -> None:
        self.name = name
        self.title = f"{name}(): "
        """What begins a message: the name that users know; nothing for an operator that has none."""
        self.params = tuple(params)
        self.family = family
        self.gradient = gradient
        self.body = body
        self.traits = traits
        tensorish = [i for i, p in enumerate(params) if p.kind is not ParamKind.PLAIN]
        self.selectors = tuple(tensorish)
        self.tensors = tuple(i for i in tensorish if params[i].kind is not ParamKind.PLACE)
        self.has_list = any(p.kind is ParamKind.LIST for p in params)
        self.nested = len(tensorish) <= 3 and not self.has_list
        self.miss = MISS_CLASS(self)
        self.table: list[Any] = []
        self._is_blank = False
        self.renew()
        _tables.append(self)

    @property
    def returns(self) -> str:
        """The annotation of what it returns, as its source has it."""
        return "Tensor" if self.body is None else spelled(self.body.__annotations__["return"])

    def __repr__(self) -> str:
        return f"<operator {self.name}>"

    # -- keys -------------------------------------------------------------------------------------------

    def keys_of(self, args: Sequence[Any]) -> tuple[int, ...]:
        """The key numbers of the arguments that select the chain; TypeError for what cannot be one."""
        found = []
        for at in self.selectors:
            param, value = self.params[at], args[at]
            if param.kind is ParamKind.LIST:
                found.append(_list_key(self, param, value))
            elif param.kind is ParamKind.PLACE:
                found.append(value.key)
            else:
                found.append(_key_of(self, param, value))
        return tuple(found)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Arguments as a call gives them, in the order of the declaration, defaults filled in."""
        bound = list(args)
        left = dict(kwargs)
        for param in self.params[len(args) :]:
            if param.name in left:
                bound.append(left.pop(param.name))
            elif param.required:
                raise TypeError(f"{self.name}() missing required argument '{param.name}'")
            else:
                bound.append(param.default)
        if left or len(args) > len(self.params):
            surplus = next(iter(left), "too many positional arguments")
            raise TypeError(f"{self.name}() got an unexpected argument: {surplus}")
        return bound

    # -- the table ---------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Drop every resolved chain (a kernel, layer or override came or went)."""
        with LOCK:
            if not self._is_blank:
                self.renew()

    def renew(self) -> None:
        """A blank table for all keys and states that there are."""
        with LOCK:
            self.table[:] = self._blank()
            self._is_blank = True

    def _blank(self) -> list[Any]:
        if not self.nested:
            return [{} for _ in range(_capacity.states)]
        row: Any = self.miss
        for _ in self.selectors:
            row = [row] * _capacity.keys
        return [row] * _capacity.states

    def find(self, state: int, keys: tuple[int, ...]) -> Chain:
        """The chain of a combination, or the miss that will resolve it."""
        row = self.table[state]
        if not self.nested:
            found: Chain = row.get(_row_key(keys), self.miss)
            return found
        for key in keys:
            row = row[key]
        return row

    def store(self, state: int, keys: tuple[int, ...], chain: Chain) -> None:
        """Publish a resolved chain; rows are copied before they are written, then stored at once."""
        with LOCK:
            self._is_blank = False
            if not self.nested:
                self.table[state][_row_key(keys)] = chain
                return
            if not keys:
                self.table[state] = chain
                return
            rows = [self.table[state]]
            for key in keys[:-1]:
                rows.append(rows[-1][key])
            value: Any = chain
            for row, key in zip(reversed(rows), reversed(keys), strict=True):
                fresh = list(row)
                fresh[key] = value
                value = fresh
            self.table[state] = value


def _row_key(keys: tuple[Any, ...]) -> Any:
    """The key of a combination in a dict: of one list whose tensors have one key, that key alone."""
    if len(keys) == 1 and isinstance(keys[0], frozenset) and len(keys[0]) == 1:
        return next(iter(keys[0]))
    return keys


class NumpyNumberError(TypeError):
    """Among the arguments is a number of numpy's, which has no key: `plain_numbers` has."""


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def plain_numbers(args: Sequence[Any]) -> list[Any]:
    """The arguments with Python's numbers in place of numpy's."""
    return [_plain(value) for value in args]


def _key_of(op: Op, param: Param, value: Any) -> int:
    if isinstance(value, Tensor):
        return value._k
    is_number = isinstance(value, np.generic) and _plain(value).__class__ in KIND
    if is_number and param.kind is ParamKind.OPERAND:
        raise NumpyNumberError
    number = KIND.get(value.__class__)
    if number is None:
        number = next((k for cls, k in KIND.items() if isinstance(value, cls)), None)
    allowed = {
        ParamKind.TENSOR: (),
        ParamKind.OPTIONAL: (_keys.NONE,),
        ParamKind.OPERAND: (_keys.BOOL, _keys.INT, _keys.FLOAT, _keys.COMPLEX),
    }[param.kind]
    if number in allowed or (number == _keys.NONE and not param.required and param.default is None):
        return number
    if param.kind is not ParamKind.PLACE and _keys.has_hook(value):
        return _keys.ASKED
    hint = ""
    if type(value).__module__.partition(".")[0] == "numpy":
        hint = "; convert arrays with dispatch_core.from_numpy(array) or tensor(array)"
    expected = {"Tensor | Number": "Tensor or Number"}.get(param.kind.value, "Tensor")
    position = op.params.index(param) + 1
    raise TypeError(
        f"{op.title}argument '{param.name}' (position {position}) must be {expected}, "
        f"not {type(value).__name__}{hint}"
    )


def _list_key(op: Op, param: Param, value: Any) -> Any:
    if value.__class__ is list:
        try:
            return frozenset([element._k for element in value])
        except AttributeError:
            pass  # said below, which element it is
    if value is None and not param.required and param.default is None:
        return _keys.NONE
    if isinstance(value, Tensor) or not isinstance(value, (tuple, list)):
        raise TypeError(
            f"{op.title}argument '{param.name}' must be tuple of Tensors, "
            f"not {type(value).__name__}"
        )
    item = Param(param.name, ParamKind.TENSOR)
    keys = set()
    for index, element in enumerate(value):
        if not isinstance(element, Tensor) and not _keys.has_hook(element):
            raise TypeError(
                f"{op.title}expected Tensor as element {index} in argument '{param.name}', "
                f"but got {type(element).__name__}"
            )
        keys.add(_key_of(op, item, element))
    return frozenset(keys)


class _Capacity:
    keys = 64
    states = 32


_capacity = _Capacity()
_tables: list[Op] = []
MISS_CLASS: Callable[[Op], Any] = lambda op: None  # noqa: E731  set by `chains`, which needs `Op`


def _grow(attribute: str) -> Callable[[int], None]:
    def grow(count: int) -> None:
        if count <= getattr(_capacity, attribute):
            return
        setattr(_capacity, attribute, 2 * count)
        for op in _tables:
            op.renew()

    return grow


def forget_all() -> None:
    """Drop every resolved chain of every operator."""
    with LOCK:
        for op in _tables:
            op.forget()


_keys.on_growth(_grow("keys"))
_state.on_growth(_grow("states"))
