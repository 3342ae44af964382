"""Arming faults, and what each kind does to a request (the wire's side is in tests/integration/sandbox)."""

import pytest

from rotator.sandbox import Sandbox
from rotator.sandbox.message import Request

KINDS = ["lose_request", "lose_answer", "late", "twin", "status", "delay", "truncate", "garbage"]


def arm(provider, **fault):
    got = provider.control("POST", "faults", fault)
    assert got.status == 200, got.json
    return got.json["id"]


def hits(provider):
    return {row["id"]: row["hits"] for row in provider.control("GET", "faults").json["faults"]}


def names(tokens):
    return [row["name"] for row in tokens.provider.control("GET", "tokens").json["tokens"]]


def last(provider):
    return provider.control("GET", "requests").json["requests"][-1]


def raw(tokens, method="POST", tail="", body=b'{"name":"x","policies":[]}'):
    """The bare response: some faults answer what is no JSON."""
    headers = {"authorization": f"Bearer {tokens.management}"}
    path = f"/client/v4{tokens.base}{tail}"
    return tokens.provider.sandbox._answer(Request(method, path, "", headers, body, "127.0.0.1"))


# -- what each kind does -----------------------------------------------------------------------------------------------


def test_a_lost_request_is_not_done_and_not_answered(tokens):
    arm(tokens.provider, operation="create", kind="lose_request")
    assert tokens.create(name="lost") is None
    assert "lost" not in names(tokens)
    assert (last(tokens.provider)["status"], last(tokens.provider)["fault"]) == (None, "lose_request")
    assert tokens.provider.seen(tokens.management_id)["last_used_on"] is None


def test_a_lost_answer_is_done_and_not_answered(tokens):
    arm(tokens.provider, operation="create", kind="lose_answer")
    assert tokens.create(name="orphan") is None
    assert "orphan" in names(tokens)
    assert (last(tokens.provider)["status"], last(tokens.provider)["fault"]) == (200, "lose_answer")


def test_a_late_request_is_done_after_the_connection_closed(tokens, monkeypatch):
    timers = []
    monkeypatch.setattr("rotator.sandbox.gateway.threading.Timer", lambda s, act: FakeTimer(timers, s, act))
    arm(tokens.provider, operation="create", kind="late", seconds=25)
    assert tokens.create(name="late") is None
    assert "late" not in names(tokens)
    assert [timer.seconds for timer in timers] == [25]
    timers[0].act()
    assert "late" in names(tokens)
    assert last(tokens.provider)["fault"] == "late"


def test_a_late_request_dies_with_the_sandbox(tokens, monkeypatch):
    timers = []
    monkeypatch.setattr("rotator.sandbox.gateway.threading.Timer", lambda s, act: FakeTimer(timers, s, act))
    arm(tokens.provider, operation="create", kind="late", seconds=25)
    tokens.create(name="late")
    tokens.provider.sandbox.stop()
    assert timers[0].cancelled
    timers[0].act()
    assert "late" not in names(tokens)


class FakeTimer:
    def __init__(self, timers, seconds, act):
        self.seconds, self.act, self.cancelled = seconds, act, False
        timers.append(self)

    def start(self):
        pass

    def cancel(self):
        self.cancelled = True


def test_a_twin_is_done_twice_and_answered_once(tokens):
    arm(tokens.provider, operation="create", kind="twin")
    token = tokens.made(name="twin")
    assert names(tokens).count("twin") == 2
    assert tokens.verify(token["value"]).result["id"] == token["id"]


def test_a_twin_roll_answers_the_value_that_the_second_roll_ended(tokens):
    token = tokens.made()
    arm(tokens.provider, operation="roll", kind="twin")
    value = tokens.roll(token["id"]).result
    assert tokens.verify(value).refusal == (401, 1000)
    assert len(tokens.provider.seen(token["id"])["former_values_sha256"]) == 2


def test_a_status_is_answered_and_nothing_is_done(tokens):
    arm(tokens.provider, operation="create", kind="status", status=503, code=1234, message="try later", retry_after=9)
    got = tokens.create(name="never")
    assert got.refusal == (503, 1234)
    assert got.message == "try later"
    assert got.headers["Retry-After"] == "9"
    assert "Date" in got.headers
    assert "Ratelimit" in got.headers
    assert "never" not in names(tokens)
    assert (last(tokens.provider)["status"], last(tokens.provider)["fault"]) == (503, "status")
    assert last(tokens.provider)["actor_token_id"] == tokens.management_id


@pytest.mark.parametrize("status,code", [(429, 971), (401, 1000), (403, 10000), (404, 1003), (400, 1001), (502, 1000)])
def test_a_status_without_a_code_has_the_usual_one(tokens, status, code):
    arm(tokens.provider, operation="any", kind="status", status=status)
    assert tokens.list().refusal == (status, code)


def test_a_status_is_500_unless_said_otherwise(tokens):
    arm(tokens.provider, operation="list", kind="status")
    assert tokens.list().refusal == (500, 1000)


def test_a_status_may_be_a_page_of_html(tokens):
    arm(tokens.provider, operation="create", kind="status", status=520, body="<h1>520</h1>")
    response = raw(tokens)
    assert (response.status, response.body) == (520, b"<h1>520</h1>")
    assert response.content_type.startswith("text/html")


def test_a_status_strikes_a_caller_with_bad_credentials_too(tokens):
    arm(tokens.provider, operation="list", kind="status", status=500)
    assert tokens.list(headers={"x-auth-key": "bad"}).status == 500


def test_a_delay_waits_and_then_does_it(tokens, monkeypatch):
    slept = []
    monkeypatch.setattr("rotator.sandbox.faults.time.sleep", slept.append)
    arm(tokens.provider, operation="create", kind="delay", seconds=3)
    assert tokens.create(name="slow").status == 200
    assert slept == [3]


