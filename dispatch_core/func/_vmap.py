"""`vmap`: a function of one example becomes one of a batch, computed on all examples at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dispatch_core import _tree
from dispatch_core._batched import batched, level_of
from dispatch_core._dual import Dual
from dispatch_core._dual import make as make_dual
from dispatch_core._op import K
from dispatch_core._random import DRAW, Draw
from dispatch_core._tensor import Tensor

_level: ContextVar[int] = ContextVar("vmap_level", default=0)
_RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`func` of one example as a function of many: every operator in it runs once, on all of them.

    Args:
        func: takes tensors, or nested tuples, lists and dictionaries of them, and returns such.
        in_dims: for each argument, or each tensor in it, the dimension of the examples; None where all
            share one value. What is given by name is shared by all.
        out_dims: where the examples stand in each result.
        randomness: random operators inside `func` are an "error", draw "different" numbers for each
            example, or the "same" for all.
        chunk_size: how many examples at once (default: all).

    Raises ValueError for dimensions and structures that do not fit the arguments, RuntimeError for what
    has no meaning on all examples at once: reading values (`.item()`, `if tensor:`), writing a batched
    value into a tensor that is not.

    """
    if randomness not in _RANDOMNESS:
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = _tree.flatten(args)
        dims = _in_dims(in_dims, args, leaves, func)
        size = _size(leaves, dims, func)
        fronted = [
            leaf if dim is None else K.movedim(leaf, dim, 0)
            for leaf, dim in zip(leaves, dims, strict=True)
        ]

        def run(values: list[Any], count: int) -> Any:
            with _examples(values, dims, randomness, count) as (level, handles):
                positional = _tree.unflatten(structure, iter(handles))
                return _unbatched(func(*positional, **kwargs), level, count, func)

        step = chunk_size or size or 1
        parts = [
            run(
                [v if d is None else v[at : at + step] for v, d in zip(fronted, dims, strict=True)],
                min(step, size - at),
            )
            for at in (range(0, size, step) if size else (0,))
        ]
        return _placed(parts, out_dims)

    return mapped


def _in_dims(in_dims: Any, args: Any, leaves: list[Any], func: Any) -> list[int | None]:
    name = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"{name}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims).__name__}."
        )
    if not leaves:
        raise ValueError(
            f"{name}: got no inputs. Maybe you forgot to add inputs, or func takes none"
        )
    wanted = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    if isinstance(wanted, tuple) and len(wanted) != len(args):
        raise ValueError(
            f"{name}: in_dims is not compatible with the structure of inputs: it has {len(wanted)} "
            f"entries for {len(args)} arguments"
        )
    dims = _tree.spread(wanted, args, f"{name}: in_dims")
    for at, (dim, leaf) in enumerate(zip(dims, leaves, strict=True)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(f"{name}: Got in_dim={dim!r} for an input, which must be int or None")
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{name}: Got in_dim={dim} for an input but the input is of type "
                f"{type(leaf).__name__}. We cannot vmap over non-Tensor arguments, please use None "
                "as the respective in_dim"
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise ValueError(
                f"{name}: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {leaf.ndim} so expected in_dim to satisfy "
                f"-{leaf.ndim} <= in_dim < {leaf.ndim}"
            )
        dims[at] = dim % leaf.ndim
    return dims


def _size(leaves: Sequence[Any], dims: Sequence[int | None], func: Any) -> int:
    sizes = {leaf.shape[d] for leaf, d in zip(leaves, dims, strict=True) if d is not None}
    if not sizes:
        raise ValueError(
            f"vmap({_name(func)}): at least one input has to be mapped, all in_dims are None"
        )
    if len(sizes) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sorted(sizes)} for the mapped dimension"
        )
    return int(sizes.pop())


@contextmanager
def _examples(
    values: Sequence[Any], dims: Sequence[int | None], randomness: str, size: int
) -> Iterator[tuple[int, list[Any]]]:
    """A level of its own, and the arguments as one example sees them."""
    level = _level.get() + 1
    token = _level.set(level)
    draw = DRAW.set(_draw(randomness, size, level, DRAW.get()))
    try:
        yield (
            level,
            [v if d is None else batched(v, level) for v, d in zip(values, dims, strict=True)],
        )
    finally:
        DRAW.reset(draw)
        _level.reset(token)


def _draw(randomness: str, size: int, level: int, outer: Draw | None) -> Draw:
    """How random numbers are drawn inside the mapped function."""

    def draw(shape: tuple[int, ...], plain: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
        if randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the "
                "'same' or 'different' randomness flags on vmap or perform the randomness operation "
                "out of vmap"
            )
        wanted = (size, *shape) if randomness == "different" else shape
        token = DRAW.set(outer)
        try:
            drawn = plain(wanted) if outer is None else outer(wanted, plain)
        finally:
            DRAW.reset(token)
        return batched(drawn, level) if randomness == "different" else drawn

    return draw


def _unbatched(result: Any, level: int, size: int, func: Any) -> tuple[list[Any], Any]:
    """The leaves of a result with the examples in front (or None, and the value all share)."""
    leaves, structure = _tree.flatten(result)
    found = []
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"vmap({_name(func)}, ...): `{_name(func)}` must only return Tensors, got type "
                f"{type(leaf)}. Did you mean to set out_dims= to None for an output?"
            )
        found.append((*_taken_out(leaf, level, size), size))
    return found, structure


def _taken_out(value: Tensor, level: int, size: int) -> tuple[Tensor, bool]:
    """The tensor of all examples, and True; or the value that all share, and False."""
    if level_of(value) == level:
        return value._raw.tensor, True
    raw = value._raw
    if raw.__class__ is not Dual:
        return value, False
    # A forward mode from outside: its value and tangent are what is batched.
    parts = [_taken_out(part, level, size) for part in (raw.primal, raw.tangent)]
    if not any(inside for _, inside in parts):
        return value, False
    primal, tangent = (t if inside else K.expand(t, (size, *t.shape)) for t, inside in parts)
    return make_dual(primal, tangent, raw.level), True


def _placed(parts: list[Any], out_dims: Any) -> Any:
    """The parts of all chunks joined, with the examples where `out_dims` wants them."""
    structure = parts[0][1]
    result = _tree.unflatten(structure, [leaf for leaf, _, _ in parts[0][0]])
    given = tuple(out_dims) if isinstance(out_dims, list) else out_dims
    if isinstance(given, tuple) and isinstance(result, Tensor) and len(given) == 1:
        given = given[0]
    dims = _tree.spread(given, result, "vmap: out_dims")
    results = []
    for leaves, dim in zip(zip(*[found for found, _ in parts], strict=True), dims, strict=True):
        if dim is None:
            if any(inside for _, inside, _ in leaves):
                raise ValueError(
                    "vmap: a result differs between examples, so its out_dim cannot be None"
                )
            results.append(leaves[0][0])
            continue
        columns = [t if inside else K.expand(t, (size, *t.shape)) for t, inside, size in leaves]
        joined = columns[0] if len(columns) == 1 else K.cat(columns, 0)
        results.append(K.movedim(joined, 0, dim) if dim else joined)
    return _tree.unflatten(structure, results)


def _name(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)
