"""Parameters that are computed from others whenever they are read.

`register_parametrization(module, "weight", f)` keeps what was the weight under
`module.parametrizations.weight.original` and makes `module.weight` the value of `f` on it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dispatch_core.nn._core import Tensor, no_grad
from dispatch_core.nn.modules.container import ModuleDict, ModuleList
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache: ContextVar[dict[tuple[int, str], Any] | None] = ContextVar("parametrized", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Within it a parametrized tensor is computed once, however often it is read.

    For one forward pass in which a module is used several times. It may be nested.
    """
    if _cache.get() is not None:
        yield
        return
    token = _cache.set({})
    try:
        yield
    finally:
        _cache.reset(token)


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order to what is kept in its place.

    That is `original`, or `original0`, `original1` ... where the `right_inverse` of the last of
    them that has one returns several tensors. `right_inverse` gives what the value must be computed from
    to be a given one.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        kept = _inverse(modules, original)
        self.is_tensor = isinstance(kept, Tensor)
        self.ntensors = 1 if isinstance(kept, Tensor) else len(kept)
        if isinstance(kept, Tensor):
            _check_same("When `right_inverse` outputs one tensor, it", "dtype", dtype, kept.dtype)
            self._keep("original", _same_parameter(original, kept))
        else:
            for i, part in enumerate(kept):
                trained = isinstance(original, Parameter)
                made = Parameter(part, original.requires_grad) if trained else part
                self._keep(f"original{i}", made)
        if not unsafe:
            _check_value(self(), shape, dtype)

    def _keep(self, name: str, tensor: Tensor) -> None:
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    def right_inverse(self, value: Tensor) -> None:
        """Set what is kept so that the parametrized tensor becomes `value`.

        RuntimeError where a parametrization has no `right_inverse`.
        """
        with no_grad():
            kept: Any = value
            for module in reversed(list(self.children())):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse, so the parametrized tensor cannot be assigned to"
                    )
                kept = module.right_inverse(kept)
            parts = (kept,) if self.is_tensor else kept
            if self.is_tensor and not isinstance(kept, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(kept)}")
            if len(parts) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return {self.ntensors} tensors. Got {len(parts)}"
                )
            for target, part in zip(self._originals(), parts, strict=True):
                if part.shape == target.shape:
                    target.copy_(part)
                else:
                    target.data = part

    def _originals(self) -> list[Any]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        first, *rest = self.children()
        value = first(*self._originals())
        for module in rest:
            value = module(value)
        result: Tensor = value
        return result


def _inverse(modules: Sequence[Module], original: Tensor) -> Any:
    """What the value must be computed from to be the original: a tensor, or a list of them.

    A parametrization without `right_inverse` is taken for one that changes nothing.
    """
    kept: Any = original
    with no_grad():
        for module in reversed(modules):
            if hasattr(module, "right_inverse"):
                try:
                    kept = module.right_inverse(kept)
                except NotImplementedError:
                    continue
    if isinstance(kept, Tensor):
        return kept
    if not isinstance(kept, Sequence) or not all(isinstance(part, Tensor) for part in kept):
        raise ValueError(
            "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
            f"Got {type(kept).__name__}"
        )
    return list(kept)


def _same_parameter(original: Tensor, value: Tensor) -> Tensor:
    """The value; for a Parameter that object itself, of the value, so that an optimizer still has it."""
    if isinstance(original, Parameter):
        original.data = value.detach()
        return original
    return value


def _check_same(subject: str, what: str, before: Any, after: Any) -> None:
    if before != after:
        raise ValueError(
            f"{subject} may not change the {what}: it was {before} and becomes {after}"
        )


