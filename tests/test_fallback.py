"""Host fallback: for which operators, what it cost, and budgets; on a device that lacks some kernels."""

import threading
import warnings

import pytest

import dispatch_core as dc
from dispatch_core._errors import FallbackBudgetError, FallbackWarning, NoKernelError
from dispatch_core._loader.discovery import INSTALLED
from dispatch_core.extend import hookimpl
from dispatch_example.backend import MinimalBackend

LACKS = ("exp", "tanh", "cat", "argsort", "random_new", "fill_new", "permute")


class Lacking(MinimalBackend):
    device = "lacking"

    def __init__(self):
        super().__init__()
        for name in LACKS:
            self.kernels._kernels.pop(name)


class Plugin:
    DISPATCH_CORE_API = 1

    @hookimpl
    def dispatch_core_backend(self, device):
        return Lacking()


@pytest.fixture(autouse=True)
def lacking():
    dc.plugins.register(Plugin(), "lacking-package")
    dc.fallback_report().clear()
    yield
    dc.set_fallback("error")
    dc.set_emulation("error")
    dc.plugins.unload("lacking-package")
    del INSTALLED.plugins["lacking-package"]
    dc.fallback_report().clear()


@pytest.fixture
def x():
    return dc.arange(4.0).to("lacking")


# -- for single operators ----------------------------------------------------------------------------


def test_a_choice_for_one_operator_is_for_it_alone(x):
    with dc.fallback("allow", "exp"):
        assert dc.exp(x).cpu().tolist() == dc.exp(x.cpu()).tolist()
        with pytest.raises(NoKernelError):
            dc.tanh(x)
    with pytest.raises(NoKernelError):
        dc.exp(x)


def test_a_choice_for_one_operator_comes_before_that_for_all(x):
    with dc.fallback("allow"), dc.fallback("error", dc.tanh, "nn.functional.relu"):
        dc.exp(x)
        with pytest.raises(NoKernelError, match="'tanh'"):
            dc.tanh(x)
        with dc.fallback("warn", "tanh"), pytest.warns(FallbackWarning, match="'tanh'"):
            dc.tanh(x)
        with dc.fallback("allow"):  # for all, single ones included
            dc.tanh(x)
        with pytest.raises(NoKernelError):
            dc.tanh(x)


def test_defaults_of_the_process_for_single_operators(x):
    dc.set_fallback("allow", "exp", "tanh")
    dc.exp(x)
    dc.set_fallback("error", "tanh")
    with pytest.raises(NoKernelError):
        dc.tanh(x)
    dc.exp(x)
    with dc.fallback("error"), pytest.raises(NoKernelError):
        dc.exp(x)
    dc.set_fallback("error")
    with pytest.raises(NoKernelError):
        dc.exp(x)


def test_emulation_for_single_operators():
    half = dc.arange(4.0).to("lacking").to(dc.float16)
    table = dc._op.K and half._backend.kernels
    for name in ("sin", "cos"):
        kernel = table.candidates(name)[0].fn
        table._kernels.pop(name)
        table.register(name, kernel, dtypes=(dc.float32,))
    with dc.emulation("allow", "sin"):
        assert dc.sin(half).dtype is dc.float16
        with pytest.raises(NoKernelError, match="policy forbids it"):
            dc.cos(half)
    dc.set_emulation("allow", "cos")
    assert dc.cos(half).dtype is dc.float16


@pytest.mark.parametrize("switch", [dc.fallback, dc.emulation, dc.set_fallback, dc.set_emulation])
def test_operators_must_exist(switch):
    with pytest.raises(AttributeError, match="expp"):
        switch("allow", "expp")
    with pytest.raises(TypeError, match="expected an operator, by name"):
        switch("allow", 3)


# -- what never falls back ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.reshape(2, 2).t(),
        lambda x: dc.zeros(2, device="lacking"),
        lambda x: dc.rand(2, device="lacking"),
        lambda x: dc.rand_like(x),
        lambda x: (x / 4).bernoulli(),
        lambda x: dc.nn.functional.dropout(x),
    ],
)
def test_views_factories_and_random_numbers_never_do(x, call):
    with dc.fallback("allow"), pytest.raises(NoKernelError, match="never for views, factories and"):
        call(x)
    assert not dc.fallback_report().calls


def test_definitions_come_before_the_host(x):
    with dc.fallback("allow"):
        dc.square(x)
        dc.nn.functional.relu(x)
    assert not dc.fallback_report().calls


def test_a_kernel_that_declines_leaves_the_call_to_the_host(x):
    table = x._backend.kernels
    table.register("exp", lambda input: input, when=lambda input: "not today")
    with pytest.raises(NoKernelError, match="declined: not today"):
        dc.exp(x)
    with dc.fallback("allow"):
        assert dc.exp(x).cpu().tolist() == dc.exp(x.cpu()).tolist()
        assert "host fallback" in dc.explain(dc.exp, x).kernel


