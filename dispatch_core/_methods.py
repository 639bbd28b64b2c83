"""The methods of Tensor: operators bound from the operator table, and what is no operator."""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from dispatch_core import _printing, ops  # noqa: F401  `ops` declares the operators
from dispatch_core._batched import Batched
from dispatch_core._construct import make_subclass, tensor
from dispatch_core._device import device as Device
from dispatch_core._dlpack import CPU_DEVICE, to_dlpack
from dispatch_core._dtypes import (
    PUBLIC_NAMES,
    PYTHON_TYPES,
    Category,
    as_dtype,
    dtype,
    float64,
    int8,
    uint8,
)
from dispatch_core._graph import Leaf, hooks_of, retain
from dispatch_core._handles import RemovableHandle, add_hook
from dispatch_core._indexing import getitem, setitem
from dispatch_core._keys import GRAD, INFERENCE, PLAIN, VIEW, tensor_key
from dispatch_core._layouts import strided
from dispatch_core._namespaces import METHODS, names_of
from dispatch_core._numbers import fitting
from dispatch_core._op import OPERATORS, K, dunder
from dispatch_core._place import as_device
from dispatch_core._shapes import check_dim
from dispatch_core._size import Size
from dispatch_core._state import is_on
from dispatch_core._tensor import Tensor, check_tensor, detached, host_values
from dispatch_core._ufuncs import array_ufunc

_METHODS: dict[str, Callable[..., Any]] = {}


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    _METHODS[function.__name__] = function
    return function


# -- what the tensor is ---------------------------------------------------------------------------------


class _Count(int):
    """`x.size`: the number of elements, as the array API has it; called, PyTorch's method."""

    _shape: Size

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self._shape if dim is None else self._shape[check_dim(dim, len(self._shape))]

    def __reduce__(self) -> Any:
        return int, (int(self),)


def _count(self: Tensor) -> Any:
    """The number of elements; called, the shape or the size of one dimension."""
    shape = self.shape
    count = _Count(shape.numel())
    count._shape = shape
    return count


class _SizeProperty(property):
    """`x.size`, which of the class itself is PyTorch's method."""

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        return _size if tensor is None else _count(tensor)


def _size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    return self.size(dim)


@_method
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self.ndim


_METHODS["ndimension"] = dim


@_method
def numel(self: Tensor) -> int:
    """The number of elements."""
    n = 1
    for each in self._raw.shape:
        n *= each
    return n


_METHODS["nelement"] = numel


@_method
def element_size(self: Tensor) -> int:
    """Bytes an element."""
    return self.dtype.itemsize


@_method
def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides in elements, or that of one dimension."""
    strides = self._backend.layout_of(self._raw)[0]
    if 0 in strides:
        strides = _told_strides(self._raw.shape, strides)
    return strides if dim is None else strides[dim]


def _told_strides(sizes: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Strides where arrays have zeros that say nothing: of no element, and along dimensions of size one."""
    found: list[int] = []
    following, empty = 1, 0 in sizes
    for n, s in zip(reversed(sizes), reversed(strides), strict=True):
        found.append(following if empty or (n == 1 and s == 0) else s)
        following = max(n, 1) * found[-1]
    return tuple(reversed(found))


@_method
def storage_offset(self: Tensor) -> int:
    """Where the first element stands in the storage, in elements."""
    return self._backend.layout_of(self._raw)[1]


@_method
def data_ptr(self: Tensor) -> int:
    """The address of the first element, where the backend has one."""
    address = getattr(self._backend, "address", None)
    return id(self._raw) if address is None else int(address(self._raw))


