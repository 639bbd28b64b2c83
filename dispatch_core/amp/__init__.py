"""Mixed precision: `autocast` for operators, `GradScaler` for gradients that would vanish."""

from dispatch_core.amp.autocast_mode import (
    autocast,
    custom_bwd,
    custom_fwd,
    is_autocast_available,
)
from dispatch_core.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
