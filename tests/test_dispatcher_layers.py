"""Layers are open: their order is what they declare, and they are switched on by name."""

from contextlib import contextmanager
from contextvars import ContextVar

import pytest

import dispatch_core as dc
from dispatch_core._errors import LayerNotFoundError, LayerOrderError, PluginError
from dispatch_core._layer import LAYERS
from dispatch_core.extend import Chain, Layer

_log = ContextVar("log", default=None)


class Logging(Chain):
    """Writes the operator's name and goes on."""

    def __init__(self, op, below, layer):
        self.op, self.below, self.layer = op, below, layer

    def call(self, *args):
        if _log.get() is not None:
            _log.get().append((self.layer, self.op.name))
        return self.below.call(*args)

    def describe(self):
        return [f"{self.layer}: logs", *self.below.describe()]


def make_layer(layer_name, before=("device",), after=(), provider="a-test"):
    class Made(Layer):
        name = layer_name

        def active(self, op, keys, state):
            return self.name in state

        def compose(self, op, keys, state, below):
            return Logging(op, below(), self.name)

        @contextmanager
        def session(self, **options):
            token = _log.set([])
            try:
                yield _log.get()
            finally:
                _log.reset(token)

    Made.before, Made.after = before, after
    made = Made()
    made.provider = provider
    return made


@pytest.fixture
def install():
    added = []

    def add(*args, **kwargs):
        layer = make_layer(*args, **kwargs)
        LAYERS.add(layer)
        added.append(layer.name)
        return layer

    yield add
    for name in added:
        LAYERS.remove(name)


def order():
    return [layer.name for layer in LAYERS.layers]


def test_the_built_in_layers_stand_in_the_published_order():
    assert all((dc.override, dc.profiler))  # installed when they are first named
    wanted = ["profiler", "views", "devices", "promotion", "autograd", "override", "device"]
    assert [name for name in order() if name in wanted] == wanted
    assert order()[-1] == "device"


def test_a_layer_stands_where_it_declares_to_stand(install):
    install("outside", before=("autograd",))
    install("inside", before=("device",), after=("autograd",))
    found = order()
    assert found.index("outside") < found.index("autograd") < found.index("inside")
    assert found.index("inside") < found.index("device")


def test_names_that_are_not_installed_do_not_matter(install):
    install("lonely", before=("device", "nobody"), after=("nobody-else",))
    assert "lonely" in order()


def test_a_cycle_names_the_layers_and_who_brings_them(install):
    install("first", before=("second",), provider="package-a")
    with pytest.raises(
        LayerOrderError, match=r"'first' \(package-a\).*'second' \(package-b\)"
    ) as caught:
        LAYERS.add(make_layer("second", before=("first",), provider="package-b"))
    assert "before" in str(caught.value)
    assert "second" not in order()


def test_a_name_can_be_taken_once(install):
    install("once", provider="package-a")
    with pytest.raises(PluginError, match=r"'package-b' registers.*'once'.*'package-a'"):
        LAYERS.add(make_layer("once", provider="package-b"))


def test_layers_of_one_call_are_added_all_or_none(install):
    install("taken")
    with pytest.raises(PluginError):
        LAYERS.add(make_layer("fresh"), make_layer("taken"))
    assert "fresh" not in order()


def test_a_layer_acts_while_it_is_switched_on(install):
    install("watch")
    x = dc.ones(2, requires_grad=True)
    with dc.layer("watch") as log:
        (x * 2).sum()
        inside = list(log)
    (x * 3).sum()
    assert inside == log == [("watch", "mul"), ("watch", "sum")]


def test_layers_nest_in_their_declared_order_however_they_are_switched_on(install):
    install("inner", before=("device",), after=("autograd",))
    install("outer", before=("autograd",))
    x = dc.ones(2)
    with dc.layer("inner") as log, dc.layer("outer"):
        token = _log.set(log)
        dc.exp(x)
        _log.reset(token)
    assert log == [("outer", "exp"), ("inner", "exp")]


def test_a_layer_is_switched_off_when_the_block_raises(install):
    install("watch")
    with pytest.raises(KeyError), dc.layer("watch"):
        raise KeyError
    assert dc.explain("exp", dc.ones(1)).layers == ["device"]


def test_the_backward_pass_is_seen_by_layers_that_are_on(install):
    install("watch")
    x = dc.ones(2, requires_grad=True)
    y = dc.sin(x).sum()
    with dc.layer("watch") as log:
        y.backward()
    assert ("watch", "cos") in log


def test_an_unknown_layer_is_an_error_that_says_what_there_is():
    with pytest.raises(LayerNotFoundError, match=r"unknown layer 'nope': there are .*'autograd'"):
        dc.layer("nope")


def test_a_layer_without_options_refuses_them():
    with pytest.raises(TypeError, match="'views' takes no options, got speed"):
        dc.layer("views", speed=3).__enter__()
