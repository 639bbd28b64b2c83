"""Generators of random numbers, each a place in a seed's Philox stream; one a device by default."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar, Token
from typing import Any

from dispatch_core._construct import tensor
from dispatch_core._device import device as Device
from dispatch_core._dtypes import uint8
from dispatch_core._place import HOST, as_device
from dispatch_core._tensor import Tensor

DEFAULT_SEED = 67280421310721
"""The seed that default generators start with."""
_WORD = 1 << 64
_STATE_BYTES = 16

Draw = Callable[[tuple[int, ...], Callable[[tuple[int, ...]], Tensor]], Tensor]
DRAW: ContextVar[Draw | None] = ContextVar("draw", default=None)
"""What stands between a random operator and its numbers: `draw(size, plain)`, where `plain(size)` would
be the numbers; None: nothing. A transform such as `vmap` sets it."""


class _Stream:
    """A place in the stream of a seed."""

    __slots__ = ("offset", "seed")

    def __init__(self, seed: int, offset: int) -> None:
        self.seed = seed
        self.offset = offset


class _Copies:
    """Streams that one thread or task moves in place of those of all generators."""

    def __init__(self, outer: _Copies | None) -> None:
        self._outer = outer
        self._streams: dict[Generator, _Stream] = {}

    def of(self, generator: Generator) -> _Stream:
        """The stream that `generator` has here."""
        found = self._streams.get(generator)
        if found is None:
            now = generator._own if self._outer is None else self._outer.of(generator)
            found = self._streams[generator] = self._first(generator, now)
        return found

    def _first(self, generator: Generator, now: _Stream) -> _Stream:
        return _Stream(now.seed, now.offset)


class KeyedDefaults(_Copies):
    """Streams that one thread or task has in place of those of the default generators.

    Every `restart` begins the stream of another seed, on all devices. As a context manager it may be
    entered again and again.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self._seed = DEFAULT_SEED
        self._tokens: list[Token[_Copies | None]] = []

    def restart(self, seed: int) -> None:
        """Continue with the stream of `seed`."""
        self._seed = seed % _WORD
        self._streams.clear()

    def _first(self, generator: Generator, now: _Stream) -> _Stream:
        return _Stream(self._seed, 0) if generator.is_default else now

    def __enter__(self) -> KeyedDefaults:
        self._tokens.append(_apart.set(self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _apart.reset(self._tokens.pop())


_apart: ContextVar[_Copies | None] = ContextVar("streams_apart", default=None)


@contextlib.contextmanager
def streams_apart() -> Iterator[None]:
    """Context in which this thread or task moves copies of all generators, not themselves."""
    token = _apart.set(_Copies(_apart.get()))
    try:
        yield
    finally:
        _apart.reset(token)


class Generator:
    """A stream of random numbers on one device; the same seed gives the same numbers on all.

    Its state is the seed and the number of the next unused block of the stream.
    """

    is_default = False
    """Whether it is the default generator of its device."""

    def __init__(self, device: Any = None) -> None:
        self._device = HOST if device is None else as_device(device)
        self._lock = threading.Lock()
        self._own = _Stream(DEFAULT_SEED, 0)

    @property
    def _stream(self) -> _Stream:
        apart = _apart.get()
        return self._own if apart is None else apart.of(self)

    @property
    def device(self) -> Device:
        """The device that the numbers are for."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed, negative ones modulo 2**64; returns the generator."""
        if not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = seed.__index__()
        if not -(_WORD >> 1) <= seed < _WORD:
            raise RuntimeError(
                "Overflow when unpacking long: expected a seed from -2**63 to 2**64 - 1, got "
                f"{seed}"
            )
        with self._lock:
            stream = self._stream
            stream.seed, stream.offset = seed % _WORD, 0
        return self

    def seed(self) -> int:
        """Start the stream of a seed that cannot be foreseen; returns the seed."""
        found = int.from_bytes(os.urandom(8), "little") >> 1
        self.manual_seed(found)
        return found

    def initial_seed(self) -> int:
        """The seed of the stream."""
        return self._stream.seed

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor on the cpu."""
        with self._lock:
            stream = self._stream
            state = stream.seed | stream.offset << 64
        return tensor(list(state.to_bytes(_STATE_BYTES, "little")), dtype=uint8)

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from a state that `get_state` gave; returns the generator."""
        if not isinstance(new_state, Tensor) or new_state.dtype is not uint8:
            found = new_state.dtype if isinstance(new_state, Tensor) else type(new_state).__name__
            raise TypeError(f"expected a torch.ByteTensor (a uint8 tensor), but got {found}")
        data = bytes(new_state.tolist())
        if len(data) != _STATE_BYTES:
            raise RuntimeError(
                f"RNG state is wrong size: expected {_STATE_BYTES} bytes as from get_state(), "
                f"got {len(data)}"
            )
        state = int.from_bytes(data, "little")
        with self._lock:
            stream = self._stream
            stream.seed, stream.offset = state % _WORD, state >> 64
        return self

    def get_offset(self) -> int:
        """The number of the next unused block of the stream."""
        return self._stream.offset

    def set_offset(self, offset: int) -> Generator:
        """Continue from a block of the stream; returns the generator."""
        with self._lock:
            self._stream.offset = int(offset) % _WORD
        return self

    def clone_state(self) -> Generator:
        """Another generator in the same state."""
        return Generator(self._device).set_state(self.get_state())

    def take(self, blocks: int) -> tuple[int, int]:
        """Seed and first block of the next `blocks` blocks, which are used up by this."""
        with self._lock:
            stream = self._stream
            offset = stream.offset
            stream.offset = (offset + blocks) % _WORD
            return stream.seed, offset

    def __reduce__(self) -> Any:
        stream = self._stream
        return _restored, (str(self._device), stream.seed, stream.offset)

    def __repr__(self) -> str:
        seed, block = self._stream.seed, self._stream.offset
        return f"<dispatch_core.Generator on {self._device}, seed {seed}, block {block}>"


def _restored(device: str, seed: int, offset: int) -> Generator:
    return Generator(device).manual_seed(seed).set_offset(offset)


class _Defaults:
    def __init__(self) -> None:
        self.seed = DEFAULT_SEED
        self.by_device: dict[str, Generator] = {}
        self.lock = threading.Lock()


default_generator = Generator()
default_generator.is_default = True
_DEFAULTS = _Defaults()
_DEFAULTS.by_device["cpu"] = default_generator


def _renew_locks() -> None:
    """In a forked process nobody would release what another thread held at that moment."""
    _DEFAULTS.lock = threading.Lock()
    for generator in _DEFAULTS.by_device.values():
        generator._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def generator_of(device: Device) -> Generator:
    """The default generator of a device."""
    name = str(device)
    found = _DEFAULTS.by_device.get(name)
    if found is None:
        made = Generator(device)
        with _DEFAULTS.lock:
            made._own.seed = _DEFAULTS.seed
            made.is_default = True
            found = _DEFAULTS.by_device.setdefault(name, made)
    return found


def thread_safe_generator() -> Generator | None:
    """The generator of the loading thread that calls, None for the default one.

    It is always None here: a `DataLoader` has no threads of its own.
    """
    return None


def chosen_generator(generator: Any, device: Device) -> Generator:
    """The generator that was given, or the default one of the device."""
    if generator is None:
        return generator_of(device)
    if not isinstance(generator, Generator):
        raise TypeError(f"argument 'generator' must be Generator, not {type(generator).__name__}")
    if generator.device.type != device.type:
        raise RuntimeError(
            f"Expected a '{device.type}' device type for generator but found "
            f"'{generator.device.type}'"
        )
    return generator


def manual_seed(seed: int) -> Generator:
    """Seed the default generators of all devices; returns the cpu's."""
    default_generator.manual_seed(seed)
    with _DEFAULTS.lock:
        _DEFAULTS.seed = default_generator.initial_seed()
        for generator in _DEFAULTS.by_device.values():
            generator.manual_seed(_DEFAULTS.seed)
    return default_generator


def seed() -> int:
    """Seed the default generators with a number that cannot be foreseen; returns it."""
    found = int.from_bytes(os.urandom(8), "little") >> 1
    manual_seed(found)
    return found


def initial_seed() -> int:
    """The seed of the cpu's default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the cpu's default generator, as a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the cpu's default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


States = dict[Generator, Tensor]


def states_now() -> States:
    """The states of the default generators of all devices that were used."""
    return {generator: generator.get_state() for generator in _DEFAULTS.by_device.values()}


@contextlib.contextmanager
def replayed(states: States) -> Iterator[None]:
    """Context in which the default generators start from earlier states; afterwards they are as before."""
    with fork_rng():
        for generator, state in states.items():
            generator.set_state(state)
        yield


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, device_type: str = "cpu"
) -> Iterator[None]:
    """Context in which random numbers are drawn without moving the default generators.

    `devices` names further ones; without it, those of all devices that were used are kept.
    """
    if not enabled:
        yield
        return
    if devices is None:
        kept = list(_DEFAULTS.by_device.values())
    else:
        named = (as_device(f"{device_type}:{d}" if isinstance(d, int) else d) for d in devices)
        kept = [default_generator, *map(generator_of, named)]
    states = [generator.get_state() for generator in kept]
    try:
        yield
    finally:
        for generator, state in zip(kept, states, strict=True):
            generator.set_state(state)
