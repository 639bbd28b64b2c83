"""The autocast layer: runs operators in the precision that suits them, by a policy of each.

"lower_precision": products, which are fast in 16 bits and accumulate in float32. "float32": what loses too
much in 16 bits, such as losses and decompositions. "promote": what takes several tensors and has no
preference; all get the widest dtype among them. Everything else computes in the dtype that it is given.
An operator of a plugin says its policy in its declaration (`autocast=`). The core's differ by device and
stand here: those of the cpu are PyTorch's, those of other devices PyTorch's for CUDA, where float16 loses
more than bfloat16 does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Final

from dispatch_core import _state
from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import bfloat16, dtype, float16, float32, from_name
from dispatch_core._keys import GRAD, Key, tensor_key
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._op import operator_named
from dispatch_core._state import State
from dispatch_core._tensor import Tensor
from dispatch_core.layers.promotion import Redirect, tensor_keys

PREFIX: Final = "autocast:"
"""Begins the name in the state that says to which dtype a device casts: "autocast:cpu:bfloat16"."""

_ELIGIBLE: Final = frozenset({float16, bfloat16, float32})

_LOWER: Final = frozenset(
    [
        "addbmm",
        "addmm",
        "addmv",
        "addr",
        "baddbmm",
        "bmm",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "convolution",
        "convolution_transpose",
        "gru_layer",
        "linalg_multi_dot",
        "linalg_vecdot",
        "linear",
        "lstm_layer",
        "matmul",
        "mm",
        "mv",
        "prelu",
        "rnn_layer",
        "scaled_dot_product_attention",
    ]
)
_LOSSES: Final = frozenset(
    [
        "binary_cross_entropy_with_logits",
        "cosine_embedding_loss",
        "cross_entropy",
        "ctc_loss",
        "hinge_embedding_loss",
        "huber_loss",
        "kl_div",
        "l1_loss",
        "margin_ranking_loss",
        "mse_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "nll_loss",
        "poisson_nll_loss",
        "smooth_l1_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
    ]
)
_FULL_ON_CPU: Final = _LOSSES | frozenset(
    [
        "adaptive_avg_pool3d",
        "adaptive_max_pool3d",
        "avg_pool3d",
        "binary_cross_entropy",
        "cdist",
        "cholesky",
        "cholesky_inverse",
        "cholesky_solve",
        "fractional_max_pool2d",
        "fractional_max_pool3d",
        "geqrf",
        "grid_sample",
        "inverse",
        "linalg_cholesky",
        "linalg_cholesky_ex",
        "linalg_cond",
        "linalg_eig",
        "linalg_eigh",
        "linalg_eigvals",
        "linalg_eigvalsh",
        "linalg_householder_product",
        "linalg_inv_ex",
        "linalg_lstsq",
        "linalg_lu_factor",
        "linalg_matrix_rank",
        "linalg_qr",
        "linalg_solve",
        "linalg_svd",
        "linalg_svdvals",
        "linalg_tensorinv",
        "linalg_tensorsolve",
        "lu_solve",
        "max_pool3d",
        "max_unpool2d",
        "max_unpool3d",
        "nanquantile",
        "ormqr",
        "pinverse",
        "polar",
        "prod",
        "qr",
        "quantile",
        "stft",
        "svd",
        "trace",
        "triangular_solve",
        "view_as_complex",
        "fft_fft",
        "fft_fft2",
        "fft_fftn",
        "fft_hfft",
        "fft_ifft",
        "fft_ifft2",
        "fft_ifftn",
        "fft_ihfft",
        "fft_irfft",
        "fft_irfft2",
        "fft_irfftn",
        "fft_rfft",
        "fft_rfft2",
        "fft_rfftn",
    ]
)
_FULL_ELSEWHERE: Final = _LOSSES | frozenset(
    [
        "acos",
        "asin",
        "cdist",
        "cosh",
        "cosine_similarity",
        "cumprod",
        "cumsum",
        "dist",
        "erfinv",
        "exp",
        "expm1",
        "group_norm",
        "interpolate",
        "layer_norm",
        "linalg_matrix_norm",
        "linalg_vector_norm",
        "log",
        "log10",
        "log1p",
        "log2",
        "log_softmax",
        "logsumexp",
        "native_layer_norm",
        "norm",
        "pdist",
        "pow",
        "prod",
        "reciprocal",
        "renorm",
        "rsqrt",
        "sinh",
        "softmax",
        "softplus",
        "sum",
        "tan",
    ]
)
_WIDEST_ON_CPU: Final = frozenset({"cat", "index_copy", "stack"})
_WIDEST_ELSEWHERE: Final = frozenset(
    [
        "addcdiv",
        "addcmul",
        "atan2",
        "bilinear",
        "cat",
        "cross",
        "dot",
        "grid_sample",
        "index_put",
        "scatter_add",
        "stack",
        "tensordot",
        "vdot",
    ]
)
_REFUSED_ELSEWHERE: Final = frozenset({"binary_cross_entropy"})


def policy_of(op: Op, device: str) -> str | None:
    """The policy of an operator on a device type: one of `AUTOCAST_POLICIES`, "refused" or None."""
    if op.traits.autocast is not None:
        return op.traits.autocast
    name, on_cpu = op.name, device == "cpu"
    if name in _LOWER:
        return "lower_precision"
    if name in (_FULL_ON_CPU if on_cpu else _FULL_ELSEWHERE):
        return "float32"
    if name in (_WIDEST_ON_CPU if on_cpu else _WIDEST_ELSEWHERE):
        return "promote"
    return "refused" if not on_cpu and name in _REFUSED_ELSEWHERE else None


def casts(state: State) -> dict[str, dtype]:
    """The dtype to which each device type casts in a state."""
    named = (name.split(":") for name in state if name.startswith(PREFIX))
    return {device: from_name(to) for _, device, to in named}


class Autocast(Layer):
    """Takes part in operators with a policy, on devices for which it is on."""

    name = "autocast"
    before = ("promotion", "autograd", "device")
    after = ("explain", "profiler", "subclass", "views", "devices")
    idle = "it is off for this device, or the operator has no policy"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        wanted = casts(state)
        if not wanted:
            return False
        found = [key for key in _eligible(op, keys) if key.device in wanted]
        if not found:
            return False
        policy = policy_of(op, found[0].device)
        if policy == "refused":
            return any(key.dtype is not float32 for key in found)
        if policy == "promote":
            return len({key.dtype for key in found}) > 1
        return policy is not None

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        found = _eligible(op, keys)
        device = next(key.device for key in found)
        policy = policy_of(op, device)
        if policy == "refused":
            raise RuntimeError(
                f"{op.name} is unsafe to autocast: its logarithms overflow in 16 bits. Compute the "
                "sigmoid inside it, with binary_cross_entropy_with_logits, or leave autocast for it"
            )
        target = casts(state)[device] if policy == "lower_precision" else float32
        return Casting(op, below, device, target, frozenset(state))


def _eligible(op: Op, keys: Keys) -> list[Key]:
    return [key for key in tensor_keys(op, keys, operands=False) if key.dtype in _ELIGIBLE]


class Casting(Redirect):
    """Casts the floating arguments on a device, and computes with autocast off."""

    __slots__ = ("device", "outside", "target")

    def __init__(self, op: Op, below: Below, device: str, target: dtype, state: State) -> None:
        super().__init__(op, below)
        self.device = device
        self.target = target
        kept = frozenset(name for name in state if not name.startswith(PREFIX))
        self.outside = _state.state_number(kept)

    def change(self, args: Sequence[Any]) -> list[Any]:
        changed = list(args)
        for i in self.op.tensors:
            value = changed[i]
            if isinstance(value, (list, tuple)):
                changed[i] = [self._cast(each) for each in value]
            elif isinstance(value, Tensor):
                changed[i] = self._cast(value)
        return changed

    def _cast(self, tensor: Tensor) -> Tensor:
        key = tensor_key(tensor._k)
        if key.dtype is self.target or key.dtype not in _ELIGIBLE or key.device != self.device:
            return tensor
        return CACHE.cast(tensor, self.target)

    def call(self, *args: Any) -> Any:
        token = _state.set_state(self.outside)
        try:
            return super().call(*args)
        finally:
            _state.reset_state(token)

    def describe(self) -> list[str]:
        return [f"autocast: cast floating arguments to {self.target.name}"]


class _Cache:
    """Weights that were cast once for the outermost `autocast` block, by the weight and the dtype.

    An entry counts while the weight has not been written to; the cast's history stays with it, so that
    every use adds to the weight's gradient.
    """

    def __init__(self) -> None:
        self._entries: ContextVar[dict[tuple[int, dtype], Any] | None] = ContextVar(
            "autocast_cache", default=None
        )

    def open(self) -> Any:
        """Begin a cache for a block; None where there is one already."""
        return self._entries.set({}) if self._entries.get() is None else None

    def off(self) -> Any:
        """Keep nothing in a block."""
        return self._entries.set(None)

    def close(self, token: Any) -> None:
        self._entries.reset(token)

    def clear(self) -> None:
        entries = self._entries.get()
        if entries is not None:
            entries.clear()

    def cast(self, tensor: Tensor, target: dtype) -> Tensor:
        """A tensor in another dtype: that of a leaf that requires a gradient once for all its uses."""
        entries = self._entries.get()
        weight = (
            entries is not None
            and tensor._k & GRAD
            and tensor.is_leaf
            and target is not float32
            and _state.is_on("grad")
        )
        if not weight or entries is None:
            cast: Tensor = operator_named("cast").front(tensor, target)
            return cast
        found = entries.get((id(tensor), target))
        if found is None or found[1] != tensor._version:
            made = operator_named("cast").front(tensor, target)
            found = entries[id(tensor), target] = (tensor, tensor._version, made)
        result: Tensor = found[2]
        return result


CACHE = _Cache()

LAYERS.add(Autocast())
