"""forget: what the journal keeps of a credential that left the configuration ends; its tokens live on."""

import sqlite3

import pytest


@pytest.fixture
def gone(fresh, place):
    """`workers-deploy` has a token and left the configuration."""
    place.write(place.credential("another"))
    assert fresh("once").code == 0
    return fresh


def names(rotator):
    return {one["name"] for one in rotator("status", "--all", "-o", "json").json["credentials"]}


def test_it_is_in_no_status_any_more_and_its_token_is_named_and_lives(gone, place, sandbox):
    (token,) = [t for t in sandbox.world.tokens.values() if t.name.startswith("workers-deploy~")]
    assert names(gone) == {"another", "workers-deploy"}
    done = gone("forget", "workers-deploy", "-o", "json")

    assert done.code == 0, done.err
    assert done.json == {"forgotten": [{"credential": "workers-deploy", "living_tokens": [token.id]}]}
    assert names(gone) == {"another"}
    assert token.status(sandbox.world.clock.now()) == "active"
    assert gone("audit", "verify").code == 0


def test_its_values_can_never_be_opened_again(gone, place):
    assert gone("forget", "workers-deploy").code == 0

    with sqlite3.connect(place.folder / "state.db") as connection:
        left = connection.execute("SELECT count(*) FROM sealed WHERE destroyed_at IS NULL").fetchone()
    assert left == (1,)  # that of the other one


def test_its_name_is_free_for_a_new_one_that_starts_anew(gone, place, sandbox):
    assert gone("forget", "workers-deploy").code == 0
    place.write(
        place.credential("another"), place.credential("workers-deploy", targets=[{"type": "env_file", "path": "b.env"}])
    )
    assert gone("once").code == 0

    facts = gone("history", "workers-deploy", "-o", "json").json["facts"]
    assert [f["kind"] for f in facts].count("confirmed") == 1


def test_a_configured_one_is_refused(fresh):
    done = fresh("forget", "workers-deploy")

    assert done.code == 1
    assert "stands in the configuration" in done.err


def test_one_of_which_something_is_open_is_refused(fresh, place):
    long = {"grace": "1h", "quiet": "1h", "soak": "1h"}
    place.write(place.credential("workers-deploy", rotation=long))
    assert fresh("rotate", "workers-deploy", "--wait", "30s").code == 0
    place.write(place.credential("another", rotation=long))
    assert fresh("once").code == 0
    done = fresh("forget", "workers-deploy")

    assert done.code == 1
    assert "a retirement of workers-deploy is still open" in done.err
    assert "workers-deploy" in names(fresh)


def test_who_forgot_it_stays_in_the_journal(gone, place):
    assert gone("forget", "workers-deploy", "--reason", "moved to another team").code == 0

    with sqlite3.connect(place.folder / "state.db") as connection:
        kinds = connection.execute("SELECT kind FROM fact ORDER BY rowid").fetchall()
    assert kinds[-1] == ("forgotten",)
