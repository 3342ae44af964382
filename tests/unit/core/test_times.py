"""Times as people and programs read them."""

import pytest

from rotator.core.times import both, moment, relative, rfc3339

NOW = 1_795_341_600.0  # 2026-11-22T10:00:00Z


def test_a_time_in_a_document_is_rfc_3339_in_utc_and_whole_seconds():
    assert rfc3339(NOW + 0.9) == "2026-11-22T10:00:00Z"


@pytest.mark.parametrize("at", [None, float("inf"), float("-inf"), 1e18])
def test_what_no_calendar_holds_is_null(at):
    assert rfc3339(at) is None


def test_a_document_s_time_is_read_back():
    assert moment(rfc3339(NOW)) == NOW


@pytest.mark.parametrize(
    "seconds,said", [(0, "now"), (30, "in 30 s"), (-300, "5 min ago"), (5 * 3600, "in 5 h"), (61 * 86400, "in 61 d")]
)
def test_a_time_is_told_relative_to_now(seconds, said):
    assert relative(rfc3339(NOW + seconds), NOW) == said


def test_no_time_is_told_as_the_caller_wants():
    assert (relative(None, NOW), relative(None, NOW, "never"), both(None, NOW)) == ("-", "never", "-")


def test_a_time_in_full_has_its_date_and_its_distance():
    assert both("2026-11-22T12:00:00Z", NOW) == "2026-11-22 12:00:00 UTC, in 2 h"
