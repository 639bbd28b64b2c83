"""What batch norm and instance norm share: their parameters and running statistics."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn import init
from dispatch_core.nn._core import Tensor, empty, int64, ones, tensor, zeros
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter


class NormBase(Module):
    """Scale, shift and running statistics of `num_features` channels."""

    # 2: num_batches_tracked is part of the state.
    _version = 2

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def _set_up(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        """Make the parameters and buffers."""
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        kwargs = factory(device, dtype)
        for name, present in (("weight", affine), ("bias", affine and bias)):
            parameter = Parameter(empty(num_features, **kwargs)) if present else None
            self.register_parameter(name, parameter)
        if track_running_stats:
            self.register_buffer("running_mean", zeros(num_features, **kwargs))
            self.register_buffer("running_var", ones(num_features, **kwargs))
            self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device))
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the running statistics; scale 1, shift 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError(f"{self._get_name()} does not say which inputs it takes")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, {self._bias_repr()}"
            f"track_running_stats={self.track_running_stats}"
        )

    def _bias_repr(self) -> str:
        return f"bias={self.bias is not None}, "

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *report: Any
    ) -> None:
        version = local_metadata.get("version", None)
        key = prefix + "num_batches_tracked"
        counted = self.num_batches_tracked
        if (version is None or version < 2) and counted is not None and key not in state_dict:
            state_dict[key] = counted if not counted.is_meta else tensor(0, dtype=int64)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *report)
