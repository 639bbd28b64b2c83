"""Optimizers and learning rate schedules."""

from importlib import import_module
from typing import Any

from dispatch_core.optim import lr_scheduler
from dispatch_core.optim._swap import swap_in_optimizer_params_and_state
from dispatch_core.optim.adadelta import Adadelta
from dispatch_core.optim.adafactor import Adafactor
from dispatch_core.optim.adagrad import Adagrad
from dispatch_core.optim.adam import Adam
from dispatch_core.optim.adamax import Adamax
from dispatch_core.optim.adamw import AdamW
from dispatch_core.optim.asgd import ASGD
from dispatch_core.optim.lbfgs import LBFGS
from dispatch_core.optim.muon import Muon
from dispatch_core.optim.nadam import NAdam
from dispatch_core.optim.optimizer import Optimizer
from dispatch_core.optim.radam import RAdam
from dispatch_core.optim.rmsprop import RMSprop
from dispatch_core.optim.rprop import Rprop
from dispatch_core.optim.sgd import SGD
from dispatch_core.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]


def __getattr__(name: str) -> Any:
    if name == "swa_utils":  # imported when asked for, since it needs all of `nn`
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
