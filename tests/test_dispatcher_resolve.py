"""Which kernel computes an operator: the numbered search, its policies, its error."""

import warnings

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core._dispatcher.resolve import resolve
from dispatch_core._errors import FallbackWarning, NoKernelError
from dispatch_core._loader import lifecycle
from dispatch_core._loader.discovery import INSTALLED
from dispatch_core._op import OPERATORS
from dispatch_core.backend.registry import backend_of
from dispatch_core.extend import Backend, hookimpl

DEFAULT = frozenset({"grad"})


class Bare(Backend):
    """Numpy arrays and no kernel at all."""

    device = "bare"
    array = np.ndarray

    def from_host(self, array, index):
        return array.copy()

    def to_host(self, raw):
        return raw

    def write(self, target, source):
        np.copyto(target, source, casting="unsafe")

    def copy(self, raw):
        return raw.copy()

    def dtype_of(self, raw):
        return backend_of("cpu").dtype_of(raw)

    def layout_of(self, raw):
        return backend_of("cpu").layout_of(raw)

    def count(self):
        return 1


class Child(Bare):
    device = "bare.child"
    parent = "bare"


class Plugin:
    DISPATCH_CORE_API = 1

    def __init__(self, backend):
        self.backend = backend

    @hookimpl
    def dispatch_core_backend(self, device):
        return self.backend


@pytest.fixture
def bare():
    backend = Bare()
    lifecycle.register(Plugin(backend), "bare-package")
    lifecycle.register(Plugin(Child()), "child-package")
    yield backend
    for name in ("child-package", "bare-package"):
        lifecycle.unload(name)
        del INSTALLED.plugins[name]
    dc.fallback_report().clear()


@pytest.fixture
def x(bare):
    return dc.tensor([1.0, 2.0]).to("bare")


def found(name, backend, dtype=dc.float32, state=DEFAULT):
    return resolve(OPERATORS[name].op, backend, dtype, state)


def taken(resolution):
    return [(step.number, step.what) for step in resolution.steps if step.taken]


# -- the search ------------------------------------------------------------------------------------


def test_exact_dtypes_and_priority_decide(bare):
    bare.kernels.register("exp", lambda a: a, provider="all")
    bare.kernels.register("exp", lambda a: a, provider="exact", dtypes=[dc.float32])
    bare.kernels.register("exp", lambda a: a, provider="double", dtypes=[dc.float64], priority=5)
    assert found("exp", bare).kernels[0].provider == "exact"
    assert found("exp", bare, dc.float64).kernels[0].provider == "double"
    assert found("exp", bare, dc.float16).kernels[0].provider == "all"
    bare.kernels.register("exp", lambda a: a, provider="urgent", priority=9)
    assert found("exp", bare).kernels[0].provider == "urgent"


def test_every_candidate_is_recorded_with_what_was_found(bare):
    bare.kernels.register("exp", lambda a: a, provider="double", dtypes=[dc.float64], priority=5)
    bare.kernels.register("exp", lambda a: a, provider="good")
    bare.kernels.register("exp", lambda a: a, provider="spare", priority=-1)
    steps = [str(step) for step in found("exp", bare).steps]
    assert steps == [
        "1. [ ] kernel double:<lambda>: only for float64",
        "1. [x] kernel good:<lambda>: serves all dtypes",
        "1. [ ] kernel spare:<lambda>: a better one was found",
    ]


def test_a_parents_kernels_serve_its_child(bare):
    bare.kernels.register("exp", lambda a: a)
    resolution = found("exp", backend_of("bare.child"))
    assert resolution.kernels[0].device == "bare"
    assert taken(resolution) == [(2, "kernel bare:<lambda>")]


def test_a_body_comes_before_emulation_and_host_fallback(bare):
    with dc.fallback("warn"), dc.emulation("warn"):
        assert taken(found("square", bare)) == [(3, "body")]


def test_a_predicate_is_asked_at_each_call(bare, x):
    reasons = []

    def when(input):
        reasons.append(input.shape)
        return None if input.shape == (2,) else "not of two"

    bare.kernels.register("exp", lambda a: a * 0 + 1, when=when, priority=2)
    bare.kernels.register("exp", lambda a: a * 0 + 7)
    assert dc.exp(x).cpu().tolist() == [1, 1]
    assert dc.exp(dc.tensor([1.0]).to("bare")).cpu().tolist() == [7]
    assert reasons == [(2,), (1,)]


