"""All exceptions of the framework, in one tree; each subclasses what PyTorch would raise.

DispatchCoreError
├── DeviceNotFoundError (RuntimeError)     a device that no installed plugin provides
├── DeviceUnavailableError (RuntimeError)  a device whose plugin is there but cannot work here
├── NoKernelError (NotImplementedError)    no kernel, body or fallback for these keys
├── FallbackBudgetError (RuntimeError)     more work for the host than was allowed
├── PluginError (RuntimeError)             a plugin that breaks the contract
│   └── LayerOrderError                    layers whose declared order is a cycle
├── LayerNotFoundError (RuntimeError)      a layer that no installed plugin provides
├── DeclarationError (TypeError)           an operator declared inconsistently, found at import
├── FileFormatError (RuntimeError)         a file that is not what it claims to be
├── ValuesError (RuntimeError)         what would have to differ between the examples of `vmap`
├── GradcheckError (RuntimeError)          gradients that differ from differences of values
├── OutputTypeError (RuntimeError, TypeError)  a result that the given tensor cannot hold
├── UnsharedMemoryError (BufferError, ValueError)  memory that DLPack cannot pass on
├── EmptyListError (ValueError, RuntimeError)  a list of tensors without a tensor
├── UnpicklableError (PicklingError, AttributeError, TypeError)  what workers cannot be sent
├── OutOfMemoryError (RuntimeError, MemoryError)  a device without memory left
├── AcceleratorError (RuntimeError)        a device other than the cpu that failed
└── LinAlgError (RuntimeError)             a matrix that a method of linear algebra cannot work on
"""

from __future__ import annotations

import pickle

READ_ONLY = (
    "the memory of the tensor to be written is read-only: it was made from an array or a buffer that may "
    "not be written. Write into a clone() of it."
)
"""What is said, as a RuntimeError, where that is tried."""


class DispatchCoreError(Exception):
    """Base of every exception that the framework defines itself."""


class DeviceNotFoundError(DispatchCoreError, RuntimeError):
    """The named device is provided by no installed plugin."""


class DeviceUnavailableError(DispatchCoreError, RuntimeError):
    """The plugin of the named device is installed, but it cannot work on this machine."""


class NoKernelError(DispatchCoreError, NotImplementedError):
    """No kernel, body or permitted fallback computes this operator for these keys."""


class FallbackBudgetError(DispatchCoreError, RuntimeError):
    """More calls would run on the host, or more bytes move there, than `dispatch_core.fallback` allows."""


class PluginError(DispatchCoreError, RuntimeError):
    """A plugin does not keep the contract of its hooks."""


class LayerOrderError(PluginError):
    """The declared order of the layers contains a cycle."""


class LayerNotFoundError(DispatchCoreError, RuntimeError):
    """The named layer is provided by no installed plugin."""


class DeclarationError(DispatchCoreError, TypeError):
    """An operator's declaration contradicts itself; raised while it is imported."""


class FileFormatError(DispatchCoreError, RuntimeError):
    """A file is damaged, truncated or not in the format it claims."""


class ValuesError(DispatchCoreError, RuntimeError):
    """Something was to be read or decided once that differs between the examples of `vmap`."""


class GradcheckError(DispatchCoreError, RuntimeError):
    """A gradient does not agree with differences of function values."""


class FallbackWarning(UserWarning):
    """An operator ran on the host because its device has no kernel for it."""


class PluginWarning(UserWarning):
    """A plugin was left out, or did not behave, while the rest goes on."""


class OutputTypeError(DispatchCoreError, RuntimeError, TypeError):
    """A result does not fit the dtype of `out=` (PyTorch raises one or the other)."""


class UnsharedMemoryError(DispatchCoreError, BufferError, ValueError):
    """DLPack cannot pass a tensor's memory on (PyTorch raises one or the other)."""


class EmptyListError(DispatchCoreError, ValueError, RuntimeError):
    """An operator on a list of tensors was given an empty one (PyTorch raises one or the other)."""


class UnpicklableError(DispatchCoreError, pickle.PicklingError, AttributeError, TypeError):
    """Something has to be sent to another process and cannot (PyTorch raises one of the three)."""


class OutOfMemoryError(DispatchCoreError, RuntimeError, MemoryError):
    """A device has no memory left."""


class AcceleratorError(DispatchCoreError, RuntimeError):
    """A device other than the cpu failed."""


class LinAlgError(DispatchCoreError, RuntimeError):
    """A matrix is singular, not positive definite, or an iteration on it did not converge."""
