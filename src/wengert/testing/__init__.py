"""THE LAWS that every primitive obeys, and the check of anybody's derivatives."""

from wengert.testing.check_grads import GradientsDiffer as GradientsDiffer
from wengert.testing.check_grads import check_grads as check_grads
from wengert.testing.gradcheck import Verdict as Verdict
from wengert.testing.gradcheck import gradcheck as gradcheck
from wengert.testing.laws import LAWS as LAWS
from wengert.testing.laws import Law as Law
from wengert.testing.laws import check as check
from wengert.testing.sample import LawBroken as LawBroken
from wengert.testing.sample import Sample as Sample
