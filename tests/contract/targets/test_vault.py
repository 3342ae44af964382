"""The Vault target keeps the target contract on a real Vault, with the least policy."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.testing.target_contract import SharedTargetContract
from tests.contract.targets.vault_place import VaultPlace
from tests.servers.vault import Vault

pytestmark = pytest.mark.vault


class TestVaultKeepsTheContract(SharedTargetContract):
    @pytest.fixture
    def place(self, vault_server: Vault, tmp_path: Path) -> Iterator[VaultPlace]:
        place = VaultPlace(vault_server, tmp_path, f"ci/{uuid.uuid4()}/workers-deploy")
        yield place
        place.cut()
