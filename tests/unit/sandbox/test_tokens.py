"""Create, get, list, update, roll and delete, for both kinds of owner."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox_calls import DNS_WRITE, ZONE_READ, allow, zones_of
from tests.unit.sandbox.made import WHOLE_SECONDS, after

MISSING = "0" * 32


# -- create ------------------------------------------------------------------------------------------------------------
def test_a_created_token_comes_with_a_value_of_its_owners_format(tokens):
    token = tokens.made()
    prefix = {"user": "cfut_", "account": "cfat_"}[tokens.kind]
    assert re.fullmatch(prefix + r"[A-Za-z0-9]{40}[0-9a-f]{8}", token["value"])
    assert re.fullmatch(r"[0-9a-f]{32}", token["id"])
    assert token["status"] == "active"


def test_a_value_is_shown_by_create_and_roll_and_by_nothing_else(tokens):
    token = tokens.made()
    value = tokens.roll(token["id"]).result
    elsewhere = [
        tokens.get(token["id"]),
        tokens.list(),
        tokens.update(token["id"]),
        tokens.verify(value),
        tokens.delete(token["id"]),
        tokens.provider.control("GET", "tokens"),
        tokens.provider.control("GET", "requests"),
    ]
    for answer in elsewhere:
        assert "value" not in (answer.json.get("result") or {})
        assert token["value"] not in str(answer.json)
        assert value not in str(answer.json)


def test_times_are_written_in_whole_seconds_of_utc(tokens):
    token = tokens.made(expires_on=after(3600), not_before=after(-60))
    for key in ("issued_on", "modified_on", "expires_on", "not_before"):
        assert WHOLE_SECONDS.fullmatch(token[key])
    assert token["last_used_on"] is None


def test_an_offset_from_utc_is_understood(tokens):
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    sent = moment.astimezone(tz=None).isoformat()
    assert tokens.made(expires_on=sent)["expires_on"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("name", ["", "x" * 121, None, 7])
def test_a_name_has_1_to_120_characters(tokens, name):
    assert tokens.create(name=name).refusal == (400, 400)
    assert tokens.create(name="x" * 120).status == 200


@pytest.mark.parametrize("sent", ["yesterday", 12, "2030-01-01", "2030-01-01T00:00:00"])
def test_a_time_that_is_no_rfc3339_time_is_refused(tokens, sent):
    assert tokens.create(expires_on=sent).refusal == (400, 400)


def test_an_expiry_in_the_past_is_refused(tokens):
    assert tokens.create(expires_on=after(-1)).refusal == (400, 400)


def test_an_expiry_before_the_beginning_is_refused(tokens):
    assert tokens.create(not_before=after(200), expires_on=after(100)).refusal == (400, 400)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_json_object_is_refused(tokens, raw):
    assert tokens.call("POST", raw=raw).refusal == (400, 6007)


def test_a_token_needs_policies_but_they_may_be_empty(tokens):
    assert tokens.call("POST", body={"name": "x"}).refusal == (400, 400)
    assert tokens.create(policies=[]).status == 200


def test_a_refused_create_makes_nothing(tokens):
    before = [row["id"] for row in tokens.provider.control("GET", "tokens").json["tokens"]]
    tokens.create(expires_on=after(-1))
    tokens.create(policies=[allow("0" * 32, on=zones_of())])
    assert [row["id"] for row in tokens.provider.control("GET", "tokens").json["tokens"]] == before


def test_only_account_tokens_say_who_made_them(tokens):
    token = tokens.made()
    if tokens.kind == "user":
        assert "creator_email_at_creation" not in token
    else:
        assert token["creator_email_at_creation"] == "owner@example.com"
        assert (token["provisioner_type"], token["provisioner_id"]) == ("token", tokens.management_id)


def test_the_quota_counts_every_token_that_was_not_deleted(tokens):
    setting = f"{tokens.kind}_quota"
    tokens.provider.settings(**{setting: len(tokens.list().result) + 1})  # room for one more
    first = tokens.made(expires_on=after(60))
    assert tokens.create().refusal == (400, 1001)
    tokens.provider.advance(61)
    assert tokens.create().refusal == (400, 1001)
    tokens.delete(first["id"])
    assert tokens.create().status == 200


# -- get and list ------------------------------------------------------------------------------------------------------
def test_policies_are_read_back_in_another_order_than_sent_but_always_the_same(tokens):
    policies = [allow(DNS_WRITE, on=zones_of()), allow(ZONE_READ, on=zones_of())]
    token = tokens.made(policies=policies)
    read = [policy["permission_groups"][0]["id"] for policy in tokens.get(token["id"]).result["policies"]]
    assert read == [ZONE_READ, DNS_WRITE]
    assert tokens.get(token["id"]).result["policies"] == tokens.get(token["id"]).result["policies"]


def test_a_read_policy_has_an_id_and_names_its_groups(tokens):
    (policy,) = tokens.made()["policies"]
    assert re.fullmatch(r"[0-9a-f]{32}", policy["id"])
    assert policy["permission_groups"] == [{"id": DNS_WRITE, "name": "DNS Write"}]


@pytest.mark.parametrize("method,tail", [("GET", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/value")])
def test_an_unknown_or_deleted_token_is_not_found(tokens, method, tail):
    gone = tokens.made()["id"]
    tokens.delete(gone)
    body = {"name": "x", "policies": []} if method == "PUT" else None
    for token_id in (gone, MISSING):
        assert tokens.call(method, f"/{token_id}{tail}", body).refusal == (404, 1003)


def test_a_token_of_another_owner_is_not_found(provider):
    user, account = provider.owner("user"), provider.owner("account")
    assert user.get(account.made()["id"]).refusal == (404, 1003)
    assert account.get(user.made()["id"]).refusal == (404, 1003)


def test_an_identifier_that_is_none_cannot_be_routed(tokens):
    assert tokens.get("not-an-id").refusal == (404, 7003)


def test_an_expired_token_is_read_as_expired_and_listed_only_on_request(tokens):
    token = tokens.made(expires_on=after(60))
    tokens.provider.advance(61)
    assert tokens.get(token["id"]).result["status"] == "expired"
    assert token["id"] not in [row["id"] for row in tokens.list().result]
    assert token["id"] in [row["id"] for row in tokens.list("?include_expired=true").result]


def test_a_list_is_paged_and_its_pages_make_the_whole(tokens):
    made = {tokens.made(name=f"t{number}")["id"] for number in range(12 - len(tokens.list().result))}
    pages = [tokens.list(f"?per_page=5&page={number}") for number in (1, 2, 3, 4)]
    assert [len(page.result) for page in pages] == [5, 5, 2, 0]
    assert pages[1].json["result_info"] == {
        "page": 2,
        "per_page": 5,
        "count": 5,
        "total_count": 12,
        "total_pages": 3,
    }
    ids = [row["id"] for page in pages for row in page.result]
    assert len(set(ids)) == 12
    assert made <= set(ids)


def test_a_list_shows_twenty_unless_told_otherwise(tokens):
    for _ in range(20):
        tokens.made()
    assert len(tokens.list().result) == 20


def test_direction_turns_a_list_around(tokens):
    first, last = tokens.made(), tokens.made()
    down = [row["id"] for row in tokens.list("?direction=desc").result]
    up = [row["id"] for row in tokens.list("?direction=asc").result]
    assert down == up[::-1]
    assert down.index(last["id"]) < down.index(first["id"])


@pytest.mark.parametrize(
    "query",
    ["?per_page=4", "?per_page=51", "?per_page=x", "?page=0", "?page=-1", "?direction=up", "?include_expired=maybe"],
)
def test_a_list_query_out_of_bounds_is_refused(tokens, query):
    assert tokens.list(query).refusal == (400, 400)
