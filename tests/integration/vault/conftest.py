"""A place of the target contract, and a clock that a test moves."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.targets.vault_place import VaultPlace
from tests.integration.vault.logging_in import Roles
from tests.servers.vault import Vault


class MovableClock:
    """The machine's clock as a Vault connection sees it; waits move it and take no time."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.waits: list[float] = []

    def utc(self) -> float:
        return self.now + 1_700_000_000.0

    def boot(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return False


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def place(vault_server: Vault, tmp_path: Path) -> Iterator[VaultPlace]:
    place = VaultPlace(vault_server, tmp_path, f"ci/{uuid.uuid4()}/app")
    yield place
    place.cut()


@pytest.fixture
def roles(vault_server: Vault, place: VaultPlace, tmp_path: Path) -> Roles:
    return Roles(vault_server, place, tmp_path)
