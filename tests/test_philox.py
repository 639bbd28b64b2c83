"""Philox4x32-10: the published answers, the state rule, and the distributions made from it."""

import ml_dtypes
import numpy as np
import pytest

from dispatch_core.backend import philox

# Random123's known-answer file: counter, key, result
KNOWN = [
    ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter, key, expected):
    words = philox.philox4x32_words(np, np.array(counter, np.uint32).reshape(4, 1), key)
    assert " ".join(f"{int(word):08x}" for word in words[:, 0]) == expected


def test_seed_offset_and_stream_make_the_key_and_counter():
    seed, offset, stream = 0x299F31D0A4093822, 0x85A308D3243F6A88, 0x0370734413198A2E
    words = philox.philox4x32(np, seed, offset, 4, stream)
    assert " ".join(f"{int(word):08x}" for word in words) == KNOWN[2][2]
    np.testing.assert_array_equal(
        philox.philox4x32(np, -1, -1, 4, -1),
        philox.philox4x32(np, 2**64 - 1, 2**64 - 1, 4, 2**64 - 1),
    )


def test_a_later_offset_continues_the_stream():
    whole = philox.philox4x32(np, 7, 0, 4 * 20000)
    np.testing.assert_array_equal(philox.philox4x32(np, 7, 3, 4 * 19997), whole[12:])
    np.testing.assert_array_equal(philox.philox4x32(np, 7, 0, 5), whole[:5])
    wrapped = philox.philox4x32(np, 7, 2**64 - 1, 8)
    np.testing.assert_array_equal(wrapped[4:], whole[:4])


def test_short_and_long_stretches_are_of_one_stream():
    whole = philox.philox4x32(np, 2**63 + 11, 0, 4 * 20000, 3)
    for first in (0, 5, 7, 1000, 1023):
        for blocks in (1, 2, 3, 100, 300, 5000):
            found = philox.philox4x32(np, 2**63 + 11, first, 4 * blocks - 1, 3)
            np.testing.assert_array_equal(found, whole[4 * first : 4 * (first + blocks) - 1])


def test_equal_keys_keep_their_order():
    keys = np.array([3, 1] * 500 + [2, 0], np.uint64)
    assert philox.stable_order(np, keys).tolist() == sorted(range(1002), key=lambda i: keys[i])
    assert philox.stable_order(np, keys[-2:]).tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_advancing_by_the_blocks_consumed_never_repeats_a_word(dtype):
    for count in (0, 1, 2, 5, 8):
        used = philox.uniform_blocks(count, np.dtype(dtype))
        words = 2 if dtype is np.float64 else 1
        assert 4 * (used - 1) < count * words <= 4 * used or count == used == 0
        pairs = philox.normal_blocks(count, np.dtype(dtype))
        assert pairs == philox.uniform_blocks(count + count % 2, np.dtype(dtype))
    assert philox.integers_blocks(3) == philox.permutation_blocks(3) == 2


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [(np.float16, 11), (ml_dtypes.bfloat16, 8), (np.float32, 24), (np.float64, 53)],
)
def test_uniform(dtype, bits):
    x = philox.uniform(np, 1, 0, (200, 250), dtype)
    assert x.shape == (200, 250)
    assert x.dtype == dtype
    x = x.astype(np.float64)
    assert x.min() >= 0
    assert x.max() < 1
    scaled = x * 2.0**bits
    np.testing.assert_array_equal(scaled, np.floor(scaled))
    assert abs(x.mean() - 0.5) < 0.01
    assert abs(x.var() - 1 / 12) < 0.002


def test_uniform_takes_the_leading_bits_of_the_words():
    words = philox.philox4x32(np, 5, 2, 8)
    np.testing.assert_array_equal(
        philox.uniform(np, 5, 2, (8,), np.float32), (words >> np.uint32(8)) * 2.0**-24
    )
    wide = words[0::2].astype(object) + words[1::2].astype(object) * 2**32
    np.testing.assert_array_equal(
        philox.uniform(np, 5, 2, (4,), np.float64), [(w >> 11) * 2.0**-53 for w in wide]
    )


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(301, 299), (0,), (), (1,)])
def test_normal(dtype, shape):
    x = philox.normal(np, 3, 0, shape, dtype)
    assert x.shape == shape
    assert x.dtype == dtype
    x = x.astype(np.float64)
    assert np.isfinite(x).all()
    if x.size > 1:
        assert abs(x.mean()) < 0.02
        assert abs(x.std() - 1) < 0.02
        assert abs((x**4).mean() - 3) < 0.1


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 10), (0, 2**63 - 1), (-(2**63), 2**63), (2**62, 2**62 + 5)]
)
def test_integers(low, high):
    x = philox.integers(np, 9, 0, low, high, (50, 40))
    assert x.dtype == np.int64
    assert x.shape == (50, 40)
    assert low <= int(x.min())
    assert int(x.max()) < high
    if high - low < 100:
        counts = np.bincount((x - low).ravel(), minlength=high - low)
        assert (np.abs(counts - 2000 / (high - low)) < 6 * np.sqrt(2000 / (high - low)) + 1).all()


def test_integers_are_the_high_half_of_a_product():
    words = philox.philox4x32(np, 4, 0, 2000).astype(object)
    wide = words[0::2] + words[1::2] * 2**32
    for span in (3, 2**33 + 1, 2**63 + 12345):
        got = philox.integers(np, 4, 0, 0, span, (1000,)).view(np.uint64)
        assert [int(v) for v in got] == [w * span >> 64 for w in wide]


def test_integers_refuse_an_empty_range():
    with pytest.raises(ValueError, match="expected low < high, got low=3 and high=3"):
        philox.integers(np, 0, 0, 3, 3, (1,))


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_permutation(n):
    order = philox.permutation(np, 11, 0, n)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    if n == 1000:
        assert (order != np.arange(n)).mean() > 0.9
        assert (order != philox.permutation(np, 12, 0, n)).mean() > 0.9
