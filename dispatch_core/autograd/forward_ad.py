"""Forward-mode differentiation: dual tensors and the levels they live in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from dispatch_core import _state
from dispatch_core._dual import LEVELS, OFF, ON, Level, level_of, make, root_of
from dispatch_core._keys import VIEW
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, check_tensor
from dispatch_core.autograd._forward import attached
from dispatch_core.layers.views import refresh

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]

F = TypeVar("F", bound=Callable[..., Any])


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns; the tangent is None for a tensor that has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a level, inside of which tangents can be attached; returns its number.

    Levels nest, other than in PyTorch: the tangent of one level may have a tangent at the next.
    """
    levels = LEVELS.get()
    LEVELS.set((*levels, Level(len(levels))))
    _switch(ON, True)
    return len(levels)


def exit_dual_level(*, level: int | None = None) -> None:
    """End the innermost level: its dual tensors lose their tangents.

    Raises RuntimeError when there is none, or it is not the one given.
    """
    levels = LEVELS.get()
    if not levels:
        raise RuntimeError(
            "there is no dual level to exit; enter one with dual_level() or enter_dual_level()"
        )
    if level is not None and level != levels[-1].number:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created: "
            f"{level}, the last is {levels[-1].number}. This is not supported."
        )
    LEVELS.set(levels[:-1])
    if len(levels) == 1:
        _switch(ON, False)
    levels[-1].end()


def _switch(name: str, on: bool) -> None:
    number = _state.current_state() or _state.open_context()
    _state.set_state(_state.moved(number, name, on))


class dual_level:
    """Context manager and decorator: a level of forward mode, given as its `as` value."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def __enter__(self) -> int:
        self._numbers.append(enter_dual_level())
        return self._numbers[-1]

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        number = self._numbers.pop()
        left_open = len(LEVELS.get()) - number - 1
        for _ in range(left_open + 1):
            exit_dual_level()
        if left_open > 0 and kind is None:
            raise RuntimeError(
                f"forward AD level {number} ends, but level {number + 1}, which was created inside of "
                "it, was not exited; pair enter_dual_level() with exit_dual_level()"
            )

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with dual_level():
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


def _level(number: int | None, what: str) -> Level:
    levels = LEVELS.get()
    if not levels:
        raise RuntimeError(f"{what} but no level exists, make sure to enter_dual_level() first.")
    if number is None:
        return levels[-1]
    if not 0 <= number < len(levels):
        raise RuntimeError(
            f"{what} of level {number}, which is not open: there are levels 0 to {len(levels) - 1}"
        )
    return levels[number]


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A view of `tensor` with a tangent, for the computation inside this level.

    The tangent is kept as it is if it lies in memory as the tensor does, otherwise a copy; it is
    converted to the tensor's dtype. Writing into the result writes into both.

    Raises ValueError for dtypes that have no derivative, or a complex tangent of a real tensor;
    RuntimeError for a tangent of another shape or device, outside of a level, and for a tensor or
    tangent that already has a tangent of that level.
    """
    found = _level(level, "Trying to create a dual Tensor for forward AD")
    check_tensor(tensor, "make_dual(): argument 'tensor' (position 1)")
    check_tensor(tangent, "make_dual(): argument 'tangent' (position 2)")
    _check_pair(tensor, tangent, found)
    if not _state.is_on(ON):  # the state that was left behind may be older than the level
        _switch(ON, True)
    primal = K.basic_index(tensor, (...,))
    made = attached(primal, tangent, found)
    made._k |= primal._k & VIEW
    made._base = primal._base
    source = root_of(tensor)
    found.sources[id(source)] = source
    return made


def _check_pair(tensor: Tensor, tangent: Tensor, level: Level) -> None:
    for name, each in (("primal", tensor), ("tangent", tangent)):
        if not (each.is_floating_point() or each.is_complex()):
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {each.dtype}"
            )
    if tangent.is_complex() and not tensor.is_complex():
        raise ValueError(
            f"Expected the tangent of a real tensor ({tensor.dtype}) to be real, but got: "
            f"{tangent.dtype}"
        )
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )
    if tensor.device != tangent.device:
        raise RuntimeError(
            f"Expected the tangent on the device of the tensor, {tensor.device}, but got one on "
            f"{tangent.device}; move it with .to(tensor.device)"
        )
    number = level.number
    if level_of(tensor) >= number:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same "
            f"level {number} is not supported."
        )
    if level_of(tangent) >= number:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same level "
            f"{number} is not supported."
        )


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a tensor and its tangent of a level: None where it has none, and outside levels."""
    if not LEVELS.get():
        return UnpackedDualTensor(tensor, None)
    found = _level(level, "Trying to unpack a dual Tensor")
    check_tensor(tensor, "unpack_dual(): argument 'tensor' (position 1)")
    if tensor._k & VIEW:
        refresh(tensor)  # its root may have got a tangent since
    return UnpackedDualTensor(*_unpacked(tensor, found))


def _unpacked(tensor: Tensor, level: Level) -> tuple[Tensor, Tensor | None]:
    number = level_of(tensor)
    if number < level.number:
        return tensor, None
    raw = tensor._raw
    if number == level.number:
        return raw.primal, raw.tangent
    # The tensor has an inner level as well: both of its parts are of the level that is asked for.
    (primal, outer), (tangent, mixed) = (_unpacked(t, level) for t in (raw.primal, raw.tangent))
    if outer is None and mixed is None:
        return tensor, None
    outer = K.zeros_like(primal) if outer is None else outer
    mixed = K.zeros_like(tangent) if mixed is None else mixed
    return make(primal, tangent, raw.level), make(outer, mixed, raw.level)


def _is_fwd_grad_enabled() -> bool:
    return not _state.is_on(OFF)


class _set_fwd_grad_enabled:
    """Turn the computing of tangents on or off at once; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        number = _state.current_state() or _state.open_context()
        self._token = _state.set_state(_state.moved(number, OFF, not mode))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        _state.reset_state(self._token)
