"""Tables of hooks, and the handles that take a hook out of them again."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Any

Hook = Callable[..., Any]
HookTable = OrderedDict[int, Hook]


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away, and so does leaving `with`.

    The handle holds its tables weakly, so it never keeps a module or a graph alive.
    """

    _ids = count()

    def __init__(self, hooks: HookTable, *flags: OrderedDict[int, bool]) -> None:
        self.id = next(RemovableHandle._ids)
        tables: tuple[OrderedDict[int, Any], ...] = (hooks, *flags)
        self._tables = tuple(weakref.ref(table) for table in tables)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        for reference in self._tables:
            table = reference()
            if table is not None:
                table.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.id, tuple(reference() for reference in self._tables)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id, tables = state
        # A table that was gone when the handle was saved is replaced by an empty one of no module.
        self._tables = tuple(weakref.ref(OrderedDict() if t is None else t) for t in tables)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(
    table: HookTable,
    hook: Hook,
    *,
    prepend: bool = False,
    flags: tuple[tuple[OrderedDict[int, bool], bool], ...] = (),
) -> RemovableHandle:
    """Put `hook` into `table`, and its id into every flag table whose flag is set."""
    chosen = [flag_table for flag_table, flag in flags if flag]
    handle = RemovableHandle(table, *chosen)
    table[handle.id] = hook
    for flag_table in chosen:
        flag_table[handle.id] = True
    if prepend:
        table.move_to_end(handle.id, last=False)
        for flag_table in chosen:
            flag_table.move_to_end(handle.id, last=False)
    return handle
