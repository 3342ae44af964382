"""The breaker paces a fleet that is due all at once; it never stops one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.credential import DAY, HOUR
from rotator.core.schedule.admission import Renewal, admitted, is_incident, paced

NOW = 1_000_000.0


def fleet(size: int, due: int, *, started: int = 0, lifetime: float = 90 * DAY) -> dict[str, Renewal]:
    """c00, c01, ... of which the first `due` are due, the soonest expiry first, and the last `started` just began."""
    return {
        f"c{i:02}": Renewal(
            due_at=NOW - 1 if i < due else NOW + DAY,
            expires_at=NOW + (10 + i) * DAY,
            lifetime=lifetime,
            planned_at=NOW - 60 if i >= size - started else NOW - 30 * DAY,
        )
        for i in range(size)
    }


def may_start(name: str, found: dict[str, Renewal], now: float) -> bool:
    """What pacing makes of both questions."""
    if not paced(found.get(name), len(found), now):
        return True
    chosen = admitted(found, now)
    return chosen is None or name in chosen


def starting(found: dict[str, Renewal]) -> list[str]:
    return [name for name, r in found.items() if r.due_at <= NOW and may_start(name, found, NOW)]


def test_a_fifth_of_a_fleet_may_be_due_at_once():
    assert len(starting(fleet(20, 4))) == 4


def test_more_than_a_fifth_starts_a_tenth_per_hour_soonest_expiry_first():
    assert starting(fleet(20, 5)) == ["c00", "c01"]


def test_what_started_within_the_hour_uses_the_room_up():
    assert starting(fleet(20, 5, started=1)) == ["c00"]
    assert starting(fleet(20, 5, started=2)) == []


def test_after_an_hour_there_is_room_again():
    found = {name: Renewal(r.due_at, r.expires_at, r.lifetime, NOW - HOUR) for name, r in fleet(20, 5).items()}

    assert starting(found) == ["c00", "c01"]


def test_a_rotation_planned_in_a_future_that_a_clock_took_back_uses_no_room():
    found = {name: Renewal(r.due_at, r.expires_at, r.lifetime, NOW + 99) for name, r in fleet(20, 5).items()}

    assert starting(found) == ["c00", "c01"]


def test_a_fleet_under_ten_is_not_paced():
    assert len(starting(fleet(9, 9))) == 9


def test_a_fleet_of_ten_is():
    assert starting(fleet(10, 10)) == ["c00"]


def test_a_lifetime_under_a_day_is_not_paced():
    assert len(starting(fleet(20, 20, lifetime=DAY - 1))) == 20


def test_what_is_not_due_itself_waits_for_nobody():
    assert may_start("c19", fleet(20, 19), NOW)


def test_a_first_creation_is_not_paced():
    assert may_start("new", fleet(20, 20), NOW)


@given(st.integers(10, 60))
def test_pacing_never_stops_a_fleet(size):
    assert starting(fleet(size, size))


@pytest.mark.parametrize(
    ("dead", "size", "believed"),
    [(2, 2, True), (3, 15, True), (3, 14, False), (20, 100, True), (21, 100, False)],
)
def test_many_deaths_at_once_are_not_believed(dead, size, believed):
    assert is_incident(dead, size) is not believed
