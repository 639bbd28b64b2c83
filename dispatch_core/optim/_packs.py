"""Small parameters that are updated as one: their state lies in vectors, one for each name.

A step costs some calls a parameter, which for small ones is most of it. So the state of small
parameters is kept in vectors, of which each parameter's own state are views. A step then gathers
values and gradients into vectors too, updates all of it by one call, and scatters the new values.
Parameters are never moved: each keeps its own memory, whose versions autograd watches.

Whatever is not as it was when a pack was made (state that was replaced, counts that differ, members
without a gradient) leaves its members out of the pack for that step: they are updated one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

from dispatch_core.optim._core import Tensor, flatten_tensors, shapes_of, unflatten_tensors_

State = dict[str, Any]
SMALL = 1 << 13
"""Parameters of fewer elements are packed; to gather larger ones takes longer than it saves."""


class Pack:
    """Parameters of one kind, and vectors with the state of all of them."""

    def __init__(self, params: list[Tensor], states: list[State]) -> None:
        self.params = params
        self.vectors: State = {name: _joined(name, states) for name in states[0]}
        """Name of state -> a vector of it."""
        self._states = states
        self._kind = params[0]._k
        self._shapes = shapes_of(params)
        self._views = [value for state in states for value in state.values()]
        self._ids = list(map(id, self._views))

    def row(self, grads: list[Tensor], states: list[State]) -> tuple[Tensor, Tensor] | None:
        """Values and gradients as vectors; None unless all is as it was."""
        params = self.params
        found = [id(value) for state in self._states for value in state.values()]
        counts = self.vectors.get("step")
        if (
            not all(map(is_, states, self._states))
            or found != self._ids
            or {p._k for p in params} != {self._kind}
            or len({g._k for g in grads}) != 1
            or shapes_of(params) != self._shapes
            or (counts is not None and len(set(counts.tolist())) != 1)
        ):
            return None
        return flatten_tensors(params), flatten_tensors(grads)

    def scatter(self, values: Tensor) -> None:
        """Gives the parameters their new values."""
        unflatten_tensors_(self.params, values)


def _joined(name: str, states: list[State]) -> Tensor:
    """A vector of all state of one name, put in place of what it was made of."""
    vector = flatten_tensors([state[name] for state in states])
    begin = 0
    for state in states:
        old: Tensor = state[name]
        end = begin + old.numel()
        state[name] = vector[begin:end].view(old.shape)
        begin = end
    return vector


class Packs:
    """The packs of one parameter group, and where their members stand among the parameters of a step."""

    def __init__(self) -> None:
        self._packs: list[Pack] = []
        self._members: set[int] = set()
        self._ids: list[int] = []
        self._places: list[tuple[Pack, list[int]]] = []

    def __bool__(self) -> bool:
        return bool(self._packs)

    def add(self, params: list[Tensor], states: list[State], kind: Callable[[Tensor], Any]) -> None:
        """Packs what can be: small real parameters of one kind, whose state has their shape."""
        found: dict[Any, list[int]] = {}
        for i, (param, state) in enumerate(zip(params, states, strict=True)):
            if id(param) not in self._members and _can_be_packed(param, state):
                found.setdefault((kind(param), tuple(state)), []).append(i)
        for members in found.values():
            if len(members) > 1:
                pack = Pack([params[i] for i in members], [states[i] for i in members])
                self._packs.append(pack)
                self._members.update(map(id, pack.params))
                self._ids = []

    @contextmanager
    def joined(
        self, params: list[Tensor], grads: list[Tensor], states: list[State]
    ) -> Iterator[tuple[list[Tensor], list[Tensor], list[State]]]:
        """The three lists with one row for each pack in place of its members' rows.

        What is written into that row reaches the members when the context is left.
        """
        rows = [
            (pack, row, places)
            for pack, places in self._placed(params)
            if (row := pack.row([grads[i] for i in places], [states[i] for i in places]))
        ]
        if not rows:
            yield params, grads, states
            return
        members = {i for _, _, places in rows for i in places}
        rest = [i for i in range(len(params)) if i not in members]
        yield (
            [params[i] for i in rest] + [values for _, (values, _), _ in rows],
            [grads[i] for i in rest] + [grad for _, (_, grad), _ in rows],
            [states[i] for i in rest] + [pack.vectors for pack, _, _ in rows],
        )
        for pack, (values, _), _ in rows:
            pack.scatter(values)

    def _placed(self, params: list[Tensor]) -> list[tuple[Pack, list[int]]]:
        """The packs all of whose members are among `params`, each with the members' places there."""
        ids = list(map(id, params))
        if ids != self._ids:
            at = {identity: i for i, identity in enumerate(ids)}
            every = [(pack, [at.get(id(p), -1) for p in pack.params]) for pack in self._packs]
            self._ids, self._places = ids, [(p, i) for p, i in every if min(i) >= 0]
        return self._places


def _can_be_packed(param: Tensor, state: State) -> bool:
    if param.numel() >= SMALL or param.is_complex() or not state:
        return False
    return all(
        isinstance(value, Tensor)
        and (not value.requires_grad)
        and (value.dim() == 0 if name == "step" else _is_alike(value, param))
        for name, value in state.items()
    )


def _is_alike(value: Tensor, param: Tensor) -> bool:
    return (value.shape, value.dtype, value.device) == (param.shape, param.dtype, param.device)
