"""The deadline of a whole request cuts the timeout of each of its steps."""

import time

import pytest

from rotator.sources.cloudflare.http import _Flight


def test_a_step_may_take_its_own_timeout_or_what_is_left_of_the_request_whichever_is_less():
    flight = _Flight(time.monotonic() + 100)

    assert flight.left(5, TimeoutError) == 5
    assert flight.left(1000, TimeoutError) <= 100
    assert flight.left(None, TimeoutError) <= 100


def test_after_the_end_no_step_begins():
    with pytest.raises(TimeoutError):
        _Flight(time.monotonic()).left(5, TimeoutError)
