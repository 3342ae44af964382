"""Create, get, list, update, roll and delete, for both kinds of owner."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from rotator.sandbox.world import sha256
from tests.sandbox_calls import DNS_WRITE, ZONE_READ, allow, zones_of

MISSING = "0" * 32
WHOLE_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def after(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


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


# -- update ------------------------------------------------------------------------------------------------------------


def test_an_update_replaces_everything_but_the_value(tokens):
    token = tokens.made(expires_on=after(60), condition={"request_ip": {"in": ["127.0.0.0/8"]}})
    tokens.provider.advance(5)
    new = tokens.update(token["id"], name="other", policies=[allow(ZONE_READ, on=zones_of())]).result
    assert new["name"] == "other"
    assert new["policies"][0]["permission_groups"][0]["id"] == ZONE_READ
    assert "expires_on" not in new
    assert "condition" not in new
    assert new["modified_on"] > token["modified_on"]
    assert new["issued_on"] == token["issued_on"]
    assert tokens.verify(token["value"]).result["status"] == "active"


def test_an_update_needs_name_and_policies(tokens):
    token = tokens.made()["id"]
    assert tokens.call("PUT", f"/{token}", {"policies": []}).refusal == (400, 400)
    assert tokens.call("PUT", f"/{token}", {"name": "x"}).refusal == (400, 400)


def test_a_status_that_is_not_sent_stays(tokens):
    token = tokens.made()
    assert tokens.update(token["id"], status="disabled").result["status"] == "disabled"
    assert tokens.update(token["id"], name="again").result["status"] == "disabled"
    assert tokens.update(token["id"], status="active").result["status"] == "active"


@pytest.mark.parametrize("status", ["expired", "gone", 1])
def test_a_status_that_cannot_be_wished_for_is_refused(tokens, status):
    assert tokens.update(tokens.made()["id"], status=status).refusal == (400, 400)


def test_an_expired_token_may_be_disabled_with_the_expiry_it_has(tokens):
    expiry = after(60)
    token = tokens.made(expires_on=expiry)
    tokens.provider.advance(61)
    assert tokens.update(token["id"], status="disabled", expires_on=expiry).status == 200
    assert tokens.update(token["id"], expires_on=after(-5)).refusal == (400, 400)


def test_a_later_expiry_brings_an_expired_token_back(tokens):
    token = tokens.made(expires_on=after(60))
    tokens.provider.advance(61)
    assert tokens.update(token["id"], expires_on=after(600)).result["status"] == "active"
    assert tokens.verify(token["value"]).result["status"] == "active"


def test_an_update_may_carry_the_policy_ids_that_were_read(tokens):
    token = tokens.made()
    assert tokens.update(token["id"], policies=token["policies"]).status == 200


def test_a_refused_update_changes_nothing(tokens):
    token = tokens.made()
    tokens.update(token["id"], name="other", status="nonsense")
    assert tokens.get(token["id"]).result["name"] == "deploy"


# -- roll and delete ---------------------------------------------------------------------------------------------------


def test_a_roll_answers_the_bare_value_and_keeps_everything_else(tokens):
    token = tokens.made(expires_on=after(600))
    tokens.provider.advance(5)
    value = tokens.roll(token["id"]).result
    read = tokens.get(token["id"]).result
    assert value.startswith(token["value"][:5])
    assert len(value) == 53
    assert value != token["value"]
    for key in ("id", "name", "policies", "expires_on", "issued_on", "status"):
        assert read[key] == token[key]
    assert read["modified_on"] > token["modified_on"]


def test_a_roll_ends_the_old_value_at_once(tokens):
    token = tokens.made()
    value = tokens.roll(token["id"]).result
    assert tokens.verify(token["value"]).refusal == (401, 1000)
    assert tokens.verify(value).result["id"] == token["id"]


def test_a_roll_needs_no_body(tokens):
    assert tokens.call("PUT", f"/{tokens.made()['id']}/value").status == 200


def test_the_control_shows_the_hashes_of_all_values(tokens):
    token = tokens.made()
    value = tokens.roll(token["id"]).result
    seen = tokens.provider.seen(token["id"])
    assert seen["value_sha256"] == sha256(value)
    assert seen["former_values_sha256"] == [sha256(token["value"])]


def test_a_management_token_can_roll_itself_and_goes_on_with_the_new_value(tokens):
    value = tokens.roll(tokens.management_id).result
    assert tokens.list().refusal == (401, 9109)
    assert tokens.list(bearer=value).status == 200


def test_a_disabled_token_is_rolled_and_stays_disabled(tokens):
    token = tokens.made()
    tokens.update(token["id"], status="disabled")
    value = tokens.roll(token["id"]).result
    assert tokens.verify(value).result["status"] == "disabled"


def test_an_expired_or_revoked_token_cannot_be_rolled(tokens):
    exposed, expiring = tokens.made(), tokens.made(expires_on=after(60))
    tokens.provider.control("POST", f"tokens/{exposed['id']}/expose")
    tokens.provider.advance(61)
    assert tokens.roll(exposed["id"]).refusal == (400, 1001)
    assert tokens.roll(expiring["id"]).refusal == (400, 1001)


def test_a_deleted_token_is_gone_and_its_value_dead(tokens):
    token = tokens.made()
    assert tokens.delete(token["id"]).result == {"id": token["id"]}
    assert tokens.delete(token["id"]).refusal == (404, 1003)
    assert tokens.verify(token["value"]).refusal == (401, 1000)
    assert token["id"] not in [row["id"] for row in tokens.list("?include_expired=true").result]
    assert tokens.provider.seen(token["id"])["status"] == "deleted"


def test_a_token_managed_by_cloudflare_cannot_be_deleted(tokens):
    token = tokens.made()
    tokens.provider.world.tokens[token["id"]].managed = True
    assert tokens.delete(token["id"]).refusal == (400, 1001)


# -- exposed -----------------------------------------------------------------------------------------------------------


def test_an_exposed_token_is_read_and_listed_as_revoked_and_its_value_is_dead(tokens):
    token = tokens.made()
    tokens.provider.control("POST", f"tokens/{token['id']}/expose")
    assert tokens.get(token["id"]).result["status"] == "revoked (exposed)"
    assert "revoked (exposed)" in [row["status"] for row in tokens.list().result]
    assert tokens.verify(token["value"]).refusal == (401, 1000)


def test_a_revoked_token_cannot_be_brought_back_but_can_be_deleted(tokens):
    token = tokens.made()
    tokens.provider.control("POST", f"tokens/{token['id']}/expose")
    assert tokens.update(token["id"], status="active").refusal == (400, 1001)
    assert tokens.update(token["id"]).result["status"] == "revoked (exposed)"
    assert tokens.delete(token["id"]).status == 200


# -- lags --------------------------------------------------------------------------------------------------------------


def test_a_new_value_is_not_accepted_before_the_verify_lag_is_over(tokens):
    tokens.provider.settings(verify_lag=20)
    token = tokens.made(policies=[allow(ZONE_READ, on=zones_of())])
    assert tokens.verify(token["value"]).refusal == (401, 1000)
    assert tokens.provider.api("GET", "/zones", bearer=token["value"]).refusal == (403, 10000)
    tokens.provider.advance(21)
    assert tokens.verify(token["value"]).status == 200
    assert tokens.provider.api("GET", "/zones", bearer=token["value"]).status == 200


def test_a_rolled_value_is_not_accepted_before_the_verify_lag_is_over(tokens):
    token = tokens.made()
    tokens.provider.settings(verify_lag=20)
    value = tokens.roll(token["id"]).result
    assert tokens.verify(value).refusal == (401, 1000)
    assert tokens.verify(token["value"]).refusal == (401, 1000)
    tokens.provider.advance(21)
    assert tokens.verify(value).status == 200


def test_the_verify_lag_does_not_touch_what_was_there_before(tokens):
    token = tokens.made()
    tokens.provider.settings(verify_lag=1000)
    assert tokens.verify(token["value"]).status == 200


def test_a_new_token_is_listed_only_after_the_list_lag_but_read_at_once(tokens):
    tokens.provider.settings(list_lag=20)
    token = tokens.made()
    assert token["id"] not in [row["id"] for row in tokens.list().result]
    assert tokens.get(token["id"]).status == 200
    tokens.provider.advance(21)
    assert token["id"] in [row["id"] for row in tokens.list().result]


@pytest.mark.parametrize("end", ["roll", "delete"])
def test_an_old_value_is_accepted_until_the_revoke_lag_is_over(tokens, end):
    token = tokens.made()
    tokens.provider.settings(revoke_lag=20)
    getattr(tokens, end)(token["id"])
    assert tokens.verify(token["value"]).result["status"] == "active"
    tokens.provider.advance(21)
    assert tokens.verify(token["value"]).refusal == (401, 1000)


# -- last use ----------------------------------------------------------------------------------------------------------


def test_verify_counts_as_use(tokens):
    token = tokens.made()
    assert tokens.get(token["id"]).result["last_used_on"] is None
    tokens.verify(token["value"])
    assert WHOLE_SECONDS.fullmatch(tokens.get(token["id"]).result["last_used_on"])


def test_a_refused_request_of_a_good_token_counts_as_use(tokens):
    token = tokens.made()
    assert tokens.list(bearer=token["value"]).status == 403
    assert tokens.get(token["id"]).result["last_used_on"] is not None


@pytest.mark.parametrize("state", ["disabled", "expired"])
def test_a_token_that_is_not_active_is_not_used(tokens, state):
    token = tokens.made(expires_on=after(60))
    if state == "disabled":
        tokens.update(token["id"], status="disabled")
    else:
        tokens.provider.advance(61)
    assert tokens.verify(token["value"]).result["status"] == state
    assert tokens.get(token["id"]).result["last_used_on"] is None


def test_a_value_that_is_not_accepted_yet_is_not_used(tokens):
    tokens.provider.settings(verify_lag=20)
    token = tokens.made()
    tokens.verify(token["value"])
    assert tokens.get(token["id"]).result["last_used_on"] is None
