"""One opened instance: readers, writers, reload, names, statuses."""

import json

import pytest

from rotator.app import app as app_module
from rotator.app.connection_note import ConnectionNote
from rotator.app.reload import reload
from rotator.core import encoding
from rotator.core.credential import NEVER, State
from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.facts import Kind
from rotator.journal.key_file import generate_key


def test_a_reader_works_before_the_first_start_and_changes_nothing(opened, place):
    before = sorted(p.name for p in place.folder.iterdir())
    app = opened("reader")

    assert [s.state for s in app.queries.statuses()] == [State.UNINITIALIZED]
    assert list(app.queries.history()) == []
    assert app.queries.connection_note("prod") == ConnectionNote()
    assert app.queries.now("prod") == pytest.approx(app.clock.utc(), abs=5)
    assert sorted(p.name for p in place.folder.iterdir()) == before


@pytest.mark.parametrize("asked", [lambda app: app.writable, lambda app: app.fleet])
def test_a_reader_without_a_journal_says_what_to_start(opened, asked):
    with pytest.raises(ConfigError, match="no journal yet") as caught:
        asked(opened("reader"))
    assert "rotator run" in caught.value.remedy


def test_a_reader_knows_the_streams_of_the_writer(opened):
    ids = dict(opened().ids)

    assert opened("reader").ids == ids


def test_a_reader_follows_a_rename_that_no_writer_has_seen_yet(opened, place):
    ids = dict(opened().ids)
    place.write(place.credential("deploy") | {"renamed_from": "workers-deploy"})

    assert opened("reader").ids == {"deploy": ids["workers-deploy"]}


def test_an_unknown_name_names_the_nearest(app):
    with pytest.raises(ConfigError, match="there is no credential workers-deplo") as caught:
        app.queries.stream("workers-deplo")
    assert caught.value.remedy == "did you mean workers-deploy?"


def test_a_name_like_no_other_points_at_the_status(app):
    with pytest.raises(ConfigError) as caught:
        app.queries.stream("zzzzzzzzz")
    assert caught.value.remedy == "see `rotator status`"


def test_an_operators_fact_is_journaled_under_the_credentials_name(app):
    app.note("workers-deploy", encoding.draft(Kind.PAUSED, at=1.0, actor="ann"))

    assert [(name, fact.kind, fact.actor) for name, fact in app.queries.history()] == [
        ("workers-deploy", Kind.PAUSED, "ann")
    ]
    assert [fact.kind for _, fact in app.queries.history("workers-deploy")] == [Kind.PAUSED]
    assert app.queries.statuses()[0].state is State.PAUSED


def test_a_credential_that_left_the_configuration_is_shown_as_unmanaged(opened, place):
    opened().close()
    place.write(place.credential("other"))
    app = opened()

    assert [(s.name, s.state) for s in app.queries.statuses()] == [
        ("other", State.UNINITIALIZED),
        ("workers-deploy", State.UNMANAGED),
    ]
    assert app.queries.stream("workers-deploy")


# --- reload


def test_a_file_that_did_not_change_is_no_reload(app):
    assert reload(app) is False


def test_a_changed_file_becomes_effective(app, place):
    place.write(place.credential("workers-deploy"), place.credential("other"))

    assert reload(app) is True
    assert [c.name for c in app.queries.credentials] == ["workers-deploy", "other"]
    assert len(app.fleet.credentials) == 2


def test_a_file_that_the_journal_could_not_take_is_taken_at_the_next_reload(app, place, monkeypatch):
    place.write(place.credential("workers-deploy"), place.credential("other"))

    def full(*_):
        raise JournalUnsafe("writing to the journal: disk full")

    with monkeypatch.context() as broken:
        broken.setattr(app.writable.streams, "register", full)
        with pytest.raises(JournalUnsafe):
            reload(app)
    assert [s.name for s in app.queries.statuses()] == ["workers-deploy"]

    assert reload(app) is True
    assert [s.name for s in app.queries.statuses()] == ["workers-deploy", "other"]


def test_what_left_the_configuration_is_looked_at_again_when_it_changes(app, place):
    """Its connection may have come back, without which its open work could not go on."""
    place.write(place.credential("other"))
    reload(app)
    gone = app.queries.stream("workers-deploy")
    lease = app.writable.claim(gone)
    app.writable.release(lease, NEVER)

    place.write(place.credential("third"))
    reload(app)
    assert gone in [due.stream for due in app.writable.due("prod", app.queries.now("prod"), 9)]


def test_a_wrong_file_is_refused_as_a_whole(app, place):
    (place.folder / "rotator.yaml").write_text("version: 1\n")

    with pytest.raises(ConfigError):
        reload(app)
    assert [c.name for c in app.queries.credentials] == ["workers-deploy"]


def test_a_file_that_is_gone_is_refused(app, place):
    (place.folder / "rotator.yaml").unlink()

    with pytest.raises(ConfigError):
        reload(app)


def test_the_state_cannot_move_while_the_daemon_runs(app, place):
    found = json.loads((place.folder / "rotator.yaml").read_text())
    found["http"] = {"listen": "127.0.0.1:1"}
    (place.folder / "rotator.yaml").write_text(json.dumps(found))

    with pytest.raises(ConfigError, match=r"http\.listen changed, which takes effect at a start only"):
        reload(app)


# --- the key


def test_the_key_of_a_default_state_is_made_once(opened, place, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(place.folder / "state"))
    found = json.loads((place.folder / "rotator.yaml").read_text())
    del found["state"]
    (place.folder / "rotator.yaml").write_text(json.dumps(found))
    first = opened()
    key = first.config.state.folder / "rotator.key"
    made = key.read_bytes()
    first.close()
    opened()

    assert key.read_bytes() == made
    assert key.stat().st_mode & 0o077 == 0


def test_the_key_that_another_first_start_makes_in_the_same_moment_is_used(opened, place, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(place.folder / "state"))
    found = json.loads((place.folder / "rotator.yaml").read_text())
    del found["state"]
    (place.folder / "rotator.yaml").write_text(json.dumps(found))
    made = []

    def second(path):
        made.append(generate_key(path))
        return generate_key(path)

    monkeypatch.setattr(app_module, "generate_key", second)
    key = opened().config.state.folder / "rotator.key"

    assert key.read_text().split(":")[1:2] == made


def test_a_default_state_that_cannot_be_made_says_where_and_what_to_do(opened, place, monkeypatch):
    found = json.loads((place.folder / "rotator.yaml").read_text())
    del found["state"]
    (place.folder / "rotator.yaml").write_text(json.dumps(found))
    (place.folder / "a-file").write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", str(place.folder / "a-file" / "state"))

    with pytest.raises(
        JournalUnsafe, match=r"making the folder of the state, .*a-file/state: Not a directory"
    ) as caught:
        opened()
    assert "state.url" in caught.value.remedy
