"""Subclasses of Tensor that operators ask, `__dispatch_function__`."""

import asyncio
import copy
import pickle
from typing import ClassVar

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS
from dispatch_core.testing import assert_close
from dispatch_core.testing._checks.common import cases, seeded
from dispatch_core.testing._samples import accepted_dtypes, declared_operators, tensors_in


class Image(dc.Tensor):
    """Data of a kind; operators treat it as they treat tensors."""


class Photo(Image):
    """A kind of that kind."""


class Noted(dc.Tensor):
    """Notes the calls that reach it."""

    calls: ClassVar[list] = []

    @classmethod
    def __dispatch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append((func.__name__, types, args, kwargs))
        return super().__dispatch_function__(func, types, args, kwargs)


class Metres(dc.Tensor):
    """Adds to its own kind only; areas are plain numbers."""

    @classmethod
    def __dispatch_function__(cls, func, types, args=(), kwargs=None):
        if func is dc.add and not all(isinstance(a, Metres) for a in args):
            return NotImplemented
        result = super().__dispatch_function__(func, types, args, kwargs)
        return result.as_subclass(dc.Tensor) if func is dc.mul else result


@pytest.fixture(autouse=True)
def no_calls():
    Noted.calls.clear()


@pytest.mark.parametrize("name", [d.op.name for d in declared_operators()])
def test_every_operator_computes_the_same_and_keeps_the_class(name):
    declared = OPERATORS[name]
    front = seeded(declared.op, declared.front)
    for _, sample in cases(declared.op, "cpu", accepted_dtypes(declared.op)[-1:]):
        expected = list(tensors_in(sample.call(front)))
        result = sample.map(lambda t: t.as_subclass(Image)).call(front)
        found = list(tensors_in(result))
        for one, other in zip(found, expected, strict=True):
            assert one.__class__ is Image, str(sample)
            assert_close(one.as_subclass(dc.Tensor), other, equal_nan=True)


def test_results_of_methods_operators_and_modules_are_instances():
    x = dc.ones(2, 3).as_subclass(Image)
    made = [x + 1, 1 - x, x[0], x.t(), x.detach(), x.half(), x.sum(), x.to("meta"), -x]
    made += [x.max(0).values, *x.split(1), dc.nn.Linear(3, 2)(x), copy.deepcopy(x), copy.copy(x)]
    made += [pickle.loads(pickle.dumps(x)), Image([1.0, 2.0]), x.new_zeros(2), dc.zeros_like(x)]
    assert [type(each) for each in made] == [Image] * len(made)
    assert repr(Image([1.0])) == "Image([1.])"


def test_a_subclass_comes_before_what_it_derives_from():
    image, photo = dc.ones(2).as_subclass(Image), dc.ones(2).as_subclass(Photo)
    assert type(image + photo) is type(photo + image) is Photo


def test_in_place_writes_change_the_instance_itself():
    x = dc.ones(2, 3).as_subclass(Image)
    view = x[0]
    assert x.add_(1) is x
    view.fill_(5)
    assert x.tolist() == [[5, 5, 5], [2, 2, 2]]
    out = dc.empty(2).as_subclass(Image)
    assert dc.exp(dc.zeros(2), out=out) is out
    assert out.tolist() == [1, 1]


def test_gradients_flow_through_instances():
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    image = x.as_subclass(Image)
    y = (image * image).sum()
    assert type(y) is Image
    (g,) = dc.autograd.grad(y, x, create_graph=True)
    assert g.tolist() == [2, 4]
    g.sum().backward()
    assert x.grad.tolist() == [2, 2]
    leaf = Image([3.0]).requires_grad_()
    (leaf * leaf).backward()
    assert leaf.grad.tolist() == [6]


