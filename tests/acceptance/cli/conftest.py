"""The program as operators and scripts run it: a process, a folder, a provider."""

import pytest

from rotator.sandbox import Sandbox
from tests.rotator_place import Place


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(tmp_path, sandbox):
    """A folder with one credential, `workers-deploy`, that nobody has created yet."""
    made = Place(tmp_path, sandbox).write()
    yield made
    made.close()
