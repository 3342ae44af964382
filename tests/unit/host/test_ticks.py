"""Ticks: counted by the monotonic clock, skipped while they run, and none lost to a hanging one."""

import threading
import time

import pytest

from rotator.host.latch import Latch
from rotator.host.ticks import Tick, Ticks


class Bench:
    """Ticks under a clock of the test."""

    def __init__(self, **every):
        self.now, self.every, self.called, self.errors = 1000.0, every, [], []
        self.on = {}
        ticks = {name: Tick(self._call(name), lambda name=name: self.every[name]) for name in every}
        self.ticks = Ticks(ticks, lambda name, error: self.errors.append((name, error)), lambda: self.now)

    def _call(self, name):
        def call():
            self.called.append(name)
            self.on.get(name, lambda: None)()

        return call

    def after(self, seconds):
        """What was done once that much time has passed."""
        self.now += seconds
        self.ticks.tick()
        assert self.ticks._workers.drain(30)
        called, self.called = self.called, []
        return called


def test_each_comes_after_its_own_interval():
    bench = Bench(a=10.0, b=25.0)
    assert [bench.after(seconds) for seconds in (9, 1, 9, 1, 5)] == [[], ["a"], [], ["a"], ["b"]]


def test_many_that_were_missed_are_one():
    bench = Bench(a=10.0)
    assert bench.after(500) == ["a"]
    assert bench.after(9) == []


def test_another_interval_counts_at_once():
    bench = Bench(a=300.0)
    assert bench.after(20) == []
    bench.every["a"] = 20.0
    assert bench.after(0) == ["a"]


def test_one_that_is_hurried_comes_now_and_once():
    bench = Bench(a=300.0)
    bench.ticks.hurry("a")
    assert bench.after(0) == ["a"]
    assert bench.after(0) == []


def test_one_that_hangs_delays_no_other_and_is_not_begun_twice():
    bench, gate, entered = Bench(a=1.0, b=1.0), threading.Event(), threading.Event()
    bench.on["a"] = lambda: (entered.set(), gate.wait(30))
    bench.now += 1
    bench.ticks.tick()
    assert entered.wait(30)
    for _ in range(3):
        bench.now += 1
        bench.ticks.tick()
    gate.set()
    assert bench.ticks._workers.drain(30)
    assert bench.called.count("a") == 1
    assert bench.called.count("b") >= 1


def test_the_error_of_one_is_reported_and_it_comes_again():
    bench = Bench(a=1.0)

    def broken():
        raise ValueError("a bug")

    bench.on["a"] = broken
    bench.after(1)
    bench.after(1)
    assert [name for name, _ in bench.errors] == ["a", "a"]


@pytest.mark.parametrize("step", [-100.0, -3600.0, 86400.0])
def test_a_wall_clock_that_is_set_changes_nothing(step, monkeypatch):
    stop, ticked = Latch(), []

    def call():
        ticked.append(1)
        monkeypatch.setattr(time, "time", lambda: 1e9 + step)
        if len(ticked) == 3:
            stop.set()

    monkeypatch.setattr(time, "time", lambda: 1e9)
    Ticks({"a": Tick(call, lambda: 0.02)}, lambda name, error: None).run(stop)
    assert len(ticked) == 3


def test_it_ends_when_it_is_stopped_and_begins_nothing_more():
    bench, stop = Bench(a=0.0), Latch()
    stop.set()
    bench.ticks.run(stop)
    assert bench.called == []
