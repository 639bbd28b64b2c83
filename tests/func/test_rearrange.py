"""`func.rearrange`, `debug_unwrap` and `functionalize`."""

import pytest

import dispatch_core as dc
from dispatch_core import func

X = dc.arange(2 * 3 * 4 * 6.0).reshape(2, 3, 4, 6)


@pytest.mark.parametrize(
    ("pattern", "sizes", "expected"),
    [
        ("b c h w -> b h w c", {}, X.permute(0, 2, 3, 1)),
        ("b c h w -> (b c) (h w)", {}, X.reshape(6, 24)),
        (
            "b c (h s) (w t) -> b (c s t) h w",
            {"s": 2, "t": 3},
            X.reshape(2, 3, 2, 2, 2, 3).permute(0, 1, 3, 5, 2, 4).reshape(2, 18, 2, 2),
        ),
        ("b ... w -> w ... b", {}, X.permute(3, 1, 2, 0)),
        ("... w -> (w ...)", {}, X.permute(3, 0, 1, 2).reshape(-1)),
        ("b c h w -> b 1 c h w 1", {}, X[:, None, ..., None]),
        ("... -> ...", {}, X),
        ("b c h w -> () b (c h w)", {}, X.reshape(1, 2, 72)),
        ("b (u c) h w -> b c u h w", {"u": 1}, X.unsqueeze(2)),
    ],
)
def test_patterns(pattern, sizes, expected):
    found = func.rearrange(X, pattern, **sizes)
    assert found.shape == expected.shape
    assert found.tolist() == expected.tolist()


def test_a_view_where_strides_can_show_it_and_a_list_is_stacked():
    x = X.clone()
    func.rearrange(x, "b c h w -> w (b c) h").fill_(0)
    assert not x.any()
    assert func.rearrange([dc.ones(2), dc.zeros(2)], "n d -> (d n)").tolist() == [1, 0, 1, 0]
    assert func.rearrange(dc.ones(1, 2), "1 d -> d").shape == (2,)
    assert func.rearrange(dc.ones(0, 2), "a b -> (b a)").shape == (0,)


@pytest.mark.parametrize(
    ("pattern", "sizes", "message"),
    [
        ("b c h w", {}, "two sides"),
        ("b c h w -> b c -> h w", {}, "two sides"),
        ("b c h w -> b c h", {}, "on one side"),
        ("b b h w -> b h w", {}, "twice"),
        ("b c h -> b c h", {}, "names 3 dimensions, the tensor has 4"),
        ("b c (h w -> b c h w", {}, "parentheses"),
        ("b c (h (w v)) x -> b c h w v x", {}, "parentheses"),
        ("b c h w) -> b c h w", {}, "parentheses"),
        ("b c h w -> b c h*w", {}, "something else"),
        ("b c (h s) w -> b c h s w", {}, "all but one"),
        ("b c (h s) w -> b c h s w", {"s": 3}, "cannot be h x s"),
        ("b c h w -> b c h w", {"h": 5}, "cannot be h"),
        ("b c h w -> b c h w", {"q": 5}, "no axes"),
        ("1 c h w -> c h w", {}, "cannot be 1"),
        ("(b ...) -> b ...", {"b": 2}, "merged dimension on the left"),
    ],
)
def test_patterns_that_are_refused(pattern, sizes, message):
    with pytest.raises(ValueError, match=message):
        func.rearrange(X, pattern, **sizes)


def test_gradients_and_vmap_go_through():
    x = X.clone().requires_grad_()
    func.rearrange(x, "b c h w -> w (h c) b").mul(2).sum().backward()
    assert bool((x.grad == 2).all())
    assert func.vmap(lambda a: func.rearrange(a, "c h w -> (c h) w"))(X).shape == (2, 12, 6)


def test_tensors_inside_transforms_can_be_looked_at():
    seen = []

    def look(a):
        seen.append(func.debug_unwrap(a).shape)
        seen.append(func.debug_unwrap(a, recurse=False).shape)
        return a * 2

    func.vmap(func.vmap(look))(dc.ones(2, 3, 4))
    assert seen == [(2, 3, 4), (3, 4)]
    seen.clear()
    func.jvp(look, (dc.ones(3),), (dc.ones(3),))
    assert seen == [(3,), (3,)]
    x = dc.ones(2)
    assert func.debug_unwrap(x) is x


def test_functionalize_computes_what_the_function_does():
    def double(x):
        y = x.view(-1)
        y.mul_(2)
        return x

    assert func.functionalize(double)(dc.ones(2, 2)).tolist() == [[2, 2], [2, 2]]
    assert func.grad(func.functionalize(lambda x: double(x * 1).sum()))(dc.ones(2)).tolist() == [
        2,
        2,
    ]
    with pytest.raises(RuntimeError, match="invalid argument for remove"):
        func.functionalize(double, remove="all")


@pytest.mark.parametrize(
    ("pattern", "shape"),
    [("... -> (...)", (144,)), ("b ... -> b (...)", (2, 72)), ("... w -> (...) w", (24, 6))],
)
def test_any_dimensions_are_merged_within_parentheses(pattern, shape):
    assert func.rearrange(X, pattern).shape == shape


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [("(...) -> ...", {}), ("_ c h w -> c h w _", {}), ("(a b) c h w -> a b c h w", {"a": -1})],
)
def test_more_patterns_that_are_refused(pattern, sizes):
    with pytest.raises(ValueError, match=r"pattern|left|something else|negative|dimensions"):
        func.rearrange(X, pattern, **sizes)
