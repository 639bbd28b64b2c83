"""For functions that should be asked as operators are: PyTorch's `overrides`, with `__dispatch_function__`.

A function written in Python calls its operators, which ask. One that wants to be asked itself, before it
looks at its arguments, begins with

    if has_torch_function(args): return handle_torch_function(this_function, args, *args, **kwargs)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dispatch_core._keys import has_hook
from dispatch_core._state import is_on
from dispatch_core._subclass import OFF, ask, asked


def is_tensor_like(inp: Any) -> bool:
    """Whether operators take a value where a tensor is expected: its class has `__dispatch_function__`."""
    return has_hook(inp)


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether a class among the arguments is asked now; plain tensors and parameters are not."""
    return bool(asked(relevant_args)) and not is_on(OFF)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], /, *args: Any, **kwargs: Any
) -> Any:
    """What the classes among `relevant_args` say of a call `public_api(*args, **kwargs)`.

    TypeError where none of them says something.
    """
    return ask(asked(relevant_args), public_api, public_api.__name__, args, kwargs)


__all__ = ["handle_torch_function", "has_torch_function", "is_tensor_like"]
