"""Modules, thin and in plain Python: a debugger steps from the model into forward."""

from . import functional, init
from .layers import Linear, ReLU, Sequential, Softmax, Tanh
from .losses import CrossEntropyLoss, MSELoss
from .module import Module
from .parameter import Parameter

__all__ = [
    "CrossEntropyLoss",
    "Linear",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Softmax",
    "Tanh",
    "functional",
    "init",
]
