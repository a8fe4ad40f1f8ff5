"""How many examples hypothesis tries: WENGERT_PROFILE=dev | ci | nightly; `--accept` for golden texts."""

import os

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(
    os.environ.get("WENGERT_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
)


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="renew the texts of tests/golden")


@pytest.fixture
def accept(request):
    return request.config.getoption("--accept")
