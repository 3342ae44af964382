"""token test, token show: what a token is and what it can do, by reads alone."""

import io
import json
import sys

import pytest

from tests.rotator_place import PACE, SHORT

EIGHT = [
    {
        "permissions": [
            "Account Settings (Read)",
            "Workers R2 Storage (Write)",
            "Workers Scripts (Read)",
            "Workers Scripts (Write)",
        ]
    },
    {
        "permissions": [
            "Workers Routes (Write)",
            "Zone (Read)",
            "SSL and Certificates (Read)",
            "SSL and Certificates (Write)",
        ],
        "zones": ["example.com"],
    },
]
ACCOUNT = "a0000000000000000000000000000001"


def of_the_user(place, *credentials):
    """A configuration whose management token is the user's."""
    connection = {"type": "cloudflare", "account_id": ACCOUNT, "api_url": place.sandbox.url}
    connection["token"] = {"file": "user-management"}
    more = {
        "version": 1,
        "state": {"url": "sqlite:///state.db", "encryption_key": {"file": "rotator.key"}},
        "advanced": PACE,
        "connections": {"prod": connection},
        "defaults": {"connection": "prod", "lifetime": "1h", "rotation": SHORT},
    }
    place.write(*credentials, **more)


def policies(place, token_id):
    return place.sandbox.world.tokens[token_id].policies


def rows(document):
    return {(row["permission"], row["resource"]): row for row in document["probes"]}


@pytest.fixture
def eight(rotator, place):
    """A user's token with the eight permissions of a platform that proves its token before it deploys."""
    of_the_user(place, place.credential("platform", owner="user", grants=EIGHT))
    assert rotator("once").code == 0
    return rotator


def test_all_eight_pass_with_one_line_each_and_a_total(eight):
    shown = eight("token", "test", "platform")

    assert shown.code == 0
    assert shown.out.rstrip().endswith("8/8 passed")
    document = eight("token", "test", "platform", "-o", "json").json
    assert (document["passed"], document["failed"], document["unproven"], document["total"]) == (8, 0, 0, 8)
    row = rows(document)["Workers Scripts Write", ACCOUNT]
    assert row == {
        "permission": "Workers Scripts Write",
        "scope": "account",
        "resource": ACCOUNT,
        "call": f"GET /accounts/{ACCOUNT}/workers/scripts",
        "status": 200,
        "verdict": "passed",
        "message": "its policy holds it, and a read of the product was answered",
        "remedy": None,
    }
    assert ("Zone Read", "example.com") in rows(document)


def test_only_reads_are_sent_by_the_token(eight, place):
    before = place.sandbox.gateway.recorder.after(0)[-1]["seq"]
    eight("token", "test", "platform")

    sent = place.sandbox.gateway.recorder.after(before)
    assert {request["method"] for request in sent} == {"GET"}
    assert sum(request["operation"] in ("product", "zones") for request in sent) >= 8


def test_a_permission_that_is_missing_fails_with_what_to_do(eight, place):
    document = eight("token", "test", "platform", "-o", "json").json
    groups = policies(place, document["token_id"])[0]["permission_groups"]
    gone = groups.pop()

    shown = eight("token", "test", "platform", "-o", "json")
    failed = [row for row in shown.json["probes"] if row["verdict"] == "failed"]
    assert shown.code == 1
    assert len(failed) == 1
    assert failed[0]["message"] == "its policies do not hold it"
    assert "rotator rotate platform" in failed[0]["remedy"]
    assert gone
    assert "7/8 passed" in eight("token", "test", "platform").out


def test_what_only_a_write_could_show_is_unproven_and_says_so(rotator, place):
    grants = [
        {"permissions": ["Cache Purge"], "zones": "all"},
        {"permissions": [{"id": "1af1fa2adc104452b74a9a3364202f20"}]},
    ]
    place.write(place.credential("purge", grants=grants))
    assert rotator("once").code == 0

    shown = rotator("token", "test", "purge", "-o", "json")
    purge = rows(shown.json)["Cache Purge", "all zones, tried on example.com"]
    assert shown.code == 0
    assert (purge["verdict"], purge["call"], purge["status"]) == ("unproven", None, None)
    assert "cannot be proven without writing" in purge["message"]
    assert "1 unproven" in rotator("token", "test", "purge").out


