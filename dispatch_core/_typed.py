"""`FloatTensor`, `LongTensor`, ...: constructors by dtype, from before tensors had one to ask for.

`LongTensor([1, 2])` is `tensor([1, 2], dtype=int64)`; `isinstance(x, LongTensor)` asks for the dtype.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import dtype as DType
from dispatch_core._dtypes import from_name, set_default_dtype
from dispatch_core._tensor import SLOTS, Tensor


class TensorType(type):
    """The class of `FloatTensor` and its kind."""

    dtype: DType

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        """A tensor of the dtype: without arguments an empty one, of sizes, or with a copy of data."""
        if len(args) == 1 and isinstance(args[0], Tensor) and args[0].dtype is not cls.dtype:
            raise TypeError(
                f"{cls.__name__}(): expected a tensor of {cls.dtype}, got {args[0].dtype}; convert it, as "
                "in x.to(dtype)"
            )
        return SLOTS.construct(Tensor, *args, device=device, dtype=cls.dtype)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'dc.{cls.__name__}'>"


_DTYPES = {
    "BFloat16Tensor": "bfloat16",
    "BoolTensor": "bool",
    "ByteTensor": "uint8",
    "CharTensor": "int8",
    "ComplexDoubleTensor": "complex128",
    "ComplexFloatTensor": "complex64",
    "DoubleTensor": "float64",
    "FloatTensor": "float32",
    "HalfTensor": "float16",
    "IntTensor": "int32",
    "LongTensor": "int64",
    "ShortTensor": "int16",
}
TYPES: dict[str, TensorType] = {
    name: TensorType(
        name,
        (),
        {
            "__module__": "dispatch_core",
            "__doc__": f"Makes tensors of {dtype}, as `tensor(..., dtype=dc.{dtype})` does.",
            "dtype": from_name(dtype),
        },
    )
    for name, dtype in _DTYPES.items()
}
"""The types by name."""
_NAMES = {made.dtype: name for name, made in TYPES.items()}


def type_name(tensor: Tensor) -> str:
    """What `tensor.type()` says: "dc.FloatTensor", on another device "dc.cuda.FloatTensor"."""
    device = "" if tensor.device.type == "cpu" else f"{tensor.device.type}."
    return f"dc.{device}{_NAMES.get(tensor.dtype, tensor.dtype.name)}"


def type_named(wanted: Any) -> DType:
    """The dtype of a type or of its name; ValueError where there is none of that name."""
    if isinstance(wanted, TensorType):
        return wanted.dtype
    found = TYPES.get(str(wanted).rpartition(".")[2])
    if found is None:
        raise ValueError(f"invalid type: {wanted!r}; there are {', '.join(TYPES)}")
    return found.dtype


def set_default_tensor_type(t: Any) -> None:
    """`set_default_dtype` by a type or its name, as in `set_default_tensor_type(DoubleTensor)`."""
    if not isinstance(t, (str, TensorType)):
        raise TypeError(f"invalid type object: expected a type such as FloatTensor, got {t!r}")
    set_default_dtype(type_named(t))
