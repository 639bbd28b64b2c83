"""How each kind of operator is computed on all examples at once: the batching rules of `vmap`.

A rule gets the arguments with the batch in the first dimension of those that have one, calls the
operator with changed arguments, and returns results with the batch in front. Rules come with families;
an operator whose family's does not fit names its own in its declaration (`batch=`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dispatcher.chains import invoke
from dispatch_core._dispatcher.operator import Op
from dispatch_core._op import K
from dispatch_core._tensor import Tensor

Rule = Callable[[Op, int, Sequence[bool], list[Any]], Any]
"""rule(op, number of examples, which arguments are batched, arguments)."""

_DIMS = ("dim", "dim0", "dim1", "dims", "dimension")
_SIZES = ("size", "shape", "input_shape")
_LISTS = (list, tuple)


def aligned(op: Op, size: int, batched: Sequence[bool], args: list[Any]) -> Any:
    """Operators that broadcast: examples get leading ones up to the largest number of dimensions."""
    ranks = {i: a.ndim - batched[i] for i, a in enumerate(args) if isinstance(a, Tensor)}
    most = max(ranks.values())
    for i, rank in ranks.items():
        if batched[i] and rank < most:
            shape = tuple(args[i].shape)
            args[i] = K.reshape(args[i], (size, *[1] * (most - rank), *shape[1:]))
    return invoke(op, args)


def leading(op: Op, size: int, batched: Sequence[bool], args: list[Any]) -> Any:
    """Operators that treat all leading dimensions as batches themselves."""
    return invoke(op, every_one(size, batched, args))


def along_dims(op: Op, size: int, batched: Sequence[bool], args: list[Any]) -> Any:
    """Operators with dimensions, sizes or an index among their arguments, which count one more now."""
    args = every_one(size, batched, args)
    names = [p.name for p in op.params]
    first = args[0][0] if isinstance(args[0], _LISTS) else args[0]
    rank = first.ndim - 1
    at = next((i for i, name in enumerate(names) if name in _DIMS), None)
    if at is not None and (args[at] is None or _is_every(op, args[at])):
        return _over_everything(op, size, names, args, at)
    padded = rank == 0 and at is not None
    if padded:  # dim 0 of a number means the number itself
        args = [K.unsqueeze(a, 1) if isinstance(a, Tensor) else a for a in args]
        rank = 1
    for i, name in enumerate(names):
        value = args[i]
        if name in _DIMS:
            args[i] = (
                tuple(_shifted(d, rank) for d in value)
                if isinstance(value, _LISTS)
                else _shifted(value, rank)
            )
        elif name in _SIZES and isinstance(value, _LISTS):
            args[i] = (size, *value)
        elif name == "index" and not isinstance(value, Tensor):
            args[i] = (slice(None), *(value if isinstance(value, tuple) else (value,)))
    result = invoke(op, args)
    return _each(result, lambda t: K.squeeze(t, 1) if t.ndim > 1 else t) if padded else result


def _is_every(op: Op, dims: Any) -> bool:
    """Whether these are the dimensions of a reduction over all: it is not given any."""
    return op.family.kind == "reduction" and dims in ((), [])


def _over_everything(op: Op, size: int, names: list[str], args: list[Any], at: int) -> Any:
    """A reduction over all dimensions of each example."""
    rank = args[0].ndim - 1
    keep = "keepdim" in names and args[names.index("keepdim")]
    args[0] = K.reshape(args[0], (size, args[0].numel() // size if size else 1))
    args[at] = 1
    if keep:
        args[names.index("keepdim")] = False
    result = invoke(op, args)
    return _each(result, lambda t: K.reshape(t, (size, *[1] * rank))) if keep else result


def _each(result: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(result, Tensor):
        return change(result)
    changed = [change(t) for t in result]
    return type(result)(*changed) if hasattr(result, "_fields") else tuple(changed)


def _shifted(dim: int, rank: int) -> int:
    """A dimension of an example (of at least one dimension) as one of all examples."""
    if not -rank <= dim < rank:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], "
            f"but got {dim})"
        )
    return dim % rank + 1


def every_one(size: int, batched: Sequence[bool], args: list[Any]) -> list[Any]:
    """The arguments with every tensor repeated for each example that is not batched already."""

    def repeated(t: Tensor) -> Tensor:
        return K.expand(t, (size, *t.shape))

    return [
        repeated(a) if isinstance(a, Tensor) and not batched[i] else a for i, a in enumerate(args)
    ]


RULES: dict[str, Rule] = {"aligned": aligned, "along_dims": along_dims, "leading": leading}
"""By the name that a family or a declaration gives."""
