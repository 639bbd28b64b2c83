"""`GradScaler`: a factor on the loss against gradients that vanish (Micikevicius et al., 2018)."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from dispatch_core._caller import warn
from dispatch_core._device import device as Device
from dispatch_core._dtypes import float16
from dispatch_core._tensor import Tensor
from dispatch_core.ops import empty


class _Stage(enum.Enum):
    """What was done with an optimizer since the last `update`."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Record:
    def __init__(self) -> None:
        self.stage = _Stage.READY
        self.found_inf: bool | None = None


class GradScaler:
    """Multiplies the loss by a scale, and divides the gradients by it before the optimizer's step.

        scaler.scale(loss).backward()
        scaler.step(optimizer)     # not where a gradient is infinite or NaN
        scaler.update()

    The scale begins as `init_scale`, is multiplied by `backoff_factor` after a step that was left out
    and by `growth_factor` after `growth_interval` steps in a row that were not. With `enabled=False`,
    or without the device, `scale` and `step` do nothing but what they are given.

    Raises AssertionError for factors that would not grow or shrink it.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = Device(device).type
        self._enabled = enabled
        if enabled and not _is_available(self._device):
            warn(f"GradScaler is enabled, but device '{self._device}' is not available. Disabling.")
            self._enabled = False
        if self._enabled:
            _check(growth_factor > 1.0, "The growth factor must be > 1.0", growth_factor)
            _check(backoff_factor < 1.0, "The backoff factor must be < 1.0", backoff_factor)
        self._scale = float(init_scale)
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._records: defaultdict[int, _Record] = defaultdict(_Record)

    def scale(self, outputs: Any) -> Any:
        """A tensor, or each in an iterable of them, times the scale; ValueError for anything else."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = [self.scale(each) for each in outputs]
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else iter(scaled)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the scale, so that they can be looked at or clipped.

        `step` does it where it was not done. RuntimeError a second time, after the step, and for
        gradients in float16: their parameters should be float32.
        """
        if not self._enabled:
            return
        record = self._records[id(optimizer)]
        if record.stage is _Stage.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if record.stage is _Stage.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        found = False
        any_gradient = False
        for group in optimizer.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.grad.dtype is float16:
                    raise RuntimeError(
                        "Attempting to unscale FP16 gradients; keep the parameters in float32 and "
                        "let autocast cast them"
                    )
                any_gradient = True
                param.grad.detach().mul_(1.0 / self._scale)
                found = found or not bool(param.grad.detach().isfinite().all())
        record.found_inf = found if any_gradient else None
        record.stage = _Stage.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step(*args, **kwargs)` unless a gradient is infinite or NaN; what that returns.

        RuntimeError a second time before `update`, and for a closure; AssertionError without gradients.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        record = self._records[id(optimizer)]
        if record.stage is _Stage.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if record.stage is _Stage.READY:
            self.unscale_(optimizer)
        if record.found_inf is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        record.stage = _Stage.STEPPED
        return None if record.found_inf else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Let the scale shrink or grow by what the steps have found, or set it; once an iteration."""
        if not self._enabled:
            return
        found = [r.found_inf for r in self._records.values() if r.found_inf is not None]
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not found:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(found):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                grown = self._scale * self._growth_factor
                self._scale = grown if grown <= _LARGEST else self._scale
                self._growth_tracker = 0
        self._records.clear()

    def get_scale(self) -> float:
        """The scale, 1 where it is not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after enough good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied by after enough good steps."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after a bad step."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied by after a bad step."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps in a row let the scale grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set how many good steps in a row let the scale grow."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale, the factors and the count of good steps; empty where it is not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take a state back; RuntimeError for an empty one, as a scaler that is not enabled saves."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = int(state_dict["_growth_tracker"])

    def __getstate__(self) -> dict[str, Any]:
        if self._records:
            raise RuntimeError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at "
                "the end after scaler.update()."
            )
        return dict(self.__dict__)


_LARGEST = 3.4028234663852886e38
"""Of float32, in which the loss is."""


def _is_available(device: str) -> bool:
    try:
        empty(0, device=device)
    except RuntimeError:
        return False
    return True


def _check(right: bool, rule: str, value: float) -> None:
    if not right:
        raise AssertionError(f"{rule}, got {value}.")