@pytest.mark.parametrize("how", ["file", "env", "stdin"])
def test_a_value_from_anywhere_is_tried_by_what_its_policies_hold(fresh, place, how, monkeypatch):
    value = place.value()
    if how == "file":
        (place.folder / "given").write_text(value + "\n")
        (place.folder / "given").chmod(0o600)
        arguments = ["--value-file", "given"]
    elif how == "env":
        monkeypatch.setenv("GIVEN", value)
        arguments = ["--value-env", "GIVEN"]
    else:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(value.encode())))
        arguments = ["-"]

    shown = fresh("token", "test", *arguments, "-o", "json")
    assert shown.code == 0
    assert [row["permission"] for row in shown.json["probes"]] == ["DNS Write"]
    assert shown.json["passed"] == 1
    assert value not in shown.out + shown.err


def test_a_dead_token_is_a_no_without_probes(fresh, place):
    place.sandbox.world.tokens[fresh("token", "test", "workers-deploy", "-o", "json").json["token_id"]].disabled = True

    shown = fresh("token", "test", "workers-deploy", "-o", "json")
    assert shown.code == 1
    assert shown.json == {"token_id": None, "passed": 0, "failed": 0, "unproven": 0, "total": 0, "probes": []}
    assert "dead" in fresh("token", "test", "workers-deploy").out
    assert fresh("token", "show", "workers-deploy").code == 1


def test_where_the_management_token_may_not_read_it_a_write_is_unproven(eight, place):
    from rotator.sandbox.catalogue import API_TOKENS_READ, API_TOKENS_WRITE

    roles = place.sandbox.world.roles
    for policy in policies(place, roles["user-management"]):
        kept = [g for g in policy["permission_groups"] if g["id"] not in (API_TOKENS_READ, API_TOKENS_WRITE)]
        policy["permission_groups"] = kept

    document = eight("token", "test", "platform", "-o", "json").json
    verdicts = {row["permission"]: row["verdict"] for row in document["probes"]}
    assert verdicts["Workers Scripts Read"] == "passed"
    assert verdicts["Workers Scripts Write"] == "unproven"
    assert eight("token", "show", "platform", "-o", "json").json["grants"] is None


def test_a_token_is_shown_without_its_value(fresh, place):
    document = fresh("token", "show", "workers-deploy", "-o", "json").json

    assert document["status"] == "active"
    assert (document["owner"], document["format"], document["account_id"]) == ("account", "cfat", ACCOUNT)
    assert document["expires_on"].endswith("Z")
    assert [(g["permission"], g["scope"]) for g in document["grants"]] == [("DNS Write", "zone")]
    shown = fresh("token", "show", "workers-deploy").out
    assert document["token_id"] in shown
    assert "DNS Write" in shown
    assert place.value() not in shown + json.dumps(document)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "which token"),
        (["workers-deploy", "--value-env", "X"], "which token"),
        (["--value-env", "ROTATOR_NOT_SET"], "is not set"),
    ],
)
def test_what_is_missing_is_a_usage_error(rotator, arguments, said):
    shown = rotator("token", "test", *arguments)

    assert shown.code == 2
    assert said in shown.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no credential nobody"),
        (["workers-deploy"], "nothing is published"),
        (["-", "--connection", "nowhere"], "no Cloudflare connection nowhere"),
    ],
)
def test_what_does_not_exist_is_the_answer_no(rotator, arguments, said):
    shown = rotator("token", "test", *arguments)

    assert shown.code == 1
    assert said in shown.err


def test_a_global_api_key_is_named_and_sent_nowhere(rotator, place, monkeypatch):
    monkeypatch.setenv("GIVEN", place.sandbox.credentials["global-api-key"])
    before = len(place.sandbox.gateway.recorder.after(0))

    shown = rotator("token", "test", "--value-env", "GIVEN")
    assert shown.code == 2
    assert "Global API Key" in shown.err
    assert len(place.sandbox.gateway.recorder.after(0)) == before
