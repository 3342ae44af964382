"""status, plan, history, check, audit verify, healthcheck: what they answer, and that looking changes nothing."""

import http.server
import json
import sqlite3
import threading

import pytest

from rotator.core.facts import Kind

STATUS = {
    "version",
    "time",
    "daemons",
    "connections",
    "orphans",
    "credentials",
}
CREDENTIAL = {
    *("name", "connection", "owner", "strategy", "state", "ready", "generation", "token_id", "token_name"),
    *("expires_on", "next_rotation", "rotation_deadline", "last_success", "next_attempt", "rotation", "retirements"),
    *("paused", "needs_operator", "message", "targets"),
}


# --------------------------------------------------------------------------------------------------------------- status
def test_before_the_first_start_every_credential_is_uninitialized(rotator, place):
    shown = rotator("status", "-o", "json")
    assert shown.code == 0
    assert [c["state"] for c in shown.json["credentials"]] == ["uninitialized"]
    assert not (place.folder / "state.db").exists()


def test_the_document_has_the_fields_that_it_promises(fresh):
    document = fresh("status", "-o", "json").json
    assert document.keys() >= STATUS
    assert document["version"] == 1
    [credential] = document["credentials"]
    assert credential.keys() >= CREDENTIAL
    assert (credential["state"], credential["ready"], credential["generation"]) == ("idle", True, 1)
    assert credential["expires_on"].endswith("Z")
    assert credential["targets"] == [
        {
            "name": credential["targets"][0]["name"],
            "type": "env_file",
            "required": True,
            "in_sync": True,
            "generation": 1,
            "problem": None,
            "accepted": None,
            "ends": None,
            "outage_seconds": 0.0,
            "after_publish": None,
        }
    ]


def test_a_target_that_takes_no_write_is_named_with_why_and_what_to_do(rotator, place):
    place.write(place.credential("stuck", targets=[{"type": "env_file", "path": "app.env", "create": False}]))
    assert rotator("once").code == 1
    [credential] = rotator("status", "-o", "json").json["credentials"]
    problem = credential["targets"][0]["problem"]
    assert (problem["act"], "does not exist" in problem["message"]) == ("check", True)
    assert problem["remedy"].startswith("create the file")
    name = credential["targets"][0]["name"]
    assert credential["message"] == f"rotating: planned (a target cannot be written: {name})"
    for arguments in (("status",), ("status", "stuck")):
        shown = rotator(*arguments).out
        assert problem["message"] in shown
        assert f"do: {problem['remedy']}" in shown
    (place.folder / "app.env").touch(mode=0o600)
    assert rotator("once", "--wait", "20s").code == 0
    [credential] = rotator("status", "-o", "json").json["credentials"]
    assert (credential["state"], credential["targets"][0]["problem"]) == ("idle", None)


def test_no_value_is_ever_shown(fresh, place):
    value = place.value()
    for arguments in (("status",), ("status", "workers-deploy"), ("history",), ("plan",), ("check",)):
        for output in ("text", "json"):
            shown = fresh(*arguments, "-o", output)
            assert value not in shown.out + shown.err


def test_status_of_one_shows_it_in_full(fresh):
    shown = fresh("status", "workers-deploy")
    assert shown.out.startswith("workers-deploy\n  state          idle\n")


def test_status_of_some_shows_those_alone(place, rotator):
    place.write(*(place.credential(name) for name in ("a", "b", "c")))
    assert [c["name"] for c in rotator("status", "c", "a", "-o", "json").json["credentials"]] == ["a", "c"]


def test_labels_are_shown_and_pick_what_is_shown(place, rotator):
    place.write(
        place.credential("shop", labels={"team": "web", "tier": "1"}),
        place.credential("data", labels={"team": "data"}),
        place.credential("bare"),
    )
    shown = {one["name"]: one["labels"] for one in rotator("status", "-o", "json").json["credentials"]}
    assert shown == {"shop": {"team": "web", "tier": "1"}, "data": {"team": "data"}, "bare": {}}
    for asked, names in (("team=web", ["shop"]), ("team=*a*", ["data"]), ("team", ["shop", "data"]), ("x=1", [])):
        picked = rotator("status", "--label", asked, "-o", "json").json["credentials"]
        assert [one["name"] for one in picked] == names
    assert "team=web, tier=1" in rotator("status", "shop").out
    assert rotator("status", "--label", "=web").code == 2


