"""What `check` looks at, and what it says."""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from rotator.app.app import App
from rotator.app.fleet import ConfiguredFleet
from rotator.core.errors import Unavailable
from rotator.core.findings import Finding, Level, of_connection
from rotator.engine.provider_time import ProviderTime
from rotator.journal.key_file import generate_key
from rotator.registry import CONNECTIONS, SOURCES
from tests.unit.app.checked import start


def test_a_good_configuration_has_nothing_that_fails(looked):
    found = looked()

    assert {f.level for fs in found.values() for f in fs} <= {Level.OK, Level.WARN}
    assert {"configuration", "secret", "encryption_key", "clock", "target", "rate_budget"} <= set(found)


def test_offline_asks_nobody(looked):
    assert not {"clock", "target", "rate_budget"} & set(looked(offline=True))


def test_offline_reads_the_configuration_only(looked, place):
    (place.folder / "account-management").unlink()
    (place.folder / "rotator.key").unlink()
    found = looked(offline=True)

    assert "configuration" in found
    assert all(f.level is not Level.FAIL for fs in found.values() for f in fs)
    assert not {"secret", "encryption_key", "journal"} & set(found)


def test_a_secret_command_that_fails_is_one_finding_among_others(looked, place):
    file = place.folder / "rotator.yaml"
    document = json.loads(file.read_text())
    document["connections"]["prod"]["token"] = {"command": ["false"]}
    file.write_text(json.dumps(document))
    found = looked()

    assert [f.level for f in found["secret"]].count(Level.FAIL) == 1
    assert "encryption_key" in found


def test_a_secret_that_cannot_be_read_is_said_with_its_remedy(looked, place):
    (place.folder / "account-management").unlink()
    (finding,) = looked()["secret"]

    assert finding.level is Level.FAIL
    assert finding.subject == of_connection("prod")
    assert finding.remedy


def test_a_key_that_cannot_be_read_leaves_the_state_alone_and_everything_else_is_still_looked_at(looked, place):
    (place.folder / "rotator.key").unlink()
    found = looked()

    assert found["encryption_key"][0].level is Level.FAIL
    assert {"clock", "target", "grants", "management_token"} <= set(found)
    assert "journal" not in found
    assert not (place.folder / "state.db").exists()


