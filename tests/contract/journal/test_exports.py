"""An audit export over every journal: several processes, one of which exports at a time, and none leaves a gap."""

from __future__ import annotations

import pytest

from rotator.app.exporting import JournalBook, consumer
from rotator.audit import plain
from rotator.audit.exporter import STANDBY, Exporter
from rotator.audit.keys import Signer
from rotator.config.audit import FileStanza, HttpsStanza, SyslogStanza
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import RealBench
from tests.contract.journal.drafts import claimed, intent, planned
from tests.unit.audit.bench import Bench, MemorySink

FILE = FileStanza(name="local", type="file", path="/var/log/audit")
LOCAL = SyslogStanza(name="host", type="syslog", address="udp://127.0.0.1")
SIEM = SyslogStanza(name="siem", type="syslog", address="tls://logs.example.com")
LAKE = HttpsStanza(name="lake", type="https", url="https://ingest.example.com/rotator")


def exporter(real: RealBench, journal: SqlJournal, sink: MemorySink) -> Exporter:
    return Exporter(
        "siem",
        JournalBook(journal, consumer(SIEM, "any")),
        sink,
        plain,  # type: ignore[arg-type]
        Signer(journal.audit.export_seed()),
        monotonic=lambda: real.clock.seconds,
        wall=lambda: real.clock.seconds,
        crash=lambda point: None,
    )


def facts(journal: SqlJournal, stream: str) -> None:
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())
    journal.release(lease, None)


@pytest.mark.parametrize(
    ("stanza", "name"),
    [(FILE, "audit/local@web1"), (LOCAL, "audit/host@web1"), (SIEM, "audit/siem"), (LAKE, "audit/lake")],
)
def test_what_is_on_the_machine_has_a_cursor_for_each_machine_and_all_else_has_one(stanza, name: str):
    assert consumer(stanza, "web1") == name


def test_two_processes_on_one_journal_export_each_fact_once_between_them(real: RealBench):
    one, two, sink = real.open(), real.open(), MemorySink()
    first, second = exporter(real, one, sink), exporter(real, two, sink)
    for name in ("a", "b", "c"):
        facts(one if name == "b" else two, real.stream(name))
        first.step()
        assert second.step() == STANDBY
    real.advance(11)
    first.step()
    found = Bench().verdict(sink.lines)
    assert (found.problems, found.facts, found.duplicates, found.unsigned) == ((), 6, 0, 0)


def test_another_process_takes_over_from_one_that_died_and_leaves_no_gap(real: RealBench):
    one, two, sink = real.open(), real.open(), MemorySink()
    first, second = exporter(real, one, sink), exporter(real, two, sink)
    facts(one, real.stream("a"))
    first.step()
    real.kill(one)
    facts(two, real.stream("b"))
    for _ in range(20):  # on PostgreSQL no lock tells who is dead: its lease ends by its time
        second.step()
        real.advance(5)
    found = Bench().verdict(sink.lines)
    assert (found.problems, found.facts, found.duplicates, found.unsigned) == ((), 4, 0, 0)


def test_a_process_that_ends_lets_the_next_one_export_at_once(real: RealBench):
    one, two, sink = real.open(), real.open(), MemorySink()
    first, second = exporter(real, one, sink), exporter(real, two, sink)
    facts(one, real.stream("a"))
    first.step()
    first.finish()
    facts(two, real.stream("b"))
    second.step()
    found = Bench().verdict(sink.lines)
    assert (found.problems, found.facts) == ((), 4)


def test_the_key_of_an_instance_is_the_same_in_every_process_and_for_ever(real: RealBench):
    one, two = real.open(), real.open()
    assert one.audit.export_seed() == two.audit.export_seed()
    assert len(one.audit.export_seed()) == 32
