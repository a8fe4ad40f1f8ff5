"""How many examples hypothesis tries: WENGERT_PROFILE=dev | ci | nightly; `--accept` for golden texts; WENGERT_FORCE_JIT=1."""

import functools
import os

import pytest
from hypothesis import settings
from hypothesis.database import InMemoryExampleDatabase

settings.register_profile("dev", max_examples=20, deadline=None)
# Reproducible by `--hypothesis-seed=0` (make test), not by `derandomize`: that means no database,
# and Hypothesis 6.170 then recurses once per parameter of a parametrised test.
settings.register_profile(
    "ci", max_examples=60, deadline=None, print_blob=True, database=InMemoryExampleDatabase()
)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(
    os.environ.get("WENGERT_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
)


FORCED = os.environ.get("WENGERT_FORCE_JIT", "0") != "0"


def pytest_collection_modifyitems(items):
    if FORCED:
        for item in items:
            if item.get_closest_marker("eager"):
                item.add_marker(pytest.mark.skip(reason="about plain calls"))


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="renew the texts of tests/golden")


@pytest.fixture
def accept(request):
    return request.config.getoption("--accept")


# ---- WENGERT_FORCE_JIT=1: every derivative and batch that a test asks for is compiled first -------------


def _forced(cls):
    plain = cls.__call__

    def call(self, *args, **kwargs):
        from wengert.api.jit import Jitted
        from wengert.trace.trace import tracing

        if tracing():
            return plain(self, *args, **kwargs)
        compiled = self.__dict__.get("_compiled")
        if compiled is None:
            compiled = Jitted(functools.partial(plain, self), None, None)
            self.__dict__["_compiled"] = compiled
        return compiled(*args, **kwargs)

    cls.__call__ = call


if FORCED:
    from wengert.api.gradients import Gradient
    from wengert.api.jacobians import Jacobian
    from wengert.api.mapping import Vmapped
    from wengert.ir import source

    source.internal[__file__] = True  # the user's lines are those of the tests
    for wrapper in (Gradient, Jacobian, Vmapped):
        _forced(wrapper)
