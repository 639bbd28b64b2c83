"""PyTorch's global switches, and small functions that belong to no tensor.

Some switches have nothing to switch here: results are deterministic anyway, products are computed in
full precision, and threads are numpy's own. They keep what they are set to, so that scripts which set
them and look again go on as before.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._keys import INFERENCE
from dispatch_core._namespaces import public
from dispatch_core._place import DEFAULT, HOST, as_device, default_device
from dispatch_core._state import is_on
from dispatch_core._storage import TypedStorage, UntypedStorage
from dispatch_core._tensor import Tensor

_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")


class _Settings:
    deterministic = 0
    precision = "highest"
    threads = 1
    interop_threads = 1
    warn_always = False


_NOW = _Settings()

# -- the default device ----------------------------------------------------------------------------


@public("")
def get_default_device() -> Device:
    """The device on which factories make tensors when none is named."""
    return default_device()


@public("")
def set_default_device(device: Any) -> None:
    """Have factories make tensors on a device when none is named; None sets the cpu again."""
    as_device(HOST if device is None else device)  # one that cannot be used is refused here
    DEFAULT.device = HOST if device is None else Device(device)


# -- determinism -----------------------------------------------------------------------------------


@public("")
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for operators whose results are always the same, as all of ours on the cpu are."""
    if not isinstance(mode, bool):
        raise TypeError(
            "use_deterministic_algorithms(): argument 'mode' must be bool, not "
            f"{type(mode).__name__}"
        )
    _NOW.deterministic = (1 if warn_only else 2) if mode else 0


@public("")
def are_deterministic_algorithms_enabled() -> bool:
    """Whether deterministic operators were asked for."""
    return _NOW.deterministic > 0


@public("")
def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether others should only warn."""
    return _NOW.deterministic == 1


@public("")
def get_deterministic_debug_mode() -> int:
    """0, 1 (warn) or 2 (raise) where an operator is not deterministic."""
    return _NOW.deterministic


@public("")
def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by number or word: "default", "warn", "error"."""
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                f"{debug_mode}"
            )
        debug_mode = _MODES.index(debug_mode)
    if not isinstance(debug_mode, int):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    _NOW.deterministic = debug_mode


# -- speed -------------------------------------------------------------------------------------------


@public("")
def get_float32_matmul_precision() -> str:
    """What was set; products are always computed in full precision."""
    return _NOW.precision


@public("")
def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 to be less precise ("highest", "high", "medium")."""
    if precision in _PRECISIONS:
        _NOW.precision = precision


@public("")
def get_num_threads() -> int:
    """What was set; numpy's own threads are not counted."""
    return _NOW.threads


@public("")
def get_num_interop_threads() -> int:
    """What was set."""
    return _NOW.interop_threads


def _positive(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RuntimeError(f"{what} expects an int, but got {type(value).__name__}")
    if value <= 0:
        raise RuntimeError(f"{what} expects a positive integer")
    return value


@public("")
def set_num_threads(number: int) -> None:
    """Note how many threads may be used; numpy's are set by the environment (OMP_NUM_THREADS)."""
    _NOW.threads = _positive("set_num_threads", number)


@public("")
def set_num_interop_threads(number: int) -> None:
    """Note how many threads may run operators beside each other; there are none."""
    _NOW.interop_threads = _positive("set_num_interop_threads", number)


@public("")
def set_flush_denormal(mode: bool) -> bool:
    """Treat denormal numbers as zero; returns whether that can be done, which it cannot."""
    return False


# -- warnings and names ------------------------------------------------------------------------------


@public("")
def set_warn_always(b: bool) -> None:
    """Have warnings that are given once given every time; Python's own filters decide here."""
    _NOW.warn_always = bool(b)


@public("")
def is_warn_always_enabled() -> bool:
    """What was set."""
    return _NOW.warn_always


@public("")
def is_storage(obj: Any) -> bool:
    """Whether an object is a storage."""
    return isinstance(obj, (TypedStorage, UntypedStorage))


@public("")
def is_inference(input: Tensor) -> bool:
    """Whether a tensor was made in inference mode."""
    return bool(input.is_inference())


@public("")
def is_inference_mode_enabled() -> bool:
    """Whether this thread or task is in inference mode."""
    return is_on(INFERENCE)


@public("")
def get_device(input: Tensor) -> int:
    """The number of a tensor's device; -1 on the cpu."""
    return int(input.get_device())


@public("")
def typename(obj: Any) -> str:
    """The name of an object's type, with that of its module unless it is Python's own."""
    if isinstance(obj, Tensor):
        return str(obj.type())
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "builtins") else f"{module}.{named.__qualname__}"
