"""The daemon's loop: what a tick does, what a failing one does, and how it ends."""

import os
import signal
import threading
from dataclasses import dataclass, field

import pytest

from rotator.core.errors import JournalUnsafe, Unavailable
from rotator.core.ports.journal import Due
from rotator.daemon import ENDS, UNHEEDED, Cadence, Daemon, heed_nothing_yet
from rotator.engine.driver import End, Pass
from rotator.host.latch import Latch
from rotator.host.threads import Exhausted

NEVER = 3600.0
DUE = {"prod": ["a", "b"], "other": ["c"]}


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
    """A daemon and its host, which is this bench."""

    def __init__(self, **every):
        self.driver, self.stop = Driver(), Latch()
        self.asked, self.surveyed, self.said, self.calls, self.unsteady = [], [], [], [], set()
        self.on, self.wanting = {}, set()
        self.every = {"evaluate": NEVER, "watch": NEVER, "heartbeat": NEVER, "reload": NEVER, **every}
        self.daemon = Daemon(self)

    def cadence(self):
        return Cadence(**self.every)

    def sources(self):
        return list(DUE)

    def connections(self):
        return [*DUE, "vault"]

    def steady(self, connection):
        return connection not in self.unsteady

    def wanted(self, connection):
        return connection in self.wanting

    def due(self, connection, limit):
        self.asked.append(connection)
        return [Due(stream, 0.0) for stream in DUE[connection]]

    def drive(self, stream):
        return self.driver.run(stream)

    def survey(self, connection):
        self.surveyed.append(connection)
        self.on.get("survey", lambda: None)()

    def named(self, stream):
        return f"the credential {stream}"

    def say(self, event, /, **fields):
        self.said.append((event, fields))

    def heartbeat(self):
        self.called("heartbeat")

    def reload(self):
        self.called("reload")

    def ticked(self):
        self.called("ticked")

    def announce(self):
        self.called("announced")

    def called(self, name):
        self.calls.append(name)
        self.on.get(name, lambda: None)()

    def events(self):
        return [event for event, _ in self.said]

    def evaluate(self):
        """One tick, and all that it handed out."""
        self.daemon.evaluate()
        self.rest()

    def rest(self):
        assert self.daemon._workers.drain(30)
        assert self.daemon._surveys.drain(30)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture(autouse=True)
def signals():
    """Gives the signals back to the test runner."""
    numbers = (*ENDS, *UNHEEDED, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_tick_works_on_whatever_is_due_on_any_connection(bench):
    bench.evaluate()

    assert sorted(bench.driver.ran) == ["a", "b", "c"]
    assert bench.asked == ["prod", "other"]
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

    bench.on["survey"] = broken
    bench.daemon.watch()
    bench.rest()

    assert sorted(f["connection"] for event, f in bench.said if event == "internal_error") == ["other", "prod", "vault"]


def test_every_connection_is_looked_at_those_of_targets_too(bench):
    bench.daemon.watch()
    bench.rest()

    assert sorted(bench.surveyed) == ["other", "prod", "vault"]


def test_a_connection_whose_clock_is_not_believed_is_asked_at_every_tick(bench):
    bench.unsteady = {"other"}
    bench.evaluate()
    bench.evaluate()

    assert bench.surveyed == ["other", "other"]


@pytest.mark.parametrize("error", [Unavailable("reading the journal: busy"), ValueError("a bug")])
def test_a_tick_that_fails_is_said_and_ends_nothing(bench, error):
    def broken():
        raise error

    bench.every["reload"] = 0.05
    bench.on["reload"] = broken
    bench.on["survey"] = lambda: bench.calls.count("reload") > 1 and bench.stop.set()
    bench.every["watch"] = 0.05
    bench.daemon.run()

    assert bench.calls.count("reload") > 1
    assert {fields["tick"] for event, fields in bench.said if event == "tick_failed"} == {"reload"}


def test_a_journal_that_takes_nothing_is_no_bug_wherever_it_is_met(bench):
    """A full disk under the journal is said as that, with the reason, and without a traceback."""
    full = JournalUnsafe("writing to the journal: the disk is full")

    def broken(*_):
        raise full

    bench.driver.error = full
    bench.on["survey"] = broken
    bench.daemon.watch()
    bench.evaluate()
    bench.daemon._unticked("heartbeat", full)

    assert set(bench.events()) == {"journal_unsafe"}
    assert {fields["reason"] for _, fields in bench.said} == {full.message}
    assert not [fields for _, fields in bench.said if "exc_info" in fields]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
@pytest.mark.parametrize("where", ["drive", "survey", "heartbeat"])
def test_a_process_that_the_system_gives_no_room_says_so_and_ends(where, error):
    bench = Bench(heartbeat=0.05)

    def broken():
        raise error

    if where == "drive":
        bench.driver.error = error
    else:
        bench.on[where] = broken
    with pytest.raises(Exhausted) as caught:
        bench.daemon.run()

    assert caught.value.remedy
    assert bench.events()[-1] == "daemon_stopping"


def test_a_daemon_that_may_start_no_thread_ends_before_it_says_that_it_is_ready(monkeypatch):
    bench = Bench()

    def none(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(Exhausted, match="no more threads"):
        bench.daemon.run()
    assert bench.calls == []


def test_it_works_at_once_then_ticks_until_it_is_stopped():
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = bench.stop.set
    thread = threading.Thread(target=bench.daemon.run)
    thread.start()
    thread.join(30)

    assert not thread.is_alive()
    assert sorted(bench.driver.ran) == ["a", "b", "c"]
    assert sorted(bench.surveyed) == ["other", "prod", "vault"]
    assert bench.said[-1][0] == "daemon_stopping"
    assert not bench.daemon._workers.submit("d", lambda: None), "nothing new is begun once it was stopped"


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_ends_it(number):
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = lambda: os.kill(os.getpid(), number)
    bench.daemon.run()

    assert bench.stop.is_set()


@pytest.mark.parametrize("number", [*ENDS, *UNHEEDED, signal.SIGHUP])
def test_whoever_reads_that_it_is_ready_may_send_any_signal_at_once(number):
    bench = Bench(heartbeat=0.05)
    bench.on["announced"] = lambda: os.kill(os.getpid(), number)
    bench.on["heartbeat"] = bench.stop.set
    bench.daemon.run()

    assert bench.said[-1][0] == "daemon_stopping"


def test_a_hangup_loads_the_configuration_again():
    bench = Bench(heartbeat=0.05)
    bench.on["heartbeat"] = lambda: os.kill(os.getpid(), signal.SIGHUP)
    bench.on["reload"] = bench.stop.set
    bench.daemon.run()

    assert "reload" in bench.calls


@pytest.mark.parametrize("number", UNHEEDED)
def test_a_signal_that_means_nothing_kills_nothing(number):
    bench = Bench(heartbeat=0.05)
    beats = []

    def beat():
        beats.append(1)
        if len(beats) == 1:
            os.kill(os.getpid(), number)
        else:
            bench.stop.set()

    bench.on["heartbeat"] = beat
    bench.daemon.run()

    assert len(beats) == 2


@pytest.mark.parametrize("number", [*UNHEEDED, signal.SIGHUP])
def test_a_signal_that_comes_before_it_is_ready_kills_nothing(number):
    heed_nothing_yet()

    os.kill(os.getpid(), number)


def test_intervals_that_a_reload_changed_count_at_once():
    bench = Bench(reload=0.05)
    bench.on["reload"] = lambda: bench.every.update(heartbeat=0.05)
    bench.on["heartbeat"] = bench.stop.set
    bench.daemon.run()

    assert "heartbeat" in bench.calls
