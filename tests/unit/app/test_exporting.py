"""The sinks of a configuration, each in a thread of its own: what a reload changes, what a sink that hangs costs."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from rotator.app import exporting
from rotator.app.exporting import Exports
from rotator.audit.https import HttpsSink
from rotator.audit.syslog import SyslogSink
from rotator.config.audit import FileStanza, HttpsStanza, SyslogStanza
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from tests.contract.journal.drafts import claimed, intent, planned


@pytest.fixture
def app(tmp_path: Path):
    """What the exports need of an opened writer: a journal with two facts, a configuration, a log."""
    generate_key(tmp_path / "rotator.key")
    journal = open_journal(f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "rotator.key")
    stream = journal.streams.register([("deploy", "prod", None)])["deploy"]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())
    said: list[tuple[str, dict]] = []
    made = SimpleNamespace(
        config=SimpleNamespace(audit=(), node="web1"),
        writable=journal,
        say=lambda event, **fields: said.append((event, fields)),
        said=said,
        folder=tmp_path,
    )
    yield made
    journal.close()


def file(app, name: str, **more) -> FileStanza:
    return FileStanza(name=name, type="file", path=app.folder / f"{name}.jsonl", **more)


def kinds(app, name: str) -> list[str | None]:
    path = app.folder / f"{name}.jsonl"
    return [json.loads(line).get("kind") for line in path.read_text().splitlines()] if path.exists() else []


def test_every_sink_that_is_configured_takes_every_fact(app):
    app.config.audit = (file(app, "one"), file(app, "two"))
    exports = Exports(app)
    assert exports.lags() == {"one": 2, "two": 2}
    exports.follow()
    exports.stop(patience=60)
    assert kinds(app, "one") == kinds(app, "two") == [None, "planned", "intent", None]
    assert exports.lags() == {"one": 0, "two": 0}
    assert app.said == []


def test_a_sink_that_left_the_configuration_ends_and_one_that_changed_goes_on_elsewhere(app):
    exports = Exports(app)
    app.config.audit = (file(app, "one"), file(app, "two"))
    exports.follow()
    moved = FileStanza(name="two", type="file", path=app.folder / "elsewhere.jsonl")
    app.config.audit = (moved,)
    exports.follow()
    exports.follow()
    exports.stop(patience=60)
    told = [*kinds(app, "two"), *kinds(app, "elsewhere")]
    assert [kind for kind in told if kind] == ["planned", "intent"]
    assert exports.lags() == {"two": 0}


def test_a_sink_that_hangs_delays_neither_another_one_nor_the_end(app, monkeypatch):
    never = threading.Event()

    class Hangs:
        def look(self):
            never.wait()

        def close(self):
            """Nothing is open."""

    real = exporting._sink
    monkeypatch.setattr(
        exporting, "_sink", lambda stanza, node: Hangs() if stanza.name == "hangs" else real(stanza, node)
    )
    app.config.audit = (file(app, "hangs"), file(app, "works"))
    exports = Exports(app)
    exports.follow()
    works = exports._running["works"]
    exports._running["works"][1].set()
    works[2].join()
    exports.stop(patience=0.01)
    assert [kind for kind in kinds(app, "works") if kind] == ["planned", "intent"]
    assert exports.lags() == {"hangs": 2, "works": 0}


def test_a_trouble_is_said_once_and_so_is_its_end(app):
    stanza = FileStanza(name="siem", type="file", path=app.folder / "logs" / "siem.jsonl")
    app.config.audit = (stanza,)
    exporter = Exports(app)._exporter(stanza)
    exporter.step()
    exporter.step()
    assert [event for event, _ in app.said] == ["audit_export_failed"]
    assert app.said[0][1]["sink"] == "siem"
    assert "make its folder" in app.said[0][1]["remedy"]
    (app.folder / "logs").mkdir()
    exporter.step()
    assert [event for event, _ in app.said] == ["audit_export_failed", "audit_export_resumed"]
    exporter.finish()


def test_an_error_that_should_not_exist_ends_no_export(app, monkeypatch):
    stanza = file(app, "one")
    app.config.audit = (stanza,)
    exports = Exports(app)
    exporter = exports._exporter(stanza)
    monkeypatch.setattr(exporter, "step", lambda: 1 / 0)
    assert exports._step(exporter) == exporting.BUG
    assert [event for event, _ in app.said] == ["internal_error"]


@pytest.mark.parametrize(
    ("stanza", "kind"),
    [
        (SyslogStanza(name="a", type="syslog", address="tls://[fd00::1]"), SyslogSink),
        (SyslogStanza(name="a", type="syslog", address="udp://localhost:5514", format="ocsf"), SyslogSink),
        (HttpsStanza(name="a", type="https", url="https://ingest.example.com"), HttpsSink),
    ],
)
def test_each_type_of_sink_is_made_and_nothing_is_opened_by_that(stanza, kind):
    assert isinstance(exporting._sink(stanza, "web1"), kind)


def test_where_a_syslog_server_is_is_read_off_its_address():
    def where(address: str) -> tuple[str, str, int]:
        return SyslogStanza(name="a", type="syslog", address=address).where

    assert [where(f"{way}://log") for way in ("udp", "tcp", "tls")] == [
        *(("udp", "log", 514), ("tcp", "log", 601), ("tls", "log", 6514)),
    ]
    assert where("tls://[fd00::1]:7") == ("tls", "fd00::1", 7)
