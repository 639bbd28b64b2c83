"""Chains: what an operator call runs after the table look-up, and how one is found.

Those that end in a kernel take the raw arrays out of the tensors, call the kernel and put a tensor around
the result (`kernel_chains.py`); layers wrap them (`layers/`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from dispatch_core import _state
from dispatch_core._dispatcher import operator
from dispatch_core._dispatcher.kinds import refuse_kinds
from dispatch_core._dispatcher.operator import NumpyNumberError, Op, plain_numbers
from dispatch_core._dispatcher.places import check_places
from dispatch_core._dtypes import dtype
from dispatch_core._errors import DeclarationError, DispatchCoreError, OutOfMemoryError, PluginError
from dispatch_core._keys import is_asking, tensor_key
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Kernel


class Chain:
    """What runs when an operator is called with arguments of certain keys in a certain state."""

    __slots__ = ("op",)

    op: Op
    reads_history: ClassVar[bool] = True
    """Whether it looks at more of its arguments than what lies in `_raw`."""

    def call(self, *args: Any) -> Any:
        """Compute the operator; arguments in the order of its declaration."""
        raise NotImplementedError

    def describe(self) -> list[str]:
        """The steps of this chain, outermost first, as `explain` prints them."""
        return [type(self).__name__]


class Miss(Chain):
    """Stands where nothing is resolved yet: composes the chain, publishes it and calls it.

    What the first call of a combination gives is looked at here, so that the later ones need not be.
    """

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        try:
            chain = SLOTS.chain_for(self.op, args)
        except Exception as error:
            if _is_ours(error.__traceback__):
                error.__traceback__ = None  # the way through the layers says nothing to the caller
            raise
        result = chain.call(*args)
        try:
            _check_result(self.op, args, result)
        except DispatchCoreError:
            self.op.forget()  # so that the next call is looked at again
            raise
        return result


def _is_ours(traceback: Any) -> bool:
    """Whether the framework itself raised an error, rather than a layer of a plugin."""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    module: str = traceback.tb_frame.f_globals.get("__name__", "")
    return module.startswith("dispatch_core.")


def _check_result(op: Op, args: Sequence[Any], result: Any) -> None:
    """Raise where an operator gives something that is no tensor, or whose dtype is not its memory's."""
    if result is None and op.traits.writes:
        return
    several = isinstance(result, (tuple, list))
    for each in result if several else (result,):
        if each is None and several:
            continue
        if not isinstance(each, Tensor):
            if op.returns != "Tensor":  # `equal` gives a bool, and says so
                continue
            if is_asking(op.keys_of(args)):  # the class that was asked may give what it likes
                return
            raise DeclarationError(
                f"operator '{op.name}' gave {type(each).__name__}, but is declared to return a Tensor: "
                "have its body return one, or annotate what it returns"
            )
        key = tensor_key(each._k)
        if key.flags:  # what lies in such a tensor is its transform's own
            continue
        found = each._backend.dtype_of(each._raw)
        if found is not key.dtype:
            raise PluginError(
                f"'{op.name}' gave a tensor that says {key.dtype.name} over memory of {found.name}: a "
                "layer changed the arguments and went on with the chain for the old ones; let its chain "
                "derive from dispatch_core.extend.Redirect, or ask below(op.keys_of(changed))"
            )


operator.MISS_CLASS = Miss


class OfNumpyNumbers(Chain):
    """For a call with numbers of numpy's among the operands: Python's take their place."""

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        return invoke(self.op, plain_numbers(args))


class _Slots:
    chain_for: Callable[[Op, Sequence[Any]], Chain]


SLOTS = _Slots()


def chain_of(op: Op, args: Sequence[Any]) -> Chain:
    """The resolved chain for these arguments in the current state."""
    state = _state.current_state() or _state.open_context()
    try:
        keys = op.keys_of(args)
    except NumpyNumberError:
        return OfNumpyNumbers(op)
    found = op.find(state, keys)
    return SLOTS.chain_for(op, args) if found is op.miss else found


def found_chain(op: Op, args: Sequence[Any]) -> Chain:
    """What lies in the table for these arguments, be it a miss: for those who call it at once."""
    try:
        keys = op.keys_of(args)
    except NumpyNumberError:
        return OfNumpyNumbers(op)
    return op.find(_state.current_state(), keys)


def invoke(op: Op, args: Sequence[Any]) -> Any:
    """Call an operator with all its arguments in the order of the declaration."""
    return found_chain(op, args).call(*args)


_NUMPYS = (ValueError, RuntimeError, OverflowError, FloatingPointError)


def failure(op: Op, args: Sequence[Any], error: Exception) -> Exception:
    """The exception to raise for a kernel's error: the family's own words where it finds the mistake."""
    if isinstance(error, DispatchCoreError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemoryError(f"{op.title}{error or 'there is no memory left'}")
    check_places(op, args)
    for param, value in zip(op.params, args, strict=False):
        if param.name == "dtype" and value is not None and not isinstance(value, dtype):
            shown = value.__name__ if isinstance(value, type) else type(value).__name__
            raise TypeError(f"{op.title}argument 'dtype' must be dc.dtype, not {shown}")
    # What numpy calls a ValueError says nothing of PyTorch's classes.
    told = RuntimeError(*error.args) if isinstance(error, ValueError) else error
    refuse_kinds(op, args, told)
    op.family.check(op, args)
    # Of numpy's own classes (AxisError is an IndexError) the builtin is raised; what numpy calls a
    # ValueError, shapes that do not go together, is a RuntimeError in PyTorch.
    kinds = (IndexError, TypeError, NotImplementedError)
    kind = next((k for k in kinds if isinstance(error, k)), RuntimeError)
    if kind is RuntimeError and not isinstance(error, _NUMPYS):
        return error  # a kernel's own
    return kind(f"{op.title}{error}")


class KernelChain(Chain):
    """Base of the chains that call a kernel of one backend."""

    __slots__ = ("array", "backend", "fix", "info", "kernel", "key")

    reads_history = False

    def __init__(self, op: Op, backend: Backend, kernel: Kernel, key: int) -> None:
        self.op = op
        self.backend = backend
        self.array = backend.array
        self.fix = backend.as_array
        self.info = kernel
        self.kernel = kernel.fn
        self.key = key

    def raw_arguments(self, args: Sequence[Any]) -> list[Any]:
        """The arguments as the kernel takes them."""
        return [a._raw if isinstance(a, Tensor) else a for a in args]

    def describe(self) -> list[str]:
        return [f"kernel {self.info.describe()} on {self.info.device}"]


class Body(Chain):
    """Runs an operator's definition in terms of other operators."""

    __slots__ = ("body", "keywords", "positional")

    def __init__(self, op: Op, body: Callable[..., Any]) -> None:
        self.op = op
        self.body = body
        self.positional = sum(not p.keyword_only for p in op.params)
        self.keywords = tuple(p.name for p in op.params if p.keyword_only)

    def call(self, *args: Any) -> Any:
        n = self.positional
        try:
            if not self.keywords:
                return self.body(*args)
            return self.body(*args[:n], **dict(zip(self.keywords, args[n:], strict=True)))
        except Exception as error:
            refuse_kinds(self.op, args, error)
            raise

    def describe(self) -> list[str]:
        return [f"body of {self.op.name} (in terms of other operators)"]
