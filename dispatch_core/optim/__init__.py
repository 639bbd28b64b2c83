"""Optimizers and learning rate schedules."""

from dispatch_core.optim import lr_scheduler
from dispatch_core.optim.adadelta import Adadelta
from dispatch_core.optim.adafactor import Adafactor
from dispatch_core.optim.adagrad import Adagrad
from dispatch_core.optim.adam import Adam
from dispatch_core.optim.adamax import Adamax
from dispatch_core.optim.adamw import AdamW
from dispatch_core.optim.asgd import ASGD
from dispatch_core.optim.muon import Muon
from dispatch_core.optim.nadam import NAdam
from dispatch_core.optim.optimizer import Optimizer
from dispatch_core.optim.radam import RAdam
from dispatch_core.optim.rmsprop import RMSprop
from dispatch_core.optim.rprop import Rprop
from dispatch_core.optim.sgd import SGD

__all__ = [
    "ASGD",
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
    "lr_scheduler",
]
