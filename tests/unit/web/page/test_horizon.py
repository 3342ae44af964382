"""The picture of what ends when, as numbers."""

from itertools import pairwise

import pytest

from rotator.core.times import moment
from rotator.web.page.horizon import LANES, NAMED, Bar, horizon
from tests.unit.cli.documents import NOW, credential

AT = moment(NOW)


def life(name, began, renewal, deadline, end, **more):
    times = {"last_success": began, "next_rotation": renewal, "rotation_deadline": deadline, "expires_on": end}
    return credential(name, **{key: value and f"{value}T10:00:00Z" for key, value in times.items()}, **more)


NINETY = life("a", "2026-10-23", "2026-12-22", "2027-01-20", "2027-01-21")


def test_a_lane_has_its_life_its_window_and_what_comes_too_late():
    [lane] = horizon([NINETY], AT).lanes

    assert lane.life == Bar(0.0, 100.0)
    assert lane.window == Bar(66.67, 32.22)
    assert lane.late == Bar(98.89, 1.11)


def test_now_is_where_it_is():
    assert horizon([NINETY], AT).now == 33.33


def test_what_ends_first_is_on_top():
    later = life("b", "2026-10-23", "2026-12-22", "2027-01-20", "2027-02-21")
    assert [lane.name for lane in horizon([later, NINETY], AT).lanes] == ["a", "b"]


def test_what_never_ends_runs_to_the_edge():
    endless = life("e", "2026-11-01", None, None, None)
    lane = horizon([NINETY, endless], AT).lanes[1]

    assert lane.endless
    assert (lane.life.x + lane.life.width, lane.window, lane.late) == (100.0, None, None)


def test_what_has_no_token_is_counted_and_not_drawn():
    unborn = credential("u", token_id=None, expires_on=None)

    assert horizon([NINETY, unborn], AT).undrawn == 1
    assert horizon([unborn], AT) is None


@pytest.mark.parametrize(("number", "named", "lanes"), [(NAMED, True, NAMED), (NAMED + 1, False, NAMED + 1)])
def test_many_are_drawn_without_names(number, named, lanes):
    picture = horizon([NINETY | {"name": f"c{n}"} for n in range(number)], AT)

    assert (picture.named, len(picture.lanes)) == (named, lanes)


def test_very_many_share_lanes_and_all_are_counted():
    picture = horizon([NINETY | {"name": f"c{n}"} for n in range(5000)], AT)

    assert len(picture.lanes) <= LANES
    assert sum(lane.shares for lane in picture.lanes) == picture.total == 5000


def test_time_is_compressed_where_one_ends_in_an_hour_and_another_in_a_year():
    tonight = credential("tonight", expires_on="2026-11-22T11:00:00Z", last_success="2026-11-22T09:00:00Z")
    tonight |= {"next_rotation": "2026-11-22T10:30:00Z", "rotation_deadline": "2026-11-22T10:50:00Z"}
    year = life("year", "2026-11-01", "2027-08-01", "2027-10-30", "2027-11-01")
    picture = horizon([tonight, year], AT)

    assert picture.compressed
    assert 0 < picture.now <= 20
    assert picture.lanes[0].life.width > 5, "what ends tonight can be seen"
    assert picture.lanes[1].life.x + picture.lanes[1].life.width == 100


def test_texts_of_the_scale_keep_apart_from_each_other_and_from_now():
    picture = horizon([NINETY], AT)
    places = [place for place, _ in picture.ticks]

    assert places
    assert all(abs(place - picture.now) >= 7 for place in places)
    assert all(b - a >= 11 for a, b in pairwise(places))


@pytest.mark.parametrize(
    ("end", "text"), [("2026-11-22T16:00:00Z", ":"), ("2027-01-21T10:00:00Z", " "), ("2031-01-01T00:00:00Z", "20")]
)
def test_the_scale_is_in_hours_days_or_months(end, text):
    short = credential("s", expires_on=end, last_success="2026-11-22T09:00:00Z", next_rotation=None)
    picture = horizon([short | {"rotation_deadline": None}], AT)

    assert any(text in said for _, said in picture.ticks)


def test_a_token_that_is_over_is_drawn_up_to_its_end():
    over = life("o", "2026-08-01", "2026-10-01", "2026-10-30", "2026-11-01")
    [lane] = horizon([over], AT).lanes

    assert lane.life.x + lane.life.width < horizon([over], AT).now
