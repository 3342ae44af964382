"""state check: what is wrong with the journal, and what is still sure, as an operator reads it."""

import sqlite3

import pytest


def test_of_a_whole_journal_it_says_so(fresh):
    done = fresh("state", "check", "-o", "json")
    assert done.code == 0, done.err
    assert {one["code"] for one in done.json["findings"]} == {"facts", "keys"}
    (one,) = done.json["credentials"]
    assert (one["credential"], one["values"], one["opened"], one["current_opens"]) == ("workers-deploy", 1, 1, True)
    assert one["intact_to"] == one["facts"] > 5


def test_people_read_a_table(fresh):
    done = fresh("state", "check")
    assert "are bound to each other as they were written" in done.out
    assert "CREDENTIAL" in done.out
    assert "workers-deploy" in done.out


def test_before_the_first_start_there_is_nothing_wrong(rotator):
    done = rotator("state", "check", "-o", "json")
    assert (done.code, done.json["credentials"]) == (0, [])
    assert [one["code"] for one in done.json["findings"]] == ["journal_absent"]


def test_a_damaged_file_is_explained_and_no_traceback(fresh, place):
    (place.folder / "state.db").write_bytes(b"not any more" * 1000)
    done = fresh("state", "check")
    assert done.code == 1
    assert "not_a_database" in fresh("state", "check", "-o", "json").out
    assert "rotator restore" in done.out
    assert "Traceback" not in done.err


def test_a_missing_key_is_said_and_the_rest_is_looked_at_all_the_same(fresh, place):
    (place.folder / "rotator.key").unlink()
    done = fresh("state", "check", "-o", "json")
    assert done.code == 1
    assert "encryption_key" in {one["code"] for one in done.json["findings"]}
    assert done.json["credentials"][0]["facts"] > 5


def test_a_changed_fact_is_named_by_its_credential(fresh, place):
    with sqlite3.connect(place.folder / "state.db") as connection:
        connection.execute("DROP TRIGGER fact_no_update")
        connection.execute("UPDATE fact SET actor = 'somebody' WHERE position = 4")
    connection.close()
    done = fresh("state", "check", "-o", "json")
    (broken,) = [one for one in done.json["findings"] if one["level"] == "fail"]
    assert (done.code, broken["code"], broken["subject"]) == (1, "chain_broken", "credential workers-deploy")
    assert done.json["credentials"][0]["intact_to"] == 3


@pytest.mark.parametrize("verb", [("state", "check")])
def test_the_verb_shows_examples(rotator, verb):
    assert "rotator state check -o json" in rotator(*verb, "--help").out
