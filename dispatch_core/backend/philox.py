"""Philox4x32-10, the counter-based random generator that gives every device the same numbers.

Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).

A stream is a key (the 64-bit seed) and a 128-bit counter. Its low half is the number of the block,
its high half is zero for the main stream or names another one. Each block is four 32-bit words.

A generator's state is (seed, offset), offset being the number of the first unused block. Every
function here begins at block `offset` and uses a number of blocks that depends on the shape and
dtype alone, never on the values; the `*_blocks` functions tell it. A generator advances by it:

    values = uniform(xp, seed, offset, shape, dtype)
    offset += uniform_blocks(count, dtype)

`xp` is an array module (numpy or cupy); results are its arrays.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi, prod
from types import ModuleType
from typing import Any

WORDS = 4  # 32-bit numbers in one block
_MASK32 = 0xFFFFFFFF
_MASK64 = 0xFFFFFFFFFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_STRETCH_BITS = 10
_STRETCH = 1 << _STRETCH_BITS  # blocks computed at once where few are asked for
_FEW = _STRETCH // 4
_FIRST = 8  # blocks of a stream that are computed one by one: all that many a seed is asked for
_CHUNK = 1 << 14  # blocks computed at a time, so that the rounds run in cache
_PAIR, _WORD = "<u8", "<u4"  # two words side by side, the first in the low half; one of them


def philox4x32_words(xp: ModuleType, counter: Any, key: tuple[int, int]) -> Any:
    """Encrypt counters: an array (4, blocks) of uint32 -> (4, blocks) of uint32."""
    even = xp.concatenate((counter[0], counter[2])).astype(xp.uint64)
    odd = xp.concatenate((counter[1], counter[3])).astype(xp.uint64)
    _encrypt(xp, even, odd, xp.empty_like(even), _round_keys(*key))
    blocks = counter.shape[1]
    words = (even[:blocks], odd[:blocks], even[blocks:], odd[blocks:])
    return xp.stack([word.astype(xp.uint32) for word in words])


@lru_cache(maxsize=64)
def _round_keys(k0: int, k1: int) -> tuple[tuple[int, int], ...]:
    return tuple(
        ((k0 + i * _WEYL[0]) & _MASK32, (k1 + i * _WEYL[1]) & _MASK32) for i in range(_ROUNDS)
    )


def _encrypt(xp: ModuleType, even: Any, odd: Any, product: Any, keys: Any) -> None:
    """All rounds in place: words 0 and 2 of each block in the halves of `even`, 1 and 3 in `odd`."""
    n = len(even) // 2
    shift, mask = xp.uint64(32), xp.uint64(_MASK32)
    m0, m1 = (xp.uint64(m) for m in _MULTIPLIERS)
    c0, c2, low, high = even[:n], even[n:], product[:n], product[n:]
    for k0, k1 in keys:
        xp.multiply(c2, m1, out=low)
        xp.multiply(c0, m0, out=high)
        xp.right_shift(product, shift, out=even)
        xp.bitwise_xor(even, odd, out=even)
        xp.bitwise_xor(c0, xp.uint64(k0), out=c0)
        xp.bitwise_xor(c2, xp.uint64(k1), out=c2)
        xp.bitwise_and(product, mask, out=odd)


def philox4x32(xp: ModuleType, seed: int, offset: int, count: int, stream: int = 0) -> Any:
    """`count` random uint32 words, from block `offset` of the seed's stream on.

    seed, offset and stream are taken modulo 2**64. Uses ceil(count / 4) blocks.
    """
    blocks = blocks_of_words(count)
    seed, offset, stream = seed & _MASK64, offset & _MASK64, stream & _MASK64
    if offset + blocks <= _FIRST:
        return _first_words(xp, seed, offset, blocks, stream)[:count]
    if blocks <= _FEW:
        return _few_words(xp, seed, offset, blocks, stream)[:count]
    return _words(xp, seed, offset, blocks, stream)[:count]


def _words(xp: ModuleType, seed: int, offset: int, blocks: int, stream: int) -> Any:
    keys = _round_keys(seed & _MASK32, seed >> 32)
    size = min(_CHUNK, blocks)
    memory = [xp.empty(2 * size, dtype=xp.uint64) for _ in range(3)]
    out = xp.empty((blocks, 2), dtype=_PAIR)
    for begin in range(0, blocks, size):
        n = min(size, blocks - begin)
        even, odd, product = (each[: 2 * n] for each in memory)
        number = xp.arange(n, dtype=xp.uint64)
        number += xp.uint64((offset + begin) & _MASK64)  # wraps at 2**64
        xp.bitwise_and(number, xp.uint64(_MASK32), out=even[:n])
        xp.right_shift(number, xp.uint64(32), out=odd[:n])
        even[n:] = stream & _MASK32
        odd[n:] = stream >> 32
        _encrypt(xp, even, odd, product, keys)
        xp.left_shift(odd, xp.uint64(32), out=odd)
        xp.bitwise_or(even, odd, out=even)
        out[begin : begin + n, 0] = even[:n]
        out[begin : begin + n, 1] = even[n:]
    return out.view(_WORD).reshape(-1).astype(xp.uint32, copy=False)


def _first_words(xp: ModuleType, seed: int, offset: int, blocks: int, stream: int) -> Any:
    """Some of the first blocks in Python's integers, which for few of them takes a tenth of the time."""
    keys = _round_keys(seed & _MASK32, seed >> 32)
    m0, m1 = _MULTIPLIERS
    words: list[int] = []
    for number in range(offset, offset + blocks):
        c0, c1, c2, c3 = number, 0, stream & _MASK32, stream >> 32
        for k0, k1 in keys:
            low, high = c0 * m0, c2 * m1
            c0, c1 = (high >> 32) ^ c1 ^ k0, high & _MASK32
            c2, c3 = (low >> 32) ^ c3 ^ k1, low & _MASK32
        words += (c0, c1, c2, c3)
    return xp.array(words, dtype=xp.uint32)


