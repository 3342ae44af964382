"""once, rotate, pause, resume, resolve: what they answer and what they put into the journal."""

import re

import pytest

from tests.integration.cli.acting import kinds

HEX = re.compile(r"[0-9a-f]{12,16}")


def test_once_creates_what_is_missing(rotator, place):
    shown = rotator("once", "-o", "json")
    assert shown.code == 0
    assert place.value()
    [credential] = shown.json["credentials"]
    assert (credential["state"], credential["ready"], shown.json["exit_code"]) == ("idle", True, 0)


def test_once_says_how_every_credential_is(fresh):
    assert fresh("once").out.startswith("workers-deploy: idle: fresh; rotates in ")


def test_a_target_that_strays_again_just_after_it_was_healed_says_when_it_is_healed_next(fresh, place):
    file = place.folder / "workers-deploy.env"
    file.unlink()
    assert fresh("once").code == 0
    assert place.value()
    file.unlink()

    said = fresh("once")
    assert said.code == 1, "what is out of sync is no success"
    assert f"out of sync: env_file:{file}; healed again in " in said.out
    assert "healed again in" in fresh("status").out


def test_once_without_credentials_says_so(rotator, place):
    place.write(credentials=[])
    assert rotator("once").out == "no credentials are configured\n"


def test_once_with_a_failing_provider_is_a_no(rotator, place):
    place.sandbox.stop()
    assert rotator("once").code == 1


@pytest.mark.parametrize("wait", ["5", "soon", "-1s"])
def test_a_wait_that_is_no_duration_is_a_usage_error(rotator, wait):
    assert rotator("once", f"--wait={wait}").code == 2


def test_the_log_goes_to_standard_error_as_it_is_asked_to(rotator):
    shown = rotator("once", "--log-format", "json")
    assert '"event":"rotation_confirmed"' in shown.err
    assert "event" not in shown.out


def test_a_request_is_journaled_with_who_and_why(fresh):
    shown = fresh("rotate", "workers-deploy", "--reason", "left on a bus", "-o", "json")
    assert shown.code == 0
    [request] = shown.json["requests"]
    assert HEX.fullmatch(request.pop("request_id"))
    assert request == {"credential": "workers-deploy", "rotation_id": None, "state": "requested", "skipped": []}
    fact = fresh("history", "workers-deploy", "-o", "json").json["facts"][-1]
    assert (fact["kind"], fact["detail"]["reason"]) == ("request", "left on a bus")
    assert fact["actor"] not in ("", "daemon")


def test_without_a_daemon_a_request_says_who_will_do_it(fresh):
    assert "no daemon runs" in fresh("rotate", "workers-deploy").err


def test_a_request_alone_changes_no_value(fresh, place):
    before = place.value()
    fresh("rotate", "workers-deploy")
    assert place.value() == before
    fresh("once")
    assert place.value() != before


def test_waiting_without_a_daemon_does_the_work(fresh, place):
    before = place.value()
    shown = fresh("rotate", "workers-deploy", "--wait", "60s", "-o", "json")
    assert shown.code == 0
    assert place.value() not in (None, before)
    [request] = shown.json["requests"]
    assert request["state"] in ("confirmed", "done")
    assert HEX.fullmatch(request["rotation_id"])


def test_waiting_until_done_waits_for_the_old_token(fresh, place):
    old = fresh("status", "-o", "json").json["credentials"][0]["token_id"]
    shown = fresh("rotate", "workers-deploy", "--wait", "60s", "--until", "done")
    assert shown.code == 0
    assert shown.out.startswith("workers-deploy: done, rotation ")
    assert place.sandbox.world.tokens[old].deleted_on is not None


def test_several_are_waited_for_together(place, rotator):
    place.write(place.credential("a"), place.credential("b"))
    shown = rotator("rotate", "a", "b", "a", "--wait", "60s", "-o", "json")
    assert shown.code == 0
    assert [request["credential"] for request in shown.json["requests"]] == ["a", "b"]


def test_a_glob_means_all_that_fit_it_and_none_is_a_usage_error(place, rotator):
    place.write(place.credential("ci-a"), place.credential("ci-b"), place.credential("dns"))
    asked = rotator("rotate", "ci-*", "-o", "json").json["requests"]
    assert [request["credential"] for request in asked] == ["ci-a", "ci-b"]
    assert len(rotator("rotate", "--all", "--yes", "-o", "json").json["requests"]) == 3
    assert rotator("pause", "web-*").code == 2
    assert rotator("status", "ci-*", "-o", "json").json["credentials"][1]["name"] == "ci-b"


def test_a_pending_request_is_seen_in_status_and_plan(fresh):
    fresh("rotate", "workers-deploy", "--reason", "left on a bus")
    [credential] = fresh("status", "-o", "json").json["credentials"]
    assert credential["request"]["reason"] == "left on a bus"
    assert credential["request"]["by"]
    assert "rotation requested" in fresh("status").out
    [row] = fresh("plan", "-o", "json").json["rotations"][:1]
    assert (row["credential"], row["reason"]) == ("workers-deploy", "requested")


def test_a_result_is_said_once_and_the_log_says_only_what_is_wrong(fresh):
    shown = fresh("rotate", "workers-deploy", "--wait", "60s")
    assert shown.code == 0
    assert shown.out.startswith("workers-deploy: ")
    assert "confirmed" not in shown.err
    assert "event" not in shown.err
    assert "operator_acted" not in shown.err
    assert '"event":"operator_acted"' in fresh("rotate", "workers-deploy", "--wait", "60s", "--log-format", "json").err


