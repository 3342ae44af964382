"""Which configuration counts while its file is wrong: the one that a living daemon kept, and no other."""

import json

import pytest

from rotator.app.effective import effective, effective_for, one_journal
from rotator.core.errors import ConfigError
from rotator.host.marks import marked
from rotator.journal.presence import Configuration

WRONG = "version: 1\n  state: {url: sqlite:///state.db}\n"


@pytest.fixture
def kept(opened, place):
    """A daemon runs and has kept the configuration; the file is wrong since."""
    app = opened(kind="run")
    file = place.folder / "rotator.yaml"
    app.writable.presence.keep(Configuration(str(file), file.read_bytes()))
    file.write_text(WRONG)
    return app


def test_a_right_file_counts(place):
    found = effective(place.folder / "rotator.yaml")
    assert (found.problem, found.config.path) == ("", place.folder / "rotator.yaml")


def test_while_it_is_wrong_what_the_daemon_took_counts_and_the_problem_is_told(kept, place):
    found = effective(place.folder / "rotator.yaml")
    assert [c.name for c in found.config.credentials] == ["workers-deploy"]
    assert found.config.state.url == kept.config.state.url
    assert found.problem.startswith(f"{place.folder}/rotator.yaml:2:")


def test_it_is_found_by_another_path_of_the_same_file(kept, place, tmp_path_factory, monkeypatch):
    link = tmp_path_factory.mktemp("elsewhere") / "link.yaml"
    link.symlink_to(place.folder / "rotator.yaml")
    monkeypatch.setenv("STATE_DIRECTORY", str(place.folder))
    assert effective(link).problem


GONE = {
    "deleted": lambda file: file.unlink(),
    "moved away": lambda file: file.rename(file.with_name("old.yaml")),
    "a folder instead": lambda file: (file.unlink(), file.mkdir()),
    "a link that leads nowhere": lambda file: (file.unlink(), file.symlink_to("nowhere")),
}


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_a_file_that_is_gone_is_found_at_the_daemon_that_took_it(opened, place, monkeypatch, gone):
    """Its journal is where the file said, which is no usual place."""
    app, file = opened(kind="run"), place.folder / "rotator.yaml"
    app.writable.presence.keep(Configuration(str(file), file.read_bytes()))
    with marked(file):
        gone(file)
        for named in (str(file), None):
            found = effective_for(named)
            assert found.config.state.url == app.config.state.url
            assert "rotator.yaml" in found.problem
    if file.is_dir():
        file.rmdir()
    # daemons of tests beside this one hold files that say the same
    monkeypatch.setattr("rotator.app.effective.held", lambda most: ())
    with pytest.raises(ConfigError):
        effective(file)


def test_without_a_living_daemon_the_mistake_is_all_that_there_is(kept, place):
    kept.close()
    with pytest.raises(ConfigError):
        effective(place.folder / "rotator.yaml")


def test_what_was_kept_for_another_file_does_not_count(kept, place):
    other = place.folder / "other.yaml"
    other.write_text(WRONG)
    with pytest.raises(ConfigError):
        effective(other)


def test_a_daemon_that_kept_nothing_helps_nobody(opened, place):
    opened(kind="run")
    (place.folder / "rotator.yaml").write_text(WRONG)
    with pytest.raises(ConfigError):
        effective(place.folder / "rotator.yaml")


def test_a_daemon_that_was_killed_a_moment_ago_is_no_other_journal_s(place, monkeypatch):
    """Its mark on the file may go a moment later than its place in the journal."""
    still = iter([True, True, False])
    monkeypatch.setattr("rotator.app.effective.is_marked", lambda path: next(still))
    one_journal(effective(place.folder / "rotator.yaml").config)


def test_a_mark_that_stays_means_a_journal_elsewhere(place, monkeypatch):
    monkeypatch.setattr("rotator.app.effective.is_marked", lambda path: True)
    monkeypatch.setattr("rotator.app.effective.DYING", 1)
    with pytest.raises(ConfigError, match="with a journal elsewhere"):
        one_journal(effective(place.folder / "rotator.yaml").config)


def test_a_database_without_a_daemon_may_be_coming_back(place, monkeypatch):
    targets = [{"type": "env_file", "path": "a.env", "node": "here"}]
    document = json.loads((place.folder / "rotator.yaml").read_text())
    credentials = [one | {"targets": targets} for one in document["credentials"]]
    state = {"url": "postgresql://rotator@db.example/rotator"}
    state |= {"password": {"file": "p"}, "encryption_key": {"file": "k"}}
    document |= {"state": state, "node": "here", "credentials": credentials}
    (place.folder / "rotator.yaml").write_text(json.dumps(document))
    monkeypatch.setattr("rotator.app.effective.is_marked", lambda path: True)
    monkeypatch.setattr("rotator.app.effective._has_daemon", lambda state: False)
    monkeypatch.setattr("rotator.app.effective.DYING", 1)
    with pytest.raises(ConfigError, match="has no daemon") as found:
        one_journal(effective(place.folder / "rotator.yaml").config)
    assert "within a minute: try once more" in found.value.remedy
    assert "STATE_DIRECTORY" not in found.value.remedy


def test_while_the_inventory_of_a_fleet_is_wrong_the_one_that_the_daemon_took_counts(opened, place):
    file, inventory = place.folder / "rotator.yaml", place.folder / "fleet.jsonl"
    inventory.write_text('{"name": "one-of-many"}\n')
    place.write(fleet={"inventory": "fleet.jsonl", "template": place.credential("{name}")})
    app = opened(kind="run")
    app.writable.presence.keep(Configuration(str(file), file.read_bytes(), inventory.read_bytes()))

    inventory.write_text("not a row\n")

    found = effective(file)
    assert "one-of-many" in [credential.name for credential in found.config.credentials]
    assert found.problem.startswith(f"{inventory}:1:")
