"""`dc.explain`: what a call would do, found by composing its chains without running them.

While it is on, the layer `explain` stands outside all others and composes, for every operator
called, the chain of the layers below - and does not call it. So that a callable can be followed to
its end, the result of each call is made up: a tensor of the right shape, dtype and device, all
zeros. Shapes follow from the family's rule where it has one; else the plainest kernel of the host
is given zeros of the same shapes. Views are made in earnest, being mere metadata; in-place writes
are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from itertools import chain as chained
from typing import Any

import numpy as np

from dispatch_core import _state
from dispatch_core._caller import user_line
from dispatch_core._dispatcher import inplace
from dispatch_core._dispatcher.chains import Body, Chain, failure
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.explanation import ExplainedCall, Explanation, LayerVisit
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.resolve import HOST, Step, resolve
from dispatch_core._dtypes import dtype
from dispatch_core._errors import DispatchCoreError
from dispatch_core._graph import Node, tick
from dispatch_core._keys import GRAD, LOCK, describe_key, key_number
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._namespaces import find_operator
from dispatch_core._place import HOST as HOST_DEVICE
from dispatch_core._place import Place
from dispatch_core._random import streams_apart
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._state import State, Switch
from dispatch_core._tensor import READERS, Tensor, wrap
from dispatch_core.backend.api import Backend, Raw
from dispatch_core.backend.registry import backend_of
from dispatch_core.layers.kernel import Conditional, site
from dispatch_core.layers.override import Overridden, steps_for
from dispatch_core.layers.promotion import Redirect

NAME = "explain"


class Finished(BaseException):
    """Ends the dry run; no `except Exception` of the program followed may stop it."""


class Session:
    """One run of `explain`."""

    def __init__(self, target: Op | None) -> None:
        self.target = target
        """The operator to stop at; None to follow the callable to its end."""
        self.calls: list[ExplainedCall] = []
        self.here = self.calls
        """Where the next call is noted: at the top, or under the one that is being followed."""
        self.notes: list[str] = []
        self._made: dict[int, object] = {}
        """The memories whose contents are not those of a real run, by identity."""

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.notes:
            self.notes.append(text)

    def make_up(self, value: Any) -> None:
        """Remember that the contents of these tensors are not those of a real run."""
        for tensor in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(tensor, Tensor):
                memory = tensor._backend.storage_of(tensor._raw)
                self._made[id(memory)] = memory

    def reads(self, tensor: Tensor) -> None:
        """Note that the program looks at values, if they are not those of a real run."""
        if id(tensor._backend.storage_of(tensor._raw)) in self._made:
            self.note(
                f"(a made-up value is read at {user_line()}: what the program does with it may differ "
                "in a real run)"
            )


_session: ContextVar[Session] = ContextVar("explain_session")


def _is_dry() -> bool:
    return NAME in _state.STATES[_state.current_state()]


def _left_out(tensor: Tensor) -> None:
    """An in-place write was left out."""
    _session.get().make_up(tensor)


def _read(tensor: Tensor) -> None:
    session = _session.get(None)
    if session is not None and _is_dry():
        session.reads(tensor)


def explain(what: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Which layers and which kernel a call would run, every candidate that was rejected and why.

    `what` is an operator (`dc.add`, or its name) with arguments, of which nothing is run; or any
    callable, which is followed with made-up results: no kernel of its tensors' devices is called,
    its in-place writes are left out, generators of random numbers are not moved, and values that it
    reads are zeros - `note` says so where it reads any, or where it ends early. What the callable does
    in Python itself, assigning attributes or appending to lists, it does.

        print(dc.explain(dc.matmul, x, w))
        print(dc.explain(lambda: model(images)))

    Raises AttributeError for an unknown name, and what wrong arguments raise.
    """
    function = find_operator(what).front if isinstance(what, str) else what
    target = getattr(function, "op", None)
    session = Session(target if isinstance(target, Op) else None)
    token = _session.set(session)
    READERS.append(_read)
    try:
        with Switch(NAME, True), streams_apart():
            function(*args, **kwargs)
    except Finished as end:
        session.note(str(end))
    except Exception as error:
        if not session.notes:
            raise
        session.note(f"(then stopped by {type(error).__name__}: {error})")
    finally:
        READERS.remove(_read)
        _session.reset(token)
    return Explanation(session.calls, "\n".join(filter(None, session.notes)))


