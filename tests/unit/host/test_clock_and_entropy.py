"""The machine's clocks and randomness."""

import threading
import time
from pathlib import Path

import pytest

from rotator.host import clock
from rotator.host.clock import SystemClock
from rotator.host.entropy import SystemEntropy


def test_wall_time_is_unix_time_in_seconds():
    before = time.time()
    assert before <= SystemClock().utc() <= time.time()


def test_boot_time_never_goes_back():
    subject = SystemClock()
    readings = [subject.boot() for _ in range(100)]
    assert readings == sorted(readings)


def test_boot_time_is_monotonic_time_where_there_is_no_boot_clock(monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = time.monotonic()
    assert before <= SystemClock().boot() <= time.monotonic()


def test_two_clocks_of_one_boot_agree_on_its_name():
    assert SystemClock().boot_id() == SystemClock().boot_id() != ""


def test_without_proc_a_boot_is_named_by_when_dev_was_mounted(monkeypatch, tmp_path):
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "missing")
    assert SystemClock().boot_id() == SystemClock().boot_id()
    assert SystemClock().boot_id().startswith("dev-")


def test_a_boot_without_any_name_still_has_a_constant(monkeypatch, tmp_path):
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "missing")

    def refuse(self):
        raise OSError

    monkeypatch.setattr(Path, "stat", refuse)
    assert SystemClock().boot_id() == "unknown-boot"


def test_a_wait_ends_when_its_time_is_over():
    assert SystemClock().wait(0.001) is False
    assert SystemClock().wait(-5) is False


def test_an_interrupt_ends_a_wait_of_another_thread_and_all_later_ones():
    subject = SystemClock()
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(subject.wait(60)))
    waiter.start()
    subject.interrupt()
    waiter.join(10)
    assert answers == [True]
    assert subject.wait(60) is True


def test_a_clock_takes_the_stop_event_of_the_daemon():
    stop = threading.Event()
    stop.set()
    assert SystemClock(stop).wait(60) is True


def test_random_hex_has_two_digits_a_byte_and_does_not_repeat():
    subject = SystemEntropy()
    seen = {subject.token_hex(8) for _ in range(100)}
    assert len(seen) == 100
    assert {len(text) for text in seen} == {16}


def test_no_bytes_of_randomness_is_a_mistake():
    with pytest.raises(ValueError, match="at least one byte"):
        SystemEntropy().token_hex(0)


def test_uuids_are_random_and_of_version_four():
    first, second = SystemEntropy().uuid(), SystemEntropy().uuid()
    assert first != second
    assert first[14] == "4"
