"""Instance normalization (Ulyanov, Vedaldi and Lempitsky, 2016)."""

from __future__ import annotations

import warnings
from typing import Any

from dispatch_core.nn._core import F, Tensor
from dispatch_core.nn.modules._norm_base import NormBase


class _InstanceNorm(NormBase):
    """What instance norm does at every dimension: it normalizes each channel of each sample."""

    _dims: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self._set_up(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def _check_input_dim(self, input: Tensor) -> None:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        channels = -self._dims - 1
        found = input.shape[channels]
        if found != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={input.dim() + channels} to match num_features "
                    f"({self.num_features}), but got: {found}."
                )
            warnings.warn(
                f"input's size at dim={input.dim() + channels} does not match num_features. You "
                "can silence this warning by not passing in num_features, which is not used "
                "because affine=False",
                stacklevel=2,
            )
        if input.dim() == self._dims + 1:
            return self._normalize(input.unsqueeze(0)).squeeze(0)
        return self._normalize(input)

    def _normalize(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalizes over the length: (N, C, L) or (C, L); ValueError for other inputs."""

    _dims = 1


class InstanceNorm2d(_InstanceNorm):
    """Normalizes over the image: (N, C, H, W) or (C, H, W); ValueError for other inputs."""

    _dims = 2


class InstanceNorm3d(_InstanceNorm):
    """Normalizes over the volume: (N, C, D, H, W) or (C, D, H, W); ValueError for other inputs."""

    _dims = 3
