"""How long a failed act waits before it is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.protocol.backoff import CAP, delay, not_before
from rotator.core.protocol.view import Failure


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (9, 3600), (10_000, 3600)]
)
def test_it_doubles_up_to_an_hour(count, seconds):
    assert delay(30, count) == seconds


def test_a_first_back_off_of_more_than_an_hour_is_kept():
    assert delay(7200, 1) == delay(7200, 9) == 7200


@given(st.floats(0.1, 7200), st.integers(1, 10_000))
def test_it_never_gets_shorter_and_never_longer_than_the_cap(retry, count):
    assert delay(retry, count) <= delay(retry, count + 1) <= max(CAP, retry)


def test_what_did_not_fail_waits_for_nothing():
    assert not_before({}, "write", "env", 30) == 0


def test_each_target_waits_for_itself():
    failures = {("write", "env"): Failure(2, 1000.0)}

    assert not_before(failures, "write", "env", 30) == 1060
    assert not_before(failures, "write", "vault", 30) == 0


def test_what_is_urgent_waits_the_shortest_time_however_often_it_failed():
    assert not_before({("mint", ""): Failure(9, 1000.0)}, "mint", "", 30, urgent=True) == 1030
