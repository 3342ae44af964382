"""What the tests here share."""

from collections.abc import Iterator

import pytest

from rotator.testing.aws import SecretsManager
from rotator.testing.target_contract import fresh_values
from tests.contract.targets.aws_place import REGION
from tests.integration.aws.managed import Place


@pytest.fixture
def place() -> Iterator[Place]:
    with SecretsManager(REGION) as aws:
        yield Place(aws)


@pytest.fixture
def held(place: Place) -> Place:
    """A place that holds a value already, as every rotation but the first finds it."""
    place.overwrite(fresh_values(place))
    return place
