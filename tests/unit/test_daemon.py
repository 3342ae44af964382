"""The daemon's loop: what a tick does, what a failing one does, and how it ends."""

import os
import signal
import threading
from dataclasses import dataclass, field

import pytest

from rotator.core.errors import Unavailable
from rotator.core.ports.journal import Due
from rotator.daemon import Daemon, Ticks
from rotator.engine.driver import End, Pass

NEVER = 3600.0
DUE = {"prod": ["a", "b"], "other": ["c"]}


@dataclass
class Journal:
    """Says what is due."""

    asked: list = field(default_factory=list)

    def due(self, connection, now, limit):
        self.asked.append((connection, now))
        return [Due(stream, 0.0) for stream in DUE[connection]]


@dataclass
class Driver:
    """Notes which credentials were worked on."""

    end: End = End.WAITING
    error: Exception | None = None
    ran: list = field(default_factory=list)

    def run(self, stream):
        self.ran.append(stream)
        if self.error:
            raise self.error
        return Pass(self.end, 0.0)


class Bench:
    """A daemon and everything around it."""

    def __init__(self, **every):
        self.journal, self.driver, self.stop = Journal(), Driver(), threading.Event()
        self.cared, self.said, self.calls, self.unsteady = [], [], [], set()
        self.on = {}
        self.daemon = Daemon(
            journal=self.journal,
            driver=self.driver,
            now=lambda connection: 1000.0,
            steady=lambda connection: connection not in self.unsteady,
            connections=lambda: list(DUE),
            tended=lambda: [*DUE, "vault"],
            care=self.care,
            heartbeat=lambda: self.called("heartbeat"),
            reload=lambda: self.called("reload"),
            named=lambda stream: f"the credential {stream}",
            say=lambda event, **fields: self.said.append((event, fields)),
            ticked=lambda: self.called("ticked"),
            announced=lambda: self.called("announced"),
            stop=self.stop,
            ticks=Ticks(**{"evaluate": NEVER, "watch": NEVER, "heartbeat": NEVER, "reload": NEVER, **every}),
        )

    def care(self, connection):
        self.cared.append(connection)
        self.on.get("care", lambda: None)()

    def called(self, name):
        self.calls.append(name)
        self.on.get(name, lambda: None)()

    def evaluate(self):
        """One tick, and all that it handed out."""
        self.daemon.evaluate()
        self.rest()

    def rest(self):
        assert self.daemon._workers.drain(30)
        assert self.daemon._carers.drain(30)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def signals():
    """Gives the signals back to the test runner."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_tick_works_on_whatever_is_due_on_any_connection(bench):
    bench.evaluate()

    assert sorted(bench.driver.ran) == ["a", "b", "c"]
    assert bench.journal.asked == [("prod", 1000.0), ("other", 1000.0)]
    assert bench.calls == ["ticked"]


def test_a_credential_that_is_done_for_now_is_worked_on_at_the_next_tick_again(bench):
    bench.evaluate()
    bench.evaluate()

    assert sorted(bench.driver.ran) == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize("end", [End.BUSY, End.FAILED])
def test_what_somebody_else_holds_or_what_failed_is_not_tried_at_every_tick(bench, end):
    bench.driver.end = end
    bench.evaluate()
    bench.evaluate()

    assert sorted(bench.driver.ran) == ["a", "b", "c"]


def test_an_error_that_should_not_exist_is_said_and_rests_that_credential_only(bench):
    bench.driver.error = ValueError("a bug")
    bench.evaluate()
    bench.driver.error = None
    bench.evaluate()

    named = sorted(fields["credential"] for event, fields in bench.said if event == "internal_error")
    assert named == ["the credential a", "the credential b", "the credential c"]
    assert sorted(bench.driver.ran) == ["a", "b", "c"]


def test_an_error_that_should_not_exist_while_a_connection_is_looked_at_is_said_with_its_name(bench):
    def broken():
        raise ValueError("a bug")

    bench.on["care"] = broken
    bench.daemon.watch()
    bench.rest()

    assert sorted(f["connection"] for event, f in bench.said if event == "internal_error") == ["other", "prod", "vault"]


def test_every_connection_is_looked_at_those_of_targets_too(bench):
    bench.daemon.watch()
    bench.rest()

    assert sorted(bench.cared) == ["other", "prod", "vault"]


def test_a_connection_whose_clock_is_not_believed_is_asked_at_every_tick(bench):
    bench.unsteady = {"other"}
    bench.evaluate()
    bench.evaluate()

    assert bench.cared == ["other", "other"]


@pytest.mark.parametrize("error", [Unavailable("reading the journal: busy"), ValueError("a bug")])
def test_a_tick_that_fails_is_said_and_ends_nothing(bench, error):
    def broken():
        raise error

    bench.daemon._guarded("evaluate", broken)()

    assert [(event, fields["tick"]) for event, fields in bench.said] == [("tick_failed", "evaluate")]


def test_it_works_at_once_then_ticks_until_it_is_stopped():
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = bench.stop.set
    thread = threading.Thread(target=bench.daemon.run)
    thread.start()
    thread.join(30)

    assert not thread.is_alive()
    assert sorted(bench.driver.ran) == ["a", "b", "c"]
    assert sorted(bench.cared) == ["other", "prod", "vault"]
    assert bench.said[-1][0] == "daemon_stopping"
    assert not bench.daemon._workers.submit("d", lambda: None), "nothing new is begun once it was stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(signals, number):
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = lambda: os.kill(os.getpid(), number)
    bench.daemon.run()

    assert bench.stop.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_reads_that_it_is_ready_may_send_any_signal_at_once(signals, number):
    bench = Bench(heartbeat=0.05)
    bench.on["announced"] = lambda: os.kill(os.getpid(), number)
    bench.on["heartbeat"] = bench.stop.set
    bench.daemon.run()

    assert bench.said[-1][0] == "daemon_stopping"


def test_a_hangup_loads_the_configuration_again(signals):
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = lambda: os.kill(os.getpid(), signal.SIGHUP)
    bench.on["reload"] = bench.stop.set
    bench.daemon.run()

    assert "reload" in bench.calls
