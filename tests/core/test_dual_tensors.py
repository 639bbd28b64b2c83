"""Dual tensors: what they show, how they are written, and when they end."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core.autograd import forward_ad
from dispatch_core.autograd.forward_ad import dual_level, make_dual, unpack_dual


def parts(tensor: Any) -> tuple[Any, Any]:
    primal, tangent = unpack_dual(tensor)
    return primal.tolist(), None if tangent is None else tangent.tolist()


def vector() -> Any:
    return dc.tensor([1.0, 2.0, 3.0])


# -- what they show ------------------------------------------------------------------------------


def test_a_dual_tensor_answers_as_its_primal() -> None:
    x = dc.arange(6.0).reshape(2, 3).T
    with dual_level():
        dual = make_dual(x, dc.ones(3, 2))
        assert isinstance(dual, dc.Tensor)
        assert (dual.shape, dual.dtype, dual.device) == (x.shape, x.dtype, x.device)
        assert dual.stride() == x.stride()
        assert not dual.is_contiguous()
        assert dual.data_ptr() == x.data_ptr()
        assert dual.tolist() == x.tolist()
        assert dual.max().item() == 5.0
        assert dual.numpy().tolist() == x.tolist()
        assert bool((dual >= 0).all())
        assert [row.tolist() for row in dual] == x.tolist()
        assert dc.from_dlpack(dual).tolist() == x.tolist()
        assert repr(make_dual(dc.ones(2), dc.zeros(2))) == (
            "tensor([1., 1.], tangent=tensor([0., 0.]))"
        )


def test_history_is_that_of_the_primal() -> None:
    x = vector().requires_grad_()
    with dual_level():
        dual = make_dual(x, dc.ones(3))
        assert dual.requires_grad
        assert not dual.is_leaf
        y = dual * 2
        assert y.grad_fn.name() == "MulBackward0"
        seen = []
        y.register_hook(lambda g: seen.append(g.tolist()))
        y.retain_grad()
        y.sum().backward()
        assert seen == [[1.0, 1.0, 1.0]]
        assert y.grad.tolist() == [1.0, 1.0, 1.0]
        own = make_dual(vector(), dc.ones(3)).clone().requires_grad_()
        (own * own).sum().backward()
        assert own.grad.tolist() == [2.0, 4.0, 6.0]


def test_copies_and_detached_tensors_have_no_tangent() -> None:
    with dual_level():
        dual = make_dual(vector(), dc.ones(3))
        for plain in (
            dual.detach(),
            dual.data,
            dual.clone().detach_(),
            copy.deepcopy(dual),
            pickle.loads(pickle.dumps(dual)),
            dc.zeros_like(dual),
            dual.long(),
            dual > 1,
            dual.argmax(),
        ):
            assert unpack_dual(plain).tangent is None
        for kept in (dual.clone(), dual.double(), dual.to(dc.complex64), dual[0], dual.flatten()):
            assert unpack_dual(kept).tangent is not None
        with pytest.raises(RuntimeError, match="graph leaves"):
            copy.deepcopy(make_dual(vector().requires_grad_(), dc.ones(3)))


def test_unpacked_are_the_tensors_that_were_packed() -> None:
    x, t = vector(), dc.ones(3)
    with dual_level():
        primal, tangent = unpack_dual(make_dual(x, t))
        assert primal.data_ptr() == x.data_ptr()
        assert tangent is t
        assert unpack_dual(x) == forward_ad.UnpackedDualTensor(x, None)
        expanded = make_dual(x, dc.ones(1).expand(3))  # lies otherwise in memory: a copy
        assert unpack_dual(expanded).tangent.stride() == (1,)
    assert unpack_dual(x).tangent is None


def test_a_tangent_is_converted_to_the_dtype_of_its_tensor() -> None:
    with dual_level():
        assert unpack_dual(make_dual(vector(), dc.ones(3, dtype=dc.float64))).tangent.dtype is (
            dc.float32
        )
        z = make_dual(vector().to(dc.complex64), dc.ones(3))
        assert unpack_dual(z).tangent.dtype is dc.complex64


def test_mixed_dtypes_give_the_tangent_the_dtype_of_the_result() -> None:
    with dual_level():
        x = make_dual(dc.tensor(2.0, dtype=dc.float64), dc.tensor(1.0, dtype=dc.float64))
        y = x * dc.ones(2, dtype=dc.float32)  # a 0-d tensor is weaker
        assert y.dtype is dc.float32
        assert unpack_dual(y).tangent.dtype is dc.float32
        assert unpack_dual(make_dual(vector(), dc.ones(3)) * 2j).tangent.dtype is dc.complex64


# -- writing --------------------------------------------------------------------------------------


def test_writing_into_a_dual_tensor_writes_value_and_tangent() -> None:
    x, t = vector(), dc.ones(3)
    with dual_level():
        dual = make_dual(x, t)
        assert dual.mul_(2) is dual
        assert (x.tolist(), t.tolist()) == ([2.0, 4.0, 6.0], [2.0, 2.0, 2.0])
        dual += dc.ones(3)
        dual[0] = 7.0
        assert parts(dual) == ([7.0, 5.0, 7.0], [0.0, 2.0, 2.0])
        dual.zero_()
        assert parts(dual) == ([0.0] * 3, [0.0] * 3)
        dual.copy_(make_dual(vector(), dc.ones(3)))
        dual.normal_()
        assert parts(dual)[1] == [0.0] * 3


def test_a_plain_tensor_gets_the_tangent_that_is_written_into_it() -> None:
    buffer = dc.zeros(2, 3)
    row, column = buffer[0], buffer[:, 1]
    with dual_level():
        dual = make_dual(vector(), dc.tensor([10.0, 20.0, 30.0]))
        buffer[1] = dual
        row[1] = dual[0]
        assert parts(buffer) == (
            [[0.0, 1.0, 0.0], [1.0, 2.0, 3.0]],
            [[0.0, 10.0, 0.0], [10.0, 20.0, 30.0]],
        )
        assert parts(column) == ([1.0, 2.0], [10.0, 20.0])
        assert parts(column * 2) == ([2.0, 4.0], [20.0, 40.0])
        assert parts(row) == ([0.0, 1.0, 0.0], [0.0, 10.0, 0.0])
    assert unpack_dual(buffer).tangent is None
    assert type(buffer) is dc.Tensor
    buffer.fill_(5)
    assert row.tolist() == [5.0] * 3


@pytest.mark.parametrize("recording", [True, False])
def test_a_view_made_before_follows_in_every_grad_mode(recording: bool) -> None:
    buffer = dc.zeros(3)
    part = buffer[1:]
    with dc.set_grad_enabled(recording), dual_level():
        buffer.copy_(make_dual(vector(), dc.ones(3)))
        assert parts(part * part) == ([4.0, 9.0], [4.0, 6.0])


def test_a_subclass_keeps_its_class() -> None:
    p = dc.nn.Parameter(dc.zeros(3))
    with dual_level():
        with dc.no_grad():
            p.copy_(make_dual(vector(), dc.ones(3)))
        assert isinstance(p, dc.nn.Parameter)
        assert parts(p * 2)[1] == [2.0, 2.0, 2.0]
    assert type(p) is dc.nn.Parameter
    assert p.is_leaf
    assert p.requires_grad


def test_history_of_views_survives_the_level() -> None:
    w = vector().requires_grad_()
    buffer = dc.zeros(3)
    with dual_level():
        buffer[0] = make_dual(vector(), dc.ones(3))[0]
        part = buffer[1:]
    part.copy_(w[1:])
    (buffer * 2).sum().backward()
    assert w.grad.tolist() == [0.0, 2.0, 2.0]


def test_a_view_of_a_dual_tensor_takes_part_in_reverse_mode() -> None:
    w = vector().requires_grad_()
    with dual_level():
        dual = make_dual(dc.zeros(3), dc.ones(3)).clone()
        dual[1:] = w[1:] ** 2
        assert parts(dual)[1] == [1.0, 0.0, 0.0]
        (g,) = dc.autograd.grad(dual.sum(), w)
        assert g.tolist() == [0.0, 4.0, 6.0]


def test_tensors_change_shape_in_place_with_their_tangents() -> None:
    with dual_level():
        dual = make_dual(dc.zeros(1, 3), dc.ones(1, 3)).clone()
        dual.squeeze_().unsqueeze_(1)
        assert dual.shape == (3, 1)
        dual.t_()
        assert unpack_dual(dual).tangent.shape == (1, 3)
        with pytest.raises(RuntimeError, match="forward grad"):
            dual.resize_(2)


def test_what_must_not_be_written_is_said() -> None:
    leaf = vector().requires_grad_()
    with dual_level():
        with pytest.raises(RuntimeError, match="a view of a leaf"):
            make_dual(leaf, dc.ones(3)).mul_(2)
        with pytest.raises(RuntimeError, match="a leaf Variable"):
            make_dual(vector(), dc.ones(3).requires_grad_()).mul_(2)
        with pytest.raises(RuntimeError, match="single memory location"):
            make_dual(dc.ones(1).expand(3), dc.ones(3)).mul_(2)
        with pytest.raises(RuntimeError, match="broadcast shape"):
            dc.zeros(1).add_(make_dual(vector(), dc.ones(3)))
        with pytest.raises(NotImplementedError, match=r"add.*out= function"):
            dc.add(make_dual(vector(), dc.ones(3)), 1, out=dc.empty(3))


def test_a_step_of_an_optimizer_has_a_tangent() -> None:
    p = dc.nn.Parameter(dc.zeros(3))
    optimizer = dc.optim.Adam([p], lr=0.5)
    with dual_level():
        (p * make_dual(vector(), dc.ones(3))).sum().backward()
        assert unpack_dual(p.grad).tangent is None
        optimizer.step()
        assert unpack_dual(p).tangent is None
        p.grad = make_dual(vector(), dc.ones(3))
        dc.optim.SGD([p], lr=0.5).step()
        assert parts(p)[1] == [-0.5, -0.5, -0.5]


# -- levels ------------------------------------------------------------------------------------------


def test_mistakes_in_making_dual_tensors() -> None:
    x = dc.ones(2)
    with pytest.raises(RuntimeError, match="enter_dual_level"):
        make_dual(x, x)
    with dual_level():
        with pytest.raises(RuntimeError, match="different size"):
            make_dual(x, dc.ones(3))
        with pytest.raises(ValueError, match="primal to be floating point or complex"):
            make_dual(dc.ones(2, dtype=dc.int64), x)
        with pytest.raises(ValueError, match="tangent to be floating point or complex"):
            make_dual(x, dc.ones(2, dtype=dc.int64))
        with pytest.raises(ValueError, match="real tensor"):
            make_dual(x, dc.ones(2, dtype=dc.complex64))
        with pytest.raises(RuntimeError, match="device of the tensor, cpu, but got one on example"):
            make_dual(x, dc.ones(2, device="example"))
        with pytest.raises(TypeError, match="must be Tensor, not float"):
            make_dual(1.0, x)
        with pytest.raises(RuntimeError, match="level 3, which is not open"):
            make_dual(x, x, level=3)
        with pytest.raises(RuntimeError, match="level 3, which is not open"):
            unpack_dual(x, level=3)
        dual = make_dual(x, x)
        with pytest.raises(RuntimeError, match="already has a forward gradient at the same level"):
            make_dual(dual, x)
        with pytest.raises(RuntimeError, match="itself has a forward gradient"):
            make_dual(x, dual)


def leave_by_an_error() -> None:
    with dual_level():
        forward_ad.enter_dual_level()
        raise KeyError


def test_mistakes_in_leaving_levels() -> None:
    with pytest.raises(RuntimeError, match="no dual level"):
        forward_ad.exit_dual_level()
    assert forward_ad.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="not the last one"):
        forward_ad.exit_dual_level(level=3)
    forward_ad.exit_dual_level(level=0)
    with pytest.raises(RuntimeError, match="level 1, which was created inside"), dual_level():
        forward_ad.enter_dual_level()
    with pytest.raises(RuntimeError, match="no dual level"):
        forward_ad.exit_dual_level()
    with pytest.raises(KeyError):  # the error of the body is the one to see
        leave_by_an_error()
    with pytest.raises(RuntimeError, match="no dual level"):
        forward_ad.exit_dual_level()


def test_when_a_level_ends_its_tensors_have_no_tangent() -> None:
    x = vector().requires_grad_()
    with dual_level():
        dual = make_dual(x, dc.ones(3))
        y = dual * dual
        part = y[1:]
    for tensor in (dual, y, part):
        assert type(tensor) is dc.Tensor
        assert unpack_dual(tensor).tangent is None
    with dual_level():
        assert unpack_dual(y * 1).tangent is None
    part.sum().backward()
    assert x.grad.tolist() == [0.0, 4.0, 6.0]


def test_levels_nest() -> None:
    x, one = vector(), dc.ones(3)
    with dual_level() as outer:
        a = make_dual(x, one)
        with dual_level() as inner:
            b = make_dual(a, one)
            y = b**3
            primal, tangent = unpack_dual(y)
            assert parts_of(unpack_dual(tangent, level=outer)) == (
                [3.0, 12.0, 27.0],
                [6.0, 12.0, 18.0],
            )
            first = unpack_dual(y, level=outer)
            assert parts_of(unpack_dual(first.tangent, level=inner))[1] == [6.0, 12.0, 18.0]
            buffer = dc.zeros(3)
            view = buffer[:2]
            buffer.copy_(a)  # a tangent of the outer level, and then one of the inner
            view.copy_(y[:2])
            assert unpack_dual(unpack_dual(buffer).tangent, level=outer).tangent.tolist() == [
                6.0,
                12.0,
                0.0,
            ]
        assert parts(y) == ([1.0, 8.0, 27.0], [3.0, 12.0, 27.0])
        assert parts(buffer) == ([1.0, 8.0, 3.0], [3.0, 12.0, 1.0])
    assert unpack_dual(y).tangent is None
    assert buffer.tolist() == [1.0, 8.0, 3.0]


def test_an_inner_tangent_is_written_into_an_outer_dual_tensor() -> None:
    x, one = vector(), dc.ones(3)
    with dual_level() as outer:
        a = make_dual(x, one)
        part = a[1:]
        with dual_level():
            a.mul_(make_dual(vector(), one))
            for found, start in ((a, 0), (part, 1)):
                value, tangent = unpack_dual(found)
                assert unpack_dual(value, level=outer).tangent.tolist() == [1.0, 2.0, 3.0][start:]
                assert tangent.tolist() == [1.0, 2.0, 3.0][start:]
                assert unpack_dual(tangent, level=outer).tangent.tolist() == [1.0] * (3 - start)
        assert parts(part) == ([4.0, 9.0], [2.0, 3.0])
    assert x.tolist() == [1.0, 4.0, 9.0]
    x.fill_(1)
    assert part.tolist() == [1.0, 1.0]
    assert part._is_view_of is x


def test_one_memory_cannot_have_two_tangents() -> None:
    x = vector()
    with dual_level():
        dual = make_dual(x, dc.ones(3))
        with pytest.raises(RuntimeError, match="one memory cannot have two tangents"):
            x.copy_(dual * 2)
        with pytest.raises(RuntimeError, match="one memory cannot have two tangents"):
            x[1:].copy_(dual[:2])
        twice = dual * 2
        del dual
        x.copy_(twice)
        assert parts(x)[1] == [2.0, 2.0, 2.0]


def parts_of(unpacked: Any) -> tuple[Any, Any]:
    return unpacked.primal.tolist(), unpacked.tangent.tolist()


def test_a_level_decorates_a_function() -> None:
    @dual_level()
    def slope(x: Any) -> Any:
        return unpack_dual(make_dual(x, dc.ones_like(x)).exp()).tangent

    assert slope(dc.zeros(2)).tolist() == [1.0, 1.0]
    assert slope(dc.zeros(2)).tolist() == [1.0, 1.0]


def test_a_level_belongs_to_its_thread_and_task() -> None:
    found: list[Any] = []

    async def inside() -> None:
        with dual_level():
            await asyncio.sleep(0)
            found.append(parts(make_dual(vector(), dc.ones(3)) * 2)[1])

    async def outside() -> None:
        with pytest.raises(RuntimeError, match="no level exists"):
            make_dual(vector(), dc.ones(3))

    async def both() -> None:
        await asyncio.gather(inside(), outside())

    asyncio.run(both())
    with dual_level():
        thread = threading.Thread(target=lambda: asyncio.run(outside()))
        thread.start()
        thread.join()
    assert found == [[2.0, 2.0, 2.0]]


def test_modes_in_which_tangents_are_dropped() -> None:
    with dual_level():
        dual = make_dual(vector(), dc.ones(3))
        with dc.no_grad():
            assert parts(dual * 2)[1] == [2.0, 2.0, 2.0]
        with dc.inference_mode():
            assert parts(dual * 2)[1] is None
        with forward_ad._set_fwd_grad_enabled(False):
            assert not forward_ad._is_fwd_grad_enabled()
            assert parts(dual * 2)[1] is None
            assert parts(dual.exp_())[1] == [1.0, 1.0, 1.0]
        assert forward_ad._is_fwd_grad_enabled()
        buffer = dc.zeros(3)
        part = buffer[1:]
        buffer.copy_(dual.clone())
        with dc.inference_mode():
            assert parts(part * 2)[1] is None
        assert parts(part * 2)[1] == [2.0, 2.0]

        @dc.inference_mode()
        def twice(x: Any) -> Any:
            return x * 2

        assert parts(twice(dual))[1] is None


def test_a_level_left_open_in_another_grad_mode_still_works() -> None:
    with dc.no_grad():
        level = forward_ad.enter_dual_level()
    try:
        buffer = dc.zeros(3)
        part = buffer[1:]
        buffer.copy_(make_dual(vector(), dc.ones(3)))
        assert parts(part)[1] == [1.0, 1.0]
    finally:
        forward_ad.exit_dual_level(level=level)
    assert dc.is_grad_enabled()


# -- operators without a derivative, and functions of the user --------------------------------------


def test_an_operator_whose_tangent_is_not_known_says_so() -> None:
    with dual_level():
        dual = make_dual(vector(), dc.ones(3))
        for function in (dc.unique, dc.unique_consecutive):
            with pytest.raises(NotImplementedError, match=function.__name__):
                function(dual)
        assert parts(dc.unique(dual.detach()))[1] is None
        assert parts(dc.histc(dual, 3))[1] is None  # constant in between


class Product(dc.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, factor: float) -> Any:
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x, y)
        ctx.factor = factor
        return x * y * factor, x.long()

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y * ctx.factor, g * x * ctx.factor, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, y_t: Any, factor_t: None) -> Any:
        x, y = ctx.saved_tensors
        assert factor_t is None
        return (x_t * y + x * y_t) * ctx.factor, None


def test_a_function_with_jvp() -> None:
    x = vector().requires_grad_()
    y = dc.full((3,), 4.0, requires_grad=True)
    with dual_level():
        out, whole = Product.apply(make_dual(x, dc.ones(3)), y, 2.0)
        assert parts(out) == ([8.0, 16.0, 24.0], [8.0, 8.0, 8.0])
        assert unpack_dual(whole).tangent is None
        gx, gy = dc.autograd.grad(out.sum(), (x, y), create_graph=True)
        assert unpack_dual(gx).tangent is None or parts(gx)[1] == [0.0, 0.0, 0.0]
        assert parts(gy) == ([2.0, 4.0, 6.0], [2.0, 2.0, 2.0])
        tangent = unpack_dual(out).tangent
    assert dc.autograd.grad(tangent.sum(), y)[0].tolist() == [2.0, 2.0, 2.0]


def test_a_function_in_nested_levels() -> None:
    one = dc.ones(3)
    with dual_level() as outer:
        a = make_dual(vector(), one)
        with dual_level():
            b = make_dual(a, one)
            out, _ = Product.apply(b, b, 1.0)
            tangent = unpack_dual(out).tangent
            assert parts_of(unpack_dual(tangent, level=outer)) == ([2.0, 4.0, 6.0], [2.0] * 3)


def test_a_function_that_writes_its_argument() -> None:
    class Twice(dc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t.mul_(2)

    with dual_level():
        dual = make_dual(vector(), dc.ones(3))
        assert Twice.apply(dual) is dual
        assert parts(dual) == ([2.0, 4.0, 6.0], [2.0, 2.0, 2.0])


def test_mistakes_in_functions() -> None:
    class Bare(dc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

    class Many(Bare):
        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t, t

    class Short(Bare):
        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t[:1]

    class Once(Bare):
        @staticmethod
        @dc.autograd.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            return g * 1

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t * 1

    with dual_level():
        dual = make_dual(vector(), dc.ones(3))
        with pytest.raises(NotImplementedError, match="implement the jvp function"):
            Bare.apply(dual)
        with pytest.raises(RuntimeError, match="returned 2 tangents"):
            Many.apply(dual)
        with pytest.raises(RuntimeError, match=r"tangent of shape \[1\]"):
            Short.apply(dual)
        assert parts(Once.apply(dual))[1] == [1.0, 1.0, 1.0]
