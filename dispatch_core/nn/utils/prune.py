"""Pruning: masks that keep elements of a parameter at 0.

A pruned parameter `weight` is `weight_orig` times the buffer `weight_mask`, computed before each call
of the module by a hook. Further pruning works on what is left; `remove` makes the result a parameter.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from dispatch_core.nn._core import Tensor, cat, linalg, ones_like, randperm
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.utils._hooks import hook_of

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod:
    """A way of pruning: `compute_mask` says what of a tensor stays. Derive from it for another.

    `PRUNING_TYPE` is "unstructured" where it looks at elements, "structured" where at slices along
    `dim`, "global" where it sees a whole mask: that of several methods in a row follows from it.
    """

    PRUNING_TYPE = "unstructured"
    _tensor_name: str

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for a tensor of importance, given the mask so far: 1 for what stays."""
        raise NotImplementedError(f"{type(self).__name__} does not say what stays")

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def apply_mask(self, module: Any) -> Tensor:
        """The pruned tensor of a module, as it is now."""
        name = self._tensor_name
        mask, original = getattr(module, f"{name}_mask"), getattr(module, f"{name}_orig")
        result: Tensor = mask.to(dtype=original.dtype) * original
        return result

    @classmethod
    def apply(
        cls,
        module: Any,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:
        """Prune a parameter by this method, made of the further arguments; returns the hook.

        `importance_scores`, of the parameter's shape, take its place when the mask is computed.
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        older = hook_of(module, BasePruningMethod, name, "_tensor_name")
        value = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != value.shape:
            raise AssertionError(
                "importance_scores should have the same shape as parameter "
                f"{name} of {module}: {tuple(value.shape)}, got {tuple(importance_scores.shape)}"
            )
        scores = value if importance_scores is None else importance_scores
        if older is None:
            mask = method.compute_mask(scores.detach(), ones_like(value))
            original = module._parameters.pop(name)
            module.register_parameter(f"{name}_orig", original)
            module.register_buffer(f"{name}_mask", mask)
        else:
            key, before = older
            del module._forward_pre_hooks[key]
            container = before if isinstance(before, PruningContainer) else PruningContainer(before)
            container.add_pruning_method(method)
            method = container
            mask = container.compute_mask(scores.detach(), getattr(module, f"{name}_mask"))
            setattr(module, f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """A tensor with what this method does not keep at 0."""
        scores = t if importance_scores is None else importance_scores
        default = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default)

    def remove(self, module: Any) -> None:
        """Make the pruned tensor the parameter again, and take the mask away."""
        name = self._tensor_name
        value = self.apply_mask(module)
        delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        del module._buffers[f"{name}_mask"]
        original.data = value.detach()
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods that prune one tensor, each what the ones before have left."""

    def __init__(self, *methods: BasePruningMethod) -> None:
        self._methods: list[BasePruningMethod] = []
        for method in methods:
            self._tensor_name = method._tensor_name
            self._methods.append(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Append a method; TypeError for anything else, ValueError for one of another tensor."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._methods and method._tensor_name != self._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._methods.append(method)

    def __len__(self) -> int:
        return len(self._methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._methods[index]

    def __iter__(self) -> Any:
        return iter(self._methods)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask after the last of the methods, which sees what the others have left."""
        method = self._methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "global":
            return method.compute_mask(t, mask)
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
            part = method.compute_mask(t[left], mask[left])
            result = mask.clone()
            result[left] = part.to(dtype=mask.dtype)
            return result
        if method.PRUNING_TYPE != "structured":
            raise ValueError(
                f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE} of {type(method).__name__}"
            )
        dim = method.dim % t.dim()  # type: ignore[attr-defined]
        others = [d for d in range(t.dim()) if d != dim]
        kept = (mask.sum(others) != 0).nonzero().squeeze(1)
        part = method.compute_mask(t.index_select(dim, kept), mask.index_select(dim, kept))
        return mask.index_copy(dim, kept, part.to(dtype=mask.dtype))


class Identity(BasePruningMethod):
    """Keeps everything: a pruned parameter with a mask of ones."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class _Amount(BasePruningMethod):
    """What the methods with an amount share: a number of parts, or a share of them between 0 and 1."""

    def __init__(self, amount: float) -> None:
        self.amount = _checked_amount(amount)

    def _count(self, size: int) -> int:
        """How many of so many parts go; ValueError where there are not that many."""
        if isinstance(self.amount, int):
            if self.amount > size:
                raise ValueError(
                    f"amount={self.amount} should be smaller than the number of parameters to "
                    f"prune={size}"
                )
            return self.amount
        return round(self.amount * size)


class RandomUnstructured(_Amount):
    """Drops elements at random."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without(default_mask, randperm(t.numel())[: self._count(t.numel())])


class L1Unstructured(_Amount):
    """Drops the elements of the smallest magnitude."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._count(t.numel())
        return _without(default_mask, t.abs().reshape(-1).topk(count, largest=False).indices)


class _Structured(_Amount):
    """What the methods share that drop whole slices along a dimension."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor "
                f"of shape {tuple(t.shape)} with {t.dim()} dims"
            )
        if not -t.dim() <= self.dim < t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {tuple(t.shape)}")
        count = self._count(t.size(self.dim))
        mask = default_mask.clone()
        return mask.index_fill(self.dim, self._dropped(t, count), 0)

    def _dropped(self, t: Tensor, count: int) -> Tensor:
        raise NotImplementedError


class RandomStructured(_Structured):
    """Drops slices along `dim` at random."""

    def _dropped(self, t: Tensor, count: int) -> Tensor:
        return randperm(t.size(self.dim))[:count]


class LnStructured(_Structured):
    """Drops the slices along `dim` of the smallest norm of order `n`."""

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _dropped(self, t: Tensor, count: int) -> Tensor:
        rows = t.movedim(self.dim, 0).flatten(1)
        order = 2 if self.n in ("fro", "nuc") else self.n  # of vectors all three are one
        return linalg.vector_norm(rows, order, 1).topk(count, largest=False).indices


class CustomFromMask(BasePruningMethod):
    """Keeps what a given mask keeps."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"the mask has shape {tuple(self.mask.shape)}, the tensor {tuple(default_mask.shape)}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Prune nothing of a parameter, which gets a mask of ones; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Drop so many elements, or that share of them, at random; returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Module:
    """Drop the smallest elements, or those of the lowest scores; returns the module."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Drop so many slices along a dimension, or that share of them, at random; returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Module:
    """Drop the slices along a dimension of the smallest norm of order `n`; returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Keep what a mask keeps; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters as if they were one, so that elements of all of them compete.

    TypeError for what is no iterable, and for a method that does not look at single elements.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    pairs = list(parameters)
    scores = importance_scores or {}
    if not isinstance(scores, Mapping):
        raise TypeError("global_unstructured(): importance_scores is not a Mapping")
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    found = [scores.get((module, name), getattr(module, name)) for module, name in pairs]
    masks = [getattr(m, f"{n}_mask", ones_like(getattr(m, n))) for m, n in pairs]
    container = PruningContainer()
    method._tensor_name = container._tensor_name = "temp"
    container.add_pruning_method(method)
    mask = container.compute_mask(
        cat([t.detach().reshape(-1) for t in found]), cat([t.reshape(-1) for t in masks])
    )
    start = 0
    for module, name in pairs:
        value = getattr(module, name)
        part = mask[start : start + value.numel()].reshape(value.shape)
        custom_from_mask(module, name, part)
        start += value.numel()


def remove(module: Module, name: str) -> Module:
    """Make a pruned tensor a plain parameter, with its zeros; ValueError where it is not pruned."""
    found = hook_of(module, BasePruningMethod, name, "_tensor_name")
    if found is None:
        raise ValueError(
            f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        )
    key, hook = found
    del module._forward_pre_hooks[key]
    hook.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a module, or one inside it, has a pruned parameter."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook in each._forward_pre_hooks.values()
    )


def _without(mask: Tensor, places: Tensor) -> Tensor:
    """A mask that is 0 at some places of its elements in order."""
    flat = mask.clone().reshape(-1)
    flat[places] = 0
    return flat.reshape(mask.shape)


def _checked_amount(amount: Any) -> Any:
    if not isinstance(amount, numbers.Real) or isinstance(amount, bool):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if (whole and amount < 0) or (not whole and not 0.0 <= float(amount) <= 1.0):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        )
    number: Any = amount
    return int(number) if whole else float(number)
