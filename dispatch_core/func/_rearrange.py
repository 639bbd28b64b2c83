"""`func.rearrange`: dimensions split, merged and reordered by a pattern, as in einops (Rogozhnikov 2022)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from dispatch_core._op import K
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor, check_tensor

_REST, _MERGED = "...", "(...)"
"""Any dimensions, each for itself or within parentheses."""
_TOKEN = re.compile(r"\.\.\.|[^\W\d_]\w*|1|[()]")
Side = tuple[tuple[str, ...], ...]
"""For each dimension of a tensor the axes that it is made of."""


def rearrange(tensor: Tensor | Sequence[Tensor], pattern: str, **axes_lengths: int) -> Tensor:
    """The elements by a pattern such as "b c (h s) w -> b (c s) h w"; a view where strides can show it.

    Both sides name the same axes; parentheses merge several into one dimension, `...` stands for any
    dimensions, 1 for one of size one. Sizes that do not follow from the tensor are keywords: `s=2`.
    A list of tensors is stacked first.

    Raises ValueError where the pattern is malformed or does not fit the tensor.
    """
    if isinstance(tensor, (list, tuple)):
        tensor = K.stack(list(tensor))
    shape = tuple(check_tensor(tensor, "rearrange(): argument 'tensor'").shape)
    left, right = _parsed(pattern)
    rest = tuple(f"{_REST}{i}" for i in range(len(shape) - len(left) + 1))
    left, right = _expanded(left, rest), _expanded(right, rest)
    if len(left) != len(shape):
        raise ValueError(f"{pattern!r} names {len(left)} dimensions, the tensor has {len(shape)}")
    sizes = _sizes(pattern, left, shape, axes_lengths)
    flat = [name for axes in left for name in axes]
    split = K.reshape(tensor, tuple(sizes[name] for name in flat))
    turned = K.permute(split, tuple(flat.index(name) for axes in right for name in axes))
    return K.reshape(turned, tuple(prod(sizes[name] for name in axes) for axes in right))


@functools.lru_cache(256)
def _parsed(pattern: str) -> tuple[Side, Side]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"a pattern has two sides around '->', got {pattern!r}")
    left, right = (_side(pattern, text) for text in sides)
    names = [
        [_REST if name == _MERGED else name for axes in side for name in axes]
        for side in (left, right)
    ]
    for each in names:
        if len(set(each)) != len(each):
            raise ValueError(f"an axis stands twice on one side of {pattern!r}")
    if set(names[0]) != set(names[1]):
        only = sorted(set(names[0]) ^ set(names[1]))
        raise ValueError(f"axes {only} stand on one side of {pattern!r} only")
    if any(_MERGED in axes for axes in left):
        raise ValueError(f"'...' cannot be part of a merged dimension on the left of {pattern!r}")
    return left, right


def _side(pattern: str, text: str) -> Side:
    if re.sub(_TOKEN, "", text).strip():
        raise ValueError(f"{pattern!r} has something else than names, 1, '...' and parentheses")
    found: list[tuple[str, ...]] = []
    open_: list[str] | None = None
    for token in _TOKEN.findall(text):
        if token == "(" and open_ is None:
            open_ = []
        elif token == ")" and open_ is not None:
            found.append(tuple(open_))
            open_ = None
        elif token in ("(", ")"):
            raise ValueError(f"the parentheses of {pattern!r} do not match, or are nested")
        elif open_ is not None:
            open_ += [] if token == "1" else [_MERGED if token == _REST else token]
        else:
            found.append(() if token == "1" else (token,))
    if open_ is not None:
        raise ValueError(f"the parentheses of {pattern!r} do not match, or are nested")
    return tuple(found)


def _expanded(side: Side, rest: Sequence[str]) -> Side:
    found: list[tuple[str, ...]] = []
    for axes in side:
        if axes == (_REST,):
            found += [(name,) for name in rest]
        else:
            found.append(tuple(n for name in axes for n in (rest if name == _MERGED else (name,))))
    return tuple(found)


def _sizes(
    pattern: str, left: Side, shape: Sequence[int], given: Mapping[str, Any]
) -> dict[str, int]:
    """The size of each axis; of a merged dimension one may follow from the others."""
    unknown = given.keys() - {name for axes in left for name in axes}
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no axes of {pattern!r}")
    wrong = {name: size for name, size in given.items() if whole(name, size) < 0}
    if wrong:
        raise ValueError(f"sizes cannot be negative, but got {wrong} for {pattern!r}")
    sizes = dict(given)
    for axes, total in zip(left, shape, strict=True):
        missing = [name for name in axes if name not in sizes]
        known = prod(sizes[name] for name in axes if name in sizes)
        if len(missing) > 1:
            raise ValueError(f"give the sizes of all but one of {missing} in {pattern!r}")
        if missing and known and total % known == 0:
            sizes[missing[0]] = total // known
        elif missing or known != total:
            raise ValueError(
                f"a dimension of size {total} cannot be {' x '.join(axes) or '1'} with "
                f"{ {n: sizes[n] for n in axes if n in sizes} } in {pattern!r}"
            )
    return sizes