def test_a_truncated_answer_is_done_and_cut(tokens):
    arm(tokens.provider, operation="create", kind="truncate")
    response = raw(tokens)
    assert response.half
    assert "x" in names(tokens)


def test_garbage_is_done_and_answered_with_html_and_200(tokens):
    arm(tokens.provider, operation="create", kind="garbage")
    response = raw(tokens)
    assert response.status == 200
    assert response.content_type.startswith("text/html")
    assert response.body.startswith(b"<!DOCTYPE html>")
    assert "x" in names(tokens)


# -- when they strike --------------------------------------------------------------------------------------------------


def test_a_fault_strikes_once_unless_told_otherwise(tokens):
    fault = arm(tokens.provider, operation="list", kind="status")
    assert [tokens.list().status for _ in range(3)] == [500, 200, 200]
    assert hits(tokens.provider) == {fault: 1}


def test_a_fault_strikes_so_many_times_after_letting_so_many_pass(tokens):
    fault = arm(tokens.provider, operation="list", kind="status", times=2, skip=1)
    assert [tokens.list().status for _ in range(4)] == [200, 500, 500, 200]
    assert hits(tokens.provider) == {fault: 2}


def test_a_fault_strikes_its_own_operation_only(tokens):
    arm(tokens.provider, operation="list", kind="status")
    assert tokens.get(tokens.management_id).status == 200
    assert tokens.verify(tokens.management).status == 200
    assert tokens.list().status == 500


OPERATIONS = {
    "create": ("POST", "/user/tokens"),
    "get": ("GET", "/user/tokens/" + "0" * 32),
    "list": ("GET", "/user/tokens"),
    "update": ("PUT", "/user/tokens/" + "0" * 32),
    "roll": ("PUT", "/user/tokens/" + "0" * 32 + "/value"),
    "delete": ("DELETE", "/user/tokens/" + "0" * 32),
    "verify": ("GET", "/user/tokens/verify"),
    "permission_groups": ("GET", "/user/tokens/permission_groups"),
    "zones": ("GET", "/zones"),
    "accounts": ("GET", "/accounts"),
    "product": ("GET", "/accounts/" + "0" * 32 + "/workers/scripts"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_can_be_struck_by_name_and_by_any(provider, operation):
    method, path = OPERATIONS[operation]
    arm(provider, operation=operation, kind="status", status=599)
    assert provider.api(method, path).status == 599
    assert last(provider)["operation"] == operation
    arm(provider, operation="any", kind="status", status=598)
    assert provider.api(method, path).status == 598


def test_faults_strike_in_the_order_of_their_arming(tokens):
    arm(tokens.provider, operation="list", kind="status", status=501)
    arm(tokens.provider, operation="any", kind="status", status=502)
    assert [tokens.list().status for _ in range(3)] == [501, 502, 200]


def test_clearing_disarms_all(tokens):
    arm(tokens.provider, operation="any", kind="status", times=1000)
    tokens.provider.control("DELETE", "faults")
    assert tokens.list().status == 200
    assert tokens.provider.control("GET", "faults").json == {"faults": []}


def test_the_control_interface_is_never_struck(provider):
    arm(provider, operation="any", kind="lose_request", times=1000)
    assert provider.control("GET", "tokens").status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_kind_can_be_armed(provider, kind):
    fault = arm(provider, operation="create", kind=kind)
    (row,) = provider.control("GET", "faults").json["faults"]
    assert {key: row[key] for key in ("id", "operation", "kind", "hits")} == {
        "id": fault,
        "operation": "create",
        "kind": kind,
        "hits": 0,
    }


@pytest.mark.parametrize(
    "wish,named",
    [
        ({"kind": "status"}, "operation"),
        ({"operation": "create"}, "kind"),
        ({"operation": "mint", "kind": "status"}, "operation"),
        ({"operation": ["create"], "kind": "status"}, "operation"),
        ({"operation": "create", "kind": "explode"}, "kind"),
        ({"operation": "create", "kind": {}}, "kind"),
        ({"operation": "create", "kind": "status", "times": 0}, "times"),
        ({"operation": "create", "kind": "status", "times": "all"}, "times"),
        ({"operation": "create", "kind": "status", "skip": -1}, "skip"),
        ({"operation": "create", "kind": "late", "seconds": -1}, "seconds"),
        ({"operation": "create", "kind": "late", "seconds": "1m"}, "seconds"),
        ({"operation": "create", "kind": "status", "status": 99}, "status"),
        ({"operation": "create", "kind": "status", "code": "x"}, "code"),
        ({"operation": "create", "kind": "status", "message": 1}, "message"),
        ({"operation": "create", "kind": "status", "body": 1}, "body"),
        ({"operation": "create", "kind": "status", "retry_after": "a\r\nb"}, "retry_after"),
        ({"operation": "create", "kind": "status", "when": "now"}, "when"),
    ],
)
def test_a_wrong_fault_is_refused_with_the_key_that_is_wrong(provider, wish, named):
    got = provider.control("POST", "faults", wish)
    assert got.status == 400
    assert named in got.json["error"]
    assert provider.control("GET", "faults").json == {"faults": []}


def test_latency_comes_before_every_answer_of_the_api(monkeypatch, provider):
    slept = []
    monkeypatch.setattr("rotator.sandbox.gateway.time.sleep", slept.append)
    provider.settings(latency=0.25)
    provider.owner("user").list()
    provider.control("GET", "tokens")
    assert slept == [0.25]


def test_each_sandbox_has_faults_of_its_own(provider):
    arm(provider, operation="any", kind="status")
    assert Sandbox().gateway.faults.list() == []
