"""OPTIMISERS: from gradients to steps of variables, in Keras's spelling."""

from wengert.optim.adam import Adam as Adam
from wengert.optim.optimizer import Optimizer as Optimizer
from wengert.optim.sgd import SGD as SGD
