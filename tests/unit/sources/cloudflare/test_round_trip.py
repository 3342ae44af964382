"""Whatever grants ask for is created, read back in any order, and compares equal; any single change does not."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.catalogue import Scope, account_token_refusal, all_groups
from rotator.sandbox import Sandbox
from rotator.sources.cloudflare.check import MANAGES_TOKENS
from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.grants import policies_of
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.tokens import new_body
from tests.sandbox_calls import ACCOUNT, SECOND_ACCOUNT, USER, Provider

ZONES = ["example.com", "example.net", "example.org"]
IDS = {name: f"b{number:031d}" for number, name in enumerate(ZONES, start=1)}
BLOCKS = ["203.0.113.0/24", "198.51.100.7/32", "2001:db8::/32"]


class Directory:
    """The sandbox's names."""

    def zone_id(self, name: str, account_id: str | None) -> str:
        return IDS[name]

    def account_named(self, name: str) -> str:
        return {"Example Account": ACCOUNT, "Second Account": SECOND_ACCOUNT}[name]

    def user_id(self) -> str:
        return USER


def names(scope: Scope, owner: str) -> list[str]:
    """Groups by id: several names stand at two scopes."""
    found = [g for g in all_groups() if g.scope is scope and g.id and g.name not in MANAGES_TOKENS]
    return [g.id for g in found if owner == "user" or not account_token_refusal(g)]


def some(values: list[Any], most: int = 4) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique_by=str)


def grants_of(owner: str) -> st.SearchStrategy[dict[str, Any]]:
    zones: list[Any] = [*ZONES, *({"id": each} for each in IDS.values())]
    one_zone = st.fixed_dictionaries({"permissions": some(names(Scope.ZONE, owner)), "zones": some(zones)})
    every_zone = st.fixed_dictionaries(
        {"permissions": some(names(Scope.ZONE, owner)), "zones": st.just("all")},
        optional={"except_zones": some(zones, 2), **({"accounts": some(_ACCOUNTS, 2)} if owner == "user" else {})},
    )
    named = ["logs", {"name": "cold", "jurisdiction": "eu"}, {"name": "new", "jurisdiction": "us"}]
    buckets = st.fixed_dictionaries(
        {
            "permissions": some(names(Scope.BUCKET, owner), 2),
            "buckets": st.just("all") | some(named),
        }
    )
    of_account = st.fixed_dictionaries({"permissions": some(names(Scope.ACCOUNT, owner))})
    if owner == "account":
        return st.one_of(one_zone, every_zone, buckets, of_account)
    accounts = st.fixed_dictionaries(
        {"permissions": some(names(Scope.ACCOUNT, owner)), "accounts": st.just("all") | some(_ACCOUNTS, 2)}
    )
    anywhere = st.fixed_dictionaries(
        {"permissions": some(names(Scope.ZONE, owner)), "zones": st.just("all"), "accounts": st.just("all")}
    )
    of_user = st.fixed_dictionaries({"permissions": some(names(Scope.USER, owner), 2)})
    return st.one_of(one_zone, every_zone, buckets, of_account, accounts, anywhere, of_user)


_ACCOUNTS: list[Any] = [ACCOUNT, "Second Account"]
LIMITS = st.none() | st.fixed_dictionaries({}, optional={"in": some(BLOCKS), "not_in": some(BLOCKS)}).filter(bool)


@st.composite
def asked(draw: st.DrawFn) -> CredentialOptions:
    owner = draw(st.sampled_from(["user", "account"]))
    stanza: dict[str, Any] = {"owner": owner, "grants": draw(st.lists(grants_of(owner), min_size=1, max_size=4))}
    if (limits := draw(LIMITS)) is not None:
        stanza["request_ip"] = limits
    return CredentialOptions.model_validate(stanza)


