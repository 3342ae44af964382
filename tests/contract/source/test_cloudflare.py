"""The Cloudflare source keeps the source contract, for tokens of a user and of an account, on the sandbox."""

from collections.abc import Iterator

import pytest

from tests.contract.source.contract import SourceContract
from tests.contract.source.sandbox_world import SandboxWorld, sandbox_world


class TestTokensOfAnAccount(SourceContract):
    @pytest.fixture
    def world(self) -> Iterator[SandboxWorld]:
        with sandbox_world("account") as world:
            yield world


class TestTokensOfAUser(SourceContract):
    @pytest.fixture
    def world(self) -> Iterator[SandboxWorld]:
        with sandbox_world("user") as world:
            yield world