def test_the_hook_is_told_function_classes_and_arguments():
    x = dc.ones(2, 3).as_subclass(Noted)
    x.sum(0, keepdim=True)
    dc.nn.functional.softmax(x, dim=-1)
    dc.cat([x, dc.ones(2, 3)])
    (sum_, types, args, kwargs), softmax, cat = Noted.calls
    assert sum_ == "sum"
    assert types == (Noted,)
    assert args[0] is x
    assert args[1:] == (0, True)
    assert kwargs == {}
    assert softmax[2][1:] == (-1,)
    assert cat[0] == "cat"


def test_a_class_may_decide_itself_and_leave_a_call_to_others():
    a = dc.ones(2).as_subclass(Metres)
    assert type(a + a) is Metres
    assert type(a * a) is dc.Tensor
    with pytest.raises(TypeError, match=r"no implementation found for 'add' .*Metres"):
        a + 1
    with pytest.raises(TypeError, match=r"\['Image', 'Noted'\]"):
        dc.sub(dc.ones(2).as_subclass(Image), dc.ones(2).as_subclass(Noted))


def test_hooks_can_be_switched_off_for_a_block_and_a_task():
    x = dc.ones(2).as_subclass(Noted)
    with dc.subclass_hooks(False):
        assert type(x + 1) is dc.Tensor
        with dc.subclass_hooks(True):
            assert type(x + 1) is Noted

    async def add():
        return type(x + 1)

    async def both():
        with dc.subclass_hooks(False):
            return await add(), await asyncio.create_task(add())

    assert asyncio.run(both()) == (dc.Tensor, dc.Tensor)
    assert type(x + 1) is Noted


def test_a_class_without_the_hook_is_data_only():
    class Plain(dc.Tensor):
        __dispatch_function__ = None

    assert type(dc.ones(2).as_subclass(Plain) + 1) is dc.Tensor
    assert type(dc.nn.Parameter(dc.ones(2).as_subclass(Plain)) + 1) is dc.Tensor
    assert type(dc.ones(2).as_subclass(Image).as_subclass(dc.Tensor) + 1) is dc.Tensor
    with pytest.raises(TypeError, match="must be a subclass of Tensor"):
        dc.ones(2).as_subclass(int)


def test_an_error_in_a_hook_reaches_the_caller():
    class Broken(dc.Tensor):
        @classmethod
        def __dispatch_function__(cls, func, types, args=(), kwargs=None):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        dc.ones(2).as_subclass(Broken) + 1


def test_plain_calls_do_not_see_the_layer():
    assert "subclass: no argument" in "".join(repr(dc.explain(dc.exp, dc.ones(2))).splitlines())
    shown = repr(dc.explain(dc.exp, dc.ones(2).as_subclass(Image)))
    assert "layer  subclass: __dispatch_function__" in shown


def test_instances_in_vmap_inference_mode_and_forward_mode():
    x = dc.ones(2, 3).as_subclass(Image)
    assert dc.func.vmap(lambda a: a * 2)(x).tolist() == [[2, 2, 2]] * 2
    with dc.inference_mode():
        assert type(x + 1) is Image
    value, tangent = dc.func.jvp(lambda a: a * a, (x,), (dc.ones(2, 3),))
    assert tangent.tolist() == [[2, 2, 2]] * 2
    assert value.tolist() == [[1, 1, 1]] * 2


