"""How a token differs from what was asked for is said in words that a person can act on."""

from typing import Any

import pytest

from rotator.core.drift import Difference, Part, summary
from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.policies import DENY, TokenPolicy

D1, DNS, PURGE = (
    "09b2857d1c31407795e75e3fed8617a1",
    "4755a26eedb94da69e1066d98aa820be",
    "e17beae8b8cb423a99b1730f21238bed",
)
ACCOUNT = "com.cloudflare.api.account.a"
ZONES = {"com.cloudflare.api.account.zone.1": "*", "com.cloudflare.api.account.zone.2": "*"}
WANTED = (TokenPolicy(groups=(D1,), resources={ACCOUNT: "*"}), TokenPolicy(groups=(DNS, PURGE), resources=ZONES))


def shown(*policies: TokenPolicy, **more: Any) -> dict[str, Any]:
    return {"policies": [p.to_json() for p in policies], **more}


def said(*asked: Any) -> tuple[str, ...]:
    return tuple(one.message for one in differences(*asked))


def test_what_is_equal_differs_in_nothing():
    assert differences(WANTED, {}, shown(*reversed(WANTED))) == ()


def test_a_permission_that_cloudflare_dropped_is_named():
    there = shown(WANTED[0], TokenPolicy(groups=(DNS,), resources=ZONES))

    assert said(WANTED, {}, there) == ("the permission Cache Purge is missing",)


def test_a_permission_that_is_missing_on_one_resource_says_on_which():
    there = shown(WANTED[0], TokenPolicy(groups=(DNS, PURGE), resources={"com.cloudflare.api.account.zone.1": "*"}))

    assert said(WANTED, {}, there) == (
        "the permission Cache Purge on api.account.zone.2 is missing",
        "the permission DNS Write on api.account.zone.2 is missing",
    )


def test_what_is_too_much_is_named_by_the_providers_name_where_the_catalogue_knows_none():
    more = {
        "effect": "allow",
        "permission_groups": [{"id": "f" * 32, "name": "Moon Write"}],
        "resources": {ACCOUNT: "*"},
    }
    there = {"policies": [*shown(*WANTED)["policies"], more]}

    assert said(WANTED, {}, there) == ("the permission Moon Write is too much",)


def test_a_denial_that_is_gone_is_named():
    denied = (*WANTED, TokenPolicy(effect=DENY, groups=(DNS,), resources={"com.cloudflare.api.account.zone.3": "*"}))

    assert said(denied, {}, shown(*WANTED)) == ("the denial of DNS Write is missing",)


def test_another_address_restriction_is_said():
    there = shown(*WANTED, condition={"request_ip": {"in": ["203.0.113.0/24"]}})

    assert said(WANTED, {"in": ("198.51.100.0/24",)}, there) == ("its address restriction is another one",)


def test_what_cannot_be_read_equals_nothing():
    assert differences(WANTED, {}, {"policies": "all"}) == differences(WANTED, {}, {"policies": [{}]}) != ()


def test_a_long_list_is_cut_and_says_so():
    five = [Difference(part=Part.NAME, message=text) for text in "abcde"]

    assert summary(five) == "a, b, c, and 2 more"
    assert summary(five[:1]) == "a"


DENIED = TokenPolicy(effect=DENY, groups=WANTED[0].groups, resources=WANTED[0].resources)


@pytest.mark.parametrize(
    ("there", "widens"),
    [
        (shown(WANTED[0]), True),
        (shown(*WANTED, TokenPolicy(groups=("f" * 32,), resources={"com.cloudflare.api.account.x": "*"})), False),
        (shown(*WANTED, DENIED), True),
        ({"policies": "all"}, True),
    ],
)
def test_putting_it_right_widens_where_a_permission_is_missing_or_a_denial_is_too_much(there: Any, widens: bool):
    found = differences(WANTED, {}, there)

    assert found
    assert {one.part for one in found} == {Part.POLICIES}
    assert any(one.widens for one in found) is widens


def test_a_denial_that_is_missing_narrows():
    (found,) = differences((*WANTED, DENIED), {}, shown(*WANTED))

    assert not found.widens


@pytest.mark.parametrize(
    ("wanted", "there", "widens"),
    [
        ({"in": ("203.0.113.0/24",)}, None, False),
        ({"in": ("203.0.113.7",)}, {"request_ip": {"in": ["203.0.113.0/24"]}}, False),
        ({"in": ("203.0.113.0/24",)}, {"request_ip": {"in": ["203.0.113.7"]}}, True),
        ({}, {"request_ip": {"in": ["203.0.113.0/24"]}}, True),
        ({"not_in": ("203.0.113.0/24",)}, {"request_ip": {"not_in": ["203.0.113.7"]}}, False),
        ({"not_in": ("203.0.113.7",)}, {"request_ip": {"not_in": ["203.0.113.0/24"]}}, True),
        ({"in": ("2001:db8::/32",)}, {"request_ip": {"in": ["203.0.113.0/24"]}}, True),
        ({}, {"something": "else"}, True),
    ],
)
def test_another_address_restriction_widens_unless_it_certainly_narrows(wanted: Any, there: Any, widens: bool):
    (found,) = differences(WANTED, wanted, shown(*WANTED, condition=there))

    assert (found.part, found.widens) == (Part.CONDITION, widens)
