"""Grants become policies: one per scope, with the resources that Cloudflare documents."""

import pytest

from rotator.catalogue import Group, Scope, meaning
from rotator.sources.cloudflare.grants import policies_of
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.policies import TokenPolicy

ACCOUNT = "a0000000000000000000000000000001"
OTHER = "a0000000000000000000000000000002"


def resolve(name: str, scope: Scope | None = None) -> Group:
    return meaning(name, [scope] if scope else [Scope.ACCOUNT, Scope.USER]).group


class Names:
    """A directory that answers from nothing but the name."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def zone_id(self, name: str, account_id: str | None) -> str:
        self.asked.append(f"{name}@{account_id}")
        return f"id-of-{name}"

    def account_named(self, name: str) -> str:
        self.asked.append(name)
        return f"id-of-{name}"

    def user_id(self) -> str:
        self.asked.append("user")
        return "c1"


def compiled(*grants: object, owner: str = "user", account_id: str | None = ACCOUNT) -> tuple[TokenPolicy, ...]:
    options = CredentialOptions.model_validate({"owner": owner, "grants": list(grants)})
    return policies_of(options, account_id, Names())


def one(grant: object, **more: str | None) -> dict[str, object]:
    (policy,) = compiled(grant, **more)  # type: ignore[arg-type]  # the keywords of `compiled`
    return dict(policy.resources)


D1 = {"permissions": ["D1 Write"]}
READ_ZONE = {"permissions": ["Zone Read"]}
BUCKET = {"permissions": ["Workers R2 Storage Bucket Item Read"]}


@pytest.mark.parametrize(
    "grant, resources",
    [
        (D1, {f"com.cloudflare.api.account.{ACCOUNT}": "*"}),
        ({**D1, "accounts": "all"}, {"com.cloudflare.api.account.*": "*"}),
        (
            {**D1, "accounts": [ACCOUNT, OTHER]},
            {f"com.cloudflare.api.account.{ACCOUNT}": "*", f"com.cloudflare.api.account.{OTHER}": "*"},
        ),
        ({**READ_ZONE, "zones": ["a.example"]}, {"com.cloudflare.api.account.zone.id-of-a.example": "*"}),
        ({**READ_ZONE, "zones": [{"id": "b" * 32}]}, {f"com.cloudflare.api.account.zone.{'b' * 32}": "*"}),
        (
            {**READ_ZONE, "zones": "all"},
            {f"com.cloudflare.api.account.{ACCOUNT}": {"com.cloudflare.api.account.zone.*": "*"}},
        ),
        (
            {**READ_ZONE, "zones": "all", "accounts": [OTHER]},
            {f"com.cloudflare.api.account.{OTHER}": {"com.cloudflare.api.account.zone.*": "*"}},
        ),
        ({**READ_ZONE, "zones": "all", "accounts": "all"}, {"com.cloudflare.api.account.zone.*": "*"}),
        ({"permissions": ["Memberships Read"]}, {"com.cloudflare.api.user.c1": "*"}),
        (
            {**BUCKET, "buckets": ["logs", {"name": "cold", "jurisdiction": "eu"}]},
            {
                f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_logs": "*",
                f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_eu_cold": "*",
            },
        ),
        (
            {**BUCKET, "buckets": "all"},
            {f"com.cloudflare.api.account.{ACCOUNT}": {"com.cloudflare.edge.r2.bucket.*": "*"}},
        ),
    ],
)
def test_resources_are_written_as_cloudflare_documents_them(grant: object, resources: object):
    assert one(grant) == resources


def test_permissions_of_account_and_user_scope_get_a_policy_each():
    account, user = compiled({"permissions": ["D1 Write", "Memberships Read", "Workers Scripts Write"]})

    assert account.groups == (resolve("D1 Write").id, resolve("Workers Scripts Write").id)
    assert user.groups == (resolve("Memberships Read").id,)
    assert dict(user.resources) == {"com.cloudflare.api.user.c1": "*"}


def test_a_name_of_two_scopes_gets_the_id_of_its_grants_scope():
    account, zone = compiled({"permissions": ["Logs Read"]}, {"permissions": ["Logs Read"], "zones": "all"})

    assert account.groups == (resolve("Logs Read", Scope.ACCOUNT).id,)
    assert zone.groups == (resolve("Logs Read", Scope.ZONE).id,)


def test_excepted_zones_are_denied():
    allow, deny = compiled({**READ_ZONE, "zones": "all", "except_zones": ["a.example"]})

    assert (allow.effect, deny.effect) == ("allow", "deny")
    assert allow.groups == deny.groups
    assert dict(deny.resources) == {"com.cloudflare.api.account.zone.id-of-a.example": "*"}


def test_an_id_is_taken_as_it_is_but_a_users_is_known():
    account, user = compiled({"permissions": [{"id": "f" * 32}, {"id": resolve("Memberships Read").id}]})

    assert account.groups == ("f" * 32,)
    assert dict(user.resources) == {"com.cloudflare.api.user.c1": "*"}
    (zone,) = compiled({"permissions": [{"id": "f" * 32}], "zones": "all"})
    assert "com.cloudflare.api.account.zone.*" in str(zone.resources)


def test_a_permission_that_is_named_twice_is_sent_once():
    (policy,) = compiled({"permissions": ["D1 Write", {"id": resolve("D1 Write").id}]})

    assert policy.groups == (resolve("D1 Write").id,)


def test_nobody_is_asked_for_what_is_not_needed():
    names = Names()
    options = CredentialOptions.model_validate({"grants": [D1, {**READ_ZONE, "zones": [{"id": "b" * 32}]}]})
    policies_of(options, ACCOUNT, names)
    assert names.asked == []

    options = CredentialOptions.model_validate({"grants": [{**READ_ZONE, "zones": ["a.example"]}]})
    policies_of(options, ACCOUNT, names)
    assert names.asked == [f"a.example@{ACCOUNT}"]


def test_zones_and_accounts_are_taken_by_name_and_by_id_as_they_are_written():
    names = Names()
    grants = [
        {**READ_ZONE, "zones": ["a.example", "B" * 32]},
        {**D1, "accounts": ["Example Account", OTHER]},
    ]
    options = CredentialOptions.model_validate({"owner": "user", "grants": grants})
    zones, accounts = policies_of(options, ACCOUNT, names)

    assert dict(zones.resources) == {
        "com.cloudflare.api.account.zone.id-of-a.example": "*",
        f"com.cloudflare.api.account.zone.{'b' * 32}": "*",
    }
    assert dict(accounts.resources) == {
        "com.cloudflare.api.account.id-of-Example Account": "*",
        f"com.cloudflare.api.account.{OTHER}": "*",
    }
    assert names.asked == [f"a.example@{ACCOUNT}", "Example Account"]


def test_grants_on_the_same_resources_become_one_policy():
    (policy,) = compiled({"permissions": ["D1 Edit"]}, {"permissions": ["D1 Write", "Queues (Edit)"]})

    assert policy.groups == (resolve("D1 Write").id, resolve("Queues Write").id)


def test_a_template_is_its_permissions_each_on_its_own_resources():
    account, zone, user = compiled({"template": "edit_cloudflare_workers", "zones": ["a.example"]})

    assert resolve("Workers Scripts Write").id in account.groups
    assert dict(account.resources) == {f"com.cloudflare.api.account.{ACCOUNT}": "*"}
    assert zone.groups == (resolve("Workers Routes Write", Scope.ZONE).id,)
    assert dict(zone.resources) == {"com.cloudflare.api.account.zone.id-of-a.example": "*"}
    assert user.groups == (resolve("User Details Read").id, resolve("Memberships Read").id)


def test_a_template_for_all_zones_needs_none_to_be_named():
    account, zone = compiled({"template": "WordPress"})

    assert dict(zone.resources) == {f"com.cloudflare.api.account.{ACCOUNT}": {"com.cloudflare.api.account.zone.*": "*"}}
    assert account.groups == (resolve("Account Settings Read").id,)