def test_when_every_predicate_declines_the_error_gives_the_reasons(bare, x):
    bare.kernels.register("exp", lambda a: a, when=lambda a: "it is Friday")
    with pytest.raises(NoKernelError, match="declined: it is Friday"):
        dc.exp(x)


# -- the error -------------------------------------------------------------------------------------


def test_the_error_says_what_was_tried_and_how_to_fix_it(bare, x):
    with pytest.raises(NoKernelError) as caught:
        dc.exp(x)
    *lines, last = str(caught.value).splitlines()
    assert lines == [
        "no kernel computes 'exp' on device 'bare' for dc.float32.",
        "Tried:",
        "  1. [ ] kernels of 'bare': none registered",
        "  3. [ ] body: a primitive has none",
        "  4. [ ] dtype emulation: float32 has no wider stand-in",
        "  5. [ ] host fallback: policy forbids it",
    ]
    assert last.startswith('To fix it, register one with kernels.register("exp", fn) in the plugin')
    assert last.endswith("or compute on the host: with dispatch_core.fallback('warn').")


def test_the_error_never_has_more_than_twelve_lines(bare, x):
    for i in range(30):
        bare.kernels.register("exp", abs, provider=f"p{i}", priority=i, dtypes=[dc.float64])
    with pytest.raises(NoKernelError) as caught:
        dc.exp(x)
    assert len(str(caught.value).splitlines()) <= 12
    assert "more kernels" in str(caught.value)


def test_it_is_the_error_that_pytorch_raises():
    assert issubclass(NoKernelError, NotImplementedError)


# -- policies --------------------------------------------------------------------------------------


def test_host_fallback_warns_once_a_line_counts_and_gives_the_hosts_result(bare, x):
    with (
        dc.fallback("warn"),
        pytest.warns(FallbackWarning, match="'exp' has no kernel on 'bare'") as caught,
    ):
        y = [dc.exp(x) for _ in range(3)][-1]
    assert len(caught) == 1
    assert y.device.type == "bare"
    assert y.cpu().tolist() == dc.exp(x.cpu()).tolist()
    report = dc.fallback_report()
    assert sum(report.calls.values()) == 3
    assert [(row.operator, row.device, row.calls) for row in report.rows()] == [("exp", "bare", 3)]
    report.clear()
    assert str(report) == "no operator fell back to the host"


def test_allow_is_silent_and_error_forbids_again(bare, x):
    with dc.fallback("allow"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dc.exp(x)
        with dc.fallback("error"), pytest.raises(NoKernelError):
            dc.exp(x)
    with pytest.raises(NoKernelError):
        dc.exp(x)


def test_gradients_go_through_a_fallback(bare, x):
    x.requires_grad_()
    with dc.fallback("allow"):
        dc.exp(x).backward(dc.ones(2).to("bare"))
    assert x.grad.cpu().tolist() == pytest.approx([np.exp(1), np.exp(2)])


def test_the_default_of_the_process_holds_where_nothing_is_chosen(bare, x):
    dc.set_fallback("allow")
    try:
        dc.exp(x)
        with dc.fallback("error"), pytest.raises(NoKernelError):
            dc.exp(x)
    finally:
        dc.set_fallback("error")
    with pytest.raises(NoKernelError):
        dc.exp(x)


def test_views_and_factories_never_fall_back(bare, x):
    with dc.fallback("allow"):
        with pytest.raises(NoKernelError, match="never for views"):
            x.permute(0)
        with pytest.raises(NoKernelError, match="never for views"):
            dc.zeros(2, device="bare")


def test_emulation_computes_in_float32_and_casts_back(bare):
    x = dc.tensor([1.0, 2.0], dtype=dc.bfloat16).to("bare")
    bare.kernels.register("exp", np.exp, dtypes=[dc.float32])
    bare.kernels.register("cast", lambda a, dtype: a.astype(dtype.numpy_dtype))
    with pytest.raises(NoKernelError, match=r"emulation in float32: policy forbids it"):
        dc.exp(x)
    with dc.emulation("warn"), pytest.warns(FallbackWarning, match="computed in float32"):
        y = dc.exp(x)
    assert y.dtype is dc.bfloat16
    assert y.cpu().tolist() == dc.exp(x.cpu()).tolist()


@pytest.mark.parametrize("function", [dc.fallback, dc.emulation, dc.set_fallback, dc.set_emulation])
def test_a_policy_has_three_words(function):
    with pytest.raises(ValueError, match="takes 'error', 'warn' or 'allow', got 'maybe'"):
        function("maybe")
