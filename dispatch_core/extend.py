"""The one door for plugins: everything a backend, layer, operator or domain package may import.

What stands here is the contract; other modules of the core may change at any time.
"""

from __future__ import annotations

from dispatch_core._dispatcher.chains import Chain, KernelChain, chain_of
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dispatcher.operator import Op
from dispatch_core._domain import Domain
from dispatch_core._dtypes import (
    ALL_DTYPES,
    bfloat16,
    bool_,
    complex64,
    complex128,
    declare_dtype,
    dtype,
    float16,
    float32,
    float64,
    from_numpy_dtype,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from dispatch_core._errors import (
    AcceleratorError,
    DeclarationError,
    DeviceNotFoundError,
    DeviceUnavailableError,
    DispatchCoreError,
    FallbackBudgetError,
    FallbackWarning,
    FileFormatError,
    LayerNotFoundError,
    LayerOrderError,
    LinAlgError,
    NoKernelError,
    OutOfMemoryError,
    PluginError,
    PluginWarning,
)
from dispatch_core._families.base import (
    ALL,
    DISCRETE,
    FLOATING,
    INEXACT,
    NUMBERS,
    REAL,
    REAL_NUMBERS,
    Family,
)
from dispatch_core._families.others import (
    contraction,
    creation,
    custom,
    indexing,
    movement,
    normalisation,
    random,
)
from dispatch_core._families.pointwise import BOOL, FLOAT, SAME, pointwise
from dispatch_core._families.reduction import reduction, scan
from dispatch_core._hooks import API_VERSION, hookimpl
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import OPERATORS, Ints, K, Number, composite, primitive
from dispatch_core._place import Place
from dispatch_core._shapes import broadcast_shapes, check_dim, check_dims, check_index_shape
from dispatch_core._staged import fetched, register_staged, staged
from dispatch_core._state import State, Switch
from dispatch_core._steps import FORMULAS as STEP_FORMULAS
from dispatch_core._steps import Formula
from dispatch_core._tensor import Tensor
from dispatch_core.backend import philox
from dispatch_core.backend.api import Backend, Memory
from dispatch_core.backend.array_module import ArrayModuleBackend
from dispatch_core.backend.kernels import Bound, Kernel, KernelTable
from dispatch_core.backend.streams import Event, Stream
from dispatch_core.backend.strided import VIEW_KERNELS, StridedArray, seen_in
from dispatch_core.layers.promotion import Redirect, tensor_keys

PRIMITIVES: tuple[str, ...] = tuple(
    sorted(
        declared.op.name
        for declared in OPERATORS.here()
        if declared.op.traits.primitive and declared.front.__module__.startswith("dispatch_core.")
    )
)
"""The operators that every device must bring; all others are defined in terms of them."""

__all__ = [
    "ALL",
    "ALL_DTYPES",
    "API_VERSION",
    "BOOL",
    "DISCRETE",
    "FLOAT",
    "FLOATING",
    "INEXACT",
    "NOT_DIFFERENTIABLE",
    "NUMBERS",
    "PRIMITIVES",
    "REAL",
    "REAL_NUMBERS",
    "SAME",
    "STEP_FORMULAS",
    "VIEW_KERNELS",
    "AcceleratorError",
    "ArrayModuleBackend",
    "Backend",
    "Below",
    "Bound",
    "Chain",
    "DeclarationError",
    "DeviceNotFoundError",
    "DeviceUnavailableError",
    "DispatchCoreError",
    "Domain",
    "Event",
    "FallbackBudgetError",
    "FallbackWarning",
    "Family",
    "FileFormatError",
    "Formula",
    "Ints",
    "K",
    "Kernel",
    "KernelChain",
    "KernelTable",
    "Keys",
    "Layer",
    "LayerNotFoundError",
    "LayerOrderError",
    "LinAlgError",
    "Memory",
    "NoKernelError",
    "Number",
    "Op",
    "OutOfMemoryError",
    "Place",
    "PluginError",
    "PluginWarning",
    "Redirect",
    "State",
    "Stream",
    "StridedArray",
    "Switch",
    "Tensor",
    "bfloat16",
    "bool_",
    "broadcast_shapes",
    "chain_of",
    "check_dim",
    "check_dims",
    "check_index_shape",
    "complex64",
    "complex128",
    "composite",
    "contraction",
    "creation",
    "custom",
    "declare_dtype",
    "dtype",
    "fetched",
    "float16",
    "float32",
    "float64",
    "from_numpy_dtype",
    "hookimpl",
    "indexing",
    "int8",
    "int16",
    "int32",
    "int64",
    "movement",
    "normalisation",
    "philox",
    "pointwise",
    "primitive",
    "random",
    "reduction",
    "register_staged",
    "scan",
    "seen_in",
    "staged",
    "tensor_keys",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
