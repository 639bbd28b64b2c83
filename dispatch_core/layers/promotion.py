"""Layers that bring arguments together before autograd sees them: one device, one dtype.

Both are decided when a chain is composed; only combinations that need it have a step at call time, and
only mixed dtypes of tensors look at the number of dimensions (a 0-d tensor is weaker, as in PyTorch).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._caller import warn
from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.places import apart, named_tensors
from dispatch_core._dtypes import Priority, bool_, dtype, uint8
from dispatch_core._keys import FIRST_TENSOR_KEY, NONE, kind_dtype, tensor_key
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import operator_named
from dispatch_core._state import State
from dispatch_core._tensor import Tensor


def tensor_keys(op: Op, keys: Keys, *, operands: bool) -> list[Any]:
    """The keys of the tensor arguments; `operands`: only of those that take part in promotion."""
    found = []
    for at, number in zip(op.selectors, keys, strict=True):
        param = op.params[at]
        if param.kind is ParamKind.PLACE or (operands and param.name in op.family.apart):
            continue
        numbers = number if isinstance(number, frozenset) else (number,)
        found += [tensor_key(each) for each in numbers if each >= FIRST_TENSOR_KEY]
    return found


class Redirect(Chain):
    """Changes some arguments and continues below its layer with the keys they then have.

    For layers that cast or move arguments: derive, define `change`, and return
    `Yours(op, below)` from `compose`. The chain for each new combination of keys is kept.
    """

    __slots__ = ("below", "known")

    def __init__(self, op: Op, below: Below) -> None:
        self.op = op
        self.below = below
        self.known: dict[Keys, Chain] = {}

    def change(self, args: Sequence[Any]) -> list[Any]:
        """The arguments to continue with."""
        raise NotImplementedError

    def call(self, *args: Any) -> Any:
        changed = self.change(args)
        keys = self.op.keys_of(changed)
        chain = self.known.get(keys)
        if chain is None:
            chain = self.known[keys] = self.below(keys)
        return chain.call(*changed)


class Devices(Layer):
    """Arguments on different devices: 0-d cpu tensors move to the others' device, else an error."""

    name = "devices"
    before = ("promotion",)
    idle = "the arguments are on one device"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return len({key.device for key in tensor_keys(op, keys, operands=False)}) > 1

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return OneDevice(op, below)


class OneDevice(Redirect):
    """Moves 0-d host tensors to the device of the other arguments."""

    __slots__ = ()

    def change(self, args: Sequence[Any]) -> list[Any]:
        op = self.op
        places = {
            tensor.device
            for name, tensor in named_tensors(op, args)
            if tensor.ndim or tensor.device.type != "cpu" or name.endswith("]")
        }
        if not op.family.promotes or len({place.type for place in places}) != 1:
            raise apart(op, args)
        target = next(iter(places))
        move = operator_named("to_device").front
        return [
            move(a, target) if isinstance(a, Tensor) and a.device.type != target.type else a
            for a in args
        ]

    def describe(self) -> list[str]:
        return ["devices: move 0-d cpu tensors to the others' device"]


class Promotion(Layer):
    """Operands of different dtypes: cast to the dtype that PyTorch's promotion rules give."""

    name = "promotion"
    before = ("autograd",)
    after = ("devices", "views")
    idle = "the operands have one dtype, or none is promoted"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        if not op.family.promotes:
            return False
        if byte_truths(op, keys):
            return True
        dtypes = {key.dtype for key in tensor_keys(op, keys, operands=True)}
        if len(dtypes) > 1:
            return True
        return bool(dtypes) and static_dtype(op, keys) not in dtypes

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        dtypes = {key.dtype for key in tensor_keys(op, keys, operands=True)}
        fixed = static_dtype(op, keys) if len(dtypes) == 1 else None
        return Promote(op, below, fixed, byte_truths(op, keys))


def byte_truths(op: Op, keys: Keys) -> tuple[int, ...]:
    """Which arguments are conditions of dtype uint8, where the operator takes such."""
    if not op.family.bytes_too or NONE in keys:
        return ()
    return tuple(
        at
        for at, number in zip(op.selectors, keys, strict=True)
        if op.params[at].name in op.family.truths and tensor_key(number).dtype is uint8
    )


def static_dtype(op: Op, keys: Keys) -> dtype:
    """The compute dtype where all tensor operands have one dtype, so that 0-d or not is no matter."""
    operands = [(key.dtype, Priority.DIMENSIONED) for key in tensor_keys(op, keys, operands=True)]
    for at, number in zip(op.selectors, keys, strict=True):
        if isinstance(number, int) and number < NONE and op.params[at].name not in op.family.apart:
            operands.append((kind_dtype(number), Priority.SCALAR))
    return op.family.compute(operands)


class Promote(Redirect):
    """Casts the operands to one dtype; `fixed` when it does not depend on who is 0-d."""

    __slots__ = ("bytes", "fixed", "operands")

    def __init__(
        self, op: Op, below: Below, fixed: dtype | None, bytes: Sequence[int] = ()
    ) -> None:
        super().__init__(op, below)
        self.fixed = fixed
        self.bytes = bytes
        self.operands = tuple(i for i in op.tensors if op.params[i].name not in op.family.apart)

    def change(self, args: Sequence[Any]) -> list[Any]:
        target = self.fixed or self._target(args)
        cast = operator_named("cast").front
        changed = list(args)
        for i in self.bytes:
            warn(
                f"{self.op.name} received a uint8 {self.op.params[i].name} tensor. This behavior is "
                "deprecated; use a boolean tensor instead."
            )
            changed[i] = cast(changed[i], bool_)
        for i in self.operands:
            value = changed[i]
            if isinstance(value, Tensor):
                if value.dtype is not target:
                    changed[i] = cast(value, target)
            elif isinstance(value, (list, tuple)):
                changed[i] = [v if v.dtype is target else cast(v, target) for v in value]
        return changed

    def _target(self, args: Sequence[Any]) -> dtype:
        operands = []
        for i in self.operands:
            value = args[i]
            for each in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(each, Tensor):
                    rank = Priority.DIMENSIONED if each.ndim else Priority.ZERO_DIM
                    operands.append((each.dtype, rank))
                elif each is not None:
                    operands.append((_scalar_dtype(each), Priority.SCALAR))
        return self.op.family.compute(operands)

    def describe(self) -> list[str]:
        to = "the promoted dtype" if self.fixed is None else self.fixed.name
        return [f"promotion: cast operands to {to}"]


def _scalar_dtype(value: Any) -> dtype:
    for kind, cls in enumerate((bool, int, float, complex)):
        if isinstance(value, cls):
            return kind_dtype(kind)
    raise TypeError(f"expected a Python number, got {type(value).__name__}")
