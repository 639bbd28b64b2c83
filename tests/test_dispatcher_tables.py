"""Keys, states and chain tables: what is looked up, what is shared, what is forgotten and when."""

import pytest

import dispatch_core as dc
from dispatch_core import _keys, _state
from dispatch_core._dispatcher.chains import chain_of
from dispatch_core._layer import LAYERS, Layer
from dispatch_core._op import OPERATORS
from dispatch_core.backend.registry import backend_of

EXP = OPERATORS["exp"].op
SIN = OPERATORS["sin"].op


@pytest.fixture
def x():
    return dc.tensor([1.0, 2.0])


def chains(*tensors):
    """The resolved chains of exp and sin for a tensor, after a call of each."""
    return [chain_of(op, tensors) for op in (EXP, SIN)]


class Nothing(Layer):
    """A layer that is never in a chain."""

    name = "nothing"

    def active(self, op, keys, state):
        return False

    def compose(self, op, keys, state, below):
        return below()


# -- keys ------------------------------------------------------------------------------------------


def test_a_key_is_one_number_and_its_relatives_are_found_by_arithmetic():
    plain = _keys.key_number("cpu", dc.float32)
    assert plain == _keys.key_number("cpu", dc.float32)
    assert plain != _keys.key_number("cpu", dc.float64)
    assert _keys.tensor_key(plain | _keys.GRAD | _keys.VIEW).dtype is dc.float32
    assert _keys.describe_key(plain | _keys.GRAD) == "cpu/float32, requires_grad"


def test_python_values_have_reserved_numbers_and_no_key():
    assert _keys.describe_key(_keys.FLOAT) == "float"
    with pytest.raises(LookupError, match="Python value"):
        _keys.tensor_key(_keys.INT)


def test_tensors_carry_their_key(x):
    assert x._k == _keys.key_number("cpu", dc.float32)
    assert dc.zeros(2, requires_grad=True)._k & _keys.GRAD
    assert x[:1]._k & _keys.VIEW


def test_new_keys_grow_the_tables_of_every_operator(x):
    before = dc.exp(x)
    numbers = [_keys.key_number(f"imagined{i}", dc.float32) for i in range(60)]
    assert len(set(numbers)) == 60
    assert len(EXP.table[0]) > max(numbers)
    assert dc.exp(x).tolist() == before.tolist()


# -- tables ----------------------------------------------------------------------------------------


def test_an_unresolved_place_holds_the_miss_and_a_resolved_one_its_chain(x):
    EXP.forget()
    state = _state.open_context()
    assert EXP.find(state, (x._k,)) is EXP.miss
    dc.exp(x)
    assert EXP.find(state, (x._k,)) is chain_of(EXP, (x,)) is not EXP.miss


def test_rows_are_shared_until_they_are_written():
    op = OPERATORS["add"].op
    op.forget()
    assert all(row is op.table[0] for row in op.table)


def test_every_state_has_a_table_of_its_own(x):
    recorded = dc.ones(2, requires_grad=True)
    with dc.no_grad():
        unrecorded = chain_of(EXP, (recorded,))
    assert chain_of(EXP, (recorded,)) is not unrecorded


# -- what is forgotten -----------------------------------------------------------------------------


def test_a_kernel_that_comes_or_goes_touches_its_own_operator_only(x):
    exp, sin = chains(x)
    table = backend_of("cpu").kernels.as_provider("a-test")
    table.register("exp", lambda input: input * 0 + 5, priority=99)
    try:
        assert dc.exp(x).tolist() == [5, 5]
        assert chains(x)[1] is sin
    finally:
        table.remove_provider("a-test")
    assert chains(x)[0] is not exp
    assert dc.exp(x).tolist() == pytest.approx([2.7182817, 7.3890562])
    assert chains(x)[1] is sin


def test_gradient_formulas_use_a_new_kernel_too():
    x = dc.tensor([1.0], requires_grad=True)
    dc.sin(x).sum().backward()
    table = backend_of("cpu").kernels.as_provider("a-test")
    table.register("cos", lambda input: input * 0 + 5, priority=99)
    try:
        x.grad = None
        dc.sin(x).sum().backward()
        assert x.grad.tolist() == [5]
    finally:
        table.remove_provider("a-test")


def test_a_layer_that_comes_or_goes_forgets_every_chain(x):
    before = chains(x)
    LAYERS.add(Nothing())
    try:
        between = chains(x)
    finally:
        LAYERS.remove("nothing")
    after = chains(x)
    for old, new in zip(before, between, strict=True):
        assert old is not new
    for old, new in zip(between, after, strict=True):
        assert old is not new


def test_an_override_of_an_operator_touches_it_alone(x):
    with dc.override("log", fn=lambda input: input):
        pass  # the first override of a process installs the layer, which forgets all chains once
    sin = chains(x)[1]
    with dc.override("exp", fn=lambda input: input):
        assert dc.exp(x).tolist() == [1, 2]
    assert chains(x)[1] is sin


def test_two_providers_with_the_same_key_and_priority_are_an_error_that_names_both():
    table = backend_of("cpu").kernels
    first, second = table.as_provider("first-package"), table.as_provider("second-package")
    first.register("exp", abs, dtypes=[dc.float32], priority=7)
    try:
        with pytest.raises(
            dc.extend.PluginError, match=r"'first-package' and 'second-package'.*'exp'"
        ):
            second.register("exp", abs, dtypes=[dc.float32], priority=7)
        second.register("exp", abs, dtypes=[dc.float32], priority=8)
        second.register("exp", abs, dtypes=[dc.float64], priority=7)
    finally:
        table.remove_provider("first-package")
        table.remove_provider("second-package")
