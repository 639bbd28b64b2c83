"""Generators and random numbers: seeds, states, ranges, moments, and writing in place."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

import dispatch_core as dc


def test_a_seed_fixes_the_numbers() -> None:
    dc.manual_seed(3)
    first = dc.rand(5)
    dc.manual_seed(3)
    assert dc.equal(dc.rand(5), first)
    assert not dc.equal(dc.rand(5), first)


def test_a_generator_is_independent_of_the_default_one() -> None:
    generator = dc.Generator().manual_seed(3)
    dc.manual_seed(3)
    expected = dc.randn(4)
    dc.randn(7)
    assert dc.equal(dc.randn(4, generator=generator), expected)


def test_states_can_be_kept_and_restored() -> None:
    generator = dc.Generator().manual_seed(1)
    dc.rand(3, generator=generator)
    state = generator.get_state()
    assert state.dtype is dc.uint8
    first = dc.rand(3, generator=generator)
    generator.set_state(state)
    assert dc.equal(dc.rand(3, generator=generator), first)
    before = dc.get_rng_state()
    first = dc.rand(3)
    dc.set_rng_state(before)
    assert dc.equal(dc.rand(3), first)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_generators_can_be_copied(clone: object) -> None:
    generator = dc.Generator().manual_seed(5)
    dc.rand(3, generator=generator)
    other = clone(generator)  # type: ignore[operator]
    assert dc.equal(dc.rand(3, generator=generator), dc.rand(3, generator=other))


def test_bad_states_and_seeds() -> None:
    generator = dc.Generator()
    with pytest.raises(TypeError, match="ByteTensor"):
        generator.set_state(dc.zeros(16))
    with pytest.raises(RuntimeError, match="wrong size"):
        generator.set_state(dc.zeros(3, dtype=dc.uint8))
    with pytest.raises(RuntimeError, match="Overflow"):
        generator.manual_seed(2**64)
    assert generator.manual_seed(-1).initial_seed() == 2**64 - 1
    with pytest.raises(TypeError, match="Generator"):
        dc.rand(2, generator=7)


def test_seed_and_initial_seed() -> None:
    chosen = dc.seed()
    assert dc.initial_seed() == chosen


def test_forked_numbers_do_not_move_the_stream() -> None:
    with dc.random.fork_rng():
        inside = dc.rand(3)
    assert dc.equal(dc.rand(3), inside)


def test_randint_forms() -> None:
    assert dc.randint(5, (100,)).max() < 5
    assert dc.randint(3, 5, (100,)).min() == 3
    assert dc.randint(high=2, size=(3,)).dtype is dc.int64
    assert dc.randint(0, 9, (2, 3), dtype=dc.float32).dtype is dc.float32
    with pytest.raises(RuntimeError, match="from"):
        dc.randint(3, 3, (2,))


def test_randperm_has_each_number_once() -> None:
    assert dc.equal(dc.randperm(50).sort().values, dc.arange(50))


def test_normal_forms() -> None:
    dc.manual_seed(0)
    means = dc.normal(dc.tensor([0.0, 100.0]), dc.tensor([1.0, 1.0]))
    assert abs(means[1] - 100) < 10
    assert dc.normal(dc.zeros(3)).shape == (3,)
    assert dc.normal(2.0, dc.ones(3)).shape == (3,)
    assert dc.normal(0.0, 1.0, (2, 3)).shape == (2, 3)
    with pytest.raises(RuntimeError, match="std"):
        dc.normal(0.0, -1.0, (2,))


@pytest.mark.parametrize(
    ("name", "arguments", "mean"),
    [
        ("uniform_", (2.0, 4.0), 3.0),
        ("normal_", (1.0, 2.0), 1.0),
        ("exponential_", (2.0,), 0.5),
        ("geometric_", (0.25,), 4.0),
        ("log_normal_", (0.0, 0.5), 1.133),
        ("random_", (3, 10), 6.0),
        ("bernoulli_", (0.3,), 0.3),
    ],
)
def test_in_place_fillings(name: str, arguments: tuple[float, ...], mean: float) -> None:
    dc.manual_seed(0)
    x = dc.empty(20000)
    version = x._version
    assert getattr(x, name)(*arguments) is x
    assert x.mean().item() == pytest.approx(mean, rel=0.05, abs=0.02)
    assert x._version == version + 1


def test_filling_a_leaf_needs_no_grad() -> None:
    w = dc.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        w.normal_()
    with dc.no_grad():
        w.normal_()
    y = w * 2
    y.uniform_()
    y.sum().backward()
    assert dc.equal(w.grad, dc.zeros(3))


def test_bernoulli_and_multinomial() -> None:
    dc.manual_seed(0)
    assert dc.equal(dc.bernoulli(dc.tensor([0.0, 1.0])), dc.tensor([0.0, 1.0]))
    with pytest.raises(RuntimeError, match="p_in"):
        dc.bernoulli(dc.tensor([2.0]))
    weights = dc.tensor([0.0, 1.0, 3.0])
    drawn = dc.multinomial(weights, 4000, replacement=True)
    counts = drawn.bincount(minlength=3)
    assert counts[0] == 0
    assert counts[2].item() / 4000 == pytest.approx(0.75, abs=0.05)
    assert dc.equal(dc.multinomial(weights, 2).sort().values, dc.tensor([1, 2]))
    with pytest.raises(RuntimeError, match="without replacement"):
        dc.multinomial(weights, 4)
    with pytest.raises(RuntimeError, match="not enough"):
        dc.multinomial(weights, 3)
    with pytest.raises(RuntimeError, match="< 0"):
        dc.multinomial(dc.tensor([-1.0, 2.0]), 1)


def test_poisson_has_its_mean_and_variance() -> None:
    dc.manual_seed(0)
    for rate in (0.5, 40.0):
        x = dc.poisson(dc.full((20000,), rate))
        assert x.mean().item() == pytest.approx(rate, rel=0.05)
        assert x.var().item() == pytest.approx(rate, rel=0.1)


def test_integers_are_not_normal() -> None:
    with pytest.raises(NotImplementedError, match="int32"):
        dc.empty(2, dtype=dc.int32).normal_()


@pytest.mark.parametrize("rate", [0.5, 15.0, 16.0, 40.0, 1e8, 1e15])
def test_poisson_numbers_of_any_rate(rate):
    dc.manual_seed(3)
    found = dc.poisson(dc.full((4000,), rate, dtype=dc.float64))
    off = (found.mean().item() - rate) / math.sqrt(rate / 4000)
    assert abs(off) < 4
    assert 0.9 < found.var().item() / rate < 1.1


def test_poisson_at_the_ends():
    assert dc.poisson(dc.tensor([0.0, float("inf")])).tolist() == [0, float("inf")]
    assert dc.poisson(dc.ones(0)).shape == (0,)
