"""What is wrong with a declaration is said while it is imported, or at the first call."""

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS, withdraw
from dispatch_core.extend import (
    SAME,
    Chain,
    DeclarationError,
    Layer,
    PluginError,
    Redirect,
    Tensor,
    composite,
    float16,
    pointwise,
    primitive,
)


@pytest.fixture(autouse=True)
def table():
    """Operators that a test declares go again."""
    known = set(OPERATORS)
    yield
    for name in set(OPERATORS) - known:
        withdraw(name)


@pytest.mark.parametrize("decorator", [composite, primitive])
@pytest.mark.parametrize("family", [lambda input: input, pointwise, None])
def test_a_decorator_without_a_family(decorator, family):
    with pytest.raises(DeclarationError, match=rf"@{decorator.__name__} takes the family"):
        decorator(family)


def test_a_parameter_without_annotation():
    with pytest.raises(DeclarationError, match="'bare': parameter 'b' has no annotation"):

        @composite(pointwise(SAME), namespace="_")
        def bare(a: Tensor, b) -> Tensor:
            """The first."""
            return a


def test_a_result_without_annotation():
    with pytest.raises(DeclarationError, match="'mute' does not say what it returns"):

        @composite(pointwise(SAME), namespace="_")
        def mute(input: Tensor):
            """The same."""
            return input


def test_an_unknown_policy_of_autocast():
    with pytest.raises(
        DeclarationError, match="'fast' is no policy; there are lower_precision, float32"
    ):

        @composite(pointwise(SAME), namespace="_", autocast="fast")
        def quick(input: Tensor) -> Tensor:
            """The same."""
            return input


def test_a_missing_docstring():
    with pytest.raises(DeclarationError, match="'silent' has no docstring"):

        @composite(pointwise(SAME), namespace="_")
        def silent(input: Tensor) -> Tensor:
            return input


@pytest.mark.parametrize("option", ["handled", "writes"])
def test_an_option_that_names_no_parameter(option):
    with pytest.raises(DeclarationError, match=f"{option}= names 'other', which is no parameter"):

        @composite(pointwise(SAME), namespace="_", **{option: ["other"]})
        def astray(input: Tensor) -> Tensor:
            """The same."""
            return input

    assert "astray" not in OPERATORS


@pytest.mark.parametrize("namespace", ["", "more"])
@pytest.mark.parametrize(
    ("option", "said"),
    [({"method": True}, "method=True"), ({"operators": ("matmul",)}, "operators=")],
)
def test_what_only_the_framework_adds_to_tensor(namespace, option, said):
    with pytest.raises(
        DeclarationError, match=f"'grafted': {said} is for operators of dispatch_co"
    ):

        @composite(pointwise(SAME), namespace=namespace, **option)
        def grafted(input: Tensor) -> Tensor:
            """The same."""
            return input

    assert "grafted" not in OPERATORS


def test_outside_the_framework_nothing_is_a_method_by_default():
    @composite(pointwise(SAME))
    def loose(input: Tensor) -> Tensor:
        """The same."""
        return input

    assert not OPERATORS["loose"].exposure.method


@pytest.mark.parametrize("result", [5, (5,), "text", None])
def test_a_body_that_returns_no_tensor(result):
    @composite(pointwise(SAME), namespace="_", method=False)
    def five(input: Tensor) -> Tensor:
        """Five, by mistake."""
        return result

    x = dc.ones(2)
    for each in (x, x, dc.ones(2, requires_grad=True), dc.ones(2, dtype=dc.int64)):
        with pytest.raises(DeclarationError, match="operator 'five' gave"):
            five(each)


class Narrow(Layer):
    """Casts to float16 above the kernels."""

    name = "narrow"
    before = ("device",)
    after = ("autograd", "promotion")

    def __init__(self, chain):
        self.chain = chain

    def active(self, op, keys, state):
        return self.name in state and op.name in ("exp", "add")

    def compose(self, op, keys, state, below):
        return self.chain(op, below)


class Wrong(Chain):
    def __init__(self, op, below):
        self.op, self.below = op, below()

    def call(self, *args):
        return self.below.call(*[a.to(float16) if isinstance(a, Tensor) else a for a in args])


class Right(Redirect):
    def change(self, args):
        return [a.to(float16) if isinstance(a, Tensor) else a for a in args]


@pytest.fixture
def narrow(request):

    LAYERS = dc._layer.LAYERS
    LAYERS.add(Narrow(request.param))
    yield
    LAYERS.remove("narrow")


@pytest.mark.parametrize("narrow", [Wrong], indirect=True)
def test_a_layer_that_changes_dtypes_and_takes_the_old_chain_is_told(narrow):
    x = dc.ones(2)
    with dc.layer("narrow"):
        for _ in range(2):
            with pytest.raises(PluginError, match="says float32 over memory of float16"):
                x.exp()
        with pytest.raises(PluginError, match=r"extend\.Redirect"):
            x + x


@pytest.mark.parametrize("narrow", [Right], indirect=True)
def test_redirect_continues_with_the_keys_of_the_changed_arguments(narrow):
    x = dc.ones(2)
    with dc.layer("narrow"):
        assert x.exp().dtype is dc.float16
        assert (x + x).dtype is dc.float16
        assert dc.explain("exp", x).layers == ["narrow", "device"]
