"""The contract of the target port as tests: derive a class, give it a `place` fixture, and pytest does the rest.

    class TestMyTarget(SharedTargetContract):   # or TargetContract, where a place holds one value and nothing else;
                                                # or MarkerTargetContract, where a place can be written and not read
        @pytest.fixture
        def place(self, tmp_path):
            return MyPlace(tmp_path)

A *place* is what the target writes to, seen from the outside: by a consumer, by another writer, by an operator who
takes permissions away. It must not use the target's own code, or a defect could hide behind itself. The suite knows
nothing of the engine; `rotator.core.ports.target` says what is tested and why.
"""

from rotator.testing.target_contract.marker import MarkerPlace, MarkerTargetContract
from rotator.testing.target_contract.place import AWKWARD, Place, SimulatedCrash, fresh_values, plain, publication
from rotator.testing.target_contract.shared import SharedTargetContract
from rotator.testing.target_contract.whole import TargetContract

__all__ = [
    "AWKWARD",
    "MarkerPlace",
    "MarkerTargetContract",
    "Place",
    "SharedTargetContract",
    "SimulatedCrash",
    "TargetContract",
    "fresh_values",
    "plain",
    "publication",
]