@_method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory in the order of the dimensions, or in that of a format."""
    sizes, strides = tuple(self.shape), self.stride()
    if memory_format is not None and memory_format.name.startswith("channels_last"):
        if self.ndim != (5 if memory_format.name.endswith("3d") else 4):
            return False
        order = memory_format.order(self.ndim)
        sizes, strides = tuple(sizes[d] for d in order), tuple(strides[d] for d in order)
    expected = 1
    for n, s in zip(reversed(sizes), reversed(strides), strict=True):
        if n == 0:
            return True
        if n != 1:
            if s != expected:
                return False
            expected *= n
    return True


@_method
def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is a floating point one."""
    return self.dtype.is_floating_point


@_method
def is_complex(self: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    return self.dtype.is_complex


@_method
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative values."""
    return self.dtype.is_signed


@_method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether both shapes are equal."""
    return self.shape == other.shape


@_method
def get_device(self: Tensor) -> int:
    """The number of the device; -1 on the cpu."""
    index = self.device.index
    return -1 if index is None else index


@_method
def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return INFERENCE in tensor_key(self._k).flags


# -- values for Python and numpy -------------------------------------------------------------------------


@_method
def item(self: Tensor) -> Any:
    """The value of a tensor with one element, as a Python number."""
    if self.numel() != 1:
        raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
    value = host_values(self)
    found = value.reshape(-1)[0].item()
    return found if isinstance(found, (bool, int, float, complex)) else float(found)


@_method
def tolist(self: Tensor) -> Any:
    """The elements as a number or nested lists."""
    host = host_values(self)
    if host.dtype.kind == "V":
        host = host.astype(np.float32)
    return host.tolist()


@_method
def numpy(self: Tensor, *, force: bool = False) -> np.ndarray[Any, Any]:
    """A numpy array that shares the tensor's memory; `force` detaches and copies to the cpu."""
    if force:
        return self.detach().cpu().numpy()
    if self.requires_grad and is_on("grad"):
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    if self.device.type != "cpu":
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the "
            "tensor to host memory first."
        )
    return host_values(self).view()


@_method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    array = self.numpy()
    if dtype is not None and array.dtype != np.dtype(dtype):
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return array.astype(dtype)
    return array.copy() if copy else array


@_method
def __dlpack__(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of the tensor's memory, or of a copy on the host with `dl_device=(1, 0)`.

    Raises BufferError where the memory cannot be passed on, or not without the copy that
    `copy=False` forbids.
    """
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if not self._backend.host_memory:
        if dl_device is None or tuple(dl_device) != CPU_DEVICE or copy is False:
            raise BufferError(
                f"cannot share the memory of a tensor on {self.device} through DLPack; copy it to the "
                "host with dl_device=(1, 0), or use .cpu()"
            )
        copy = None  # the host array is a copy already
    return to_dlpack(
        self._backend.to_host(self._raw),
        stream=stream,
        max_version=max_version,
        dl_device=dl_device,
        copy=copy,
    )


@_method
def __array_namespace__(self: Tensor, *, api_version: str | None = None) -> Any:
    """The functions of the Python array API standard for this tensor: `dispatch_core.array_api`.

    Raises ValueError for a version other than 2021.12 to 2025.12.
    """
    if api_version not in _API_VERSIONS:
        raise ValueError(
            f"unknown version of the array API standard {api_version!r}; known are "
            f"{', '.join(str(v) for v in _API_VERSIONS[1:])}"
        )
    return import_module("dispatch_core.array_api")


_API_VERSIONS = (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


@_method
def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The tensor on a device (array API); `x.to(device)` is the same. There are no streams."""
    if stream is not None:
        raise ValueError(f"to_device(): the devices here have no streams, got stream={stream!r}")
    return self.to(as_device(device))


@_method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """The DLPack device type and number of the tensor."""
    if not self._backend.host_memory:
        raise BufferError(f"device {self.device} has no DLPack number")
    return CPU_DEVICE


@_method
def __len__(self: Tensor) -> int:
    if not self.ndim:
        raise TypeError("len() of a 0-d tensor")
    return int(self._raw.shape[0])


@_method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(K.unbind(self, 0))


@_method
def __bool__(self: Tensor) -> bool:
    if self.numel() != 1:
        what = "more than one value" if self.numel() else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous; use any() or all()")
    return bool(self.item())


def _only_number(self: Tensor) -> Any:
    if self.numel() != 1:
        raise ValueError(
            f"only one element tensors can be converted to Python scalars, got shape {list(self.shape)}"
        )
    return self.item()


@_method
def __float__(self: Tensor) -> float:
    return float(_real_number(self))


@_method
def __int__(self: Tensor) -> int:
    return int(_real_number(self))


def _real_number(self: Tensor) -> Any:
    value = _only_number(self)
    return fitting(value, float64) if isinstance(value, complex) else value


@_method
def __complex__(self: Tensor) -> complex:
    return complex(_only_number(self))


@_method
def __index__(self: Tensor) -> int:
    if self.numel() != 1 or self.dtype.is_floating_point or self.dtype.is_complex:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self.item())


