"""A pickle machine that knows data only: no class or function of a file's choice is ever looked up.

Python's own `pickle` would import what a file names, and can be made to fill the memory. This one
handles the opcodes that plain data needs, of protocols 0 to 5, gives names to `globals_` - which
has its own objects for those it knows - and checks what is built.

Source: the comments on every opcode in Python's `pickletools`.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dispatch_core._errors import FileFormatError

MAX_KEY_PARTS: Final = 1000
"""How many parts a key of a dict or a member of a set may have: Python hashes them all, by recursion."""
_MARK: Final = object()


class Part:
    """An object that stands in no data, only in the arguments of a call."""

    __slots__ = ()


class Callee(Part):
    """What a name in a file stands for: the arguments of its call go to `make`."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[..., Any]) -> None:
        self.name = name
        self.make = make


class Constant:
    """A name in a file that stands for a value: a dtype, a kind of storage."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value


class Machine:
    """Runs one pickle and returns what it built.

    `find(module, name)` gives a `Callee` or `Constant`, or raises; `persistent(id)` gives the object
    of an id outside of the pickle, here a storage; `build(object, state)` takes what a pickle wants
    to set on an object.
    """

    def __init__(
        self,
        where: str,
        find: Callable[[str, str], Callee | Constant],
        persistent: Callable[[Any], Any],
        build: Callable[[Any, Any], Any],
    ) -> None:
        self._where = where
        self._find = find
        self._persistent = persistent
        self._build_state = build
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: io.BytesIO) -> Any:
        """The object of the pickle at the stream's position, which is behind it afterwards.

        Raises:
            FileFormatError: it is no whole pickle, or contains something else than data.

        """
        self._stack = []
        self._memo = {}
        try:
            for name, argument in _operations(stream):
                if name == "STOP":
                    (result,) = self._stack
                    return _value(result)
                step = _STEPS.get(name)
                if step is None:
                    raise self._error(f"its pickle has the opcode {name}, which data does not need")
                step(self, argument)
        except FileFormatError:
            raise
        except (
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
        ) as error:
            raise self._error(f"its pickle is damaged: {error}") from None
        except RecursionError:
            raise self._error("its pickle is nested too deeply") from None
        raise self._error("its pickle has no end")

    def _error(self, reason: str) -> FileFormatError:
        return FileFormatError(f"{self._where}: {reason}")

    # -- the stack ---------------------------------------------------------------------------------

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark where there should be a value")
        return value

    def _pop_to_mark(self) -> list[Any]:
        return list(map(_value, self._pop_raw()))

    def _pop_raw(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _top(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise TypeError(f"expected a {kind.__name__}, found {type(self._stack[-1]).__name__}")
        return self._stack[-1]

    # -- opcodes -----------------------------------------------------------------------------------

    def _mark(self, argument: Any) -> None:
        self._push(_MARK)

    def _duplicate(self, argument: Any) -> None:
        self._push(self._stack[-1])

    def _discard(self, argument: Any) -> None:
        self._stack.pop()

    def _discard_to_mark(self, argument: Any) -> None:
        self._pop_to_mark()

    def _put(self, argument: Any) -> None:
        self._memo[int(argument)] = self._stack[-1]

    def _memoize(self, argument: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, argument: Any) -> None:
        self._push(self._memo[int(argument)])

    def _tuple_of(self, count: int) -> Callable[[Any], None]:
        def make(argument: Any) -> None:
            items = [_argument_of(self._pop()) for _ in range(count)]
            self._push(tuple(reversed(items)))

        return make

    def _tuple(self, argument: Any) -> None:
        self._push(tuple(map(_argument_of, self._pop_raw())))

    def _list(self, argument: Any) -> None:
        self._push(self._pop_to_mark())

    def _append(self, argument: Any) -> None:
        value = _value(self._pop())
        self._top(list).append(value)

    def _appends(self, argument: Any) -> None:
        items = self._pop_to_mark()
        self._top(list).extend(items)

    def _dict(self, argument: Any) -> None:
        self._push({})
        self._set_pairs(_paired(self._pop_below()))

    def _pop_below(self) -> list[Any]:
        """The items between the mark and the dict that was just pushed for them."""
        made = self._stack.pop()
        items = self._pop_to_mark()
        self._push(made)
        return items

    def _set_item(self, argument: Any) -> None:
        value, key = _value(self._pop()), _value(self._pop())
        self._set_pairs([(key, value)])

    def _set_items(self, argument: Any) -> None:
        pairs = _paired(self._pop_to_mark())
        self._set_pairs(pairs)

    def _set_pairs(self, pairs: list[tuple[Any, Any]]) -> None:
        target = self._top(dict)
        for key, value in pairs:
            target[hashable(key)] = value

    def _add_items(self, argument: Any) -> None:
        items = self._pop_to_mark()
        self._top(set).update(map(hashable, items))

    def _frozenset(self, argument: Any) -> None:
        self._push(frozenset(map(hashable, self._pop_to_mark())))

    def _global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._push(self._find(module, name))

    def _stack_global(self, argument: Any) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise TypeError("a name that is no string")
        self._push(self._find(module, name))

    def _reduce(self, argument: Any) -> None:
        arguments, callee = self._pop(), self._pop()
        if not isinstance(callee, Callee):
            raise TypeError(f"a call of {type(callee).__name__}")
        if not isinstance(arguments, tuple):
            raise TypeError("a call without a tuple of arguments")
        self._push(callee.make(*arguments))

    def _build(self, argument: Any) -> None:
        state = _value(self._pop())
        self._stack[-1] = self._build_state(self._stack[-1], state)

    def _persistent_id(self, argument: Any) -> None:
        self._push(self._persistent(_value(self._pop())))

    def _nothing(self, argument: Any) -> None:
        pass


def _operations(stream: io.BytesIO) -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(stream):
        yield opcode.name, argument


def _value(item: Any) -> Any:
    """What may stand in data: a dtype for its name, and nothing that could be called."""
    if isinstance(item, Constant):
        return item.value
    if isinstance(item, Part):
        raise TypeError(f"{type(item).__name__} stands where there should be data")
    if item is _MARK:
        raise ValueError("a mark where there should be a value")
    return item


def _argument_of(item: Any) -> Any:
    """What may stand in a tuple: data, and what only calls use."""
    return item if isinstance(item, Part) else _value(item)


def _paired(items: list[Any]) -> list[tuple[Any, Any]]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    return list(zip(items[::2], items[1::2], strict=True))


def hashable(key: Any) -> Any:
    """A key, if hashing it exhausts neither the stack nor the patience."""
    left, parts = [key], 0
    while left:
        each = left.pop()
        if isinstance(each, (tuple, frozenset)):
            parts += len(each)
            if parts > MAX_KEY_PARTS:
                raise ValueError("a key has too many parts")
            left.extend(each)
    return key


def _constant(value: Any) -> Callable[[Machine, Any], None]:
    return lambda machine, argument: machine._push(value)


def _fresh(make: Callable[[], Any]) -> Callable[[Machine, Any], None]:
    return lambda machine, argument: machine._push(make())


def _argument(machine: Machine, argument: Any) -> None:
    machine._push(argument)


_STEPS: Final[Mapping[str, Callable[[Machine, Any], None]]] = {
    "PROTO": Machine._nothing,
    "FRAME": Machine._nothing,
    "MARK": Machine._mark,
    "POP": Machine._discard,
    "POP_MARK": Machine._discard_to_mark,
    "DUP": Machine._duplicate,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    **dict.fromkeys(
        ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        _argument,
    ),
    **dict.fromkeys(
        ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        _argument,
    ),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"), _argument),
    # Strings of Python 2, of which those that are names are ASCII.
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _argument),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_LIST": _fresh(list),
    "EMPTY_DICT": _fresh(dict),
    "EMPTY_SET": _fresh(set),
    "TUPLE": Machine._tuple,
    "TUPLE1": lambda machine, argument: machine._tuple_of(1)(argument),
    "TUPLE2": lambda machine, argument: machine._tuple_of(2)(argument),
    "TUPLE3": lambda machine, argument: machine._tuple_of(3)(argument),
    "LIST": Machine._list,
    "DICT": Machine._dict,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "ADDITEMS": Machine._add_items,
    "FROZENSET": Machine._frozenset,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine._put),
    "MEMOIZE": Machine._memoize,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine._get),
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persistent_id,
}
