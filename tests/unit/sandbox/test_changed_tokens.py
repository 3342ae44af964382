"""Tokens that are changed, rolled and ended, and lags."""

import pytest

from rotator.sandbox.world import sha256
from tests.sandbox_calls import ZONE_READ, allow, zones_of
from tests.unit.sandbox.made import WHOLE_SECONDS, after


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