# -- what it cost ------------------------------------------------------------------------------------


def test_the_report_counts_arguments_results_and_lists(x):
    report = dc.fallback_report()
    with dc.fallback("allow"):
        dc.cat([x, x, x])
        dc.exp(x)
        for _ in range(2):
            dc.tanh(x)
    rows = report.rows()
    assert [(r.operator, r.device, r.calls, r.bytes) for r in rows] == [
        ("cat", "lacking", 1, 96),
        ("tanh", "lacking", 2, 64),
        ("exp", "lacking", 1, 32),
    ]
    assert all("test_fallback.py:" in r.line for r in rows)
    assert len({r.line for r in rows}) == 3
    head, *lines, total = str(report).splitlines()
    assert head.split() == ["calls", "bytes", "operator", "device", "line"]
    assert [line.split()[:3] for line in lines] == [
        ["1", "96", "cat"],
        ["2", "64", "tanh"],
        ["1", "32", "exp"],
    ]
    assert total.split() == ["4", "192", "in", "all"]


def test_columns_stand_under_their_heads(x):
    with dc.fallback("allow"):
        for _ in range(1200):
            dc.exp(x)
    head, row, _ = str(dc.fallback_report()).splitlines()
    assert head.index("operator") == row.index("exp")
    assert row.split()[:2] == ["1,200", "38,400"]


def test_several_threads_are_counted(x):
    def work():
        with dc.fallback("allow"):
            for _ in range(100):
                dc.exp(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(r.calls, r.bytes) for r in dc.fallback_report().rows()] == [(400, 12_800)]


# -- budgets -----------------------------------------------------------------------------------------


def test_a_budget_of_calls(x):
    with dc.fallback("allow", max_calls=2) as budget:
        dc.exp(x)
        dc.tanh(x)
        with pytest.raises(FallbackBudgetError, match="it would be call 3 of at most 2") as caught:
            dc.exp(x)
        assert (budget.calls, budget.bytes) == (2, 64)
    assert repr(budget) == "<2 calls of 2 and 64 bytes fell back to the host>"
    assert isinstance(caught.value, RuntimeError)
    assert "'exp' has no kernel on 'lacking'" in str(caught.value)
    assert "exp @ lacking: 1 calls, 32 bytes" in str(caught.value)
    assert len(dc.fallback_report().rows()) == 2  # what was refused is not counted
    with pytest.raises(NoKernelError):
        dc.exp(x)


def test_a_budget_of_bytes(x):
    with dc.fallback("allow", max_bytes=50) as budget:
        dc.exp(x)
        assert budget.bytes == 32
        dc.exp(x)  # 16 there, which fits; what comes back is counted
        assert budget.bytes == 64
        with pytest.raises(FallbackBudgetError, match="80 bytes would have moved, of at most 50"):
            dc.exp(x)


def test_each_entry_begins_anew_and_blocks_add_up(x):
    once = dc.fallback("allow", max_calls=1)
    with dc.fallback("allow", max_calls=3):
        for _ in range(3):
            with once:
                dc.exp(x)
        with once, pytest.raises(FallbackBudgetError, match="call 4 of at most 3"):
            dc.exp(x)


def test_a_budget_for_single_operators(x):
    with dc.fallback("allow"), dc.fallback("warn", "exp", max_calls=1):
        with pytest.warns(FallbackWarning):
            dc.exp(x)
        for _ in range(3):
            dc.tanh(x)
        with pytest.raises(FallbackBudgetError):
            dc.exp(x)


def test_a_budget_of_the_process(x):
    dc.set_fallback("allow", max_calls=1)
    dc.exp(x)
    with pytest.raises(FallbackBudgetError):
        dc.exp(x)
    errors = []

    def work():
        try:
            dc.exp(x)
        except FallbackBudgetError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors
    dc.set_fallback("allow", "tanh", max_calls=1)
    dc.set_fallback("allow")
    for _ in range(3):
        dc.exp(x)
        dc.tanh(x)


def test_a_budget_holds_in_the_backward_pass(x):
    x.requires_grad_()
    with dc.fallback("allow", max_calls=1):
        y = dc.cat([x, x])
        y.backward(y.detach())
        with pytest.raises(FallbackBudgetError):
            dc.cat([x, x])


def test_limits_that_make_no_sense():
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="max_calls must be a whole number from 0 on"):
            dc.fallback("allow", max_calls=wrong)
        with pytest.raises(ValueError, match="max_bytes must be a whole number from 0 on"):
            dc.set_fallback("allow", max_bytes=wrong)
    with pytest.raises(ValueError, match="with the policy 'error' nothing falls back"):
        dc.fallback("error", max_calls=1)


def test_allow_is_silent(x):
    with dc.fallback("allow"), warnings.catch_warnings():
        warnings.simplefilter("error")
        dc.exp(x)
