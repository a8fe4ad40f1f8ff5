"""How many examples hypothesis tries: WENGERT_PROFILE=dev | ci | nightly; `--accept` for golden texts."""

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


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="renew the texts of tests/golden")


@pytest.fixture
def accept(request):
    return request.config.getoption("--accept")