class Explain(Layer):
    """Takes part during `explain`."""

    name = NAME
    before = ("profiler", "views", "devices", "promotion", "autograd", "device")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return NAME in state

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return Dry(op, keys)


class Dry(Chain):
    """Notes what the call would do and makes a result up."""

    __slots__ = ("keys",)

    def __init__(self, op: Op, keys: Keys) -> None:
        self.op = op
        self.keys = keys

    def call(self, *args: Any) -> Any:
        session = _session.get()
        call = ExplainedCall(self.op.name, describe_arguments(self.op, args))
        session.here.append(call)
        number = _state.moved(_state.current_state(), NAME, on=False)
        outer, session.here = session.here, call.calls
        try:
            end = examine(self.op, self.keys, number, call, list(args))
            if self.op is session.target:
                raise Finished
            return self._result(session, end, args, number)
        except (DispatchCoreError, NotImplementedError) as error:
            call.error = f"{type(error).__name__}: {error}"
            raise Finished from error
        finally:
            session.here = outer

    def _result(self, session: Session, end: End, args: tuple[Any, ...], number: int) -> Any:
        traits = self.op.traits
        if traits.view:
            token = _state.set_state(number)
            try:
                return end.whole.call(*args)
            finally:
                _state.reset_state(token)
        if traits.writes and not isinstance(end.chain, Body):
            session.make_up(list(chained.from_iterable(args[i] or () for i in traits.writes)))
            return None
        if isinstance(end.chain, Body):
            result = end.chain.call(*end.args)
        else:
            result = made_up(self.op, end.args, end.keys)
            session.make_up(result)
            if traits.varying:
                session.note(
                    f"(the shape of a result depends on values, at {user_line()}: the one shown is that "
                    "for zeros)"
                )
        if end.recorded:
            for tensor in result if isinstance(result, tuple) else (result,):
                _mark(tensor)
        return result


class End:
    """Where the examination of a call ended."""

    __slots__ = ("args", "chain", "keys", "recorded", "whole")

    def __init__(self, whole: Chain, args: list[Any], keys: Keys) -> None:
        self.whole = whole
        self.chain = whole
        self.args = args
        self.keys = keys
        self.recorded = False


class _Spy(Below):
    """Remembers for which keys a layer asked for the chain below it."""

    __slots__ = ("asked", "chain")

    def __init__(self, op: Op, keys: Keys, state: int, layers: Sequence[Layer]) -> None:
        super().__init__(op, keys, state, layers)
        self.asked: Keys | None = None
        self.chain: Chain | None = None

    def __call__(self, keys: Keys | None = None) -> Chain:
        self.chain = super().__call__(keys)
        self.asked = self.keys if keys is None else keys
        return self.chain


