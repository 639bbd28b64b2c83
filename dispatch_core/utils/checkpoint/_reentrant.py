"""The older way: a Function whose backward runs the call again and goes back through it at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from dispatch_core._random import replayed, states_now
from dispatch_core._tensor import Tensor
from dispatch_core.amp.autocast_mode import AutocastOfNow
from dispatch_core.autograd import Function, backward, enable_grad
from dispatch_core.autograd._engine import is_partial


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values with every tensor cut off from its history; what required a gradient still does."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}"
        )
    return tuple(
        x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn where no input requires a gradient, so that there would be none of anything within."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3
        )


class CheckpointFunction(Function):
    """`apply(function, preserve_rng_state, *args)`: the function's results, with nothing saved but args."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run = run_function
        ctx.states = states_now() if preserve_rng_state else None
        ctx.autocast = AutocastOfNow()
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if is_partial():
            raise RuntimeError(
                "When use_reentrant=True, checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). Set use_reentrant=False, or call .backward() without `inputs`."
            )
        args = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[place] = tensor
        detached = detach_variable(tuple(args))
        again = nullcontext() if ctx.states is None else replayed(ctx.states)
        with again, enable_grad(), ctx.autocast:
            outputs = ctx.run(*detached)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        _go_back(outputs, grads)
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in detached))


def _go_back(outputs: Sequence[Any], grads: Sequence[Any]) -> None:
    pairs = [
        (o, g)
        for o, g in zip(outputs, grads, strict=True)
        if isinstance(o, Tensor) and o.requires_grad
    ]
    if not pairs:
        raise RuntimeError(
            "none of output has requires_grad=True, this checkpoint() is not necessary"
        )
    backward([o for o, _ in pairs], [g for _, g in pairs])