METHODS = {
    "__get__": lambda x: x.data,
    "copy_": lambda x: x.copy_(dc.ones(2)),
    "cpu": lambda x: x.cpu(),
    "detach": lambda x: x.detach(),
    "float": lambda x: x.float(),
    "new_tensor": lambda x: x.new_tensor([1, 2]),
    "to": lambda x: x.to(dc.float64),
    "type_as": lambda x: x.type_as(dc.ones(1)),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_that_give_tensors_ask_as_operators_do(name):
    x = dc.ones(2).as_subclass(Noted)
    assert type(METHODS[name](x)) is Noted
    ((called, types, args, _),) = Noted.calls
    assert called == name
    assert types == (Noted,)
    assert args[0] is x
    Noted.calls.clear()
    with dc.subclass_hooks(False):
        METHODS[name](x)
    METHODS[name](dc.ones(2))
    assert not Noted.calls


def test_a_class_has_its_own_methods_and_those_of_what_it_is_mixed_with():
    class Mixin:
        def cpu(self):
            return "mixed in"

    class Mixed(Mixin, Noted):
        def detach(self):
            return super().detach()

    x = dc.ones(2).as_subclass(Mixed)
    assert x.cpu() == "mixed in"
    assert type(x.detach()) is Mixed
    assert [call[0] for call in Noted.calls] == ["detach"]
    assert dc.Tensor.detach is dc.Tensor.__dict__["detach"]


class Duck:
    """No tensor, but operators ask it."""

    def __init__(self, tensor):
        self.tensor = tensor

    @classmethod
    def __dispatch_function__(cls, func, types, args=(), kwargs=None):
        if types != (cls,):
            return NotImplemented
        plain = [arg.tensor if isinstance(arg, cls) else arg for arg in args]
        if isinstance(args[0], list):
            plain[0] = [arg.tensor if isinstance(arg, cls) else arg for arg in args[0]]
        return cls(func(*plain, **(kwargs or {})))


@pytest.mark.parametrize(
    "call",
    [
        lambda d, x: dc.exp(d),
        lambda d, x: dc.add(x, d),
        lambda d, x: d_plus(x, d),
        lambda d, x: dc.cat([x, d]),
        lambda d, x: dc.sum(d, dim=0),
        lambda d, x: dc.lerp(x, d, 0.5),
        lambda d, x: dc.nn.functional.mse_loss(d, x),
    ],
)
def test_operators_ask_what_is_no_tensor_but_has_the_hook(call):
    x = dc.tensor([1.0, 2.0])
    result = call(Duck(x), x)
    assert isinstance(result, Duck)
    assert result.tensor.equal(call(x, x))
    with dc.subclass_hooks(False), pytest.raises(TypeError, match="is not asked"):
        call(Duck(x), x)


def d_plus(x, d):
    return x + d


def test_what_may_not_be_asked_is_refused_as_before():
    class Silent:
        __dispatch_function__ = None

    with pytest.raises(TypeError, match="must be Tensor, not Silent"):
        dc.exp(Silent())
    with pytest.raises(
        TypeError, match=r"no implementation found for 'add' .*Duck.*Image|Image.*Duck"
    ):
        dc.add(dc.ones(2).as_subclass(Image), Duck(dc.ones(2)))


@pytest.mark.parametrize(
    ("make", "table"), [(dc.nn.Parameter, "parameters"), (dc.nn.Buffer, "buffers")]
)
def test_parameters_and_buffers_keep_the_class_of_their_data(make, table):
    image = dc.ones(2, 3).as_subclass(Image)
    made = make(image)
    assert type(made) is type(made * 2) is Image
    assert isinstance(made, make)
    assert not isinstance(image, make)
    assert made.is_leaf
    assert made.requires_grad is (make is dc.nn.Parameter)
    image.zero_()
    assert made.sum().item() == 0
    module = dc.nn.Module()
    module.each = made
    again = copy.deepcopy(module)
    for held in (module, again):
        (found,) = getattr(held, table)()
        assert type(found) is Image
        assert isinstance(found, make)
    again.load_state_dict(module.state_dict())


def test_a_parameter_of_a_class_that_does_not_stay_is_refused():
    class Leaving(dc.Tensor):
        @classmethod
        def __dispatch_function__(cls, func, types, args=(), kwargs=None):
            return super().__dispatch_function__(func, types, args, kwargs).as_subclass(dc.Tensor)

    with pytest.raises(RuntimeError, match=r"keeps the class of its data, Leaving.* gave Tensor"):
        dc.nn.Parameter(dc.ones(2).as_subclass(Leaving))