@_method
def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, bool, int, float, complex)):
        return bool(K.any(K.eq(self, element)).item())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {element.__class__}."
    )


@_method
def __format__(self: Tensor, spec: str) -> str:
    if self.ndim == 0:
        return format(self.item(), spec)
    return object.__format__(self, spec)


@_method
def __repr__(self: Tensor) -> str:
    if self._raw.__class__ is Batched:
        inner = repr(self._raw.tensor).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={self._raw.level}, bdim=0, value=\n    {inner}\n)"
    shown = None if self.device.type == "cpu" else str(self.device)
    fn = self.grad_fn
    return _printing.format_tensor(
        host_values(self),
        dtype_name=repr(self.dtype),
        device=shown,
        grad_fn=None if fn is None else fn.name(),
        requires_grad=self.requires_grad and fn is None,
    )


# -- copies, conversions, history ---------------------------------------------------------------------------


@_method
def detach(self: Tensor) -> Tensor:
    """A tensor that shares memory and has no history."""
    return detached(self)


@_method
def detach_(self: Tensor) -> Tensor:
    """Cut the history off this tensor itself."""
    if self._k & VIEW:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node = None
    self._k &= ~GRAD
    return self


@_method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The tensor on a device and in a dtype; itself where nothing changes and `copy` is not asked.

    Accepts to(dtype), to(device, dtype), to(other), with non_blocking, copy and memory_format.
    """
    asked = parse_to(*args, **kwargs)
    found = self
    if asked.device is not None and asked.device != found.device:
        found = K.to_device(found, asked.device)
    if asked.dtype is not None and asked.dtype is not found.dtype:
        found = K.cast(found, asked.dtype)
    return K.clone(self) if found is self and asked.copy else found


class Conversion(NamedTuple):
    """What the arguments of `to` ask for; None keeps device, dtype or memory format."""

    device: Device | None
    dtype: dtype | None
    non_blocking: bool
    copy: bool
    memory_format: Any


def parse_to(*args: Any, **kwargs: Any) -> Conversion:
    """The arguments of `Tensor.to` and `Module.to`: [device][, dtype] or a tensor, then two flags.

    Raises TypeError for arguments that are none of these.
    """
    options = dict(kwargs)
    found: dict[str, Any] = {
        name: options.pop(name, None) for name in ("device", "dtype", "memory_format")
    }
    flags = {name: bool(options.pop(name, False)) for name in ("non_blocking", "copy")}
    rest = list(args)
    if "other" in options:
        rest.insert(0, options.pop("other"))
    if options:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(options))}'")
    names = list(flags)
    for value in rest:
        if isinstance(value, Tensor):
            found["device"], found["dtype"] = value.device, value.dtype
        elif isinstance(value, dtype) or any(value is each for each in PYTHON_TYPES):
            found["dtype"] = value
        elif isinstance(value, (str, Device)):
            found["device"] = value
        elif isinstance(value, bool) and names:
            flags[names.pop(0)] = value
        elif value is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({value.__class__.__name__}), but expected a device, a dtype or a tensor"
            )
    if isinstance(found["device"], str):
        found["device"] = Device(found["device"])
    if found["dtype"] is not None:
        found["dtype"] = as_dtype(found["dtype"])
    return Conversion(**(found | flags))


@_method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor in host memory."""
    return self.to("cpu")


