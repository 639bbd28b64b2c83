"""Parameters as one long vector, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dispatch_core.nn._core import Tensor, cat


def _on_one_device(parameters: Iterable[Tensor]) -> Iterator[Tensor]:
    first = None
    for parameter in parameters:
        if first is None:
            first = parameter.device
        elif parameter.device != first:
            raise TypeError(
                "Found two parameters on different devices, this is currently not supported: "
                f"{first} and {parameter.device}"
            )
        yield parameter


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one vector; TypeError if they are on several devices."""
    return cat([parameter.reshape(-1) for parameter in _on_one_device(parameters)])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the contents of a vector, in order; they share its memory afterwards."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in _on_one_device(parameters):
        length = parameter.numel()
        parameter.data = vec[start : start + length].view_as(parameter).data
        start += length