def examine(op: Op, keys: Keys, number: int, call: ExplainedCall, args: list[Any]) -> End:
    """Ask every layer in turn, and note in `call` what each does and what computes the call.

    `args` are the arguments, or [] where only keys are known.
    """
    names = _state.STATES[number]
    layers = LAYERS.layers
    end: End | None = None
    for at, layer in enumerate(layers, 1):
        with LOCK:
            if not layer.active(op, keys, names):
                if layer.name != NAME:
                    call.visits.append(LayerVisit(layer.name, layer.provider, False, layer.idle))
                continue
            visit = LayerVisit(layer.name, layer.provider, True, "finds what computes it")
            call.visits.append(visit)
            if layer.name == "device":
                _search(op, keys, names, call)
            elif layer.name == "override":
                _search_overrides(op, keys, call)
            below = _Spy(op, keys, number, layers[at:])
            chain = layer.compose(op, keys, names, below)
        end = end or End(chain, args, keys)
        end.chain, end.keys = chain, keys
        own = _own_lines(chain, below)
        if layer.name != "device":
            call.visits[-1] = LayerVisit(layer.name, layer.provider, True, "; ".join(own))
        if isinstance(chain, Redirect) and args:
            end.args = args = chain.change(args)
            keys = op.keys_of(args)
            continue
        end.recorded |= layer.name == "autograd" and below.asked is not None
        if below.asked is None and (layer.name == "device" or isinstance(chain, Body)):
            if args:
                end.chain = chain = _asked(chain, args, call)
            call.kernel = " ".join(chain.describe())
            if layer.name != "device":
                call.steps.append(Step(3, "body", True, "differentiated through its definition"))
            break
        if isinstance(chain, Overridden) and chain.chosen() is not None:
            call.kernel = own[0]
            break
        keys = below.asked or keys
    if end is None:
        raise RuntimeError(f"no layer answers for {op.name}; the 'device' layer is missing")
    return end


def _asked(chain: Chain, args: list[Any], call: ExplainedCall) -> Chain:
    """The chain that is left when kernels' predicates were asked about these arguments."""
    while isinstance(chain, Conditional):
        why = chain.declines(tuple(args))
        label = f"kernel {chain.chain.info.describe()}"
        said = "its predicate accepts" if why is None else f"declined: {why}"
        at = next(i for i, s in enumerate(call.steps) if s.what == label)
        call.steps[at] = Step(call.steps[at].number, label, why is None, said)
        for i, s in enumerate(call.steps[at + 1 :], at + 1):
            if why is None and s.taken:
                call.steps[i] = Step(s.number, s.what, False, "a better one was found")
        chain = chain.chain if why is None else chain.below
    return chain


def _own_lines(chain: Chain, below: _Spy) -> list[str]:
    lines = chain.describe()
    inner = below.chain.describe() if below.chain is not None else []
    own = lines[: len(lines) - len(inner)] if inner and lines[-len(inner) :] == inner else lines[:1]
    return [line.partition(": ")[2] or line for line in own] or ["passes the call on"]


def _search(op: Op, keys: Keys, names: State, call: ExplainedCall) -> None:
    if not op.selectors:
        return
    backend, computed = site(op, keys)
    call.steps += resolve(op, backend, computed, names).steps


def _search_overrides(op: Op, keys: Keys, call: ExplainedCall) -> None:
    backend, computed = site(op, keys)
    call.steps += steps_for(op, backend.device, computed)


def describe_arguments(op: Op, args: Sequence[Any]) -> str:
    """Arguments as an explanation shows them."""
    return ", ".join(
        f"{param.name}: {_describe(value)}" for param, value in zip(op.params, args, strict=False)
    )


