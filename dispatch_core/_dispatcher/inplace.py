"""In-place variants and `out=`: an operator is computed, and its result written into a given tensor.

When nothing is recorded and the kernel can write into a given array, it does; otherwise the result is
computed first and then copied, so the values that autograd saved stay what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dispatch_core import _state
from dispatch_core._caller import warn
from dispatch_core._dispatcher.captured import check_recorded
from dispatch_core._dispatcher.chains import Chain, KernelChain, chain_of, failure
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dispatcher.view_chains import View
from dispatch_core._dtypes import can_cast
from dispatch_core._dual import INSIDE, Dual, has_history
from dispatch_core._errors import READ_ONLY, OutputTypeError
from dispatch_core._graph import WRITES
from dispatch_core._keys import GRAD, INFERENCE, KEYS, PLAIN, VIEW, tensor_key
from dispatch_core._tensor import Tensor, check_tensor, is_plain, wrap


class _Slots:
    """Filled by the autograd layer and by forward mode."""

    check: Callable[[Tensor], None]
    """Raises where a tensor must not be written while gradients are recorded."""
    attach: Callable[[Tensor, Tensor], None]
    """Gives a written tensor the history of the value written into it."""
    cast: Callable[[Tensor, Any], Tensor]
    write_dual: Callable[[Tensor, Tensor], None]
    """Writes a value into a tensor, one of them with a tangent."""
    shadow_dual: Callable[[Tensor], Tensor]


SLOTS = _Slots()
DRY: dict[str, Callable[[Tensor], None]] = {}
"""Names of states in which nothing is written, and who is told what would have been: results are made up
there, and tensors must stay as they are."""


def _is_dry(target: Tensor) -> bool:
    state = _state.STATES[_state.current_state()]
    for name, tell in DRY.items():
        if name in state:
            tell(target)
            return True
    return False


def apply_inplace(
    op: Op,
    args: Sequence[Any],
    keywords: Mapping[str, Any] | None = None,
    body: Callable[..., Any] | None = None,
) -> Tensor:
    """Compute `op(*args)` and write the result into `args[0]`, which is returned.

    Raises RuntimeError when the result's shape is not that of the first argument, when its dtype is
    of a higher category, or when a leaf that requires grad would be written while recording.
    """
    x = check_tensor(args[0], f"{op.name}_(): argument 'input' (position 1)")
    recording = "grad" in _state.STATES[_state.current_state() or _state.open_context()]
    _check_inference(x)
    if x._k & VIEW:
        _check_overlap(op, x, args)
    if recording and x._k & (GRAD | VIEW):
        SLOTS.check(x)
    recording = recording and any(_requires_grad(a) for a in args)
    if body is None and not recording:
        chain = chain_of(op, args)
        if _writes_directly(chain, x):
            return _direct(chain, x, args)  # type: ignore[arg-type]
    if recording and (op.gradient is None or op.gradient.keeps(0)):
        args = (shadow(x), *args[1:])
    result = chain_of(op, args).call(*args) if body is None else body(*args, **(keywords or {}))
    check_tensor(result, f"{op.name}_(): what is written in place")
    return write_into(x, result, f"{op.name}_", recording=recording)


def _check_inference(x: Tensor) -> None:
    if INFERENCE in tensor_key(x._k).flags and not _state.is_on(INFERENCE):
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone "
            "to get a normal tensor before doing inplace update."
        )


def _check_overlap(op: Op, x: Tensor, args: Sequence[Any]) -> None:
    """Raise where elements share memory, unless all of them are given one and the same value."""
    if op.family.kind == "movement" and not any(isinstance(a, Tensor) for a in args[1:]):
        return
    _check_apart(x)


def _check_apart(x: Tensor) -> None:
    """Raise where elements of a tensor that is to be written are one place in memory, as after `expand`."""
    strides = x._backend.layout_of(x._raw)[0]
    if 0 not in x._raw.shape and any(
        s == 0 and n > 1 for s, n in zip(strides, x._raw.shape, strict=True)
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def _requires_grad(value: Any) -> bool:
    if isinstance(value, Tensor):
        return has_history(value) if value._raw.__class__ in INSIDE else value.requires_grad
    return isinstance(value, (list, tuple)) and any(_requires_grad(v) for v in value)


def shadow(x: Tensor) -> Tensor:
    """A stand-in with the value and history that `x` has now, for formulas that need them later."""
    if x._raw.__class__ is Dual:
        return SLOTS.shadow_dual(x)
    return wrap(x._backend.copy(x._raw), x._k & ~VIEW, x._node)


def _writes_directly(chain: Chain, x: Tensor) -> bool:
    return (
        isinstance(chain, KernelChain)
        and not isinstance(chain, View)
        and chain.info.out
        and chain.key & PLAIN == x._k & PLAIN
    )


def _direct(chain: KernelChain, x: Tensor, args: Sequence[Any]) -> Tensor:
    try:
        chain.kernel(*chain.raw_arguments(args), out=x._raw)
    except Exception as error:
        raise failure(chain.op, args, _shape_error(chain.op, x, error)) from error
    WRITES.record(chain.backend.storage_of(x._raw))
    return x


def _shape_error(op: Op, x: Tensor, error: Exception) -> Exception:
    if isinstance(error, ValueError):
        if "read-only" in str(error):
            return RuntimeError(READ_ONLY)
        return RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape of the operands "
            f"of {op.name}_(): {error}"
        )
    return error


def write_into(x: Tensor, value: Tensor, what: str, *, recording: bool) -> Tensor:
    """Write a computed value of the same shape into the memory of `x`, with its history."""
    if value._raw.shape != x._raw.shape:
        raise RuntimeError(
            f"{what}(): output with shape {list(x.shape)} doesn't match the broadcast shape "
            f"{list(value.shape)}"
        )
    if value.dtype is not x.dtype:
        if not can_cast(value.dtype, x.dtype):
            raise RuntimeError(
                f"result type {value.dtype.name} can't be cast to the desired output type "
                f"{x.dtype.name} in {what}(); use the variant that is not in-place"
            )
        if recording or value._raw.__class__ is Dual:
            value = SLOTS.cast(value, x.dtype)
    if _is_dry(x):
        return x
    if recording:
        check_recorded(x, value, what)
    if x._raw.__class__ is Dual or value._raw.__class__ is Dual:
        SLOTS.write_dual(x, value)
        return x
    _writer(x, value).write(x._raw, value._raw)
    WRITES.record(x._backend.storage_of(x._raw))
    if recording and (value._k & GRAD or x._k & GRAD):
        SLOTS.attach(x, value)
    return x


def into(op: Op, chain: Chain | None, args: Sequence[Any], out: Any) -> Any:
    """Compute an operator and put the result(s) into `out`, resized where it has another shape.

    With `chain` None, `args` holds the result itself.
    """
    result = args[0] if chain is None else chain.call(*args)
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            raise TypeError(
                f"{op.title}argument 'out' must be tuple of {len(result)} Tensors, "
                f"not {type(out).__name__}"
            )
        for target, value in zip(out, result, strict=True):
            _fill(op, target, value)
        return type(result)(*out) if hasattr(result, "_fields") else tuple(out)
    return _fill(op, out, result)


def _fill(op: Op, out: Any, value: Tensor) -> Tensor:
    out = check_tensor(out, f"{op.title}argument 'out'")
    _check_inference(out)
    if value._raw.__class__ is Dual or out._raw.__class__ is Dual:
        raise NotImplementedError(
            f"Trying to use forward AD with {op.name} that does not support it because it is an out= "
            "function; use the result it returns without out="
        )
    if value.requires_grad or (out.requires_grad and _state.is_on("grad")):
        raise RuntimeError(
            f"{op.title}functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out.device.type != value.device.type:
        raise RuntimeError(
            f"{op.title}expected out tensor to have device {value.device}, but got {out.device}"
        )
    if not op.family.fits_out(value.dtype, out.dtype):
        raise OutputTypeError(
            f"{op.title}result type {value.dtype.name} can't be cast to the desired output type "
            f"{out.dtype.name}"
        )
    if _is_dry(out):
        return out
    backend = out._backend
    if out._raw.shape != value._raw.shape and is_plain(value):
        if 0 not in out._raw.shape:
            warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out.shape)}, which does not match the required output shape "
                f"{list(value.shape)}. Resize it to zero elements first with out.resize_(0).",
                UserWarning,
            )
        key = KEYS[out._k]
        host = value if key is None or value.dtype is key.dtype else SLOTS.cast(value, out.dtype)
        out._raw = backend.copy(host._raw)
        out._k &= ~VIEW
        return out
    if out._k & VIEW:
        _check_apart(out)
    _writer(out, value).write(out._raw, value._raw)
    WRITES.record(backend.storage_of(out._raw))
    return out


def _writer(x: Tensor, value: Tensor) -> Any:
    """The backend that writes: a tensor with a flag (a batched one, say) knows what that means."""
    return (value if tensor_key(value._k).flags else x)._backend
