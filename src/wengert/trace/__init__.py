"""PYTHON → PROGRAM: run the user's function on tracers and write down what it does."""

from wengert.trace import memory
from wengert.trace.builder import Builder as Builder
from wengert.trace.trace import Recording as Recording
from wengert.trace.trace import program_of as program_of
from wengert.trace.trace import record as record
from wengert.trace.tracer import Tracer as Tracer

memory.settle()
