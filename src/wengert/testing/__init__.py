"""IS A RULE TRUE? The laws that every primitive obeys, and the check of anybody's derivatives."""

from wengert.testing.laws import LAWS as LAWS
from wengert.testing.laws import Law as Law
from wengert.testing.laws import LawBroken as LawBroken
from wengert.testing.laws import Sample as Sample
from wengert.testing.laws import check as check
