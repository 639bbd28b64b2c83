"""`backward` and `grad`: the ways into the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._caller import warn_once
from dispatch_core._dispatcher.resolve import HOST
from dispatch_core._graph import GradientEdge, Leaf, Origin, is_retaining
from dispatch_core._keys import PLAIN
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, check_tensor, is_plain, wrap
from dispatch_core.autograd._engine import Engine


def _sequence(value: Any) -> tuple[Any, ...]:
    several = isinstance(value, (tuple, list)) and not isinstance(value, GradientEdge)
    return tuple(value) if several else (value,)


def _checked_inputs(inputs: Any) -> tuple[Tensor | GradientEdge, ...]:
    wanted = _sequence(inputs)
    for index, tensor in enumerate(wanted):
        if isinstance(tensor, GradientEdge):
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"input {index} must be a Tensor, not {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise RuntimeError(
                f"One of the differentiated Tensors (input {index}) does not require grad"
            )
    return wanted


def _node(origin: Tensor | GradientEdge) -> Any:
    if not isinstance(origin, GradientEdge):
        return origin._node
    token = origin.ownership_token
    if isinstance(token, Origin):
        return token.node
    return origin.node if token is None else token


def _roots(tensors: Sequence[Tensor], gradients: Any) -> list[tuple[Any, Tensor]]:
    given = (None,) * len(tensors) if gradients is None else _sequence(gradients)
    if len(given) != len(tensors):
        raise RuntimeError(
            f"Mismatch in the number of outputs and gradients: got {len(tensors)} tensors and "
            f"{len(given)} gradients"
        )
    roots: list[tuple[Any, Tensor]] = []
    for index, (tensor, g) in enumerate(zip(tensors, given, strict=True)):
        if isinstance(tensor, GradientEdge):
            roots.append((_node(tensor), _start_at(tensor.ownership_token, g, index)))
            continue
        check_tensor(tensor, f"element {index} of tensors")
        if not tensor.requires_grad:
            raise RuntimeError(
                f"element {index} of tensors does not require grad and does not have a grad_fn; it was "
                "not made from a tensor with requires_grad=True, or under no_grad()"
            )
        roots.append((tensor._node, _start(tensor, g, index)))
    return roots


def _start_at(token: Any, g: Any, index: int) -> Tensor:
    """The gradient to begin with at an edge: of one made by hand nobody knows what it looks like."""
    if isinstance(token, Origin):
        return _start(token, g, index)
    if not isinstance(g, Tensor):
        raise RuntimeError(
            f"element {index} of tensors is a GradientEdge that says nothing of its tensor: pass the "
            "gradient to begin with, or take the edge from get_gradient_edge(tensor)"
        )
    return g


def _start(tensor: Tensor | Origin, g: Any, index: int) -> Tensor:
    if g is None:
        if tensor.numel() != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs; this tensor has shape "
                f"{list(tensor.shape)}, so pass the gradient, as in y.backward(torch.ones_like(y))"
            )
        if tensor.dtype.is_complex:
            raise RuntimeError(
                "grad can be implicitly created only for real scalar outputs but got "
                f"{tensor.dtype}"
            )
        return _ones(tensor)
    if not isinstance(g, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if g.shape != tensor.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {g.shape} and output[{index}] "
            f"has a shape of {tensor.shape}."
        )
    if g.device.type != tensor.device.type:
        raise RuntimeError(
            f"grad_output[{index}] is on device {g.device}, but output[{index}] is on {tensor.device}; move "
            "it there first"
        )
    if g.dtype.is_complex != tensor.dtype.is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype: "
            f"grad_output[{index}] has {g.dtype} and output[{index}] has {tensor.dtype}"
        )
    return g if g.dtype is tensor.dtype else K.cast(g, tensor.dtype)


def _ones(tensor: Tensor | Origin) -> Tensor:
    if isinstance(tensor, Origin):
        made: Tensor = K.ones(tensor.shape, dtype=tensor.dtype, device=tensor.device)
        return made
    if tensor.ndim or not is_plain(tensor) or tensor._backend.device != HOST:
        return K.ones_like(tensor)
    key = tensor._k & PLAIN
    seed = _seeds.get(key)
    if seed is None:
        # Not by an operator: what a layer of this state makes of it must not be remembered.
        seed = _seeds[key] = tensor._backend.scalar(1, tensor.dtype)
    return wrap(seed, key)


_seeds: dict[int, Any] = {}
"""The 0-d ones that most backward passes begin with, by key; never written to."""


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to `.grad` of the leaves they were made from.

    Raises RuntimeError when a tensor does not require grad, has more than one element and no gradient
    is given, or its graph was already used and freed.
    """
    wanted = None if inputs is None else _checked_inputs(inputs)
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    if create_graph:
        warn_once(
            "Using backward() with create_graph=True will create a reference cycle between the parameter "
            "and its gradient which can cause a memory leak. We recommend using autograd.grad when "
            "creating the graph to avoid this. If you have to use this function, make sure to reset the "
            ".grad fields of your parameters to None after use to break the cycle and avoid the leak."
        )
    roots = _roots(_sequence(tensors), grad_tensors)
    engine = Engine(
        create_graph if retain_graph is None else retain_graph,
        create_graph,
        None if wanted is None else [_node(t) for t in wanted],
    )
    captured = engine.run(roots)
    for tensor in wanted or ():
        node = _node(tensor)
        if node in captured and node.__class__ is not Leaf and not is_retaining(node):
            known = getattr(node, "retained", None)
            node.retained = captured[node] if known is None else known + captured[node]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, without touching any `.grad`.

    With `is_grads_batched` the first dimension of each of `grad_outputs` counts gradients to go back
    with, and that of each result the gradients found.

    Raises RuntimeError when an input does not require grad, or was not used and `allow_unused` is
    not set (with `materialize_grads`, unused inputs give zeros).
    """
    wanted = _checked_inputs(inputs)
    if not wanted:
        raise RuntimeError("grad requires non-empty inputs.")
    if is_grads_batched:
        return _one_by_one(
            outputs,
            inputs,
            grad_outputs,
            retain_graph=create_graph if retain_graph is None else retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )
    unused_allowed = materialize_grads if allow_unused is None else allow_unused
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True"
        )
    engine = Engine(
        create_graph if retain_graph is None else retain_graph,
        create_graph,
        [_node(t) for t in wanted],
        accumulate=False,
    )
    captured = engine.run(_roots(_sequence(outputs), grad_outputs))
    found: list[Tensor | None] = []
    for tensor in wanted:
        g = captured.get(_node(tensor))
        if g is None and materialize_grads and isinstance(tensor, Tensor):
            g = K.zeros_like(tensor)
        if g is None and not unused_allowed:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        found.append(g)
    return tuple(found)


def _one_by_one(
    outputs: Any, inputs: Any, batches: Any, *, retain_graph: bool, **options: Any
) -> tuple[Tensor | None, ...]:
    """`grad` for each of a batch of gradients of the outputs, stacked."""
    given = _sequence(batches)
    counts = {g.shape[0] for g in given if isinstance(g, Tensor) and g.ndim}
    if len(counts) != 1:
        raise RuntimeError(
            "is_grads_batched=True expects grad_outputs whose first dimensions, the batches, are equal; "
            f"got sizes {sorted(counts)}"
        )
    (count,) = counts
    found = []
    for i in range(count):
        one = [None if g is None else g[i] for g in given]
        keep = retain_graph or i < count - 1
        found.append(grad(outputs, inputs, one, retain_graph=keep, **options))
    return tuple(
        None if any(g is None for g in each) else K.stack(list(each))
        for each in zip(*found, strict=True)
    )


def _backward_method(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """See `autograd.backward`."""
    if gradient is None and inputs is None and not create_graph and self.requires_grad:
        engine = Engine(bool(retain_graph))
        if engine.raw_allowed and not engine.check_nan:
            node = self._node
            seed = None
            if self._raw.shape == () and node.__class__ is not Leaf:
                seed = _seeds.get(self._k & PLAIN)
            engine.run_plain(node, _start(self, None, 0) if seed is None else seed)
            return
    backward(self, None if gradient is None else (gradient,), retain_graph, create_graph, inputs)


_backward_method.__name__ = "backward"
setattr(Tensor, "backward", _backward_method)  # noqa: B010  mypy knows it from the stub
