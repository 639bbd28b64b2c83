"""`Function` in forward mode: `forward` sees the primals, `jvp` the tangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dual import LEVELS, OFF, Level, level_of, make
from dispatch_core._op import K
from dispatch_core._state import is_on
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import _function
from dispatch_core.autograd._forward import attached, write
from dispatch_core.autograd._function import Function, FunctionCtx


def apply_dual(cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
    """Run a Function with dual arguments, level by level from the outermost."""
    level: Level = max(args, key=level_of)._raw.level
    primals = tuple(a._raw.primal if level_of(a) == level.number else a for a in args)
    if any(level_of(p) >= 0 for p in primals):
        output = apply_dual(cls, ctx, primals)
    else:
        output = cls._run(ctx, primals)
    if is_on(OFF):
        return output
    results = output if isinstance(output, tuple) else (output,)
    tangents = _tangents(cls, ctx, args, len(results), level)
    own = {id(p): a for p, a in zip(primals, args, strict=True)}
    made = tuple(
        _with_tangent(cls, own.get(id(r)), r, t, level)
        for r, t in zip(results, tangents, strict=True)
    )
    _keep_duals(ctx, (*primals, *results), (*args, *made), level)
    return made if isinstance(output, tuple) else made[0]


def _tangents(
    cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], count: int, level: Level
) -> tuple[Any, ...]:
    """What `jvp` returns, one entry for each result."""
    given = [
        a._raw.tangent if level_of(a) == level.number else _zeros(a) if ctx._materialize else None
        for a in args
    ]
    if ctx._saved_forward is not None:
        kept = ctx._saved_forward
        give_back, ctx._give_back = ctx._give_back, lambda: kept  # type: ignore[method-assign]
        try:
            found = cls.jvp(ctx, *given)
        finally:
            ctx._give_back = give_back  # type: ignore[method-assign]
    else:
        found = cls.jvp(ctx, *given)
    found = found if isinstance(found, tuple) else (found,)
    if len(found) != count:
        raise RuntimeError(
            f"function {cls.__name__}: jvp returned {len(found)} tangents, but forward returned "
            f"{count} results; return one for each, None for what has none"
        )
    return found


def _zeros(value: Any) -> Tensor | None:
    inexact = isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
    return K.zeros_like(value) if inexact else None


def _with_tangent(
    cls: type[Function], written: Any, result: Any, tangent: Any, level: Level
) -> Any:
    """A result with its tangent; one that is an argument was written, and so was its tangent."""
    if tangent is None or not isinstance(result, Tensor):
        return result if written is None else written
    if tangent.shape != result.shape:
        raise RuntimeError(
            f"function {cls.__name__}: jvp returned a tangent of shape {list(tangent.shape)} for a "
            f"result of shape {list(result.shape)}"
        )
    if written is None:
        return attached(result, tangent, level)
    if level_of(written) < level.number or tangent is not written._raw.tangent:
        write(written, make(result, tangent, level))
    return written


def _keep_duals(ctx: FunctionCtx, plain: Sequence[Any], duals: Sequence[Any], level: Level) -> None:
    """Have saved tensors be given back with their tangents, while the level lasts.

    To `backward`, for forward over reverse, and to `jvp` of a level further in.
    """
    known = {id(p): d for p, d in zip(plain, duals, strict=True) if level_of(d) == level.number}
    ctx._saved = tuple(known.get(id(t), t) for t in ctx._saved)
    if ctx._saved_forward is not None:
        ctx._saved_forward = tuple(known.get(id(t), t) for t in ctx._saved_forward)
    tangents = {i: d._raw.tangent for i, d in known.items()}
    kept = [tangents.get(i) for i in ctx._saved_ids]
    if all(t is None for t in kept):
        return
    give_back = ctx._give_back

    def give_duals() -> tuple[Tensor | None, ...]:
        found = give_back()
        if level not in LEVELS.get():
            return found
        return tuple(
            p if p is None or t is None else make(p, t, level)
            for p, t in zip(found, kept, strict=True)
        )

    ctx._give_back = give_duals  # type: ignore[method-assign]


_function.SLOTS.apply_dual = apply_dual
