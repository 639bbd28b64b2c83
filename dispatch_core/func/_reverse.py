"""Function transforms in reverse mode: `grad`, `grad_and_value`, `vjp`, `jacrev`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from dispatch_core import _tree
from dispatch_core._batched import Batched
from dispatch_core._dispatcher.captured import transforming
from dispatch_core._dual import Dual
from dispatch_core._graph import Leaf
from dispatch_core._keys import INFERENCE
from dispatch_core._op import K
from dispatch_core._state import Switch, is_on
from dispatch_core._tensor import Tensor, is_plain
from dispatch_core.autograd import enable_grad
from dispatch_core.autograd import grad as gradients
from dispatch_core.func._vmap import vmap
from dispatch_core.layers.inference import LENT

Argnums = int | tuple[int, ...]

_closed: WeakSet[Any] = WeakSet()
"""Places in the graph that a `vjp` made for its primals: what it gives back does not lead to them."""


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes the gradient of `func`, which returns one number.

    Args:
        func: takes tensors, or nested tuples, lists and dictionaries of them; returns a tensor of one
            element, with `has_aux` a tuple of that and anything else.
        argnums: the argument(s) to differentiate with respect to.
        has_aux: whether the second result of `func` is handed through: (gradient, aux).

    Raises RuntimeError for a result that is no single number, or does not depend on recorded values in
    a dtype that has derivatives.

    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Like `grad`, but the function returns (gradient, value), with `has_aux` (gradient, (value, aux))."""

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        watching = is_on("grad")
        with _recording():
            given, inputs, structure = _tracked(args, argnums)
            with transforming(func):
                result = func(*given, **kwargs)
            value, aux = _apart(result, "grad_and_value", has_aux)
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    "Expected the differentiated function to return a Tensor, got "
                    f"{type(value).__name__}"
                )
            if value.ndim:
                raise RuntimeError(
                    "Expected f(*args) to return a scalar tensor, got tensor with "
                    f"{value.ndim} dims of shape {tuple(value.shape)}; reduce it, as with .sum()"
                )
            watched = watching and _is_watched([value], inputs)
            found = _pulled_back([value], [None], inputs, watched)
        value, aux = _tree.map_leaves(lambda leaf: _released(leaf, watched), (value, aux))
        return _tree.unflatten(structure, found), ((value, aux) if has_aux else value)

    return both


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), pull), with `has_aux` (output, pull, aux): `pull(cotangents)` gives J^T v.

    `pull` takes cotangents in the structure of the output and returns one result for each primal; it
    can be called any number of times.
    """
    return _vjp(func, primals, tuple(range(len(primals))), has_aux)


def _vjp(func: Callable[..., Any], args: tuple[Any, ...], argnums: Argnums, has_aux: bool) -> Any:
    """`vjp` by some of the arguments, whose gradients `pull` gives as `grad` does."""
    watching = is_on("grad")
    with _recording():
        given, inputs, structure = _tracked(args, argnums)
        with transforming(func):
            result = func(*given)
        output, aux = _apart(result, "vjp", has_aux)
    outputs, nesting = _tree.flatten(output)
    if not outputs or not all(isinstance(o, Tensor) for o in outputs):
        raise RuntimeError(
            "vjp(f, *primals): Expected f(*primals) to return one or more tensors, got "
            f"{type(output).__name__}"
        )
    watched = watching and _is_watched(outputs, inputs)
    _closed.update(i._node for i in inputs if i._node.__class__ is Leaf)

    def pull(cotangents: Any) -> Any:
        """The product of the cotangents with the Jacobian, for each primal."""
        weights, found = _tree.flatten(cotangents)
        if found != nesting:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {found}, primal output: {nesting}"
            )
        weights = [_weight(w, o) for w, o in zip(weights, outputs, strict=True)]
        again = is_on("grad") and (watched or _is_watched(weights, []))
        return _tree.unflatten(structure, _pulled_back(outputs, weights, inputs, again))

    output, aux = _tree.map_leaves(lambda leaf: _released(leaf, watched), (output, aux))
    return (output, pull, aux) if has_aux else (output, pull)


def _weight(given: Any, output: Tensor) -> Tensor:
    """A cotangent; None is 1 for an output of one element."""
    if isinstance(given, Tensor):
        return given
    if given is not None:
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if output.numel() != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    return K.ones_like(output)


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that computes the Jacobian of `func` in reverse mode, all rows in one call by `vmap`.

    For an output of shape S and an argument of shape A each block has the shape (*S, *A), in the
    structure of the output and, within, of the argument(s). `chunk_size` rows at a time.
    """

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        found = _vjp(func, args, argnums, has_aux)
        output, pull = found[:2]
        outputs, structure = _tree.flatten(output)
        for each in outputs:
            if not (each.is_floating_point() or each.is_complex()):
                raise RuntimeError(
                    "jacrev(f, ...): All outputs of f must be floating-point or complex Tensors, got "
                    f"Tensor with dtype {each.dtype}"
                )
        sizes = [o.numel() for o in outputs]
        basis = _basis(outputs, sizes)
        rows = vmap(lambda *v: pull(_tree.unflatten(structure, v)), chunk_size=chunk_size)(*basis)
        blocks, rows_structure = _tree.flatten(rows)
        pieces = [K.split(block, sizes, 0) for block in blocks]
        jacobians = [
            _tree.unflatten(
                rows_structure, [K.reshape(p[i], (*o.shape, *p[i].shape[1:])) for p in pieces]
            )
            for i, o in enumerate(outputs)
        ]
        result = _tree.unflatten(structure, jacobians)
        return (result, found[2]) if has_aux else result

    return jacobian