def _few_words(xp: ModuleType, seed: int, offset: int, blocks: int, stream: int) -> Any:
    """A short stretch, out of longer ones that are remembered.

    Calls for few numbers would else pay for all the rounds each time.
    """
    begin = offset % _STRETCH
    first = offset // _STRETCH
    words = _stretch(xp, seed, first, stream)
    if begin + blocks > _STRETCH:
        following = _stretch(xp, seed, (first + 1) % (1 << 64 - _STRETCH_BITS), stream)
        words = xp.concatenate((words, following))
    return words[WORDS * begin : WORDS * (begin + blocks)].copy()


@lru_cache(maxsize=32)
def _stretch(xp: ModuleType, seed: int, number: int, stream: int) -> Any:
    return _words(xp, seed, number * _STRETCH, _STRETCH, stream)


def blocks_of_words(count: int) -> int:
    """How many blocks hold `count` 32-bit words."""
    return -(-count // WORDS)


def uniform_blocks(count: int, dtype: Any) -> int:
    """How many blocks `uniform` uses: float64 takes two words a number, the others one."""
    return blocks_of_words(count * _words_per_number(dtype))


def normal_blocks(count: int, dtype: Any) -> int:
    """How many blocks `normal` uses: numbers come in pairs from two uniform ones."""
    return blocks_of_words(2 * (-(-count // 2)) * _words_per_number(dtype))


def integers_blocks(count: int) -> int:
    """How many blocks `integers` uses, whatever its range: two words a number."""
    return blocks_of_words(2 * count)


permutation_blocks = integers_blocks


def _words_per_number(dtype: Any) -> int:
    return 2 if getattr(dtype, "itemsize", 4) == 8 else 1


def uniform(xp: ModuleType, seed: int, offset: int, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers in [0, 1): 53 random bits for float64, 24 for float32.

    Narrower types take as many of the leading bits as they have, so that 1 is never reached.
    """
    dtype = _dtype(xp, dtype)
    return _unit(xp, seed, offset, prod(shape), dtype).reshape(shape)


def _unit(xp: ModuleType, seed: int, offset: int, count: int, dtype: Any) -> Any:
    if dtype.itemsize == 8:
        bits = _wide_words(xp, seed, offset, count)
        bits >>= xp.uint64(11)
        out = bits.astype(xp.float64)
        out *= 2.0**-53
        return out
    words = philox4x32(xp, seed, offset, count)
    significant = _significant_bits(dtype)
    words >>= xp.uint32(32 - significant)
    out = words.astype(xp.float32)
    out *= xp.float32(2.0**-significant)
    return out.astype(dtype, copy=False)


def _significant_bits(dtype: Any) -> int:
    return {"float32": 24, "float16": 11, "bfloat16": 8}[dtype.name]


def _dtype(xp: ModuleType, dtype: Any) -> Any:
    return xp.dtype(dtype)


def _wide_words(xp: ModuleType, seed: int, offset: int, count: int) -> Any:
    """`count` random uint64 numbers, the first word of each pair in the low half."""
    words = philox4x32(xp, seed, offset, 2 * count).astype(_WORD, copy=False)
    return words.view(_PAIR).astype(xp.uint64, copy=False)


def normal(xp: ModuleType, seed: int, offset: int, shape: tuple[int, ...], dtype: Any) -> Any:
    """Standard normal numbers by Box and Muller's method.

    The first half of the uniform numbers gives radii, the second half angles; cosines fill the
    first half of the result and sines the second. Computed in float32, or float64 for float64.
    """
    dtype = _dtype(xp, dtype)
    count = prod(shape)
    wide = dtype if dtype.itemsize == 8 else xp.dtype(xp.float32)
    half = -(-count // 2)
    unit = _unit(xp, seed, offset, 2 * half, wide)
    radius, angle = unit[:half], unit[half:]
    xp.negative(radius, out=radius)
    xp.log1p(radius, out=radius)
    radius *= -2
    xp.sqrt(radius, out=radius)
    angle *= wide.type(2 * pi)
    out = xp.empty_like(unit)
    for function, part in ((xp.cos, out[:half]), (xp.sin, out[half:])):
        function(angle, out=part)
        part *= radius
    return out[:count].reshape(shape).astype(dtype, copy=False)


def integers(
    xp: ModuleType, seed: int, offset: int, low: int, high: int, shape: tuple[int, ...]
) -> Any:
    """int64 numbers in [low, high), evenly to within 2**-64 of the range's size.

    The upper half of a 64-bit random number times the range (Lemire 2019, without the rejection,
    so that the number of blocks stays fixed). Raises ValueError for an empty range.
    """
    if low >= high:
        raise ValueError(f"expected low < high, got low={low} and high={high}: the range is empty")
    bits = _wide_words(xp, seed, offset, prod(shape))
    span = high - low
    if span >= 1 << 64:
        return bits.view(xp.int64).reshape(shape)
    scaled = _multiply_high(xp, bits, span)
    return (scaled + xp.uint64(low & _MASK64)).view(xp.int64).reshape(shape)


def _multiply_high(xp: ModuleType, x: Any, factor: int) -> Any:
    """The upper 64 bits of x * factor, in 32-bit limbs."""
    shift, mask = xp.uint64(32), xp.uint64(_MASK32)
    f0, f1 = xp.uint64(factor & _MASK32), xp.uint64(factor >> 32)
    x0, x1 = x & mask, x >> shift
    middle = x1 * f0 + ((x0 * f0) >> shift)
    carry = x0 * f1 + (middle & mask)
    return x1 * f1 + (middle >> shift) + (carry >> shift)


def permutation(xp: ModuleType, seed: int, offset: int, n: int) -> Any:
    """A random order of range(n) as int64: the stable argsort of n 64-bit keys."""
    return stable_order(xp, _wide_words(xp, seed, offset, n)).astype(xp.int64, copy=False)


def stable_order(xp: ModuleType, keys: Any) -> Any:
    """The stable argsort of keys of which hardly any occurs twice.

    Where none does, any argsort is stable; one that need not be takes a third of the time.
    """
    order = xp.argsort(keys)
    ordered = keys[order]
    return xp.argsort(keys, kind="stable") if (ordered[1:] == ordered[:-1]).any() else order
