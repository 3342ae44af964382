"""What happens when something that a test needs is not there: skip with one line, or fail where everything is required.

Every test asks here, so that a run with `CI=true` can never be green because something was missing. Who knows that a
machine lacks something (a container that may not mount) names it in `ROTATOR_TEST_MAY_LACK`, where everybody sees it.
"""

import os
from typing import NoReturn

import pytest

MOUNTS = ("mounts", "let root mount file systems and make namespaces (a privileged container)")
ATTRIBUTES = ("attributes", "put the temporary folder on ext4 or xfs, and let root change attributes")
ROOT = ("root", "run the tests as root, in a container for example")


def everything_is_required() -> bool:
    """Whether something that is missing fails the run: `CI=true` or `ROTATOR_TEST_REQUIRE=all`."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("ROTATOR_TEST_REQUIRE") == "all"


def require(what: str, how: str) -> NoReturn:
    """End the test because `what` is missing; `how` says in one line how to get it."""
    message = f"{what} is missing: {how}"
    waived = [name.strip() for name in os.environ.get("ROTATOR_TEST_MAY_LACK", "").split(",")]
    if everything_is_required() and what not in waived:
        pytest.fail(f"{message}; or say ROTATOR_TEST_MAY_LACK={what}", pytrace=False)
    pytest.skip(message)
