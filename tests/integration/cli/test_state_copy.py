"""state copy as an operator types it."""

import json

import pytest

from tests.servers.postgres import Postgres, shared


@pytest.fixture
def elsewhere(place):
    return f"sqlite:///{place.folder / 'new' / 'state.db'}"


def go_there(place, url, **more):
    """What the operator writes into the configuration afterwards."""
    for credential in place.credentials:
        for target in credential["targets"]:
            target["shared"] = True
    place.write(state={"url": url, "encryption_key": {"file": "rotator.key"}, **more})


def test_the_journal_moves_and_the_program_goes_on_there(fresh, place, elsewhere):
    done = fresh("state", "copy", "--to", elsewhere, "-o", "json")
    assert done.code == 0, done.err
    assert done.json["verified"] is True
    assert sorted(done.json) == ["facts", "values", "verified"]
    assert done.json["values"] == 1
    value = place.value()
    go_there(place, elsewhere)
    assert fresh("audit", "verify").code == 0
    assert fresh("rotate", "workers-deploy", "--wait", "60s").code == 0
    assert place.value() != value


def test_it_says_to_people_what_comes_next(fresh, place, elsewhere):
    done = fresh("state", "copy", "--to", elsewhere)
    assert "every chain was checked and every value opened" in done.out
    assert f"set state.url to {elsewhere}" in done.err
    assert "state.encryption_key read from file" in done.err


def test_the_old_place_says_where_the_journal_went(fresh, place, elsewhere):
    assert fresh("state", "copy", "--to", elsewhere).code == 0
    for verb in (("status",), ("once",), ("rotate", "workers-deploy"), ("state", "copy", "--to", elsewhere)):
        done = fresh(*verb)
        assert done.code != 0
        assert "it was moved to" in done.err, verb
    checked = fresh("state", "check", "-o", "json")
    assert "moved" in {finding["code"] for finding in checked.json["findings"]}
    assert checked.code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "postgresql://rotator@db/rotator"), "name its file: --password-file FILE"),
        (("--to", "postgresql://rotator:hidden@db/rotator", "--password-file", "x"), "password in the URL"),
        (("--to", "postgresql://db", "--password-file", "x"), "does not name a user and a database"),
        (("--to", "sqlite:///relative.db"), "write postgresql://user@host"),
        (("--to", "sqlite:////tmp/x.db", "--password-file", "x"), "leave --password-file away"),
        (("--to", "mysql://h/d"), "write postgresql://user@host"),
        (("--to", "sqlite:////tmp/x.db?mode=rw"), "not the URL of an SQLite file"),
        ((), "--to"),
    ],
)
def test_a_place_that_is_none_is_refused_with_what_to_write(fresh, arguments, says):
    done = fresh("state", "copy", *arguments)
    assert done.code == 2, done.err
    assert says in done.err
    assert "hidden" not in done.err


def test_before_the_first_start_there_is_nothing_to_move(rotator, place, elsewhere):
    done = rotator("state", "copy", "--to", elsewhere)
    assert (done.code, "there is none" in done.err) == (1, True)
    assert not (place.folder / "new").exists()


def test_it_shows_examples(rotator):
    assert "rotator state copy --to postgresql://" in rotator("state", "copy", "--help").out


@pytest.mark.postgres
def test_to_a_server_and_back(fresh, place, elsewhere):
    url = shared.cluster().url(shared.database())
    (place.folder / "db-password").write_text(Postgres.password + "\n")
    (place.folder / "db-password").chmod(0o600)
    before = json.loads(fresh("history", "-o", "json").out)
    done = fresh("state", "copy", "--to", url, "--password-file", "db-password", "-o", "json")
    assert done.code == 0, done.err
    go_there(place, url, password={"file": "db-password"})
    assert json.loads(fresh("history", "-o", "json").out) == before
    back = fresh("state", "copy", "--to", elsewhere, "-o", "json")
    assert back.code == 0, back.err
    assert back.json == done.json
    go_there(place, elsewhere)
    assert json.loads(fresh("history", "-o", "json").out) == before
