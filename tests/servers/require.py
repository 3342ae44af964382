"""What happens when a tool that a test needs is not there: skip with one line, or fail where all are required.

Every layer asks here, so that a run with `CI=true` can never be green because something was missing.
"""

import os
from typing import NoReturn

import pytest


def everything_is_required() -> bool:
    """Whether a missing tool fails the run: `CI=true` or `ROTATOR_TEST_REQUIRE=all`."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("ROTATOR_TEST_REQUIRE") == "all"


def require(what: str, how: str) -> NoReturn:
    """End the test because `what` is missing; `how` says in one line how to get it."""
    message = f"{what} is missing: {how}"
    if everything_is_required():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
