"""Learning rate schedules: how the options of an optimizer's groups change from step to step."""

from dispatch_core.optim.lr_scheduler._base import LRScheduler
from dispatch_core.optim.lr_scheduler._combined import ChainedScheduler, SequentialLR
from dispatch_core.optim.lr_scheduler._cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from dispatch_core.optim.lr_scheduler._cyclic import CyclicLR
from dispatch_core.optim.lr_scheduler._decay import ExponentialLR, MultiStepLR, PolynomialLR, StepLR
from dispatch_core.optim.lr_scheduler._functions import LambdaLR, MultiplicativeLR
from dispatch_core.optim.lr_scheduler._one_cycle import OneCycleLR
from dispatch_core.optim.lr_scheduler._plateau import ReduceLROnPlateau
from dispatch_core.optim.lr_scheduler._warmup import ConstantLR, LinearLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

# The name that code written for PyTorch before 2.0 subclasses and checks against.
_LRScheduler = LRScheduler
