import pytest

from rotator.sandbox import Sandbox
from tests.sandbox_calls import Provider


@pytest.fixture
def provider():
    return Provider(Sandbox())


@pytest.fixture(params=["user", "account"])
def tokens(request, provider):
    """The token operations of a user, then of an account: whatever is said of one holds for the other."""
    return provider.owner(request.param)
