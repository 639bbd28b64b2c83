"""`dc.override`: a function in place of a kernel, until the block ends."""

import numpy as np
import pytest

import dispatch_core as dc


@pytest.fixture
def x():
    return dc.tensor([1.0, 4.0], requires_grad=True)


def constant(value):
    return lambda input, *rest: np.full_like(input, value)


def test_the_function_gets_raw_arrays_and_plain_arguments(x):
    seen = []

    def fn(input, dim, keepdim):
        seen.append((type(input), dim, keepdim))
        return input.sum(dim, keepdims=keepdim)

    with dc.override("sum", fn=fn):
        assert dc.sum(x, 0).item() == 5
    assert seen == [(np.ndarray, 0, False)]


def test_the_operator_may_be_given_as_a_function(x):
    with dc.override(dc.exp, fn=constant(3)):
        assert dc.exp(x).tolist() == [3, 3]


def test_overrides_nest_and_the_innermost_that_serves_the_call_wins(x):
    with dc.override("exp", fn=constant(1)):
        with dc.override("exp", dtypes=dc.float64, fn=constant(2)):
            assert dc.exp(x).tolist() == [1, 1]
            assert dc.exp(x.double()).tolist() == [2, 2]
            with dc.override("exp", device="cpu", fn=constant(3)):
                assert dc.exp(x).tolist() == [3, 3]
            assert dc.exp(x).tolist() == [1, 1]
        assert dc.exp(x.double()).tolist() == [1, 1]
    assert dc.exp(x).tolist() == pytest.approx([np.exp(1), np.exp(4)])


def test_an_override_is_undone_when_the_block_raises(x):
    with pytest.raises(ZeroDivisionError), dc.override("exp", fn=constant(1)):
        raise ZeroDivisionError
    assert dc.exp(x)[0].item() == pytest.approx(np.e)


def test_what_the_function_raises_is_raised_with_the_operators_name(x):
    def fn(input):
        raise ValueError("no luck")

    with dc.override("exp", fn=fn), pytest.raises(RuntimeError, match=r"exp\(\): no luck"):
        dc.exp(x)


def test_gradients_stay_those_of_the_operator_and_see_the_overriding_value(x):
    with dc.override("exp", fn=constant(7)):
        y = dc.exp(x)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == [7, 7]


def test_an_operator_without_a_formula_keeps_the_gradient_of_its_body(x):
    with dc.override("var", fn=lambda input, *rest: np.asarray(9.0, input.dtype)):
        y = dc.var(x)
    assert y.item() == 9
    y.backward()
    wanted = dc.tensor([1.0, 4.0], requires_grad=True)
    dc.var(wanted).backward()
    assert x.grad.tolist() == wanted.grad.tolist()


def test_the_backward_pass_uses_overrides_that_are_in_force(x):
    y = dc.sin(x).sum()
    with dc.override("cos", fn=constant(5)):
        y.backward()
    assert x.grad.tolist() == [5, 5]


def test_in_place_variants_use_it():
    x = dc.tensor([1.0])
    with dc.override("exp", fn=constant(3)):
        x.exp_()
    assert x.item() == 3


def test_one_object_can_be_entered_again(x):
    override = dc.override("exp", fn=constant(1))
    for _ in range(2):
        with override, override:
            assert dc.exp(x).tolist() == [1, 1]
        assert dc.exp(x).tolist() != [1, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"op": "nope", "fn": abs}, AttributeError, "no operator 'nope'"),
        ({"op": "exp", "fn": 3}, TypeError, "'fn' must be callable, not int"),
        ({"op": abs, "fn": abs}, TypeError, "expected an operator"),
        ({"op": "permute", "fn": abs}, TypeError, "makes a view"),
        ({"op": "exp", "device": "nowhere", "fn": abs}, RuntimeError, "unknown device 'nowhere'"),
        ({"op": "exp", "dtypes": "float32", "fn": abs}, TypeError, "must be a dtype"),
    ],
)
def test_mistakes(arguments, error, message):
    with pytest.raises(error, match=message):
        dc.override(**arguments)


def test_it_holds_without_grad_mode_too(x):
    with dc.override("exp", fn=constant(3)), dc.no_grad():
        assert dc.exp(x).tolist() == [3, 3]


@pytest.mark.parametrize(
    ("op", "fn", "message"),
    [
        ("add", lambda a, b: a[:1], r"fn returned shape \[1\] for 'add', expected \[3\]"),
        ("add", lambda a, b: (a + b)[None], r"shape \[1, 3\]"),
        ("exp", lambda a: a.astype("float64"), "fn returned float64 for 'exp', expected float32"),
        ("eq", lambda a, b: a, "expected bool"),
    ],
)
def test_a_result_of_the_wrong_shape_or_dtype_is_refused(op, fn, message):
    x = dc.ones(3)
    args = (x,) if op == "exp" else (x, x)
    with dc.override(op, fn=fn):
        for _ in range(2):
            with pytest.raises(RuntimeError, match=message):
                getattr(dc, op)(*args)


def test_a_kernels_own_exception_keeps_its_class():
    with dc.override("exp", device="cpu", fn=lambda x: 1 // 0), pytest.raises(ZeroDivisionError):
        dc.ones(2).exp()


@pytest.mark.parametrize("result", [None, (1, 2), "text"])
def test_a_kernel_that_gives_no_array_is_told(result):
    with (
        dc.override("exp", device="cpu", fn=lambda x: result),
        pytest.raises(RuntimeError, match="instead of an array of device 'cpu'"),
    ):
        dc.ones(2).exp()


def test_overrides_end_in_any_order():
    x = dc.ones(1)
    first = dc.override("exp", device="cpu", fn=lambda a: a * 10)
    second = dc.override("exp", device="cpu", fn=lambda a: a * 20)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert x.exp().item() == 20
    second.__exit__(None, None, None)
    assert x.exp().item() == pytest.approx(2.7182817)
    with pytest.raises(RuntimeError, match="not in force"):
        second.__exit__(None, None, None)