def _describe(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{describe_key(value._k)} {tuple(value._raw.shape)}"
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return "[" + ", ".join(_describe(v) for v in value) + "]"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


# -- made-up results -------------------------------------------------------------------------------


def made_up(op: Op, args: Sequence[Any], keys: Keys) -> Any:
    """Zeros of the shape, dtype and device that the operator would give."""
    backend, computed = site(op, keys) if op.selectors else (backend_of(HOST), None)
    place = next((a for a in args if isinstance(a, Place)), None)
    index = place.index if place is not None else _index(backend, args)
    given = op.family.result(op, computed) if computed is not None else None
    if op.family.kind == "pointwise" and given is not None:
        shapes = (tuple(args[i]._raw.shape) for i in op.tensors if isinstance(args[i], Tensor))
        return _zeros(backend, index, broadcast_shapes(*shapes), given)
    if op.family.kind == "transfer":
        target = next(a for a in args if not isinstance(a, Tensor))
        backend, index = backend_of(target.type), target.index
    results = _on_host(op, args, computed)
    host = backend_of(HOST)
    made = [_zeros(backend, index, tuple(r.shape), host.dtype_of(r)) for r in results]
    if isinstance(results, list):
        return made[0]
    return tuple(made) if op.result_type is None else op.result_type(*made)


def _index(backend: Backend, args: Sequence[Any]) -> int | None:
    tensor = next((a for a in args if isinstance(a, Tensor)), None)
    return None if tensor is None else backend.index_of(tensor._raw)


def _zeros(backend: Backend, index: int | None, shape: tuple[int, ...], found: dtype) -> Tensor:
    raw = backend.from_host(np.zeros(shape, found.numpy_dtype), index)
    return wrap(raw, key_number(backend.device, found))


def _on_host(op: Op, args: Sequence[Any], computed: dtype | None) -> list[Raw] | tuple[Raw, ...]:
    """Results on zeros: one in a list, several in a tuple."""
    host = backend_of(HOST)
    standing = [_stand_in(value) for value in args]
    kernels = [
        k
        for k in host.kernels.candidates(op.name)
        if k.when is None and (k.dtypes is None or computed in k.dtypes)
    ]
    try:
        if kernels:
            raws = [_raw(op, i, v, host, computed) for i, v in enumerate(standing)]
            results = kernels[-1].fn(*raws)
        else:
            with Switch(NAME, False), Switch("grad", False):
                results = _lowered(Body(op, op.body).call(*standing))  # type: ignore[arg-type]
    except Exception as error:
        raise failure(op, args, error) from error
    if isinstance(results, tuple):
        return tuple(host.as_array(r) for r in results)
    return [host.as_array(results)]


def _stand_in(value: Any) -> Any:
    if isinstance(value, Tensor):
        found = value.dtype
        zeros = np.broadcast_to(np.zeros((), found.numpy_dtype), tuple(value._raw.shape))
        return wrap(zeros, key_number(HOST, found))
    if isinstance(value, Place):
        return Place(HOST_DEVICE, value.dtype)
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return [_stand_in(v) for v in value]
    return value


def _raw(op: Op, at: int, value: Any, host: Backend, computed: dtype | None) -> Any:
    if isinstance(value, Tensor):
        return value._raw
    if isinstance(value, list) and value and isinstance(value[0], Tensor):
        return [t._raw for t in value]
    number = isinstance(value, (bool, int, float, complex))
    if number and computed is not None and op.params[at].kind is ParamKind.OPERAND:
        literal = op.family.literal(op.params[at].name, computed)
        return host.scalar(value if literal is None else literal(value), computed)
    return value


def _lowered(value: Any) -> Any:
    return tuple(t._raw for t in value) if isinstance(value, tuple) else value._raw


class _NoWayBack:
    """The recorded form of a made-up result: there is nothing to differentiate."""

    name = "Explained"
    keeps: frozenset[int] = frozenset()
    keeps_arrays = False
    raw = False
    backend = None

    def gradients(self, node: Node, g: Any, mode: Any) -> tuple[Any, ...]:
        """Raise: the forward pass was not run."""
        raise Finished("(stopped at a backward pass: the forward pass was followed, not run)")


def _mark(tensor: Any) -> None:
    """Let a made-up result require grad, as the recorded one would."""
    if not isinstance(tensor, Tensor) or tensor._k & GRAD:
        return
    found = tensor.dtype
    if not (found.is_floating_point or found.is_complex):
        return
    node = Node()
    node.spec = _NoWayBack()
    node.order = tick()
    node.edges, node.saved, node.shapes, node.hooks = (), (), None, None
    tensor._node = node
    tensor._k |= GRAD


inplace.DRY[NAME] = _left_out
LAYERS.add(Explain())
