"""revoke: a leaked value is replaced everywhere, then killed; what it answers, and what it leaves in the journal."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from rotator.sandbox.message import Request

NAME = "workers-deploy"
KEYS = {
    "credential",
    "token_id",
    "successor_token_id",
    "published_after_seconds",
    "disabled_after_seconds",
    "state",
    "message",
}


def facts(rotator, kind):
    found = rotator("history", NAME, "-o", "json").json["facts"]
    return [fact for fact in found if fact["kind"] == kind]


def current(rotator):
    [credential] = rotator("status", "-o", "json").json["credentials"]
    return credential


def lives(place, value):
    """Whether the provider accepts a value, asked as any client would."""
    url = "/client/v4/accounts/a0000000000000000000000000000001/tokens/verify"
    headers = {"host": "127.0.0.1", "authorization": f"Bearer {value}"}
    answer = place.sandbox.gateway.answer(Request("GET", url, "", headers, b"", "127.0.0.1"))
    return answer.status == 200 and json.loads(answer.body)["result"]["status"] == "active"


def read(place, path):
    """The value that stands in a file."""
    return re.search(r"^CLOUDFLARE_API_TOKEN=(.*)$", (place.folder / path).read_text(), re.MULTILINE)[1].strip("'\"")


def test_a_leaked_value_is_replaced_everywhere_and_then_dead(fresh, place):
    leaked, old = place.value(), current(fresh)["token_id"]
    shown = fresh("revoke", NAME, "-o", "json")

    assert shown.code == 0
    [row] = shown.json["revoked"]
    assert row.keys() == KEYS
    assert (row["credential"], row["token_id"], row["state"]) == (NAME, old, "deleted")
    assert row["successor_token_id"] == current(fresh)["token_id"] != old
    assert 0 <= row["published_after_seconds"] <= row["disabled_after_seconds"] < 60
    assert row["message"].endswith("its successor stands at every target")
    assert place.value() != leaked
    assert lives(place, place.value())
    assert not lives(place, leaked)


def test_who_revoked_it_and_why_is_in_the_audit_trail_without_the_value(fresh, place):
    leaked = place.value()
    fresh("revoke", NAME, "--reason", f"found {leaked} in a build log", "--yes")

    [fact] = facts(fresh, "revoked")
    assert fact["actor"] not in ("", "daemon")
    assert fact["detail"]["reason"] == "found [redacted] in a build log"


def test_a_value_of_an_unknown_token_in_a_reason_is_scrubbed_by_its_shape(fresh):
    fresh("pause", NAME, "--reason", "cfut_0123456789abcdefghijklmnopqrstuvwxyz012345678901 leaked")

    assert facts(fresh, "paused")[0]["detail"]["reason"] == "[redacted] leaked"


def test_it_passes_a_pause(fresh, place):
    leaked = place.value()
    fresh("pause", NAME)

    assert fresh("revoke", NAME).code == 0
    assert not lives(place, leaked)
    assert lives(place, place.value())


def test_progress_goes_to_standard_error_in_plain_lines(fresh):
    shown = fresh("revoke", NAME)

    assert f"{NAME}: revoked; its successor is about to be made" in shown.err
    assert "no daemon runs on this journal; this process does the work" in shown.err
    assert shown.out.startswith(f"{NAME}: token ")
    assert "disabled" in shown.out.partition(": token ")[2]


def test_without_a_successor_it_is_dead_at_once_and_nothing_starts_until_resume(fresh, place):
    leaked = place.value()
    shown = fresh("revoke", NAME, "--without-successor", "-o", "json")

    [row] = shown.json["revoked"]
    assert (shown.code, row["successor_token_id"], row["published_after_seconds"]) == (0, None, None)
    assert f"rotator resume {NAME}" in row["message"]
    assert not lives(place, leaked)
    found = current(fresh)
    assert (found["ready"], found["state"], found["targets"][0]["in_sync"]) == (False, "paused", False)
    fresh("once")
    assert place.value() == leaked
    fresh("resume", NAME)
    fresh("once")
    assert lives(place, place.value())


def test_a_second_revoke_joins_the_first_while_that_is_unfinished(fresh, place):
    assert fresh("revoke", NAME, "--wait", "0s").code == 1
    place.sandbox.gateway.faults.arm({"operation": "update", "kind": "status", "status": 500, "times": 100})
    assert fresh("revoke", NAME, "--wait", "3s", "-o", "json").code == 1
    cure = current(fresh)["token_id"]
    place.sandbox.gateway.faults.clear()

    shown = fresh("revoke", NAME, "-o", "json")
    assert shown.code == 0
    assert [row["successor_token_id"] for row in shown.json["revoked"]] == [cure]
    assert current(fresh)["token_id"] == cure


def test_a_revoke_that_is_finished_is_joined_by_nobody(fresh):
    first = fresh("revoke", NAME, "-o", "json").json["revoked"][0]["successor_token_id"]
    rows = fresh("revoke", NAME, "-o", "json").json["revoked"]

    assert first in [row["token_id"] for row in rows]


def test_a_target_that_is_away_does_not_hold_it_and_is_written_when_it_comes_back(rotator, place):
    away = place.folder / "away"
    away.mkdir()
    targets = [
        {"type": "env_file", "name": "here", "path": "here.env"},
        {"type": "env_file", "name": "there", "path": "away/there.env"},
    ]
    place.write(place.credential(NAME, targets=targets))
    assert rotator("once").code == 0
    leaked = read(place, "here.env")
    away.rename(place.folder / "gone")

    shown = rotator("revoke", NAME, "--wait", "90s", "-o", "json")
    assert shown.code == 0, shown.err
    [row] = shown.json["revoked"]
    assert "there gets it as soon as it can be written" in row["message"]
    assert not lives(place, leaked)
    assert lives(place, read(place, "here.env"))
    (place.folder / "gone").rename(away)
    assert rotator("once", "--wait", "30s").code == 0
    assert read(place, "away/there.env") == read(place, "here.env")


def test_at_the_timeout_the_answer_is_no_and_says_that_the_value_still_works(fresh, place):
    place.sandbox.stop()
    shown = fresh("revoke", NAME, "--wait", "1s", "-o", "json")

    assert shown.code == 1
    [row] = shown.json["revoked"]
    assert (row["state"], row["disabled_after_seconds"]) == ("pending", None)
    assert row["message"].startswith("not disabled yet: the leaked value still works")


def test_nothing_that_lives_is_a_no_that_says_what_to_do(rotator):
    shown = rotator("revoke", NAME)

    assert shown.code == 1
    assert "rotator discover" in shown.err


def test_an_unknown_name_is_a_no_that_names_the_nearest(fresh):
    shown = fresh("revoke", "worker-deploy")

    assert shown.code == 1
    assert NAME in shown.err


def test_a_glob_means_several_and_a_terminal_is_asked_once(fresh, monkeypatch, place):
    leaked = place.value()

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("rotator.cli.preview.is_terminal", lambda stream: True)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    shown = fresh("revoke", "workers-*")
    assert shown.code == 1
    assert f"revoke {NAME}: a successor to 1 target, then token " in shown.err
    assert lives(place, leaked)


def test_of_a_glob_those_that_have_nothing_to_revoke_are_passed_over(fresh, place):
    place.write(place.credential(NAME), place.credential("workers-new"))

    assert fresh("revoke", "workers-new").code == 1
    shown = fresh("revoke", "workers-*", "-o", "json")
    assert (shown.code, [row["credential"] for row in shown.json["revoked"]]) == (0, [NAME])


@pytest.mark.parametrize("words", ["--without-successor", "Exit 0 once", "--reason"])
def test_its_help_can_be_followed_by_someone_who_has_never_seen_it(rotator, words):
    assert words in rotator("revoke", "--help").out


# ------------------------------------------------------------------------------------------------- one token, by its id
def revoked(shown):
    [row] = shown.json["revoked"]
    return row


def test_one_token_is_ended_by_its_id_and_its_credential_gets_a_successor(fresh, place):
    leaked, old = place.value(), current(fresh)["token_id"]
    shown = fresh("revoke", "--token-id", old, "--connection", "prod", "-o", "json")

    row = revoked(shown)
    assert (shown.code, row["credential"], row["state"], row["successor_token_id"]) == (0, NAME, "disabled", None)
    assert row.keys() == KEYS
    assert not lives(place, leaked)
    assert place.value() == leaked, "nothing was minted by the command itself"
    assert [fact["actor"] for fact in facts(fresh, "revoked")] != ["daemon"]
    assert fresh("once").code == 0
    assert lives(place, place.value())


def test_without_a_readable_journal_it_is_ended_and_marked_for_whoever_opens_it(fresh, place):
    leaked, old = place.value(), current(fresh)["token_id"]
    journal = place.folder / "state.db"
    content = journal.read_bytes()
    journal.write_bytes(b"this is no database, and the disk is to blame" * 100)

    by_name = fresh("revoke", NAME)
    assert by_name.code == 1
    assert "--token-id ID --connection C" in by_name.err
    shown = fresh("revoke", "--token-id", old, "--connection", "prod", "-o", "json")
    assert (shown.code, revoked(shown)["credential"]) == (0, None)
    assert "it takes the revoke when it can" in shown.err
    assert not lives(place, leaked)

    journal.write_bytes(content)
    for beside in place.folder.glob("state.db-*"):
        if beside.suffix != ".key":
            beside.unlink(missing_ok=True)
    assert fresh("once").code == 0
    assert len(facts(fresh, "revoked")) == 1
    assert lives(place, place.value())
    assert list((place.folder / "revoked").iterdir()) == []


def test_a_token_that_nobody_has_is_a_no(fresh):
    shown = fresh("revoke", "--token-id", "0" * 32, "--connection", "prod", "--wait", "3s")

    assert shown.code == 1
    assert "rotator discover" in shown.err


def test_the_management_token_ends_itself_never_and_the_dashboard_is_named(fresh, place):
    own = place.sandbox.world.roles["account-management"]
    for named in (("--role", "management"), ("--token-id", own)):
        shown = fresh("revoke", *named, "--connection", "prod")
        assert shown.code == 3
        assert "https://dash.cloudflare.com/" in shown.err


def paired(place):
    document = json.loads((place.folder / "rotator.yaml").read_text())
    document["connections"]["prod"]["standby_token"] = {"file": "account-standby"}
    (place.folder / "rotator.yaml").write_text(json.dumps(document))


@pytest.mark.parametrize("role", ["management", "standby"])
def test_a_management_token_is_ended_by_its_partner(fresh, place, role):
    paired(place)
    value = place.sandbox.credentials[f"account-{role}"]
    shown = fresh("revoke", "--role", role, "--connection", "prod", "-o", "json")

    row = revoked(shown)
    assert (shown.code, row["token_id"], row["state"]) == (0, place.sandbox.world.roles[f"account-{role}"], "disabled")
    assert "rotator bootstrap prod" in row["message"]
    assert not lives(place, value)
    again = fresh("revoke", "--role", role, "--connection", "prod")
    assert again.code == 1, "it is dead already, and its partner is not taken for it"
    other = {"management": "standby", "standby": "management"}[role]
    assert lives(place, place.sandbox.credentials[f"account-{other}"])


def test_a_value_in_the_place_of_an_id_is_shown_nowhere_and_kept_nowhere(fresh, place):
    shown = fresh("revoke", "--token-id", place.value(), "--connection", "prod")

    assert shown.code == 2
    assert place.value() not in shown.out + shown.err
    assert not (place.folder / "revoked").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--token-id", "0" * 32),
        ("--role", "management"),
        ("--connection", "prod"),
        (NAME, "--token-id", "0" * 32, "--connection", "prod"),
        ("--token-id", "0" * 32, "--role", "standby", "--connection", "prod"),
        ("--token-id", "not-an-id", "--connection", "prod"),
        ("--role", "third", "--connection", "prod"),
    ],
)
def test_what_is_named_by_halves_or_twice_is_a_usage_error(fresh, words):
    assert fresh("revoke", *words).code == 2


def test_a_connection_that_does_not_exist_is_the_answer_no(fresh):
    assert fresh("revoke", "--token-id", "0" * 32, "--connection", "nowhere").code == 1
