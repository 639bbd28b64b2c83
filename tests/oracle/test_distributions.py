"""Distributions, transforms and constraints against PyTorch's; without PyTorch there are none."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dispatch_core as dc
from tests.distributions.cases import (
    ACROSS,
    CONSTRAINTS,
    DISTRIBUTIONS,
    MATRICES,
    SECOND,
    TRANSFORMS,
    VALUES,
    Case,
)

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore")
SIDES: tuple[ModuleType, ModuleType] = (torch, dc)
PAIRS = {name: (DISTRIBUTIONS[name], second) for name, second in SECOND.items()} | ACROSS

DIFFERENCES = {
    ("GeneralizedPareto", "log_prob"): "PyTorch fails for float64",
    ("GeneralizedPareto", "log_prob, expanded"): "PyTorch fails for float64",
    ("GeneralizedPareto", "cdf"): "PyTorch fails for float64",
    ("Kumaraswamy", "mode"): "PyTorch exchanges the two parameters",
    ("LogitRelaxedBernoulli", "has_rsample"): "PyTorch forgot to say so",
    ("Multinomial", "entropy"): "PyTorch computes log n! in float32",
    ("Multinomial", "perplexity"): "PyTorch computes log n! in float32",
    ("VonMises", "variance"): "PyTorch's Bessel functions have seven digits",
    ("VonMises", "stddev"): "PyTorch's Bessel functions have seven digits",
    ("VonMises", "log_prob"): "PyTorch's Bessel functions have seven digits",
    ("VonMises", "log_prob, expanded"): "PyTorch's Bessel functions have seven digits",
    ("VonMises", "wrong value"): "PyTorch's Bessel functions have seven digits",
    ("Wishart", "kl"): "PyTorch adds the degrees of freedom of a batch",
}
"""What differs on purpose: name and question, and the reason."""


def tensor(library: ModuleType) -> Callable[[Any], Any]:
    return lambda values: library.tensor(values, dtype=library.float64)


def built(case: Case) -> tuple[Any, Any]:
    theirs, ours = (case(side.distributions, tensor(side)) for side in SIDES)
    return theirs, ours


def answer(question: Callable[[], Any]) -> Any:
    """The answer in numpy and plain Python, or the class of the error."""
    try:
        found = question()
    except Exception as error:  # noqa: BLE001  which one is what is compared
        return type(error).__name__
    if isinstance(found, (torch.Tensor, dc.Tensor)):
        return found.detach().numpy()
    if isinstance(found, (torch.Size, dc.Size)):
        return tuple(found)
    return found.replace("torch.", "dc.") if isinstance(found, str) else found


def compare(name: str, what: str, theirs: Callable[[], Any], ours: Callable[[], Any]) -> None:
    a, b = answer(theirs), answer(ours)
    differs = None
    try:
        assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray), f"PyTorch {a}, ours {b}"
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9)
        else:
            assert b == a
    except AssertionError as error:
        differs = error
    known = (name, what) in DIFFERENCES
    if differs is not None and not known:
        raise AssertionError(f"{name}, {what}: {differs}")
    assert differs is not None or not known, f"{name}, {what}: the difference is gone"


ATTRIBUTES = [
    "mean",
    "mode",
    "variance",
    "stddev",
    "batch_shape",
    "event_shape",
    "has_rsample",
    "has_enumerate_support",
    "probs",
    "logits",
    "df",
    "df1",
    "loc",
    "scale",
    "low",
    "high",
    "rate",
    "alpha",
    "concentration",
    "concentration0",
    "concentration1",
    "temperature",
    "total_count",
    "covariance_matrix",
    "precision_matrix",
    "scale_tril",
    "cov_factor",
    "cov_diag",
]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name: str) -> None:
    torch.manual_seed(0)
    p, q = built(DISTRIBUTIONS[name])
    compare(name, "repr", lambda: repr(p), lambda: repr(q))

    def ask(what: str, question: Callable[[Any, Any, ModuleType], Any]) -> None:
        compare(
            name, what, lambda: question(p, sample, torch), lambda: question(q, same_sample, dc)
        )

    sample = p.sample((7,))
    same_sample = dc.tensor(sample.numpy())
    probability = torch.rand(sample.shape[: 1 + len(p.batch_shape)], dtype=torch.float64).numpy()
    larger = (4, *p.batch_shape)

    ask("support", lambda d, x, lib: repr(d.support))
    ask("constraints", lambda d, x, lib: repr(dict(d.arg_constraints)))
    for attribute in ATTRIBUTES:
        ask(attribute, lambda d, x, lib, a=attribute: getattr(d, a))
    for method in ("entropy", "perplexity", "enumerate_support"):
        ask(method, lambda d, x, lib, m=method: getattr(d, m)())
    ask("enumerate_support, small", lambda d, x, lib: d.enumerate_support(expand=False))
    ask("log_prob", lambda d, x, lib: d.log_prob(x))
    ask("cdf", lambda d, x, lib: d.cdf(x))
    ask("icdf", lambda d, x, lib: d.icdf(lib.from_numpy(probability)))
    ask("sample", lambda d, x, lib: d.sample((3, 2)).shape)
    ask("dtype", lambda d, x, lib: str(d.sample().dtype).rpartition(".")[2])
    ask("rsample", lambda d, x, lib: d.rsample((3,)).shape)
    ask("expanded", lambda d, x, lib: tuple(d.expand(larger).sample((2,)).shape))
    ask("log_prob, expanded", lambda d, x, lib: d.expand(larger).log_prob(x.unsqueeze(1)))
    ask("mean, expanded", lambda d, x, lib: d.expand(larger).mean)
    ask("wrong value", lambda d, x, lib: d.log_prob(x * 0 - 3.3))
    ask("wrong shape", lambda d, x, lib: d.log_prob(lib.zeros(5, 5, dtype=lib.float64)))


@pytest.mark.parametrize("name", PAIRS)
def test_divergence(name: str) -> None:
    (p, ours), (q, our_q) = (built(case) for case in PAIRS[name])
    compare(
        name,
        "kl",
        lambda: torch.distributions.kl_divergence(p, q),
        lambda: dc.distributions.kl_divergence(ours, our_q),
    )


def test_the_same_pairs_have_divergences() -> None:
    from dispatch_core.distributions.kl._registry import _FORMULAS

    theirs = {(a.__name__, b.__name__) for a, b in torch.distributions.kl._KL_REGISTRY}
    assert {(a.__name__, b.__name__) for a, b in _FORMULAS} == theirs


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transform(name: str) -> None:
    f, g = built(TRANSFORMS[name])
    values = (
        MATRICES
        if name in ("LowerCholesky", "PositiveDefinite")
        else [[0.3, 0.2, 0.6], [0.8, 0.4, 0.1]]
    )

    def ask(what: str, question: Callable[[Any, Any], Any]) -> None:
        x, y = (tensor(side)(values) for side in SIDES)
        compare(name, what, lambda: question(f, x), lambda: question(g, y))

    ask("repr", lambda f, x: repr(f))
    for attribute in ("bijective", "sign", "event_dim"):
        ask(attribute, lambda f, x, a=attribute: getattr(f, a))
    ask("domain", lambda f, x: repr(f.domain))
    ask("codomain", lambda f, x: repr(f.codomain))
    ask("call", lambda f, x: f(x))
    ask("inverse", lambda f, x: f.inv(f(x)))
    ask("determinant", lambda f, x: f.log_abs_det_jacobian(x, f(x)))
    for shape in ((2, 3), (), (2, 3, 3)):
        ask(f"forward {shape}", lambda f, x, s=shape: tuple(f.forward_shape(s)))
        ask(f"inverse {shape}", lambda f, x, s=shape: tuple(f.inverse_shape(s)))


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint(name: str) -> None:
    c, d = built(CONSTRAINTS[name])
    compare(name, "repr", lambda: repr(c), lambda: repr(d))
    compare(name, "event_dim", lambda: c.event_dim, lambda: d.event_dim)
    compare(name, "is_discrete", lambda: c.is_discrete, lambda: d.is_discrete)
    for i, values in enumerate(VALUES):
        theirs, ours = (tensor(side)(values) for side in SIDES)
        compare(name, f"check {i}", lambda: c.check(theirs), lambda: d.check(ours))  # noqa: B023
    for registry in ("biject_to", "transform_to"):
        compare(
            name,
            registry,
            lambda: repr(getattr(torch.distributions, registry)(c)),  # noqa: B023
            lambda: repr(getattr(dc.distributions, registry)(d)),  # noqa: B023
        )


def test_the_same_names_are_public() -> None:
    for module in ("", ".constraints", ".transforms", ".kl", ".constraint_registry"):
        theirs, ours = torch.distributions, dc.distributions
        if module:
            theirs, ours = getattr(theirs, module[1:]), getattr(ours, module[1:])
        assert set(theirs.__all__) <= set(dir(ours)), module
    assert set(torch.distributions.__all__) == set(dc.distributions.__all__)


def slopes(case: Case, side: ModuleType, of: Callable[[Any], Any]) -> np.ndarray:
    """The derivatives of a sum by all tensors that a case is made of, one after the other."""
    leaves: list[Any] = []

    def leaf(values: Any) -> Any:
        leaves.append(tensor(side)(values).requires_grad_())
        return leaves[-1]

    value = of(case(side.distributions, leaf))
    value.sum().backward()
    grads = [x.grad if x.grad is not None else side.zeros_like(x) for x in leaves]
    return np.concatenate([g.numpy().ravel() for g in grads])


GRADIENT_DIFFERENCES = {
    ("VonMises", "log_prob"): "PyTorch's Bessel functions have seven digits",
    ("VonMises", "variance"): "PyTorch's Bessel functions have seven digits",
    (
        "Wishart-factor",
        "log_prob",
    ): "in PyTorch the upper triangle, which is no parameter, has a gradient",
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("of", ["log_prob", "entropy", "mean", "variance", "cdf"])
def test_gradients_by_parameters(name: str, of: str) -> None:
    torch.manual_seed(0)
    case = DISTRIBUTIONS[name]
    sample = case(torch.distributions, tensor(torch)).sample((5,)).numpy()

    def value(side: ModuleType, d: Any) -> Any:
        found = getattr(d, of)
        return (
            found(side.from_numpy(sample.copy()))
            if of in ("log_prob", "cdf")
            else (found() if callable(found) else found)
        )

    expected = answer(lambda: slopes(case, torch, lambda d: value(torch, d)))
    if isinstance(expected, str):
        return
    found = slopes(case, dc, lambda d: value(dc, d))
    if (name, of) in GRADIENT_DIFFERENCES:
        assert not np.allclose(found, expected, 1e-7, 1e-8), "the difference is gone"
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
