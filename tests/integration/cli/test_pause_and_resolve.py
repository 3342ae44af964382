"""Pause, resume, resolve, and the rest of what people do."""

import os

import pytest

from tests.integration.cli.acting import kinds


def test_a_pause_is_journaled_with_its_end_and_its_reason(fresh):
    shown = fresh("pause", "workers-deploy", "--for", "4h", "--reason", "freeze", "-o", "json")
    assert shown.code == 0
    [row] = shown.json["paused"]
    assert (row["credential"], row["reason"]) == ("workers-deploy", "freeze")
    credential = fresh("status", "-o", "json").json["credentials"][0]
    assert (credential["state"], credential["paused"]["reason"]) == ("paused", "freeze")
    assert credential["paused"]["until"] == row["until"]


def test_a_pause_without_an_end_lasts_until_it_is_resumed(fresh):
    assert fresh("pause", "--all").out == "workers-deploy: paused until `rotator resume workers-deploy`\n"
    assert fresh("resume", "--all").out == "workers-deploy: resumed\n"
    assert fresh("status", "-o", "json").json["credentials"][0]["state"] == "idle"


def test_resuming_what_was_not_paused_says_so(fresh):
    shown = fresh("resume", "workers-deploy", "-o", "json")
    assert shown.code == 0
    assert shown.json == {"resumed": [{"credential": "workers-deploy", "was_paused": False}]}


@pytest.mark.parametrize("arguments", [(), ("workers-deploy", "--all"), ("nobody",), ("workers-deploy", "--for", "0s")])
def test_a_pause_of_nobody_or_for_no_time_is_a_usage_error(fresh, arguments):
    assert fresh("pause", *arguments).code == 2


@pytest.mark.parametrize("reason", ["two\nlines", "\x1b[2J", "x" * 501])
def test_a_reason_is_one_line_of_the_audit_trail(fresh, reason):
    assert fresh("pause", "workers-deploy", "--reason", reason).code == 2
    assert "paused" not in kinds(fresh)


@pytest.fixture
def overridden(fresh, place):
    """`rotator`, with a foreign value at the target that the program has seen."""
    place.overwrite("somebody-else-wrote-this-0123456789")
    assert fresh("rotate", "workers-deploy", "--wait", "60s").code == 3
    return fresh


def test_status_explains_every_choice_in_the_case_at_hand(overridden):
    shown = overridden("status", "workers-deploy").out
    assert "needs an operator: target_overridden" in shown
    for how in ("retry", "accept", "abandon"):
        assert f"rotator resolve workers-deploy --{how}\n" in shown


def test_to_retry_is_to_do_ours(overridden, place):
    shown = overridden("resolve", "workers-deploy", "--retry", "--reason", "was a test", "-o", "json")
    assert shown.code == 0
    [row] = shown.json["resolved"]
    assert (row["credential"], row["how"], row["code"]) == ("workers-deploy", "retry", "target_overridden")
    assert overridden("once", "--wait", "20s").code == 0
    assert not place.value().startswith("somebody")


def test_to_accept_is_to_leave_theirs(overridden, place):
    assert overridden("resolve", "workers-deploy", "--accept").code == 0
    overridden("once")
    assert place.value().startswith("somebody")
    assert overridden("status", "-o", "json").json["credentials"][0]["needs_operator"] is None


def test_what_was_accepted_is_shown_by_whom_is_not_in_sync_and_is_skipped_aloud(overridden, place, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "alice")
    overridden("resolve", "workers-deploy", "--accept")
    overridden("once")

    [credential] = overridden("status", "-o", "json").json["credentials"]
    [target] = credential["targets"]
    assert (target["in_sync"], credential["ready"], target["accepted"]["by"]) == (False, False, "alice")
    assert target["accepted"]["at"].endswith("Z")
    assert "accepted by alice" in overridden("status").out
    assert "accepted by alice" in overridden("status", "workers-deploy").out

    shown = overridden("rotate", "workers-deploy", "--wait", "60s", "-o", "json")
    assert shown.code == 1, "the new value does not stand at every required target"
    [request] = shown.json["requests"]
    assert request["skipped"] == [target["name"]]
    assert place.value().startswith("somebody")


def test_to_undo_is_to_be_asked_again(overridden, place):
    assert overridden("resolve", "workers-deploy", "--undo").code == 1, "nothing was accepted yet"
    overridden("resolve", "workers-deploy", "--accept")
    overridden("once")

    [row] = overridden("resolve", "workers-deploy", "--undo", "-o", "json").json["resolved"]
    assert (row["how"], row["code"]) == ("undo", None)
    assert overridden("once").code == 3
    [credential] = overridden("status", "-o", "json").json["credentials"]
    assert credential["needs_operator"]["code"] == "target_overridden"
    assert credential["targets"][0]["accepted"] is None


def test_whoever_waits_is_told_why(fresh, place):
    file = place.folder / "workers-deploy.env"
    file.rename(place.folder / "aside")
    file.mkdir()
    shown = fresh("rotate", "workers-deploy", "--wait", "3s")
    assert shown.code == 1
    assert "workers-deploy: rotating (planned), rotation " in shown.err
    assert f"env_file:{file}: " in shown.err
    assert "(do: " in shown.err


@pytest.mark.parametrize("arguments", [(), ("--retry", "--accept"), ("--retry", "--undo")])
def test_one_decision_is_needed(overridden, arguments):
    assert overridden("resolve", "workers-deploy", *arguments).code == 2
    assert "resolved" not in kinds(overridden)


def test_to_resolve_all_is_to_decide_wherever_there_is_something_to_decide(overridden, place):
    place.write(place.credential("workers-deploy"), place.credential("calm"))
    overridden("once")
    assert [row["credential"] for row in overridden("resolve", "--all", "--retry", "-o", "json").json["resolved"]] == [
        "workers-deploy"
    ]
    assert overridden("resolve", "calm", "--retry").code == 1


def test_where_nothing_needs_an_operator_there_is_nothing_to_resolve(fresh):
    shown = fresh("resolve", "workers-deploy", "--retry")
    assert shown.code == 1
    assert "resolved" not in kinds(fresh)


def test_the_one_behind_sudo_is_named(fresh, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "alice")
    fresh("pause", "workers-deploy")
    assert fresh("status", "-o", "json").json["credentials"][0]["paused"]["actor"] == "alice"


def test_a_user_without_a_name_is_named_by_number(monkeypatch):
    from rotator.cli.names import operator

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_001)
    assert operator() == "uid-2000000001"


def test_names_are_completed_from_the_configuration(place, monkeypatch):
    from types import SimpleNamespace

    from rotator.cli.names import complete

    place.write(place.credential("web-a"), place.credential("web-b"), place.credential("dns"))
    monkeypatch.chdir(place.folder)
    context = SimpleNamespace(parent=None, params={})
    assert complete(context, "web") == ["web-a", "web-b"]
    (place.folder / "rotator.yaml").write_text("{")
    assert complete(context, "web") == []
