"""Optimizers and learning rate schedules."""

from dispatch_core.optim import lr_scheduler
from dispatch_core.optim.adam import Adam
from dispatch_core.optim.adamw import AdamW
from dispatch_core.optim.optimizer import Optimizer
from dispatch_core.optim.rmsprop import RMSprop
from dispatch_core.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
