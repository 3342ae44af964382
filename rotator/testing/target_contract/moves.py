"""What the suite does to a target besides one plain write: crashes, insisting, meddling, catching its errors."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping

import pytest

from rotator.core.errors import Conflict, OutcomeUnknown, RotatorError, Unavailable
from rotator.core.ports.target import Publication, Target
from rotator.testing.target_contract.place import SimulatedCrash, publication


def pass_by(point: str) -> None:
    """Pass a crash point and go on."""


def insist(target: Target, values: Mapping[str, str], generation: int) -> None:
    """Write as the engine does: after a conflict or an unknown outcome it reads again and asks again."""
    for _ in range(50):
        try:
            target.write(publication(values, target.read(), generation=generation))
        except (Conflict, OutcomeUnknown, Unavailable):
            continue
        return
    raise AssertionError("the place never came to rest")


def once(call: Callable[[], None]) -> Callable[[], None]:
    """Call it the first time only: a target that merges anew asks `still_mine` again."""
    left = [call]

    def run() -> None:
        if left:
            left.pop()()

    return run


def crash_after(passages: int) -> Callable[[str], None]:
    """A hook that lets `passages` crash points pass and ends the process, as the suite plays it, at the next one."""
    left = [passages]

    def crash(point: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise SimulatedCrash(point)

    return crash


def failure(target: Target, written: Publication) -> str:
    """Everything that a log could show of the error that this write raises."""
    with pytest.raises(RotatorError) as caught:
        target.write(written)
    error = caught.value
    return "".join([*traceback.format_exception(error), str(error), repr(error), error.message, error.remedy])
