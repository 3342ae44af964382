"""Maintenance windows by the clock on the wall, freezes and groups: when a rotation may begin."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.calendar import Freeze, Group, Hours, Peer, Turn, Window, turn
from rotator.core.durations import DAY, HOUR, NEVER

BERLIN = ZoneInfo("Europe/Berlin")
MON, TUE, SAT, SUN = 0, 1, 5, 6


def window(start, end, *days, zone=BERLIN):
    def minutes(text):
        return int(text[:2]) * 60 + int(text[3:])

    return Window(days=frozenset(days or range(7)), start=minutes(start), end=minutes(end), zone=zone)


def at(text):
    """Unix seconds of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def berlin(seconds):
    return datetime.fromtimestamp(seconds, BERLIN).isoformat()


# -------------------------------------------------------------------------------------------------------------- windows
def test_a_window_is_open_between_its_times_on_its_days():
    found = window("09:00", "17:00", MON)  # 2026-11-30 is a Monday; Berlin is one hour ahead

    assert [found.holds(at(f"2026-11-30T{hour}")) for hour in ("07:59", "08:00", "15:59", "16:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not found.holds(at("2026-12-01T10:00"))


def test_a_window_that_crosses_midnight_belongs_to_the_day_on_which_it_begins():
    found = window("22:00", "05:00", MON)

    assert found.holds(at("2026-11-30T21:30"))  # Monday night
    assert found.holds(at("2026-12-01T03:00"))  # Tuesday morning, still Monday's
    assert not found.holds(at("2026-11-30T03:00"))  # Monday morning is Sunday's
    assert not found.holds(at("2026-12-01T21:30"))


def test_a_closed_window_says_when_it_opens_next():
    found = window("22:00", "05:00", SAT)

    assert berlin(found.opens(at("2026-11-30T12:00"))) == "2026-12-05T22:00:00+01:00"


def test_an_open_window_opens_now():
    assert window("00:00", "24:00").opens(1_000_000.0) == 1_000_000.0


def test_in_the_hour_that_does_not_exist_a_window_begins_right_after_it():
    found = window("02:30", "05:00")  # 2026-03-29: 02:00 becomes 03:00

    opens = found.opens(at("2026-03-29T00:45"))
    assert berlin(opens) == "2026-03-29T03:00:00+02:00"
    assert not found.holds(opens - 1)


def test_a_window_of_only_that_hour_is_left_out_that_night():
    found = window("02:10", "02:50")

    assert berlin(found.opens(at("2026-03-28T12:00"))) == "2026-03-30T02:10:00+02:00"


def test_in_the_hour_that_comes_twice_a_window_is_open_twice():
    found = window("02:15", "02:30")  # 2026-10-25: 03:00 becomes 02:00

    first = found.opens(at("2026-10-24T22:00"))
    second = found.opens(first + HOUR / 2)
    assert (berlin(first), berlin(second)) == ("2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00")


def test_a_window_over_the_hour_that_comes_twice_is_an_hour_longer():
    found = window("01:00", "04:00")
    opens = found.opens(at("2026-10-24T12:00"))

    assert sum(found.holds(opens + minute * 60) for minute in range(6 * 60)) == 4 * 60


def test_a_window_keeps_its_wall_clock_when_the_offset_changes():
    found = window("22:00", "23:00")

    assert [berlin(found.opens(at(f"2026-{day}T12:00")))[11:16] for day in ("07-01", "12-01")] == ["22:00", "22:00"]


@given(st.integers(0, 1439), st.integers(0, 1439), st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 366))
def test_what_is_said_of_the_next_opening_is_the_first_minute_within(start, end, days, day):
    """Held against the plain definition, minute by minute, over both changes of the clock."""
    if start == end:
        return
    found = Window(days=days, start=start, end=end, zone=BERLIN)
    now = at("2026-01-01T00:00") + day * DAY
    first = next((now + m * 60 for m in range(3 * 24 * 60) if found.holds(now + m * 60)), NEVER)
    if first != NEVER:
        assert found.opens(now) == first


# -------------------------------------------------------------------------------------------------------------- freezes
def test_a_freeze_closes_open_windows_and_the_next_opening_is_after_it():
    hours = Hours(
        windows=(window("22:00", "05:00"),),
        freezes=(Freeze(since=at("2026-12-20T00:00"), until=at("2027-01-04T12:00"), reason="year end"),),
    )

    assert berlin(hours.opens(at("2026-12-24T23:00"))) == "2027-01-04T22:00:00+01:00"
    assert hours.opens(at("2026-12-19T23:30")) == at("2026-12-19T23:30")


def test_freezes_that_meet_are_one():
    hours = Hours(freezes=(Freeze(since=10, until=20), Freeze(since=20, until=30), Freeze(since=15, until=18)))

    assert hours.opens(16.0) == 30.0


def test_without_windows_and_freezes_every_moment_will_do():
    assert Hours().opens(5.0) == 5.0


# --------------------------------------------------------------------------------------------------------------- groups
@pytest.mark.parametrize(
    ("peers", "found"),
    [
        ([], Turn()),
        ([Peer(name="dev", rotating=False, last=0.0)], Turn()),
        ([Peer(name="dev", rotating=True, last=100.0)], Turn("dev", 100.0 + DAY)),
        ([Peer(name="b", rotating=False, last=50.0), Peer(name="a", rotating=False, last=70.0)], Turn("", 70.0 + DAY)),
    ],
)
def test_a_group_gives_a_turn_when_nobody_rotates_and_the_gap_is_over(peers, found):
    assert turn(Group(name="apps", min_gap=DAY), peers) == found


def test_a_group_without_a_gap_only_keeps_two_from_rotating_at_once():
    assert turn(Group(name="apps"), [Peer(name="a", rotating=False, last=70.0)]) == Turn()
