"""The contract over a provider that can do little."""

import pytest

from rotator.core.ports.source import Source
from tests.contract.source.contract import SourceContract
from tests.contract.source.modest_world import ModestSource, ModestWorld


class TestModestSource(SourceContract):
    @pytest.fixture
    def world(self) -> ModestWorld:
        return ModestWorld()


def test_it_is_a_source():
    source: Source = ModestSource(ModestWorld())

    assert not source.can.disable
