"""Modules as functions of their parameters: `functional_call`, `stack_module_state`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from dispatch_core._dispatcher.captured import standing_in
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.nn import Module
from dispatch_core.nn.modules.batchnorm import _BatchNorm

Values = Mapping[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Values | Sequence[Values],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with other tensors in place of its parameters and buffers.

    Args:
        module: stays as it is.
        parameter_and_buffer_dicts: tensors by full name ("0.weight"), or several such dictionaries.
        args: the argument, or a tuple of them.
        kwargs: keyword arguments.
        tie_weights: whether a tensor given for one of several names of the same parameter stands for all.
        strict: whether every parameter and buffer must be given, and nothing else.

    Without `strict`, names that the module does not have are ignored, but not what leads to no module
    (AttributeError) or to something that is no tensor (TypeError). Raises ValueError for a name in
    several dictionaries and for two values of tied names, with `strict` RuntimeError for names that
    do not fit.

    """
    if isinstance(parameter_and_buffer_dicts, Mapping):
        values = dict(parameter_and_buffer_dicts)
    else:
        values = {}
        for each in parameter_and_buffer_dicts:
            twice = values.keys() & each.keys()
            if twice:
                raise ValueError(f"{sorted(twice)[0]!r} appears in multiple dictionaries")
            values |= each
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, values, tie_weights, strict):
        return module(*positional, **(kwargs or {}))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of modules of one class, each stacked along a new first dimension.

    For `vmap` over an ensemble with `functional_call`. The parameters are leaves that require gradients.
    Raises RuntimeError for no module, modules of several classes, or not all in one of train and eval.
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to be of the same class, got "
            + ", ".join(sorted({type(m).__name__ for m in models}))
        )
    if len({m.training for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    parameters = _stacked([dict(m.named_parameters()) for m in models], leaves=True)
    return parameters, _stacked([dict(m.named_buffers()) for m in models], leaves=False)


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Have every batch norm in `root` use the statistics of the batch alone; returns `root`.

    Running statistics are written in place, which has no meaning inside `vmap`.
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.track_running_stats = False
            module.running_mean = None
            module.running_var = None
            module.num_batches_tracked = None
    return root


def _stacked(states: list[dict[str, Any]], *, leaves: bool) -> dict[str, Any]:
    found = {}
    for name in states[0]:
        stacked = K.stack([state[name].detach() for state in states])
        found[name] = stacked.requires_grad_(leaves and states[0][name].requires_grad)
    return found


@contextmanager
def _replaced(module: Module, values: dict[str, Any], tied: bool, strict: bool) -> Iterator[None]:
    places = _places(module)
    unknown = [name for name in values if name not in places]
    if strict and (unknown or len(values) < len(places)):
        missing = [name for name in places if name not in values]
        told = [
            f"{what} key(s): {', '.join(map(repr, names))}."
            for what, names in (("Unexpected", unknown), ("Missing", missing))
            if names
        ]
        raise RuntimeError(
            f"functional_call: {type(module).__name__} has other names: {' '.join(told)}"
        )
    for name in unknown:
        _check_unknown(module, name)
    values = {name: value for name, value in values.items() if name in places}
    if tied:
        values = _for_all_names(values, places)
    saved = [(*places[name], places[name][0][places[name][1]]) for name in values]
    try:
        for (table, last, _), value in zip(saved, values.values(), strict=True):
            table[last] = value
        with standing_in(saved):
            yield
    finally:
        for table, last, value in reversed(saved):
            table[last] = value


def _check_unknown(module: Module, name: str) -> None:
    """Raise for a name that leads to no module, or to something that is no tensor; others are ignored."""
    *way, last = name.split(".")
    owner: Any = module
    for step in way:
        if not hasattr(owner, step):
            raise AttributeError(
                f"functional_call: {type(owner).__name__} has no attribute `{step}`"
            )
        owner = getattr(owner, step)
    there = getattr(owner, last, None)
    if there is not None and not isinstance(there, Tensor):
        raise TypeError(f"functional_call: attribute `{last}`: {there!r} is no Tensor")


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """The table and key of every parameter and buffer, by full name."""
    found = {}
    for prefix, each in module.named_modules(remove_duplicate=False):
        for table in (each._parameters, each._buffers):
            for name, value in table.items():
                if value is not None:
                    found[f"{prefix}.{name}" if prefix else name] = (table, name)
    return found


def _for_all_names(values: dict[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    names: dict[int, list[str]] = {}
    for name, (table, last) in places.items():
        names.setdefault(id(table[last]), []).append(name)
    full = dict(values)
    for group in names.values():
        given = [name for name in group if name in values]
        if not given:
            continue
        if any(values[name] is not values[given[0]] for name in given):
            raise ValueError(f"functional_call: different values for the tied names {given}")
        full |= dict.fromkeys(group, values[given[0]])
    return full
