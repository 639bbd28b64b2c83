"""Generated functions have source, and the first call's traceback is no longer than a later one's."""

import inspect
import traceback

import pytest

import dispatch_core as dc


def frames(function):
    with pytest.raises(Exception) as caught:  # noqa: PT011  any error will do
        function()
    return traceback.extract_tb(caught.value.__traceback__)[1:]


def test_a_traceback_shows_the_lines_of_a_front():
    (front,) = [f for f in frames(lambda: dc.add(dc.ones(2), dc.ones(3))) if f.name == "add"]
    assert front.filename == "<dispatch_core add>"
    assert front.line == "return chain.call(input, other)"


def test_the_source_of_methods_can_be_read():
    _ = dc.ones(1) + 1, 1 - dc.ones(1), dc.ones(1).add_(1)
    assert inspect.getsource(dc.Tensor.__add__).startswith("def __add__(self, other):\n  try:\n")
    assert "[other._k" in inspect.getsource(dc.Tensor.__rsub__).partition("[self._k]")[0]
    assert dc.Tensor.__add__.__code__.co_filename != dc.Tensor.__rsub__.__code__.co_filename


def test_an_error_at_first_use_does_not_show_the_way_through_the_layers():
    x = dc.ones(2, 2, dtype=dc.bool)
    dc.matmul(dc.ones(1, 1), dc.ones(1, 1))
    first, second = frames(lambda: dc.matmul(x, x)), frames(lambda: dc.matmul(x, x))
    assert [f.name for f in first] == [f.name for f in second]
    assert [f.name for f in first][:2] == ["<lambda>", "matmul"]
    assert len(first) <= 3


def test_an_error_in_a_strangers_layer_shows_where():
    class Broken(dc.extend.Layer):
        name = "broken"

        def active(self, op, keys, state):
            return self.name in state

        def compose(self, op, keys, state, below):
            return 1 / 0

    layers = dc._layer.LAYERS
    layers.add(Broken())
    try:
        with dc.layer("broken"):
            assert frames(lambda: dc.exp(dc.ones(1)))[-1].name == "compose"
    finally:
        layers.remove("broken")