@pytest.fixture(scope="module")
def provider():
    sandbox = Sandbox()
    sandbox.world.settings.user_quota = sandbox.world.settings.account_quota = 1_000_000
    return Provider(sandbox)


def limits_of(options: CredentialOptions) -> dict[str, Any]:
    limits = options.request_ip
    sides = {"in": limits.in_, "not_in": limits.not_in} if limits else {}
    return {side: list(blocks) for side, blocks in sides.items() if blocks}


def created(provider: Provider, options: CredentialOptions) -> tuple[Any, Any]:
    """(policies, token as the provider shows it), made by whoever may hand on everything: the user with the key."""
    policies = policies_of(options, ACCOUNT, Directory())
    body = new_body("round trip", policies, limits_of(options), float("inf"))
    base = "/user/tokens" if options.owner == "user" else f"/accounts/{ACCOUNT}/tokens"
    login = {"x-auth-email": "owner@example.com", "x-auth-key": provider.credentials["global-api-key"]}
    made = provider.api("POST", base, body, headers=login).result
    return policies, provider.api("GET", f"{base}/{made['id']}", headers=login).result


def shuffled(shown: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same token in another order, with the condition under the other key."""

    def mixed(items: Any) -> list[Any]:
        found = list(items)
        chance.shuffle(found)
        return found

    policies = [
        {
            **policy,
            "permission_groups": mixed(policy["permission_groups"]),
            "resources": dict(mixed(policy["resources"].items())),
        }
        for policy in mixed(shown["policies"])
    ]
    condition = shown.get("condition")
    if condition and chance.random() < 0.5:
        condition = {"request.ip": {side: mixed(blocks) for side, blocks in condition["request_ip"].items()}}
    return {**shown, "policies": policies, "condition": condition}


def split(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """One policy for each permission on each resource, which means the same."""
    found = {}
    for policy in shown["policies"]:
        for group in policy["permission_groups"]:
            for key, value in policy["resources"].items():
                for inner in value if isinstance(value, dict) else [None]:
                    place = {key: value} if inner is None else {key: {inner: "*"}}
                    one = {"effect": policy["effect"], "permission_groups": [group], "resources": place}
                    found[policy["effect"], group["id"], key, inner] = one
    return list(found.values())


EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@EXAMPLES
@given(options=asked(), chance=st.randoms(use_true_random=False))
def test_what_was_asked_for_is_read_back_equal_in_any_order(provider, options, chance):
    policies, shown = created(provider, options)

    assert differences(policies, limits_of(options), shuffled(shown, chance)) == ()
    assert differences(policies, limits_of(options), {**shown, "policies": split(shown)}) == ()


@EXAMPLES
@given(options=asked(), chance=st.randoms(use_true_random=False))
def test_any_single_change_is_seen(provider, options, chance):
    policies, shown = created(provider, options)
    atoms = split(shown)
    one = chance.choice(atoms)
    rest = [each for each in atoms if each is not one]
    group = one["permission_groups"][0]
    held = {each["permission_groups"][0]["id"] for each in atoms}
    foreign = chance.choice([g.id for g in all_groups() if g.id and g.id not in held])
    flipped = {**one, "effect": "deny" if one["effect"] == "allow" else "allow"}

    changes = {
        "one less": rest,
        "another permission": [*rest, {**one, "permission_groups": [{"id": foreign}]}],
        "one more": [*atoms, {**one, "permission_groups": [{"id": foreign}]}],
        "elsewhere": [*rest, {**one, "resources": {f"com.cloudflare.api.account.{'f' * 32}": "*"}}],
        "the other effect": [*rest, flipped],
    }
    for what, changed in changes.items():
        found = differences(policies, limits_of(options), {**shown, "policies": changed})
        assert found, what
        if what == "one less":
            assert any(str(group["name"]) in difference.message for difference in found)
    other = {"request_ip": {"in": ["192.0.2.1/32"]}}
    assert differences(policies, limits_of(options), {**shown, "condition": other})
