"""rekey: the key of the state changes, alone and beside a daemon."""

import sqlite3

import pytest


@pytest.fixture
def key(place):
    return place.folder / "rotator.key"


def test_a_new_key_takes_over_and_the_old_line_may_go(fresh, place, key):
    assert fresh("keygen", "--add", "rotator.key").code == 0
    done = fresh("rekey", "-o", "json")

    assert done.code == 0, done.err
    new, old = (line.split(":")[1] for line in key.read_text().splitlines())
    counts = {"rewrapped": 1, "opened": 1}
    assert done.json == {**counts, "key_id": new, "before": [old], "unreadable": [], "bootstraps": []}
    key.write_text(key.read_text().splitlines()[0] + "\n")
    assert fresh("audit", "verify").code == 0
    assert fresh("rekey", "-o", "json").json["opened"] == 1


def test_it_says_which_line_may_go_and_until_when_it_is_kept(fresh, place, key):
    fresh("keygen", "--add", "rotator.key")
    done = fresh("rekey")
    old = key.read_text().splitlines()[1].split(":")[1]
    assert done.out.startswith("rewrapped 1 values; 1 open with key ")
    assert f"take {old} out of the key file; keep it for as long as backups from before exist" in done.err


def test_without_a_new_line_there_is_nothing_to_do(fresh):
    done = fresh("rekey", "-o", "json")
    assert (done.code, done.json["rewrapped"], done.json["opened"]) == (0, 0, 1)


def test_the_old_key_alone_does_not_open_the_journal_any_more_and_says_which_is_missing(fresh, place, key):
    fresh("keygen", "--add", "rotator.key")
    fresh("rekey")
    key.write_text(key.read_text().splitlines()[1] + "\n")
    done = fresh("rekey")
    assert done.code == 1
    assert "it is sealed under key" in done.err


def test_a_value_that_no_key_opens_is_named_by_its_credential(fresh, place):
    with sqlite3.connect(place.folder / "state.db") as connection:
        connection.execute("UPDATE sealed SET key_id = 'ffffffff'")
    done = fresh("rekey", "-o", "json")
    assert done.code == 1
    assert [one["credential"] for one in done.json["unreadable"]] == ["workers-deploy"]
