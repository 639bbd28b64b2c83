"""Random numbers: factories, draws from given distributions, and in-place fillings.

All are made from one primitive, which gives stretches of a generator's stream; so the same seed
gives the same numbers on every device.
"""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import float32, float64, get_default_dtype, iinfo, int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom, random
from dispatch_core._op import Ints, K, composite, primitive
from dispatch_core._place import Place, place
from dispatch_core._random import DRAW, chosen_generator
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.backend import philox
from dispatch_core.ops._layout import laid_out, order_like
from dispatch_core.ops._values import all_true, any_true
from dispatch_core.ops.create import _finish, _size


@primitive(random(), namespace="_", random=True)
def random_new(
    size: Any, kind: str, a: Any, b: Any, seed: int, offset: int, place: Place
) -> Tensor:
    """A new tensor of random numbers from block `offset` of a seed's stream on.

    Kinds: "uniform" in [a, b), "normal" with mean a and standard deviation b, "integers" in [a, b),
    "permutation" of a numbers.
    """


_BLOCKS = {
    "uniform": lambda count, dtype: philox.uniform_blocks(count, dtype),
    "normal": lambda count, dtype: philox.normal_blocks(count, dtype),
    "integers": lambda count, dtype: philox.integers_blocks(count),
    "permutation": lambda count, dtype: philox.permutation_blocks(count),
}


def draw(size: Any, kind: str, a: Any, b: Any, where: Place, generator: Any) -> Tensor:
    """A new tensor of random numbers from the given generator or the default one of the place."""
    between = DRAW.get()
    if between is not None:
        return between(tuple(size), lambda wanted: _drawn(wanted, kind, a, b, where, generator))
    return _drawn(size, kind, a, b, where, generator)


def _drawn(size: Any, kind: str, a: Any, b: Any, where: Place, generator: Any) -> Tensor:
    source = chosen_generator(generator, where.device)
    if where.dtype.is_complex:
        return _complex(size, kind, a, b, where, generator)
    if kind in ("uniform", "normal") and not where.dtype.is_floating_point:
        raise NotImplementedError(
            f"\"{kind}\" not implemented for '{where.dtype.name}': expected a floating point "
            "dtype; "
            "use randint for integers"
        )
    seed, offset = source.take(_BLOCKS[kind](math.prod(size), where.dtype))
    return K.random_new(size, kind, a, b, seed, offset, where)


def _complex(size: Any, kind: str, a: Any, b: Any, where: Place, generator: Any) -> Tensor:
    """Real and imaginary parts drawn apart; normal ones share the variance."""
    part = place(where.device, where.dtype.to_real())
    if kind == "normal":
        b = b / math.sqrt(2)
    values = _drawn((*size, 2), kind, a, b, part, generator)
    return K.view_as_complex(values)


# -- factories -----------------------------------------------------------------------------------


@composite(random(), out=True, random=True)
def rand(
    size: Ints,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers evenly distributed over [0, 1)."""
    where = place(device, dtype or get_default_dtype())
    return _finish(draw(_size(size), "uniform", 0, 1, where, generator), requires_grad)


@composite(random(), out=True, random=True)
def randn(
    size: Ints,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution."""
    where = place(device, dtype or get_default_dtype())
    return _finish(draw(_size(size), "normal", 0, 1, where, generator), requires_grad)


def _check_range(low: int, high: int) -> None:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )


@composite(random(), out=True, random=True)
def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Integers evenly distributed over [low, high).

    Called as randint(high, size) or randint(low, high, size).
    """
    if size is None and isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint() missing required argument 'size'")
    low, high = whole("low", low), whole("high", high)
    _check_range(low, high)
    where = place(device, dtype or int64)
    drawn = draw(_size(size), "integers", low, high, place(device, int64), generator)
    return _finish(drawn if where.dtype is int64 else K.cast(drawn, where.dtype), requires_grad)


@composite(random(), out=True, random=True)
def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The numbers 0 ... n-1 in a random order."""
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    where = place(device, dtype or int64)
    return _finish(draw((n,), "permutation", n, 0, where, generator), requires_grad)


def _like(input: Tensor, dtype: Any, device: Any) -> Place:
    return place(input.device if device is None else device, dtype or input.dtype)