@_method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor on a CUDA device."""
    return self.to("cuda" if device is None else device)


@_method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: there is no device here that reads pinned memory faster."""
    return self


@_method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the tensor is in memory that a device reads faster: never."""
    return False


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Move the tensor's elements to memory that processes forked from this one share; returns it.

    Views that were made before keep the old memory. On devices but the cpu nothing is done.
    """
    if self.device.type == "cpu" and not self.is_shared():
        raw = self._raw
        shared = np.ndarray(raw.shape, raw.dtype, mmap.mmap(-1, max(raw.nbytes, 1)))
        shared[...] = raw
        self._raw = shared
    return self


@_method
def is_shared(self: Tensor) -> bool:
    """Whether the tensor is in memory that forked processes share (so on devices but the cpu)."""
    storage = self._backend.storage_of(self._raw)
    return self.device.type != "cpu" or isinstance(getattr(storage, "base", None), mmap.mmap)


@_method
def type(self: Tensor, dtype: Any = None) -> Any:
    """The tensor in another dtype, or without argument the name of its type."""
    if dtype is None:
        return f"dc.{self.dtype.name}"
    return self.to(dtype)


@_method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    return self.to(other.dtype)


@_method
def as_subclass(self: Tensor, cls: Any) -> Any:
    """The same tensor as an instance of a subclass of Tensor."""
    made = object.__new__(cls)
    made._raw, made._k, made._node = self._raw, self._k, self._node
    if self._k & VIEW:
        made._base = self._base
    return made


@_method
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write another tensor's elements into this one, broadcasting and converting; differentiable."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'src' must be Tensor, not {src.__class__.__name__}")
    if src.device != self.device:
        src = K.to_device(src, self.device)
    return OPERATORS["copy"].exposure.inplace(self, src)  # type: ignore[misc]


@_method
def set_data(self: Tensor, value: Tensor) -> None:
    """Make this tensor show the memory of another (`x.data = y`)."""
    check_tensor(value, "data")
    if self.requires_grad and value.dtype.category < Category.FLOATING:
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype, got "
            f"{value.dtype}"
        )
    self._raw = value._raw
    self._k = value._k & PLAIN | self._k & GRAD


@_method
def __copy__(self: Tensor) -> Tensor:
    """Another handle on the same memory, with the same history."""
    copied = make_subclass(self.__class__, self)
    copied.__dict__.update(self.__dict__)
    copied._k = self._k
    copied._node = Leaf() if self.is_leaf and self.requires_grad else self._node
    if self._k & VIEW:
        copied._base = self._base
    return copied


@_method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. Use detach().clone()."
        )
    known = memo.get(id(self))
    if known is not None:
        return known
    copied = make_subclass(self.__class__, K.clone(self.detach()), self.requires_grad)
    memo[id(self)] = copied
    if self.grad is not None:
        copied.grad = K.clone(self.grad.detach())
    return copied


@_method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    host = host_values(self)
    return _rebuild, (self.__class__, host, str(self.device), self.requires_grad)


def _rebuild(cls: Any, host: Any, device: str, requires_grad: bool) -> Tensor:
    return make_subclass(cls, tensor(host, device=device), requires_grad)


