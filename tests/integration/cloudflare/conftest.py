"""What the tests here share."""

from collections.abc import Iterator

import pytest

from rotator.core.ports.source import Minted
from tests.contract.source.contract import HOUR
from tests.contract.source.sandbox_world import SandboxWorld, sandbox_world


@pytest.fixture
def world() -> Iterator[SandboxWorld]:
    with sandbox_world("account") as world:
        yield world


@pytest.fixture
def token(world: SandboxWorld) -> Minted:
    world.source.control()
    return world.source.mint("one", world.now() + HOUR)


@pytest.fixture
def account() -> Iterator[SandboxWorld]:
    with sandbox_world("account") as world:
        yield world


@pytest.fixture
def user() -> Iterator[SandboxWorld]:
    with sandbox_world("user") as world:
        yield world
