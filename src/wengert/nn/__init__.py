"""LAYERS, LOSSES: small neural networks on tapes, in Keras's spelling."""

from wengert.nn import activations as activations
from wengert.nn import initializers as initializers
from wengert.nn import losses as losses
from wengert.nn.dense import Dense as Dense
from wengert.nn.layer import Layer as Layer
from wengert.nn.losses import BinaryCrossentropy as BinaryCrossentropy
from wengert.nn.losses import CategoricalCrossentropy as CategoricalCrossentropy
from wengert.nn.losses import Loss as Loss
from wengert.nn.losses import MeanSquaredError as MeanSquaredError
from wengert.nn.losses import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from wengert.nn.sequential import Flatten as Flatten
from wengert.nn.sequential import Sequential as Sequential
