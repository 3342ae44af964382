"""The machine behind the runtime port."""

import threading

import pytest

from rotator.app.runtime import HostRuntime
from rotator.engine.provider_time import ProviderTime
from rotator.host.clock import SystemClock


@pytest.fixture
def said():
    return []


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def runtime(said, stop):
    clock = SystemClock()
    known = ProviderTime(clock.boot, clock.utc, 60.0, trusted=True)
    known.observe(5000.0)
    return HostRuntime(clock, {"prod": known}, lambda name, **fields: said.append((name, fields)), stop)


def test_each_connection_has_its_own_time(runtime):
    assert 5000 <= runtime.now("prod") < 6000
    assert runtime.now("else") > 1_600_000_000


def test_chance_is_hexadecimal(runtime):
    assert len(runtime.token_hex(6)) == 12
    assert runtime.token_hex(6) != runtime.token_hex(6)


def test_it_stops_when_it_is_told(runtime, stop):
    assert not runtime.stopping()
    stop.set()
    assert runtime.stopping()


def test_a_captured_value_is_waited_for_even_while_stopping(runtime, stop):
    stop.set()
    runtime.sleep(0.001)


def test_calls_run_side_by_side(runtime):
    meeting = threading.Barrier(2, timeout=10)

    runtime.parallel([meeting.wait, meeting.wait])


def test_an_error_of_one_call_is_seen_after_all_have_ended(runtime):
    done = []

    def broken():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        runtime.parallel([broken, lambda: done.append(1)])
    assert done == [1]


def test_an_event_says_only_what_is_known(runtime, said):
    runtime.event("fact", token=None, target="", kind="planned", count=0)

    assert said == [("fact", {"kind": "planned", "count": 0})]


def test_a_crash_point_is_nothing_in_production(runtime):
    runtime.crash("before_create_send")
