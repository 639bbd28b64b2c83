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
_STRETCH_BITS = 9
_STRETCH = 1 << _STRETCH_BITS  # blocks computed at once where few are asked for
_FEW = 64
_CHUNK = 1 << 14  # blocks computed at a time, so that the rounds run in cache


def philox4x32_words(xp: ModuleType, counter: Any, key: tuple[int, int]) -> Any:
    """Encrypt counters: an array (4, blocks) of uint32 -> (4, blocks) of uint32."""
    c0, c1, c2, c3 = (word.astype(xp.uint64) for word in counter)
    k0, k1 = key
    shift, mask = xp.uint64(32), xp.uint64(_MASK32)
    m0, m1 = (xp.uint64(m) for m in _MULTIPLIERS)
    for _ in range(_ROUNDS):
        low_product, high_product = c0 * m0, c2 * m1
        c0 = (high_product >> shift) ^ c1 ^ xp.uint64(k0)
        c1 = high_product & mask
        c2 = (low_product >> shift) ^ c3 ^ xp.uint64(k1)
        c3 = low_product & mask
        k0, k1 = (k0 + _WEYL[0]) & _MASK32, (k1 + _WEYL[1]) & _MASK32
    return xp.stack([word.astype(xp.uint32) for word in (c0, c1, c2, c3)])


def philox4x32(xp: ModuleType, seed: int, offset: int, count: int, stream: int = 0) -> Any:
    """`count` random uint32 words, from block `offset` of the seed's stream on.

    seed, offset and stream are taken modulo 2**64. Uses ceil(count / 4) blocks.
    """
    blocks = blocks_of_words(count)
    if blocks <= _FEW:
        return _few_words(xp, seed & _MASK64, offset & _MASK64, blocks, stream & _MASK64)[:count]
    return _words(xp, seed, offset, blocks, stream)[:count]


def _words(xp: ModuleType, seed: int, offset: int, blocks: int, stream: int) -> Any:
    key = (seed & _MASK32, (seed >> 32) & _MASK32)
    out = xp.empty((blocks, WORDS), dtype=xp.uint32)
    for begin in range(0, blocks, _CHUNK):
        stop = min(begin + _CHUNK, blocks)
        out[begin:stop] = philox4x32_words(
            xp, _counters(xp, offset + begin, stop - begin, stream), key
        ).T
    return out.reshape(-1)


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


def _counters(xp: ModuleType, first: int, blocks: int, stream: int) -> Any:
    number = xp.arange(blocks, dtype=xp.uint64) + xp.uint64(first & _MASK64)  # wraps at 2**64
    counter = xp.empty((WORDS, blocks), dtype=xp.uint32)
    counter[0] = (number & xp.uint64(_MASK32)).astype(xp.uint32)
    counter[1] = (number >> xp.uint64(32)).astype(xp.uint32)
    counter[2] = stream & _MASK32
    counter[3] = (stream >> 32) & _MASK32
    return counter


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
        bits = _wide_words(xp, seed, offset, count) >> xp.uint64(11)
        return bits.astype(xp.float64) * 2.0**-53
    words = philox4x32(xp, seed, offset, count)
    significant = _significant_bits(dtype)
    kept = words >> xp.uint32(32 - significant)
    out = kept.astype(xp.float32)
    out *= xp.float32(2.0**-significant)
    return out.astype(dtype, copy=False)


def _significant_bits(dtype: Any) -> int:
    return {"float32": 24, "float16": 11, "bfloat16": 8}[dtype.name]


def _dtype(xp: ModuleType, dtype: Any) -> Any:
    return xp.dtype(dtype)


def _wide_words(xp: ModuleType, seed: int, offset: int, count: int) -> Any:
    """`count` random uint64 numbers, the first word of each pair in the low half."""
    words = philox4x32(xp, seed, offset, 2 * count).reshape(count, 2).astype(xp.uint64)
    return words[:, 0] | (words[:, 1] << xp.uint64(32))


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
    radius = xp.sqrt(xp.log1p(-unit[:half]) * -2)
    angle = unit[half:] * wide.type(2 * pi)
    out = xp.concatenate((radius * xp.cos(angle), radius * xp.sin(angle)))[:count]
    return out.reshape(shape).astype(dtype, copy=False)


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
    keys = _wide_words(xp, seed, offset, n)
    return xp.argsort(keys, kind="stable").astype(xp.int64)
