"""backup and restore as an operator types them."""

import pytest


def test_a_backup_is_written_proven_and_tells_what_it_holds(fresh, place):
    done = fresh("backup", "b.db", "-o", "json")
    assert done.code == 0, done.err
    said = done.json
    assert (said["verified"], said["values"], said["credentials"], said["spooled"]) == (True, 1, 1, 0)
    assert said["bytes"] == (place.folder / "b.db").stat().st_size
    assert (place.folder / "b.db").stat().st_mode & 0o777 == 0o600


def test_it_says_that_the_key_is_not_in_it(fresh):
    done = fresh("backup", "b.db")
    assert "every page and chain was checked" in done.out
    assert "is not in it: keep a copy of the key file in another place" in done.err


def test_an_existing_file_is_kept_unless_one_insists(fresh):
    assert fresh("backup", "b.db").code == 0
    assert fresh("backup", "b.db").code == 1
    assert fresh("backup", "b.db", "--force").code == 0


def test_before_the_first_start_there_is_nothing_to_back_up(rotator):
    done = rotator("backup", "b.db")
    assert (done.code, "there is none yet" in done.err) == (1, True)


def test_a_restore_puts_the_state_of_before_aside_and_marks_every_credential(fresh, place):
    fresh("backup", "b.db")
    done = fresh("restore", "b.db", "-o", "json")
    assert done.code == 0, done.err
    assert (done.json["marked"], done.json["spools"]) == (1, 0)
    assert place.folder.joinpath(done.json["put_aside"], "state.db").exists()
    (one,) = fresh("status", "-o", "json").json["credentials"]
    assert one["needs_operator"]["code"] == "restored_journal"
    assert fresh("resolve", "--all", "--retry").code == 0
    assert fresh("status", "-o", "json").json["credentials"][0]["needs_operator"] is None


def test_what_it_did_is_said_to_people(fresh):
    fresh("backup", "b.db")
    done = fresh("restore", "b.db")
    assert "each is marked as restored" in done.out
    assert "what was there lies in" in done.out
    assert "rotator resolve --all --retry" in done.err


@pytest.mark.parametrize("verb", ["backup", "restore"])
def test_the_verbs_show_examples(rotator, verb):
    assert f"rotator {verb} /backup/" in rotator(verb, "--help").out
