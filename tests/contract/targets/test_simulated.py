"""The simulated targets, over which the engine is proven, keep the contract of the real ones."""

import pytest

from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.core.ports.target import Target
from rotator.testing.target_contract import MarkerTargetContract, Place, TargetContract, fresh_values, publication
from tests.contract.targets.simulated_place import SimulatedPlace


class Harder:
    """Where the simulation makes it harder for the engine than the contract lets a real target do."""

    def test_the_preflight_refuses_without_the_right_to_write_and_says_what_to_do(self, place: Place) -> None:
        """It knows of no rights: a refusal is met at the write only."""
        place.deny()
        target = place.open(lambda point: None)
        target.check()
        with pytest.raises(Refused) as caught:
            target.write(publication(fresh_values(place), target.read()))
        assert caught.value.remedy

    def test_a_place_out_of_reach_is_unavailable_and_nothing_was_sent(self, place: Place, target: Target) -> None:
        """Of a write nobody knows whether it was sent."""
        expected = target.read()
        place.cut()
        for call in (target.read, target.check):
            with pytest.raises(Unavailable):
                call()
        with pytest.raises((Unavailable, OutcomeUnknown)):
            target.write(publication(fresh_values(place), expected))
        assert dict(place.look()) == {}


class TestACompareAndSetStore(Harder, TargetContract):
    @pytest.fixture
    def place(self) -> SimulatedPlace:
        return SimulatedPlace("vault")


class TestAStagedStore(Harder, TargetContract):
    @pytest.fixture
    def place(self) -> SimulatedPlace:
        return SimulatedPlace("aws")


class TestAFile(Harder, TargetContract):
    @pytest.fixture
    def place(self) -> SimulatedPlace:
        return SimulatedPlace("env")


class TestAWriteOnlyPlace(Harder, MarkerTargetContract):
    @pytest.fixture
    def place(self) -> SimulatedPlace:
        return SimulatedPlace("blind")
