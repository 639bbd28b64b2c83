"""`save` and `load`: nested Python state with tensors, in one safetensors file; nothing in it is executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dispatch_core._construct import from_numpy
from dispatch_core._device import device as Device
from dispatch_core._dtypes import from_name
from dispatch_core._op import K
from dispatch_core._serialization import (
    LoadContext,
    SaveContext,
    register_home,
    register_leaf_codec,
)
from dispatch_core._serialization import load as _load
from dispatch_core._serialization import save as _save
from dispatch_core._tensor import Tensor
from dispatch_core.backend.registry import backend_of

Array = np.ndarray[Any, Any]
MapLocation = str | Device | dict[str, str] | Callable[[Tensor, str], Tensor] | None


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    *,
    format: str = "safetensors",
) -> None:
    """Write nested Python state (dicts, lists, numbers, strings, tensors, ...) to a path or file object.

    The file is in the safetensors format, or with `format="pytorch"` in that of `torch.save`, which
    `torch.load` reads; it is written beside its place and renamed, so a crash leaves an old file
    whole. `pickle_module` and `pickle_protocol` are accepted and ignored.

    Raises:
        TypeError: something in `obj` has no safe form; the message names its place. Save a module's
            `state_dict()` rather than the module.
        RuntimeError: the folder does not exist.
        ValueError: `obj` contains itself, or there is no such format.

    """
    _save(obj, f, format)


def load(
    f: Any,
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Read what `save` or `torch.save` wrote, or any safetensors file (as a dict); never executes code.

    Of a file of PyTorch's (.pt, .pth, .bin, of all ages) tensors, parameters, numpy arrays and plain
    Python values are read; one that refers to anything else is refused with that name. float8, in
    which nothing computes here, is read as float32.

    Args:
        f: a path or a readable file object.
        map_location: where tensors go: a device, a dict from device to device, or a function
            `(tensor on the cpu, saved device) -> tensor`; None: back where they were. Tensors without
            data (device `meta`) have nothing to move and come back as such.
        pickle_module: accepted and ignored.
        weights_only: accepted; nothing but data is ever loaded.
        mmap: map the file into memory instead of reading it.

    Raises:
        FileFormatError: (a RuntimeError) the file is damaged, truncated or of another format.
        FileNotFoundError: there is no such file.

    """
    return _load(f, map_location, mmap=mmap)


def _encode(tensor: Tensor, context: SaveContext) -> tuple[Any, Sequence[Array]]:
    plain = tensor.detach()
    record: dict[str, Any] = {"device": str(tensor.device)}
    if tensor.requires_grad and tensor.is_leaf:
        record["requires_grad"] = "true"
    if not backend_of(plain.device.type).holds_values:
        record["layout"] = [plain.dtype.name, list(plain.shape), list(plain.stride())]
        return record, []
    return record, [plain._backend.to_host(plain._raw)]


def _decode_as(wrap: Callable[[Tensor, bool], Any]) -> Callable[..., Any]:
    def decode(json: Any, arrays: list[Array], context: LoadContext) -> Any:
        if not (json is None or isinstance(json, dict)):
            raise context.malformed("tensor", json)
        record = json or {}
        home = record.get("device", "cpu")
        layout = record.get("layout")
        if len(arrays) != (layout is None) or not isinstance(home, str):
            raise context.malformed("tensor", json)
        try:
            made = from_numpy(arrays[0]) if layout is None else _without_data(layout, home)
        except ValueError:  # strides that no tensor has
            raise context.malformed("tensor", json) from None
        tensor = _placed(made, home, context) if layout is None else made
        return wrap(tensor, record.get("requires_grad") == "true")

    return decode


def _without_data(layout: Any, home: str) -> Tensor:
    """A tensor that was saved as a dtype, a shape and strides; ValueError for what is no layout."""
    match layout:
        case [str(name), list(shape), list(stride)] if len(shape) == len(stride) and all(
            type(n) is int and n >= 0 for n in (*shape, *stride)
        ):
            made: Tensor = K.empty_strided(shape, stride, dtype=from_name(name), device=home)
            return made
    raise ValueError(f"no layout: {layout!r}")


def _placed(tensor: Tensor, home: str, context: LoadContext) -> Tensor:
    where = context.map_location
    if where is None:
        target: Any = home
    elif isinstance(where, dict):
        target = where.get(home, home)
    elif isinstance(where, (str, Device)):
        target = where
    elif callable(where):
        moved = where(tensor, home)
        return tensor if moved is None else moved
    else:
        raise TypeError(
            f"map_location must be a device, a dict or a function, not {type(where).__name__}"
        )
    try:
        return tensor.to(target)
    except RuntimeError as error:
        raise RuntimeError(
            f"{context.where}: a tensor was saved on device '{home}', which cannot be used here: "
            f"{error}; load with map_location='cpu'"
        ) from error


def _plain(tensor: Tensor, requires_grad: bool) -> Tensor:
    return tensor.requires_grad_() if requires_grad else tensor


register_leaf_codec(Tensor, "tensor", _encode, _decode_as(_plain), for_plain_arrays=True)
for _kind in ("parameter", "buffer"):
    register_home(_kind, "dispatch_core.nn")


def register_subclass(cls: type[Tensor], kind: str, make: Callable[[Tensor, bool], Any]) -> None:
    """Save a subclass of Tensor under its own kind, and make it again with `make(data, requires_grad)`."""
    register_leaf_codec(cls, kind, _encode, _decode_as(make))