@_method
def register_hook(self: Tensor, hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(grad)` run when the gradient of this tensor is known; it may return another one."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not callable(hook):
        raise TypeError(f"expected a callable hook, got {hook.__class__.__name__}")
    node = self._node
    if node.__class__ is Leaf:
        if node.hooks is None:
            node.hooks = OrderedDict()
        return add_hook(node.hooks, hook)
    return add_hook(hooks_of(node).on_tensor, hook)


@_method
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(tensor)` run after the gradient of this leaf was accumulated."""
    if not self.requires_grad or self._node.__class__ is not Leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._node.after is None:
        self._node.after = OrderedDict()
    self._node.watch(self)
    return add_hook(self._node.after, hook)


@_method
def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this tensor in `.grad`, though it is not a leaf."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    node = self._node
    if node.__class__ is Leaf or hasattr(node, "retained"):
        return
    retain(node)


# -- binding ---------------------------------------------------------------------------------------------


def bind() -> None:
    """Give Tensor its methods and Python operators."""
    for declared in OPERATORS.here():
        op, where = declared.op, declared.exposure
        if where.method:
            setattr(Tensor, op.name, declared.front)
        if where.inplace is not None:
            setattr(Tensor, op.name + "_", where.inplace)
            for alias in where.aliases:
                if "." not in alias:
                    setattr(Tensor, alias + "_", where.inplace)
        for alias in where.aliases:
            if "." not in alias and where.method:
                setattr(Tensor, alias, declared.front)
        for operator in where.operators:
            setattr(Tensor, f"__{operator}__", dunder(declared, operator))
    for name, function in (names_of(METHODS) | _METHODS).items():
        setattr(Tensor, name, function)
    for name, found in (PUBLIC_NAMES | {"byte": uint8, "char": int8}).items():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, _converter(name, found))
    for name, member in _MEMBERS.items():
        setattr(Tensor, name, member)


def _converter(name: str, found: dtype) -> Callable[..., Tensor]:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return self if self.dtype is found else K.cast(self, found)

    convert.__name__ = name
    convert.__doc__ = f"The tensor in dtype {found.name}."
    return convert


def _part_property(name: str) -> property:
    """`x.real`, a view that can also be written: `x.real = y`."""

    def get(self: Tensor) -> Tensor:
        return getattr(K, name)(self)

    def put(self: Tensor, value: Any) -> None:
        get(self)[...] = value

    return property(get, put, doc=f"The {name} parts, as a view.")


def _reversed(self: Tensor) -> Tensor:
    return K.permute(self, tuple(range(self.ndim))[::-1])


def _adjoint(self: Tensor) -> Tensor:
    if self.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor. For "
            "batches of matrices, consider using tensor.mH"
        )
    return K.conj(_reversed(self))


def _matrix_transposed(self: Tensor) -> Tensor:
    if not self.ndim:
        return self
    if self.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
        )
    return K.transpose(self, -2, -1)


_MEMBERS: dict[str, Any] = {
    "__array_priority__": 1000,
    "__array_ufunc__": array_ufunc,
    "__getitem__": getitem,
    "__setitem__": setitem,
    "H": property(_adjoint),
    "T": property(_reversed),
    "data": property(detached, set_data),
    "grad_dtype": property(lambda self: self.dtype),
    "imag": _part_property("imag"),
    "is_cpu": property(lambda self: self.device.type == "cpu"),
    "is_cuda": property(lambda self: self.device.type == "cuda"),
    "is_ipu": False,
    "is_maia": False,
    "is_meta": property(lambda self: self.device.type == "meta"),
    "is_mps": False,
    "is_mtia": False,
    "is_quantized": False,
    "is_sparse": False,
    "is_xla": False,
    "itemsize": property(lambda self: self.dtype.itemsize),
    "layout": strided,
    "mH": property(lambda self: K.conj(_matrix_transposed(self))),
    "mT": property(_matrix_transposed),
    "name": None,
    "nbytes": property(lambda self: numel(self) * self.dtype.itemsize),
    "real": _part_property("real"),
    "size": _SizeProperty(_count),
    "retains_grad": property(lambda self: hasattr(self._node, "retained")),
}
"""What is neither an operator nor a plain method."""