def _basis(outputs: list[Tensor], sizes: list[int]) -> list[Tensor]:
    """Unit cotangents of all outputs together: (total, *shape) for each."""
    total = sum(sizes)
    made = []
    start = 0
    for output, size in zip(outputs, sizes, strict=True):
        places = K.unsqueeze(K.storage_index(output, total), 1)
        columns = K.unsqueeze(K.storage_index(output, size), 0) + start
        units = K.cast(K.eq(places, columns), output.dtype)
        made.append(K.reshape(units, (total, *output.shape)))
        start += size
    return made


def _place(number: int, args: tuple[Any, ...]) -> int:
    if not isinstance(number, int):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(number)}")
    if not -len(args) <= number < len(args):
        raise RuntimeError(
            f"Got argnum={number}, but only {len(args)} positional inputs were given; argnums counts "
            "from 0"
        )
    return number % len(args)


def _tracked(
    args: tuple[Any, ...], argnums: Argnums
) -> tuple[list[Any], list[Tensor], _tree.Structure]:
    """The arguments with those of `argnums` recorded anew, the tensors among these, and their structure.

    The function gets other handles on the memory of the rest: it may write there, and only these
    handles then have a history.
    """
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not numbers and args:
        raise RuntimeError("argnums must be non-empty")
    places = [_place(n, args) for n in numbers]
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums has the same argument twice: {argnums}")
    given = [
        each if at in places else _tree.map_leaves(_other_handle, each)
        for at, each in enumerate(args)
    ]
    chosen = tuple(args[p] for p in places) if isinstance(argnums, tuple) else args[places[0]]
    leaves, structure = _tree.flatten(chosen)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"the arguments to differentiate must be tensors, got {type(leaf).__name__}"
            )
    inputs = [_recorded(leaf) for leaf in leaves]
    tracked = _tree.unflatten(structure, inputs)
    for place, value in zip(
        places, tracked if isinstance(argnums, tuple) else (tracked,), strict=True
    ):
        given[place] = value
    return given, inputs, structure


@contextmanager
def _recording() -> Iterator[None]:
    """Record; in inference mode too, what is saved for the transform alone."""
    with enable_grad():
        if not is_on(INFERENCE):
            yield
            return
        with Switch(INFERENCE, False), Switch(LENT, True):
            yield


def _recorded(tensor: Tensor) -> Tensor:
    """The same values with a place of their own in the graph, from which an outer gradient goes on."""
    if tensor.requires_grad or tensor.is_inference():
        # A clone of an inference tensor is none, outside inference mode.
        made = K.clone(tensor)
        return made if made.requires_grad else made.requires_grad_()
    # `detach` would drop the tangent that an outer forward mode has given it.
    return (K.clone(tensor) if _is_dual(tensor) else tensor.detach()).requires_grad_()


def _other_handle(value: Any) -> Any:
    apart = type(value) is Tensor and is_plain(value) and not value.requires_grad
    return value.detach() if apart else value


def _is_dual(tensor: Tensor) -> bool:
    return tensor._raw.__class__ is Dual


def _pulled_back(
    outputs: list[Tensor], weights: list[Any], inputs: list[Tensor], again: bool
) -> list[Tensor]:
    """The gradients of the outputs; `again`: recorded, because somebody may differentiate them."""
    pairs = [(o, w) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
    if not pairs:
        return [K.zeros_like(i).detach() for i in inputs]
    found: Any = gradients(
        [o for o, _ in pairs],
        inputs,
        None if pairs[0][1] is None else [w for _, w in pairs],
        retain_graph=True,
        create_graph=again,
        materialize_grads=True,
    )
    return list(found)


def _is_watched(outputs: list[Tensor], inputs: list[Tensor]) -> bool:
    """Whether the outputs depend on anything else that requires a gradient than on the inputs."""
    own = {id(i._node) for i in inputs}
    seen: set[int] = set()
    ahead: list[Any] = []
    for output in outputs:
        within = output
        while within._raw.__class__ is Batched:
            within = within._raw.tensor
            if within.requires_grad:
                return True
        if output.requires_grad:
            ahead.append(output._node)
    while ahead:
        node = ahead.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if node.__class__ is not Leaf:
            ahead += node.edges
        elif id(node) not in own and node not in _closed:
            return True
    return False


def _released(value: Any, watched: bool) -> Any:
    """A result without the history that only this transform needed."""
    keeps = watched or not isinstance(value, Tensor) or _is_dual(value)
    return value if keeps else value.detach()


def _apart(result: Any, name: str, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, ()
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{name}(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is "
            "True"
        )
    return result
