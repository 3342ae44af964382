"""The latch: set once for all, by anybody, and waited for by a clock that nobody can set."""

import os
import signal
import threading
import time

from rotator.host.latch import Latch, wait_for_any


def test_it_is_not_set_at_first_and_a_wait_ends():
    latch = Latch()
    assert not latch.is_set()
    assert latch.wait(0.01) is False


def test_once_set_it_stays_set_for_everybody():
    latch = Latch()
    latch.set()
    latch.set()
    assert latch.is_set()
    assert [latch.wait(), latch.wait(100)] == [True, True]


def test_all_who_wait_go_on_when_it_is_set():
    latch, seen = Latch(), []
    threads = [threading.Thread(target=lambda: seen.append(latch.wait(60))) for _ in range(5)]
    for thread in threads:
        thread.start()
    latch.set()
    for thread in threads:
        thread.join(30)
    assert seen == [True] * 5


def test_a_signal_handler_may_set_it_while_the_same_thread_waits():
    latch = Latch()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: latch.set())
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        assert latch.wait(30)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_any_of_several_ends_a_wait():
    first, second = Latch(), Latch()
    second.set()
    began = time.monotonic()
    wait_for_any(60, first, second)
    assert (first.is_set(), second.is_set()) == (False, True)
    assert time.monotonic() - began < 30


def test_it_gives_its_descriptors_back():
    latch = Latch()
    descriptor = latch.fileno()
    del latch
    try:
        os.fstat(descriptor)
    except OSError:
        return
    raise AssertionError("the descriptor is still open")
