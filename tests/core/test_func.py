"""`func.jvp` and `func.jacfwd`."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

import dispatch_core as dc
from dispatch_core.func import jacfwd, jvp
from dispatch_core.testing import assert_close


def vector() -> Any:
    return dc.tensor([1.0, 2.0, 3.0])


class Pair(NamedTuple):
    first: Any
    second: Any


def test_jvp_of_nested_structures() -> None:
    x, one = vector(), dc.ones(3)
    out, tangent = jvp(
        lambda d, p: {"a": d["a"] * p[0], "b": [x, (p[1].sum(),)]},
        ({"a": x}, (x, x)),
        ({"a": one}, (one, one)),
    )
    assert out["a"].tolist() == [1.0, 4.0, 9.0]
    assert tangent["a"].tolist() == [2.0, 4.0, 6.0]
    assert tangent["b"][0].tolist() == [0.0, 0.0, 0.0]
    assert tangent["b"][1][0].item() == 3.0
    _, pair = jvp(lambda v: Pair(v, v * 2), (x,), (one,))
    assert pair.second.tolist() == [2.0, 2.0, 2.0]


def test_jvp_with_aux() -> None:
    out, tangent, aux = jvp(lambda x: (x * 2, (x, "why")), (vector(),), (dc.ones(3),), has_aux=True)
    assert tangent.tolist() == [2.0, 2.0, 2.0]
    assert aux[0].tolist() == [1.0, 2.0, 3.0]
    assert aux[1] == "why"
    assert type(aux[0]) is dc.Tensor
    assert type(out) is dc.Tensor


def test_jvp_of_a_module_in_training() -> None:
    dc.manual_seed(0)
    model = dc.nn.Sequential(dc.nn.Linear(3, 4), dc.nn.BatchNorm1d(4), dc.nn.Dropout(0.5))
    x, t = dc.randn(5, 3), dc.randn(5, 3)
    dc.manual_seed(1)
    out, tangent = jvp(model, (x,), (t,))
    assert bool((tangent[out == 0] == 0).all())  # dropped is dropped in both
    assert model[1].running_mean.abs().sum().item() > 0
    (g,) = dc.autograd.grad(tangent.square().sum(), model[0].weight)
    assert g.abs().sum().item() > 0


def test_jvp_writes_into_its_arguments_as_the_function_does() -> None:
    x, t = vector(), dc.ones(3)
    _, tangent = jvp(lambda v: v.mul_(2), (x,), (t,))
    assert x.tolist() == [2.0, 4.0, 6.0]
    assert tangent.tolist() == [2.0, 2.0, 2.0]


def test_mistakes_in_jvp() -> None:
    x = dc.ones(2)
    with pytest.raises(RuntimeError, match="Expected primals to be a tuple"):
        jvp(dc.exp, x, x)
    with pytest.raises(RuntimeError, match="Expected primals to be a tuple"):
        jvp(dc.exp, [x], [x])
    with pytest.raises(RuntimeError, match=r"same python structure.*\(\*,\).*\(\*, \*\)"):
        jvp(dc.exp, (x,), (x, x))
    with pytest.raises(RuntimeError, match=r"\({'a': \*},\).*\(\[\*\],\)"):
        jvp(dc.exp, ({"a": x},), ([x],))
    with pytest.raises(RuntimeError, match="at least one Tensor"):
        jvp(dc.exp, (), ())
    with pytest.raises(RuntimeError, match="primals to only contain Tensors, got <class 'float'>"):
        jvp(dc.mul, (x, 2.0), (x, 1.0))
    with pytest.raises(RuntimeError, match="different size"):
        jvp(dc.exp, (x,), (dc.ones(3),))
    with pytest.raises(ValueError, match="floating point"):
        jvp(dc.exp, (x.long(),), (x,))
    with pytest.raises(
        RuntimeError, match="return only tensors, got unsupported type <class 'int'>"
    ):
        jvp(lambda v: 3, (x,), (x,))
    with pytest.raises(RuntimeError, match="return at least one Tensor"):
        jvp(lambda v: (), (x,), (x,))
    with pytest.raises(RuntimeError, match=r"\(output, aux\) if has_aux"):
        jvp(dc.exp, (x,), (x,), has_aux=True)
    with pytest.raises(RuntimeError, match="independent of the inputs"):
        jvp(lambda v: dc.ones(2), (x,), (x,), strict=True)


def test_jacfwd() -> None:
    x = vector()
    assert jacfwd(lambda v: v * v)(x).tolist() == [
        [2.0, 0.0, 0.0],
        [0.0, 4.0, 0.0],
        [0.0, 0.0, 6.0],
    ]
    assert jacfwd(lambda v: v.sum())(dc.tensor(2.0)).item() == 1.0
    assert jacfwd(lambda v: v.outer(v))(x).shape == (3, 3, 3)
    assert jacfwd(lambda v: v)(dc.empty(0, 2)).shape == (0, 2, 0, 2)
    hessian = jacfwd(jacfwd(lambda v: (v**3).sum()))(x)
    assert hessian.tolist() == [[6.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 18.0]]
    w = vector().requires_grad_()
    jacfwd(lambda v: w * v)(x).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0, 1.0]


def test_jacfwd_of_chosen_arguments_and_structures() -> None:
    x = vector()
    (a, b), (c, d) = jacfwd(lambda u, v: (u * v, u), argnums=(0, -1))(x, 2 * x)
    assert a.diagonal().tolist() == [2.0, 4.0, 6.0]
    assert b.diagonal().tolist() == [1.0, 2.0, 3.0]
    assert c.diagonal().tolist() == [1.0, 1.0, 1.0]
    assert d.abs().sum().item() == 0
    nested = jacfwd(lambda p: {"out": p["x"] * 2})({"x": x, "y": x})
    assert nested["out"]["x"].diagonal().tolist() == [2.0, 2.0, 2.0]
    assert nested["out"]["y"].abs().sum().item() == 0
    jacobian, aux = jacfwd(lambda v: (v * 2, v), has_aux=True)(x)
    assert jacobian.diagonal().tolist() == [2.0, 2.0, 2.0]
    assert aux.tolist() == [1.0, 2.0, 3.0]


def test_jacfwd_and_random_numbers() -> None:
    x = vector()

    def noisy(v: Any) -> Any:
        return v.sum() * dc.rand(())

    with pytest.raises(RuntimeError, match="draws random numbers"):
        jacfwd(noisy)(x)
    assert len(set(jacfwd(noisy, randomness="same")(x).tolist())) == 1
    assert len(set(jacfwd(noisy, randomness="different")(x).tolist())) == 3


def test_mistakes_in_jacfwd() -> None:
    x = vector()
    with pytest.raises(RuntimeError, match="Got argnum=3, but only 1 positional inputs"):
        jacfwd(dc.exp, argnums=3)(x)
    with pytest.raises(RuntimeError, match=r"int or Tuple\[int, ...\], got: <class 'str'>"):
        jacfwd(dc.exp, argnums="a")(x)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="non-empty"):
        jacfwd(dc.exp, argnums=())(x)
    with pytest.raises(RuntimeError, match="unique"):
        jacfwd(dc.exp, argnums=(0, 0))(x)
    with pytest.raises(RuntimeError, match="randomness"):
        jacfwd(dc.exp, randomness="never")
    with pytest.raises(RuntimeError, match="inputs to be real"):
        jacfwd(dc.exp)(x.to(dc.complex64))
    with pytest.raises(RuntimeError, match="outputs to be real"):
        jacfwd(lambda v: v * 2j)(x)
    with pytest.raises(ValueError, match="floating point"):
        jacfwd(dc.exp)(x.long())


def test_jacfwd_agrees_with_rows_of_reverse_mode() -> None:
    x = dc.tensor([0.3, -0.8, 1.2], dtype=dc.float64, requires_grad=True)

    def f(v: Any) -> Any:
        return dc.softmax(v, 0) * v.exp().sum()

    out = f(x)
    rows = [dc.autograd.grad(out[i], x, retain_graph=True)[0] for i in range(3)]
    assert_close(jacfwd(f)(x.detach()), dc.stack(rows))
