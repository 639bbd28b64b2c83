"""`autograd.functional`: products with Jacobians and Hessians of functions of tensors, and these themselves.

`dispatch_core.func` has the same as transforms. Here functions take and give a tensor or a tuple of them,
and results come in the same structure. With `create_graph` they can be differentiated further; with
`strict` an output (or gradient) that does not depend on an input raises RuntimeError instead of counting
as zero, and so does, with both, a result that is the same for all inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.autograd._grad_mode import enable_grad
from dispatch_core.autograd._run import grad
from dispatch_core.func import jacfwd, jacrev

Tensors = tuple[Tensor, ...]


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """`func(*inputs)` and v^T J, in the structure of the inputs; v is like the outputs (scalar: 1)."""
    with enable_grad():
        values, alone = _prepared(inputs, "inputs", create_graph)
        outputs, out_alone = _outputs(func(*values), "vjp", strict)
        weights = _weights(v, outputs, "vjp")
        found = _gradient(outputs, values, weights, create_graph, strict)
    return _given(outputs, out_alone, create_graph), _given(found, alone, create_graph)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """`func(*inputs)` and J v, in the structure of the outputs; v is like the inputs (scalar: 1).

    By going back twice: v^T J is linear in v, and its derivative by v is what is sought.
    """
    with enable_grad():
        values, _ = _prepared(inputs, "inputs", create_graph)
        weights = _weights(v, values, "jvp", "input")
        outputs, alone = _outputs(func(*values), "jvp", strict)
        linear = tuple(K.zeros_like(o).requires_grad_() for o in outputs)
        back = _gradient(outputs, values, linear, True, strict)
        found = _gradient(back, linear, weights, create_graph, strict)
    return _given(outputs, alone, create_graph), _given(found, alone, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for an output of shape S and an input of shape A a tensor of shape (*S, *A).

    Several outputs give a tuple, each with a tuple for several inputs. `vectorize` computes all rows
    in one call by `vmap`; `strategy` "forward-mode" needs that.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has '
            f'more outputs than inputs, "forward-mode" tends to be more performant. Got {strategy!r}'
        )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            "For strategy='forward-mode' to work, vectorize=True must also be passed"
        )
    if vectorize and create_graph and strategy == "forward-mode":
        raise NotImplementedError(
            "torch.autograd.functional.jacobian: create_graph=True and strategy='forward-mode' are not "
            "supported together; use strategy='reverse-mode' or func.jacfwd"
        )
    if vectorize:
        if strict:
            raise RuntimeError(
                "strict=True and vectorize=True are not supported together; leave one of them out"
            )
        return _vectorized(func, inputs, create_graph, jacfwd if "forward" in strategy else jacrev)
    with enable_grad():
        values, alone = _prepared(inputs, "inputs", create_graph)
        outputs, out_alone = _outputs(func(*values), "jacobian", strict)
        if any(o.is_complex() for o in outputs):
            raise RuntimeError(
                "jacobian: complex outputs have no one gradient; give view_as_real of them, or use "
                "func.jacfwd"
            )
        found = []
        for output in outputs:
            rows = [
                _gradient((one,), values, (K.ones_like(one),), create_graph, strict, keep=True)
                for one in K.unbind(K.reshape(output, (-1,)), 0)
            ]
            blocks = (
                tuple(
                    K.reshape(K.stack(list(column)), (*output.shape, *value.shape))
                    for column, value in zip(zip(*rows, strict=True), values, strict=True)
                )
                if rows
                else tuple(K.new_zeros(x, (*output.shape, *x.shape)) for x in values)
            )
            found.append(_given(blocks, alone, create_graph))
    return found[0] if out_alone else tuple(found)


def _vectorized(
    func: Callable[..., Any], inputs: Any, create_graph: bool, transform: Callable[..., Any]
) -> Any:
    values, alone = _tuple(inputs, "inputs")
    with enable_grad():
        found = transform(func, argnums=tuple(range(len(values))))(*values)
    if isinstance(found[0], tuple):  # of several outputs
        return tuple(_given(row, alone, create_graph) for row in found)
    return _given(found, alone, create_graph)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one element: blocks (*A, *B) for inputs of shapes A, B."""
    values, alone = _tuple(inputs, "inputs")

    def gradient(*at: Tensor) -> Any:
        asked = tuple(x if x.requires_grad else x.requires_grad_() for x in at)
        output = _single(func(*asked), "hessian")
        return _gradient((output,), asked, (K.ones_like(output),), True, strict)

    found = jacobian(gradient, values, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found[0][0] if alone else found


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """`func(*inputs)`, which has one element, and v^T H; v is like the inputs (scalar: 1)."""
    return _with_hessian("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """`func(*inputs)`, which has one element, and H v: v^T H, as second derivatives are symmetric."""
    return _with_hessian("hvp", func, inputs, v, create_graph, strict)


def _with_hessian(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with enable_grad():
        values, alone = _prepared(inputs, "inputs", create_graph)
        weights = _weights(v, values, name, "input")
        output = _single(func(*values), name)
        _outputs(output, name, strict)
        slopes = _gradient((output,), values, (K.ones_like(output),), True, strict)
        found = _gradient(slopes, values, weights, create_graph, strict, of="hessian")
    return _given((output,), True, create_graph), _given(found, alone, create_graph)


# -- arguments and results ----------------------------------------------------------------------------


def _tuple(value: Any, what: str) -> tuple[Tensors, bool]:
    """Tensors as a tuple, and whether it was one alone."""
    alone = not isinstance(value, tuple)
    found = (value,) if alone else value
    for index, each in enumerate(found):
        if not isinstance(each, Tensor):
            at = "" if alone else f" at index {index}"
            raise TypeError(
                f"The {what} must be either a Tensor or a tuple of Tensors but the value{at} has type "
                f"{type(each).__name__}"
            )
    return found, alone


def _prepared(inputs: Any, what: str, create_graph: bool) -> tuple[Tensors, bool]:
    """Inputs to differentiate by: linked to what they came from if the result is to be."""
    values, alone = _tuple(inputs, what)
    if create_graph:
        linked = (x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in values)
        return tuple(linked), alone
    return tuple(x.detach().requires_grad_() for x in values), alone


def _outputs(value: Any, name: str, strict: bool) -> tuple[Tensors, bool]:
    outputs, alone = _tuple(value, f"outputs of the user-provided function given to {name}")
    for index, each in enumerate(outputs):
        if strict and not each.requires_grad:
            raise RuntimeError(
                f"Output {index} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict mode."
            )
    return outputs, alone


def _single(value: Any, name: str) -> Tensor:
    if not isinstance(value, Tensor):
        error = RuntimeError if isinstance(value, tuple) else TypeError
        raise error(
            f"The function given to {name} should return a single Tensor, got {type(value).__name__}"
        )
    if value.numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element, got "
            f"shape {list(value.shape)}"
        )
    return value


def _weights(v: Any, like: Tensors, name: str, kind: str = "output") -> Tensors:
    """The vector of a product, checked against what it must look like."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if the user-provided function given to {name} has a single "
                f"{kind} with a single element."
            )
        return (K.ones_like(like[0]),)
    given, _ = _tuple(v, "vector v")
    if [tuple(g.shape) for g in given] != [tuple(x.shape) for x in like]:
        raise RuntimeError(
            f"v has the wrong size for {name}: expected the {kind}s' shapes "
            f"{[list(x.shape) for x in like]}, got {[list(g.shape) for g in given]}"
        )
    return given


def _gradient(
    outputs: Sequence[Tensor],
    inputs: Tensors,
    weights: Tensors,
    create_graph: bool,
    strict: bool,
    *,
    keep: bool = False,
    of: str = "jacobian",
) -> Tensors:
    """The gradients, zeros where an input has none (with `strict` an error).

    With `strict` those that are to be differentiated further must depend on something; `of` names in the
    error what they are a part of.
    """
    pairs = [(o, w) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs:
        chosen, weighed = zip(*pairs, strict=True)
        found = grad(
            chosen,
            inputs,
            weighed,
            create_graph=create_graph,
            retain_graph=keep or create_graph,
            allow_unused=True,
        )
    for index, g in enumerate(found):
        if g is None and strict:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {index}. This is not "
                "allowed in strict mode."
            )
        if strict and create_graph and g is not None and not g.requires_grad:
            raise RuntimeError(
                f"The {of} of the user-provided function is independent of input {index}: it is the same "
                "for all inputs. This is not allowed in strict mode; leave out strict=True "
                "to get zeros."
            )
    return tuple(K.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True))


def _given(values: Sequence[Tensor], alone: bool, create_graph: bool) -> Any:
    """Results as the caller gave the arguments."""
    found = tuple(values) if create_graph else tuple(v.detach() for v in values)
    return found[0] if alone else found


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