def everything(folder):
    """Every file below a folder and when it was changed."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_before_the_first_start_nothing_is_made(looked, place):
    before = everything(place.folder)
    (journal,) = looked()["journal"]

    assert journal.level is Level.OK
    assert "there is no journal yet" in journal.message
    assert everything(place.folder) == before


def test_a_key_that_nobody_configured_is_not_made_either(looked, place, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(place.folder / "made" / "at" / "start"))
    document = json.loads((place.folder / "rotator.yaml").read_text())
    del document["state"]
    (place.folder / "rotator.yaml").write_text(json.dumps(document))

    assert looked()["journal"][0].level is Level.OK
    assert not (place.folder / "made").exists()


def test_a_journal_is_read_and_not_written(looked, place):
    start(place)
    with closing(sqlite3.connect(place.folder / "state.db")) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (place.folder / "state.db").read_bytes()
    found = looked()

    assert found["journal"][0].message.endswith("can be opened with this key")
    assert (found["clock"][0].level, found["target"][0].level) == (Level.OK, Level.OK)
    assert (place.folder / "state.db").read_bytes() == content
    assert not list(place.folder.glob("state.db-process-*"))


def test_a_check_goes_on_beside_a_process_that_writes(looked, app):
    assert {f.level for found in looked().values() for f in found} <= {Level.OK, Level.WARN}
    assert len(app.writable.presence.processes()) == 1


def test_another_key_than_the_journals_fails(looked, place):
    start(place)
    (place.folder / "rotator.key").unlink()
    generate_key(place.folder / "rotator.key")
    found = looked()

    assert found["journal"][0].level is Level.FAIL
    assert {"clock", "target"} <= set(found), "the rest is looked at all the same"


@pytest.mark.parametrize("begun", [False, True])
def test_a_place_of_the_state_that_may_not_be_written_fails(looked, place, monkeypatch, begun):
    if begun:
        start(place)
    monkeypatch.setattr("rotator.app.state_checks.os.access", lambda path, mode, **more: False)
    (finding,) = looked()["journal"]

    assert (finding.level, "may not be written" in finding.message) == (Level.FAIL, True)
    assert "as the daemon's user" in finding.remedy


def test_a_key_that_lies_beside_the_data_deserves_a_word(looked, place):
    document = json.loads((place.folder / "rotator.yaml").read_text())
    del document["state"]
    (place.folder / "rotator.yaml").write_text(json.dumps(document))

    assert looked(offline=True)["key_beside_data"][0].level is Level.WARN


def test_a_state_that_is_no_journal_fails(looked, place):
    (place.folder / "state.db").write_text("no database at all" * 400)

    assert looked()["journal"][0].level is Level.FAIL


def test_a_provider_that_does_not_answer_fails(looked, monkeypatch):
    def away(*arguments):
        raise Unavailable("asking the provider: no answer", "look at its status")

    monkeypatch.setitem(SOURCES, "cloudflare", replace(SOURCES["cloudflare"], preflight=away))
    (finding,) = looked()["provider"]

    assert (finding.level, finding.remedy) == (Level.FAIL, "look at its status")


def test_a_provider_that_never_answered_told_no_time(looked, place):
    file = place.folder / "rotator.yaml"
    file.write_text(file.read_text().replace(place.sandbox.url, "http://127.0.0.1:9/client/v4"))
    found = looked()

    assert "clock" not in found
    assert Level.FAIL in {f.level for findings in found.values() for f in findings}


def test_a_clock_that_is_off_deserves_a_word_even_where_nobody_confirmed_it(looked, monkeypatch):
    monkeypatch.setattr(ProviderTime, "skew", property(lambda self: -3600.0))
    (finding,) = looked()["clock"]

    assert finding.level is Level.WARN
    assert "3600 s" in finding.message


@pytest.mark.parametrize(("required", "level"), [(True, Level.FAIL), (False, Level.WARN)])
def test_a_target_that_takes_no_write_fails_where_it_is_required(looked, place, required, level):
    # a folder stands where the file should be
    (place.folder / "taken").mkdir()
    good = {"type": "env_file", "path": "good.env"}
    bad = {"type": "env_file", "path": "taken", "required": required}
    place.write(place.credential("workers-deploy", targets=[good, bad]))

    assert [f.level for f in looked()["target"]] == [Level.OK, level]


def test_what_a_target_remarks_is_a_finding_with_its_remedy(looked, place):
    (place.folder / "app").mkdir()
    (place.folder / "app" / ".dev.vars").touch()
    (place.folder / "app" / ".env").touch(0o600)
    place.write(place.credential("workers-deploy", targets=[{"type": "env_file", "path": "app/.env"}]))
    found = looked()

    assert [f.level for f in found["target"]] == [Level.OK]
    assert [(f.level, str(f.subject), bool(f.remedy)) for f in found["shadowed"]] == [
        (Level.WARN, f"credential workers-deploy, target env_file:{place.folder}/app/.env", True)
    ]


def test_a_remark_about_a_place_that_another_target_serves_is_no_finding(looked, place):
    (place.folder / "app").mkdir()
    for name in (".dev.vars", ".env"):
        (place.folder / "app" / name).touch(0o600)
    targets = [{"type": "env_file", "path": f"app/{name}"} for name in (".env", ".dev.vars")]
    place.write(place.credential("workers-deploy", targets=targets))

    assert "shadowed" not in looked()


def test_a_credential_whose_adapters_cannot_be_opened_fails(looked, monkeypatch):
    monkeypatch.setattr(ConfiguredFleet, "bound", lambda self, stream, view: None)

    assert looked()["adapters"][0].level is Level.FAIL


def test_a_budget_that_the_watch_alone_uses_up_deserves_a_word(looked, place):
    document = json.loads((place.folder / "rotator.yaml").read_text())
    document["connections"]["prod"]["rate_budget"] = {"requests": 100, "window": "5m"}
    (place.folder / "rotator.yaml").write_text(json.dumps(document))
    (finding,) = looked()["rate_budget"]

    assert finding.level is Level.WARN
    assert finding.remedy == "raise rate_budget, or advanced.watch"


@pytest.fixture
def wrapped(place, monkeypatch):
    """A second target behind a Vault whose wrapped secret id is as the test says; nobody listens at its address."""
    proof = {"role_id": "r", "secret_id": {"file": "account-management"}, "wrapped": True}
    vault = {"type": "vault", "address": "http://127.0.0.1:1", "auth": {"approle": proof}}
    targets = [{"type": "env_file", "path": "a.env"}, {"type": "vault", "connection": "safe", "path": "ci/app"}]
    place.write(place.credential("workers-deploy", targets=targets))
    document = json.loads((place.folder / "rotator.yaml").read_text())
    document["connections"]["safe"] = vault
    (place.folder / "rotator.yaml").write_text(json.dumps(document))

    def is_(level, message):
        found = Finding(
            level=level, subject=of_connection("safe"), code="secret_id", message=message, remedy="fetch one"
        )
        monkeypatch.setitem(CONNECTIONS, "vault", replace(CONNECTIONS["vault"], preflight=lambda connection: (found,)))

    return is_


def test_a_target_behind_a_wrapped_secret_id_is_not_asked_and_that_is_said(looked, wrapped):
    wrapped(Level.OK, "can be opened until noon")
    found = looked()

    assert [(f.level, f.message) for f in found["secret_id"]] == [(Level.OK, "can be opened until noon")]
    assert [f.level for f in found["target"]] == [Level.OK, Level.WARN]
    assert "was not asked" in found["target"][1].message


def test_a_wrapped_secret_id_that_was_opened_fails_unless_a_daemon_runs_that_may_have_done_it(looked, place, wrapped):
    wrapped(Level.FAIL, "it was used already")
    assert looked()["secret_id"][0].level is Level.FAIL
    with App.open(place.folder / "rotator.yaml", "writer", kind="run"):
        (finding,) = looked()["secret_id"]

    assert finding.level is Level.WARN
    assert f"process {os.getpid()}" in finding.message
    assert finding.remedy == "fetch one"
