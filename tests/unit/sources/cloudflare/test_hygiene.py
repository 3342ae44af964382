"""The findings of an audit: each fires on one token, and not on the same token with one thing different."""

import pytest

from rotator.config.naming import Names
from rotator.core.durations import DAY
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.audit import Listed
from rotator.sources.cloudflare.hygiene import CODES, Level, Question, findings
from tests.sandbox_calls import (
    ACCOUNT,
    ACCOUNT_API_TOKENS_READ,
    ACCOUNT_API_TOKENS_WRITE,
    API_TOKENS_WRITE,
    DNS_WRITE,
    all_of,
    allow,
    self_of,
    zone,
    zones_of,
)

NOW = 1_800_000_000.0
CONVENTION = Names(pattern="{purpose}-{env:dev|prod}").fits
GOOD = {
    "id": "4a" * 16,
    "name": "deploy-prod",
    "status": "active",
    "issued_on": tokens.api_time(NOW - 10 * DAY),
    "modified_on": tokens.api_time(NOW - 10 * DAY),
    "expires_on": tokens.api_time(NOW + 60 * DAY),
    "last_used_on": tokens.api_time(NOW - DAY),
    "policies": [allow(DNS_WRITE, on=zone())],
    "condition": {"request_ip": {"in": ["203.0.113.0/24"]}},
}
EVERYWHERE = "com.cloudflare.api.account.*"
EVERY_ZONE = "com.cloudflare.api.account.zone.*"


def asked(role="", managed_by="deploy", namesakes=1, fits=CONVENTION, **row):
    shown = GOOD | row
    token = Listed(owner="account", account_id=ACCOUNT, row=shown, state=tokens.state(shown), role=role)
    return Question(token=token, now=NOW, managed_by=managed_by, namesakes=namesakes, fits=fits)


def codes(question):
    return [found.code for found in findings(question)]


def test_of_a_good_token_nothing_is_said():
    assert codes(asked()) == []


FIRES = {
    "exposed": asked(status="revoked (exposed)"),
    "expired": asked(status="expired", expires_on=tokens.api_time(NOW - DAY)),
    "manages_tokens": asked(policies=[allow(ACCOUNT_API_TOKENS_WRITE, on=all_of())]),
    "never_expires": asked(expires_on=None),
    "expires_soon": asked(managed_by=None, expires_on=tokens.api_time(NOW + 29 * DAY)),
    "unused": asked(last_used_on=tokens.api_time(NOW - 91 * DAY)),
    "never_used": asked(last_used_on=None),
    "all_zones": asked(policies=[allow(DNS_WRITE, on=zones_of())]),
    "all_accounts": asked(policies=[allow(DNS_WRITE, on={EVERYWHERE: "*"})]),
    "no_ip_limit": asked(condition=None),
    "name_convention": asked(name="my token"),
    "disabled": asked(managed_by=None, status="disabled"),
    "duplicate_name": asked(namesakes=2),
    "unmanaged": asked(managed_by=None),
}

FIRES_NOT = {
    "exposed": [asked(status="disabled")],
    "expired": [asked(expires_on=tokens.api_time(NOW + 60)), asked(expires_on=None)],
    "manages_tokens": [
        asked(policies=[allow(ACCOUNT_API_TOKENS_READ, on=all_of())]),
        asked(policies=[allow(ACCOUNT_API_TOKENS_WRITE, on=all_of())], role="management"),
        asked(policies=[{**allow(API_TOKENS_WRITE, on=self_of()), "effect": "deny"}]),
    ],
    "never_expires": [asked()],
    "expires_soon": [
        asked(managed_by=None, expires_on=tokens.api_time(NOW + 31 * DAY)),
        asked(managed_by="deploy", expires_on=tokens.api_time(NOW + DAY)),
    ],
    "unused": [asked(last_used_on=tokens.api_time(NOW - 89 * DAY)), asked(last_used_on=None)],
    "never_used": [asked()],
    "all_zones": [asked(), asked(policies=[{**allow(DNS_WRITE, on=zones_of()), "effect": "deny"}])],
    "all_accounts": [asked(policies=[allow(DNS_WRITE, on=zones_of())])],
    "no_ip_limit": [asked(), asked(condition={"request.ip": {"not_in": ["198.51.100.7"]}})],
    "name_convention": [
        asked(),
        asked(name="deploy-prod~k3v9.a1b2c3.4.1xbeef"),
        asked(name="my token", fits=None),
        asked(name="my token", role="management"),
    ],
    "disabled": [asked(managed_by="deploy", status="disabled")],
    "duplicate_name": [asked(namesakes=1)],
    "unmanaged": [asked(), asked(managed_by=None, role="standby")],
}


def test_every_finding_has_its_cases():
    assert set(CODES) == set(FIRES) == set(FIRES_NOT)


@pytest.mark.parametrize("code", CODES)
def test_a_finding_fires(code):
    assert code in codes(FIRES[code])


@pytest.mark.parametrize(("code", "question"), [(code, q) for code, cases in FIRES_NOT.items() for q in cases])
def test_a_finding_does_not_fire(code, question):
    assert code not in codes(question)


@pytest.mark.parametrize("dead", ["exposed", "expired"])
def test_of_a_token_that_is_dead_for_good_only_that_is_said(dead):
    worn = {"condition": None, "last_used_on": None, "name": "my token"}
    row = {key: FIRES[dead].token.row[key] for key in ("status", "expires_on")}

    assert codes(asked(managed_by=None, **worn, **row)) == [dead, "unmanaged"]


def test_a_token_for_all_zones_that_names_no_account_reaches_every_account():
    assert {"all_zones", "all_accounts"} <= set(codes(asked(policies=[allow(DNS_WRITE, on={EVERY_ZONE: "*"})])))


def test_the_windows_are_the_askers():
    young = asked(managed_by=None, last_used_on=tokens.api_time(NOW - 8 * DAY))

    assert codes(young) == ["unmanaged"]
    narrow = Question(token=young.token, now=NOW, unused=7 * DAY, expires=61 * DAY)
    assert codes(narrow) == ["expires_soon", "unused", "unmanaged"]


def test_the_worst_comes_first_and_every_finding_says_what_to_do():
    found = findings(asked(policies=[allow(ACCOUNT_API_TOKENS_WRITE, on=all_of())], managed_by=None, condition=None))

    assert [f.level for f in found] == [Level.FAIL, Level.WARN, Level.INFO]
    assert all(f.message and f.remedy for f in found)
    assert GOOD["id"] in found[-1].remedy