def test_a_first_creation_may_be_asked_for_before_the_first_start(rotator, place):
    assert rotator("rotate", "workers-deploy", "--wait", "60s").code == 0
    assert place.value()


def test_a_timeout_is_a_no_and_the_request_stays(rotator, place):
    place.sandbox.stop()
    shown = rotator("rotate", "workers-deploy", "--wait", "1s", "-o", "json")
    assert shown.code == 1
    assert shown.json["requests"][0]["state"] in ("requested", "rotating")


def test_an_operator_s_case_is_3(fresh, place):
    place.overwrite("somebody-else-wrote-this-0123456789")
    shown = fresh("rotate", "workers-deploy", "--wait", "60s")
    assert shown.code == 3
    assert "needs an operator" in shown.err


def test_a_paused_credential_keeps_the_request_and_says_so(fresh):
    fresh("pause", "workers-deploy")
    shown = fresh("rotate", "workers-deploy", "--wait", "1s")
    assert shown.code == 1
    assert "is paused" in shown.err


def test_a_roll_keeps_the_token_and_changes_the_value(fresh, place):
    before, token = place.value(), fresh("status", "-o", "json").json["credentials"][0]["token_id"]
    shown = fresh("rotate", "workers-deploy", "--strategy", "roll", "--outage-budget", "2m", "--wait", "60s")
    assert shown.code == 0
    assert fresh("status", "-o", "json").json["credentials"][0]["token_id"] == token
    assert place.value() != before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--strategy", "roll"),
        ("--strategy", "roll", "--outage-budget", "5s"),
        ("--strategy", "recreate", "--outage-budget", "2m"),
        ("--outage-budget", "2m"),
        ("--strategy", "republish"),
        ("--wait", "later"),
        ("--until", "tomorrow"),
    ],
)
def test_a_wrong_request_is_2_and_asks_nothing(fresh, arguments):
    assert fresh("rotate", "workers-deploy", *arguments).code == 2
    assert "request" not in kinds(fresh)


def test_one_unknown_name_among_several_asks_nothing(fresh):
    assert fresh("rotate", "workers-deploy", "nobody").code == 2
    assert "request" not in kinds(fresh)


def test_what_left_the_configuration_is_not_rotated(fresh, place):
    place.write(place.credential("other"))
    shown = fresh("rotate", "workers-deploy")
    assert shown.code == 2
    assert "not in the configuration" in shown.err


ELSEWHERE = {"in": ["198.51.100.0/24"]}


def test_a_token_that_this_host_may_not_use_is_a_failure_with_what_to_do_and_never_a_silent_wait(rotator, place):
    place.write(place.credential("far", request_ip=ELSEWHERE))

    assert rotator("once", "--wait", "10s").code == 1
    [credential] = rotator("status", "-o", "json").json["credentials"]
    assert credential["state"] == "failing"
    assert credential["failing_since"]
    assert "from location" in credential["problem"]["message"]
    assert "verify: get" in credential["problem"]["remedy"]
    for arguments in (("status",), ("status", "far")):
        assert f"do: {credential['problem']['remedy']}" in rotator(*arguments).out
    assert "from location" in rotator("history", "far").out


def test_by_explicit_choice_it_is_published_on_the_management_tokens_word(rotator, place):
    place.write(place.credential("far", request_ip=ELSEWHERE, verify="get"))

    assert rotator("once", "--wait", "10s").code == 0
    [credential] = rotator("status", "-o", "json").json["credentials"]
    assert (credential["state"], credential["ready"]) == ("idle", True)


def test_a_consumers_word_is_journaled_with_who_said_it(fresh):
    fresh("once", "--wait", "10s")
    arguments = ("ack", "workers-deploy", "--target", "env_file:workers-deploy.env", "--generation", "1")
    [target] = fresh("status", "-o", "json").json["credentials"][0]["targets"]
    done = fresh(
        *[target["name"] if word == "env_file:workers-deploy.env" else word for word in arguments], "-o", "json"
    )

    assert done.code == 0
    assert done.json["acknowledged"][0]["generation"] == 1
    said = [fact for fact in fresh("history", "workers-deploy", "-o", "json").json["facts"] if fact["kind"] == "ack"]
    assert said[0]["actor"] not in ("", "daemon")


@pytest.mark.parametrize(
    ("target", "generation", "said"), [("nowhere", "1", "no target"), (None, "9", "never published")]
)
def test_a_word_about_what_does_not_exist_is_the_answer_no(fresh, target, generation, said):
    [known] = fresh("status", "-o", "json").json["credentials"][0]["targets"]
    done = fresh("ack", "workers-deploy", "--target", target or known["name"], "--generation", generation)

    assert done.code == 1
    assert said in done.err


# ------------------------------------------------------------------------------------------------- what people are told
@pytest.mark.parametrize(
    "act", [("rotate", "workers-deploy"), ("pause", "workers-deploy"), ("resume", "workers-deploy")], ids="-".join
)
def test_an_operators_verb_says_its_result_and_pours_no_log_before_it(fresh, act):
    shown = fresh(*act)

    said = (shown.out + shown.err).splitlines()
    assert shown.code == 0
    assert 1 <= len(said) <= 2, "the result, and at most what a person needs to know beside it"
    assert not [line for line in said if "event" in line or " info " in line.lower()]


def test_a_rotation_that_is_waited_for_says_each_step_once(fresh):
    shown = fresh("rotate", "workers-deploy", "--wait", "30s")

    said = (shown.out + shown.err).splitlines()
    assert shown.code == 0
    assert len([line for line in said if "confirmed" in line]) == 1
    assert len(said) == len(set(said))