@composite(custom(), grad=NOT_DIFFERENTIABLE, random=True, method=False)
def rand_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`rand` in the shape, dtype and device of a tensor."""
    where, order = _like(input, dtype, device), order_like("rand_like", input, memory_format)
    drawn = laid_out(
        tuple(input.shape), order, lambda size: draw(size, "uniform", 0, 1, where, generator)
    )
    return _finish(drawn, requires_grad)


@composite(custom(), grad=NOT_DIFFERENTIABLE, random=True, method=False)
def randn_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randn` in the shape, dtype and device of a tensor."""
    where, order = _like(input, dtype, device), order_like("randn_like", input, memory_format)
    drawn = laid_out(
        tuple(input.shape), order, lambda size: draw(size, "normal", 0, 1, where, generator)
    )
    return _finish(drawn, requires_grad)


@composite(custom(), grad=NOT_DIFFERENTIABLE, random=True, method=False)
def randint_like(
    input: Tensor,
    low: Any = 0,
    high: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randint` in the shape, dtype and device of a tensor."""
    if high is None:
        low, high = 0, low
    low, high = whole("low", low), whole("high", high)
    _check_range(low, high)
    where = _like(input, dtype, device)
    ints = place(where.device, int64)
    order = order_like("randint_like", input, memory_format)

    def drawn(size: Any) -> Tensor:
        return K.cast(draw(size, "integers", low, high, ints, generator), where.dtype)

    return _finish(laid_out(tuple(input.shape), order, drawn), requires_grad)


# -- draws whose distribution a tensor gives -----------------------------------------------------


def _uniform(input: Tensor, generator: Any, dtype: Any = None) -> Tensor:
    """Numbers in [0, 1) in the shape and on the device of a tensor, in float32 or float64."""
    wide = dtype or (float64 if input.dtype is float64 else float32)
    return draw(tuple(input.shape), "uniform", 0, 1, place(input.device, wide), generator)


@composite(random(), random=True, out=True, method=False)
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal numbers, with tensors for mean or standard deviation, or numbers and a size."""
    tensors = [v.detach() for v in (mean, std) if isinstance(v, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError("normal() with numbers for mean and std requires 'size'")
        _check_std(std)
        where = place(device, dtype or get_default_dtype())
        return _finish(draw(_size(size), "normal", mean, std, where, generator), requires_grad)
    if isinstance(std, Tensor):
        if not std.is_floating_point() or any_true(K.lt(std.detach(), 0)):
            raise RuntimeError("normal expects all elements of std >= 0.0 and of a floating dtype")
        std = std.detach()
    else:
        _check_std(std)
    mean = mean.detach() if isinstance(mean, Tensor) else mean
    like = K.add(mean, std)
    drawn = draw(tuple(like.shape), "normal", 0, 1, place(like.device, like.dtype), generator)
    return K.add(K.mul(drawn, std), mean)


def _check_std(std: float) -> None:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")


@composite(
    random(),
    grad={"input": lambda K, g: K.zeros_like(g)},
    random=True,
    out=True,
    inplace=False,
)
def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """0 or 1, 1 with the probability that each element of `input`, or `p`, says."""
    if p is not None:
        return K.bernoulli_from(input, p, generator=generator)
    if not input.is_floating_point():
        raise NotImplementedError(f"\"bernoulli\" not implemented for '{input.dtype.name}'")
    _check_probabilities(input)
    return K.cast(K.lt(_uniform(input, generator), input), input.dtype)


def _check_probabilities(p: Tensor) -> None:
    if not all_true(K.bitwise_and(K.ge(p, 0), K.le(p, 1))):
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got other probabilities"
        )


@composite(
    random(inplace=True),
    grad={"input": lambda K, g: K.zeros_like(g)},
    random=True,
    namespace="_",
    aliases=("bernoulli",),
)
def bernoulli_from(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """0 or 1 in the shape and dtype of `input`, 1 with probability `p` (a number or a tensor)."""
    if isinstance(p, Tensor):
        p = p.detach()
        _check_probabilities(p)
    elif not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    return K.cast(K.lt(_uniform(input, generator), p), input.dtype)


@composite(custom(FLOATING), grad=NOT_DIFFERENTIABLE, random=True, out=True)
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """Indices (int64) drawn with probabilities proportional to the weights in the last dimension.

    input (n) or (rows, n) -> (num_samples) or (rows, num_samples). Without replacement by the
    largest of log(u) / weight (Efraimidis and Spirakis 2006).
    """
    if input.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    n = input.shape[-1]
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > n:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    weights = K.cast(input, float64)
    usable = K.bitwise_and(K.ge(weights, 0), K.isfinite(weights))
    if not all_true(usable):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not all_true(K.gt(K.sum(weights, -1), 0)):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not replacement and any_true(K.lt(K.count_nonzero(weights, -1), num_samples)):
        raise RuntimeError(
            "invalid multinomial distribution (with replacement=False, not enough non-negative "
            "category to sample)"
        )
    if not replacement or num_samples == 1:
        keys = K.div(K.log(K.sub(1.0, _uniform(weights, generator))), weights)
        keys = K.where(K.gt(weights, 0), keys, -float("inf"))
        if num_samples == 1:
            return K.argmax(keys, -1, True)
        return K.topk(keys, num_samples, -1)[1]
    bounds = K.cumsum(weights, -1)
    total = K.narrow(bounds, -1, n - 1, 1)
    shape = (*input.shape[:-1], num_samples)
    places = draw(shape, "uniform", 0, 1, place(input.device, float64), generator)
    found = K.searchsorted(bounds, K.mul(places, total), right=True)
    return K.minimum(found, n - 1)


# -- in-place fillings (x.normal_() and the like) ------------------------------------------------

_ZERO = {"input": lambda K, g: K.zeros_like(g)}


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_")
def uniform(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Tensor:
    """Numbers evenly distributed over [from, to)."""
    if from_ > to:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}"
        )
    where = place(input.device, input.dtype)
    return draw(tuple(input.shape), "uniform", from_, to, where, generator)


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_", aliases=("normal",))
def normal_from(
    input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None
) -> Tensor:
    """Numbers from a normal distribution."""
    _check_std(std)
    return draw(
        tuple(input.shape), "normal", mean, std, place(input.device, input.dtype), generator
    )


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_", aliases=("random",))
def random_from(
    input: Tensor, from_: Any = None, to: Any = None, *, generator: Any = None
) -> Tensor:
    """Integers over [from, to), [0, to) with one number, or all that the dtype holds exactly."""
    if from_ is None:
        dtype = input.dtype
        exact = {"float64": 1 << 53, "float32": 1 << 24, "float16": 1 << 11, "bfloat16": 1 << 8}
        to = exact.get(dtype.name) or (2 if dtype.name == "bool" else iinfo(dtype).max)
        to, from_ = to + (dtype.is_floating_point), 0
    elif to is None:
        from_, to = 0, from_
    _check_range(int(from_), int(to))
    whole = place(input.device, int64)
    drawn = draw(tuple(input.shape), "integers", int(from_), int(to), whole, generator)
    return K.cast(drawn, input.dtype)


def _inverse(input: Tensor, generator: Any, function: Any) -> Tensor:
    """A function of numbers in (0, 1], computed in float32 or float64, in the dtype of `input`."""
    return K.cast(function(K.sub(1.0, _uniform(input, generator))), input.dtype)


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_")
def exponential(input: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Numbers from the exponential distribution of rate `lambd`."""
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _inverse(input, generator, lambda u: K.div(K.log(u), -lambd))


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_")
def geometric(input: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """How many trials of success probability `p` it takes to succeed."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    scale = math.log1p(-p)
    return _inverse(input, generator, lambda u: K.maximum(K.ceil(K.div(K.log(u), scale)), 1.0))


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_")
def cauchy(
    input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None
) -> Tensor:
    """Numbers from the Cauchy distribution."""
    if sigma <= 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    return _inverse(
        input,
        generator,
        lambda u: K.add(K.mul(K.tan(K.mul(K.sub(u, 0.5), math.pi)), sigma), median),
    )


@composite(random(inplace=True), grad=_ZERO, random=True, namespace="_")
def log_normal(
    input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None
) -> Tensor:
    """Numbers whose logarithm is normal with this mean and standard deviation."""
    if std <= 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    where = place(input.device, input.dtype)
    return K.exp(draw(tuple(input.shape), "normal", mean, std, where, generator))
