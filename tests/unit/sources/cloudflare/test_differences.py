"""How a token differs from what was asked for is said in words that a person can act on."""

from typing import Any

from rotator.sources.cloudflare.differences import differences, summary
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


def test_what_is_equal_differs_in_nothing():
    assert differences(WANTED, {}, shown(*reversed(WANTED))) == ()


def test_a_permission_that_cloudflare_dropped_is_named():
    there = shown(WANTED[0], TokenPolicy(groups=(DNS,), resources=ZONES))

    assert differences(WANTED, {}, there) == ("the permission Cache Purge is missing",)


def test_a_permission_that_is_missing_on_one_resource_says_on_which():
    there = shown(WANTED[0], TokenPolicy(groups=(DNS, PURGE), resources={"com.cloudflare.api.account.zone.1": "*"}))

    assert differences(WANTED, {}, there) == (
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

    assert differences(WANTED, {}, there) == ("the permission Moon Write is too much",)


def test_a_denial_that_is_gone_is_named():
    denied = (*WANTED, TokenPolicy(effect=DENY, groups=(DNS,), resources={"com.cloudflare.api.account.zone.3": "*"}))

    assert differences(denied, {}, shown(*WANTED)) == ("the denial of DNS Write is missing",)


def test_another_address_restriction_is_said():
    there = shown(*WANTED, condition={"request_ip": {"in": ["203.0.113.0/24"]}})

    assert differences(WANTED, {"in": ("198.51.100.0/24",)}, there) == ("its address restriction is another one",)


def test_what_cannot_be_read_equals_nothing():
    assert differences(WANTED, {}, {"policies": "all"}) == differences(WANTED, {}, {"policies": [{}]}) != ()


def test_a_long_list_is_cut_and_says_so():
    assert summary(("a", "b", "c", "d", "e")) == "a, b, c, and 2 more"
    assert summary(("a",)) == "a"
