"""One call of a module that has hooks: before it, after it, and around its gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dispatch_core._caller import warn
from dispatch_core.nn._core import Function, Hook, Tensor, is_grad_enabled
from dispatch_core.nn.modules._hooks import GLOBAL

if TYPE_CHECKING:
    from dispatch_core.nn.modules.module import Module

Grads = tuple[Tensor | None, ...]


class HookedCall:
    """A forward with its hooks; the parts are kept so that `always_call` hooks can see them."""

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.output: Any = None
        self._ran: set[int] = set()

    def run(self) -> Any:
        """Call the forward and return its output as the hooks leave it."""
        try:
            self._run_pre_hooks()
            full, older, pre = self.module._collect_backward_hooks()
            taps = _BackwardTaps(self.module, full, pre) if full or pre else None
            if taps is not None:
                self.args = taps.tap_inputs(self.args)
            self.output = self.module.forward(*self.args, **self.kwargs)
            for key, hook in (*GLOBAL.forward.items(), *self.module._forward_hooks.items()):
                self._run_forward_hook(key, hook)
            if taps is not None:
                self.output = taps.tap_outputs(self.output)
            if older:
                _hook_last_operator(self.module, self.output, older)
        except Exception:
            self._run_remaining_always_hooks()
            raise
        return self.output

    def _run_pre_hooks(self) -> None:
        module = self.module
        for key, hook in (*GLOBAL.forward_pre.items(), *module._forward_pre_hooks.items()):
            if key in module._forward_pre_hooks_with_kwargs:
                replaced = hook(module, self.args, self.kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {replaced}."
                    )
                self.args, self.kwargs = replaced
            else:
                replaced = hook(module, self.args)
                if replaced is not None:
                    self.args = replaced if isinstance(replaced, tuple) else (replaced,)

    def _run_forward_hook(self, key: int, hook: Hook) -> None:
        module = self.module
        self._ran.add(key)
        if key in GLOBAL.forward_with_kwargs or key in module._forward_hooks_with_kwargs:
            replaced = hook(module, self.args, self.kwargs, self.output)
        else:
            replaced = hook(module, self.args, self.output)
        if replaced is not None:
            self.output = replaced

    def _run_remaining_always_hooks(self) -> None:
        always = {**GLOBAL.forward_always, **self.module._forward_hooks_always_called}
        for key, hook in (*GLOBAL.forward.items(), *self.module._forward_hooks.items()):
            if key not in always or key in self._ran:
                continue
            try:
                self._run_forward_hook(key, hook)
            except Exception as error:  # noqa: BLE001  # the forward's own exception is the one to report
                warn(
                    "module forward hook with ``always_call=True`` raised an exception that was "
                    f"silenced as another error was raised in forward: {error}",
                )


class _GradientTap(Function):
    """The identity on tensors, whose backward hands the gradients to a function first."""

    @staticmethod
    def forward(
        ctx: Any, on_gradient: Callable[[Grads], Grads], fill: bool, *tensors: Tensor
    ) -> Any:
        ctx.on_gradient = on_gradient
        ctx.set_materialize_grads(fill)
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        return (None, None, *ctx.on_gradient(grads))


def _tap(
    on_gradient: Callable[[Grads], Grads], values: tuple[Any, ...], *, fill: bool
) -> tuple[tuple[Any, ...], list[int] | None]:
    """Send the tensors among `values` through a tap; also return where they stand.

    With `fill`, a gradient that nothing flows into is zeros instead of None. The positions are
    None, and the values untouched, where no gradient will flow.
    """
    positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not (is_grad_enabled() and any(values[i].requires_grad for i in positions)):
        return values, None
    tensors = [values[i] for i in positions]
    tapped = list(values)
    for i, tensor in zip(positions, _GradientTap.apply(on_gradient, fill, *tensors), strict=True):
        tapped[i] = tensor
    return tuple(tapped), positions


def _spread(grads: Grads, positions: list[int], length: int) -> Grads:
    spread: list[Tensor | None] = [None] * length
    for i, grad in zip(positions, grads, strict=True):
        spread[i] = grad
    return tuple(spread)


class _BackwardTaps:
    """The full backward hooks of one call: a tap on its inputs and one on its outputs."""

    def __init__(self, module: Module, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_output: Grads | None = None
        self.input_positions: list[int] | None = None
        self.output_positions: list[int] = []
        self.n_inputs = 0
        self.n_outputs = 0

    def tap_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, tapped where a gradient will flow."""
        self.n_inputs = len(args)
        args, self.input_positions = _tap(self._on_input_gradient, args, fill=True)
        return args

    def tap_outputs(self, output: Any) -> Any:
        """Return the output, tapped where a gradient will flow."""
        if not isinstance(output, Tensor | tuple):
            warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(output)}",
            )
            return output
        outputs = output if isinstance(output, tuple) else (output,)
        self.n_outputs = len(outputs)
        tapped, positions = _tap(self._on_output_gradient, outputs, fill=False)
        if positions is None:
            return output
        self.output_positions = positions
        return tapped if isinstance(output, tuple) else tapped[0]

    def _on_output_gradient(self, grads: Grads) -> Grads:
        grad_output = _spread(grads, self.output_positions, self.n_outputs)
        for hook in self.pre_hooks:
            grad_output = self._replace("grad_output", grad_output, hook(self.module, grad_output))
        if self.input_positions is None:
            self._run_hooks_without_inputs(grad_output)
        else:
            self.grad_output = grad_output
        return tuple(grad_output[i] for i in self.output_positions)

    def _on_input_gradient(self, grads: Grads) -> Grads:
        if self.grad_output is None:
            raise RuntimeError(
                "Module backward hook for grad_input is called before the grad_output one. This "
                "happens because the gradient in your nn.Module flows to the Module's input "
                "without passing through the Module's output. Make sure that the output depends "
                "on the input and that the loss is computed based on the output."
            )
        grad_output, self.grad_output = self.grad_output, None
        positions = self.input_positions or []
        grad_input = _spread(grads, positions, self.n_inputs)
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            grad_input = self._replace("grad_input", grad_input, replaced)
        return tuple(grad_input[i] for i in positions)

    def _run_hooks_without_inputs(self, grad_output: Grads) -> None:
        if not self.hooks:
            return
        warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
        )
        grad_input: Grads = (None,) * self.n_inputs
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            if replaced is not None and any(grad is not None for grad in replaced):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )

    @staticmethod
    def _replace(name: str, grads: Grads, replaced: Any) -> Grads:
        if replaced is None:
            return grads
        new = replaced if isinstance(replaced, tuple) else (replaced,)
        if len(new) != len(grads):
            raise RuntimeError(
                f"Backward hook returned an invalid number of {name}, got {len(new)}, but "
                f"expected {len(grads)}"
            )
        return new


def _hook_last_operator(module: Module, output: Any, hooks: list[Hook]) -> None:
    """Register the older backward hooks on the node that made the first tensor of `output`."""
    while not isinstance(output, Tensor):
        values = output.values() if isinstance(output, dict) else output
        output = next(v for v in values if isinstance(v, Tensor | dict | tuple | list))
    if output.grad_fn is not None:
        for hook in hooks:
            output.grad_fn.register_hook(partial(hook, module))