def _check_value(value: Any, shape: Any, dtype: Any) -> None:
    """ValueError where a parametrization gives something else than a tensor like the one before."""
    if not isinstance(value, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
    subject = "Registering a parametrization without `unsafe=True`"
    _check_same(subject, "dtype of the tensor", dtype, value.dtype)
    _check_same(subject, "shape of the tensor", tuple(shape), tuple(value.shape))


class _Parametrized:
    """Beside a module's own class: reads parametrized tensors by computing them."""

    parametrizations: Any

    def __getattr__(self, name: str) -> Any:
        lists = self.__dict__.get("_modules", {}).get("parametrizations")
        if lists is None or name not in lists:
            return super().__getattr__(name)  # type: ignore[misc]
        cache = _cache.get()
        if cache is None:
            return lists[name]()
        key = (id(self), name)
        if key not in cache:
            cache[key] = lists[name]()
        return cache[key]

    def __setattr__(self, name: str, value: Any) -> None:
        if is_parametrized(self, name):
            self.parametrizations[name].right_inverse(value)
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.parametrizations]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _blank, (type_before_parametrizations(self),), self.__dict__


@functools.cache
def _class_for(base: Any) -> Any:
    return type(
        f"Parametrized{base.__name__}", (_Parametrized, base), {"__module__": base.__module__}
    )


def _blank(base: Any) -> Any:
    """A parametrized module whose state is still to be set, for copies and pickles."""
    cls = _class_for(base)
    return cls.__new__(cls)


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrizations, or one of that name."""
    lists = module.__dict__.get("_modules", {}).get("parametrizations")
    if not isinstance(lists, ModuleDict):
        return False
    return len(lists) > 0 if tensor_name is None else tensor_name in lists


def type_before_parametrizations(module: Any) -> type[Module]:
    """The class of a module as it was before anything in it was parametrized."""
    cls = type(module)
    return cls.__bases__[1] if issubclass(cls, _Parametrized) else cls


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Make a parameter or buffer the value of `parametrization`; one more where there are some.

    What it is computed from starts as `parametrization.right_inverse(tensor)`, or the tensor itself.
    Returns the module. ValueError where there is no such tensor and, unless `unsafe`, where its
    dtype or shape would change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        lists: Any = module.parametrizations
        if not unsafe:
            _check_further(getattr(module, tensor_name), parametrization)
        lists[tensor_name].append(parametrization)
        lists[tensor_name].unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    original = getattr(module, tensor_name)
    made = ParametrizationList([parametrization], original, unsafe=unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        base: Any = type(module)
        module.__class__ = _class_for(base)
        module.parametrizations = ModuleDict()
    lists = module.parametrizations
    lists[tensor_name] = made
    return module


def _check_further(value: Tensor, parametrization: Module) -> None:
    made = parametrization(value)
    _check_value(made, value.shape, value.dtype)
    if hasattr(parametrization, "right_inverse"):
        _check_value(parametrization.right_inverse(made), value.shape, value.dtype)


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a tensor a parameter or buffer again: of its value, or of what it was computed from.

    Returns the module. ValueError where it is not parametrized, and with `leave_parametrized=False`
    where it is computed from several tensors.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    lists: Any = module.parametrizations
    found = lists[tensor_name]
    if not found.is_tensor and not leave_parametrized:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    if not found.is_tensor:
        value = getattr(module, tensor_name)
        tensor = Parameter(value.detach()) if value.requires_grad else value
    else:
        tensor = found.original
        if leave_parametrized:
            with no_grad():
                tensor = _same_parameter(tensor, getattr(module, tensor_name))
    del lists[tensor_name]
    if isinstance(tensor, Parameter):
        module.register_parameter(tensor_name, tensor)
    else:
        module.register_buffer(tensor_name, tensor)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type_before_parametrizations(module)
    return module


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give another module the same parametrizations, and what their tensors are computed from.

    Of all tensors or the one named. A tensor that `to_module` lacks is made. Returns `to_module`.
    """
    if not is_parametrized(from_module, tensor_name):
        return to_module
    source: Any = from_module.parametrizations
    for name in list(source) if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            value = getattr(from_module, name).detach().clone()
            setattr(to_module, name, Parameter(value))
        for parametrization in source[name].children():
            register_parametrization(to_module, name, parametrization)
        target: Any = to_module.parametrizations
        for key, tensor in source[name].named_parameters(recurse=False):
            setattr(target[name], key, tensor)
        for key, tensor in source[name].named_buffers(recurse=False):
            setattr(target[name], key, tensor)
    return to_module
