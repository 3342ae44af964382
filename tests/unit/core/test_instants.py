"""Points in time as text, and back."""

import pytest

from rotator.core.credential import NEVER
from rotator.core.instants import rfc3339, unix


@pytest.mark.parametrize("at, text", [(0.0, "1970-01-01T00:00:00Z"), (1795168800.9, "2026-11-20T10:00:00Z")])
def test_a_time_is_written_in_utc_and_whole_seconds(at: float, text: str):
    assert rfc3339(at) == text


@pytest.mark.parametrize("at", [None, NEVER, -NEVER, 1e15, -1e14, -1e11])
def test_never_and_what_no_calendar_holds_is_no_time(at: float | None):
    assert rfc3339(at) is None


@pytest.mark.parametrize(
    "text", ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00", "2026-11-20T10:00:00", "2026-11-20T10:00:00.000Z"]
)
def test_a_written_time_is_read_whatever_its_zone(text: str):
    assert unix(text) == 1795168800.0


@pytest.mark.parametrize("text", [None, "", "yesterday", 5, "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: object):
    assert unix(text) is None
