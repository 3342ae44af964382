import pytest

from rotator.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path):
    """A sandbox on a free port, as a foreign client meets it."""
    with Sandbox(tokens_dir=tmp_path / "tokens") as running:
        yield running