def test_status_is_sorted_as_asked(place, rotator):
    place.write(*(place.credential(name) for name in ("c", "a", "b")))
    for sort in ("name", "expires", "rotates"):  # without a token no time is known: then the name decides
        shown = rotator("status", "--sort", sort, "-o", "json").json["credentials"]
        assert [c["name"] for c in shown] == ["a", "b", "c"]
    assert [c["name"] for c in rotator("status", "-o", "json").json["credentials"]] == ["c", "a", "b"]
    drawn = rotator("status", "--sort", "name").out
    assert drawn.index("\na ") < drawn.index("\nb ") < drawn.index("\nc ")


def test_an_unknown_name_is_answered_with_the_nearest(rotator):
    shown = rotator("status", "workers-deplo")
    assert (shown.code, shown.out) == (2, "")
    assert "did you mean workers-deploy?" in shown.err


def test_watching_cannot_be_one_document(rotator):
    assert rotator("status", "--watch", "-o", "json").code == 2


def test_watching_draws_until_it_is_interrupted(fresh, monkeypatch):
    waits = []

    def interrupted(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("rotator.cli.show.time.sleep", interrupted)
    shown = fresh("status", "--watch")
    assert shown.code == 0
    assert shown.out.count("CREDENTIAL") == 2


def test_watching_survives_a_file_that_is_being_edited(fresh, place, monkeypatch):
    def edited(seconds):
        if (place.folder / "rotator.yaml").read_text() == "version:":
            raise KeyboardInterrupt
        (place.folder / "rotator.yaml").write_text("version:")

    monkeypatch.setattr("rotator.cli.show.time.sleep", edited)
    shown = fresh("status", "--watch")
    assert shown.code == 0
    assert "rotator.yaml:1:" in shown.out


# ----------------------------------------------------------------------------------------------------------------- plan
def test_a_plan_says_what_a_first_start_would_do(rotator, place):
    document = rotator("plan", "--days", "0.01", "-o", "json").json
    [row] = document["rotations"]
    assert (row["credential"], row["reason"], row["strategy"]) == ("workers-deploy", "first creation", "recreate")
    assert document["connections"][0]["peak_overlap"] == 1
    assert not (place.folder / "state.db").exists()


def test_a_plan_knows_the_quota_after_a_first_start(fresh):
    [connection] = fresh("plan", "--days", "1", "-o", "json").json["connections"]
    assert connection["quota"]["peak"] > connection["quota"]["used"]


def test_a_plan_for_people_is_a_table(fresh):
    assert fresh("plan", "--days", "1").out.startswith("AT (UTC)")


# -------------------------------------------------------------------------------------------------------------- history
def test_a_history_is_every_fact_oldest_first(fresh):
    facts = fresh("history", "workers-deploy", "-o", "json").json["facts"]
    kinds = [fact["kind"] for fact in facts]
    steps = ["planned", "intent", "captured", "verified", "publishing", "confirmed"]
    assert [kind for kind in kinds if kind in steps] == steps
    assert all(fact.keys() >= {"time", "rotation", "kind", "epoch", "actor", "detail"} for fact in facts)
    assert {fact["kind"] for fact in facts} <= {kind.value for kind in Kind}


def test_a_history_may_be_cut_to_its_end(fresh):
    whole = fresh("history", "-o", "json").json["facts"]
    assert fresh("history", "-n", "2", "-o", "json").json["facts"] == whole[-2:]


def test_a_history_before_the_first_start_is_empty(rotator):
    assert rotator("history", "-o", "json").json == {"facts": []}
    assert rotator("history").out == "nothing has happened yet\n"


def test_a_history_of_nobody_is_a_usage_error(rotator):
    assert rotator("history", "nobody").code == 2


def test_a_history_holds_no_fingerprint(fresh, place):
    with sqlite3.connect(place.folder / "state.db") as db:
        found = {row[0] for row in db.execute("SELECT fingerprint FROM fact WHERE fingerprint != ''")}
    db.close()
    shown = fresh("history", "-o", "json").out
    assert found
    assert not any(fingerprint in shown for fingerprint in found)


# ---------------------------------------------------------------------------------------------------------------- check
def test_check_answers_one_finding_a_line(rotator):
    shown = rotator("check")
    assert shown.code == 0
    assert {line.split()[0] for line in shown.out.splitlines()} <= {"ok", "warn"}
    assert " 0 fail" in shown.err


def test_check_for_programs_has_level_subject_code_message_and_remedy(rotator):
    findings = rotator("check", "-o", "json").json["findings"]
    assert findings
    assert all(finding.keys() == {"level", "subject", "code", "message", "remedy"} for finding in findings)


def test_a_warning_is_a_no_when_that_is_asked_for(rotator):
    assert rotator("check", "--offline").code == 0  # the grace of these tests is short, which is worth a warning
    assert rotator("check", "--offline", "--fail-on", "warn").code == 1


def test_a_failure_is_a_no_with_a_remedy(rotator, place):
    (place.folder / "account-management").unlink()
    shown = rotator("check", "-o", "json")
    assert shown.code == 1
    assert any(finding["level"] == "fail" and finding["remedy"] for finding in shown.json["findings"])


def test_a_target_that_cannot_be_written_is_found_before_a_rotation_finds_it(rotator, place):
    place.write(place.credential("a", targets=[{"type": "env_file", "path": "no/such/folder/.env"}]))
    assert rotator("check").code == 1


def test_check_offline_asks_nobody_and_makes_nothing(rotator, place):
    place.sandbox.stop()
    (place.folder / "account-management").unlink()
    assert rotator("check", "--offline").code == 0
    assert not (place.folder / "state.db").exists()


def test_a_wrong_configuration_is_2_and_every_error_is_a_finding(rotator, place):
    place.write(no_such=1, nor_this=2)
    shown = rotator("check", "-o", "json")
    assert shown.code == 2
    assert [finding["level"] for finding in shown.json["findings"]] == ["fail", "fail"]
    assert rotator("check").err.count("error: rotator.yaml:") == 2


# --------------------------------------------------------------------------------------------------------- audit verify
def test_a_whole_trail_is_a_yes(fresh):
    shown = fresh("audit", "verify", "-o", "json")
    assert shown.code == 0
    assert shown.json["ok"] is True
    assert shown.json["facts"] > 5
    assert "every chain is whole" in fresh("audit", "verify").out


def test_a_past_that_was_edited_is_a_no_and_says_where(fresh, place):
    with sqlite3.connect(place.folder / "state.db") as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("UPDATE fact SET actor = 'nobody' WHERE position = 3")
    db.close()
    shown = fresh("audit", "verify", "-o", "json")
    assert shown.code == 1
    [broken] = shown.json["breaks"]
    assert (broken["credential"], broken["position"]) == ("workers-deploy", 3)
    assert "broken at fact 3 of workers-deploy" in fresh("audit", "verify").out


def test_before_the_first_start_there_is_nothing_to_verify(rotator):
    shown = rotator("audit", "verify")
    assert shown.code == 1
    assert "there is none yet" in shown.err


# ---------------------------------------------------------------------------------------------------------- healthcheck
class Answer(http.server.BaseHTTPRequestHandler):
    """A listener whose loop lives and whose journal does not."""

    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_daemon_that_lives_is_a_yes(rotator, place, listener):
    place.write(http={"listen": listener})
    assert rotator("healthcheck").code == 0
    assert rotator("healthcheck", "-o", "json").json == {
        "ok": True,
        "listener": listener,
        "path": "/healthz",
        "status": 200,
    }


def test_a_daemon_that_is_not_ready_is_a_no_when_that_is_asked(rotator, place, listener):
    place.write(http={"listen": listener})
    shown = rotator("healthcheck", "--ready")
    assert shown.code == 1
    assert "answers 503" in shown.out


def test_a_listener_on_all_addresses_is_asked_on_loopback(rotator, place, listener):
    place.write(http={"listen": listener.replace("127.0.0.1", "0.0.0.0")})
    assert rotator("healthcheck").code == 0


@pytest.mark.parametrize(("age", "code"), [("3.5", 0), ("-100.2", 1)])
def test_a_last_tick_in_the_future_is_a_no_whatever_the_status_says(rotator, place, listener, monkeypatch, age, code):
    def do_GET(self):
        body = f'{{"status": "ok", "age_seconds": {age}}}'.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    monkeypatch.setattr(Answer, "do_GET", do_GET)
    place.write(http={"listen": listener})
    assert rotator("healthcheck").code == code


def test_nobody_there_is_a_no(rotator):
    shown = rotator("healthcheck")  # a free port, and no daemon in the journal that has one
    assert shown.code == 1
    assert "nobody answers" in shown.out


def test_healthcheck_tells_programs_that_nobody_is_there(rotator):
    assert json.loads(rotator("healthcheck", "-o", "json").out)["status"] is None
