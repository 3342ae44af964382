"""Cloudflare's own Python SDK, with its typed models, against the sandbox."""

from datetime import UTC, datetime, timedelta

import cloudflare
import httpx
import pytest
from cloudflare.types.accounts import token_create_response as account_created
from cloudflare.types.user import token_create_response as user_created

from rotator.sandbox.world import sha256
from tests.sandbox_calls import ACCOUNT, DNS_WRITE, ZONE, ZONE_READ, allow, zones_of

POLICIES = [allow(DNS_WRITE, ZONE_READ, on=zones_of())]


class Owner:
    """The same calls for a user's and an account's tokens; the SDK names them differently."""

    def __init__(self, kind, sandbox):
        self.kind, self.sandbox = kind, sandbox
        self.client = self.as_(sandbox.credentials[f"{kind}-management"])
        self.path = {} if kind == "user" else {"account_id": ACCOUNT}
        self.api = self.of(self.client)
        self.management_id = sandbox.world.roles[f"{kind}-management"]

    def as_(self, value, **more):
        return cloudflare.Cloudflare(api_token=value, base_url=self.sandbox.url, max_retries=0, timeout=10, **more)

    def of(self, client):
        return client.user.tokens if self.kind == "user" else client.accounts.tokens

    def create(self, **more):
        return self.api.create(**{"name": "sdk", "policies": POLICIES, **self.path, **more})

    def verify(self, value):
        with self.as_(value) as client:
            return self.of(client).verify(**self.path)


@pytest.fixture(params=["user", "account"])
def owner(request, sandbox):
    owner = Owner(request.param, sandbox)
    with owner.client:
        yield owner


def test_a_created_token_is_a_typed_model_with_a_value(owner):
    expiry = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    token = owner.create(
        expires_on=expiry.strftime("%Y-%m-%dT%H:%M:%SZ"), condition={"request_ip": {"in": ["127.0.0.1"]}}
    )
    model = user_created if owner.kind == "user" else account_created
    assert isinstance(token, model.TokenCreateResponse)
    assert token.expires_on == expiry
    assert token.status == "active"
    assert token.condition.request_ip.in_ == ["127.0.0.1"]
    assert token.policies[0].permission_groups[0].name == "DNS Write"
    assert owner.verify(token.value).id == token.id


def test_get_and_update_answer_the_token_without_a_value(owner):
    token = owner.create()
    assert owner.api.get(token_id=token.id, **owner.path).name == "sdk"
    changed = owner.api.update(token_id=token.id, name="new", policies=POLICIES, status="disabled", **owner.path)
    assert (changed.name, changed.status) == ("new", "disabled")
    assert "value" not in changed.to_dict()
    assert owner.verify(token.value).status == "disabled"


def test_a_roll_answers_the_bare_value(owner):
    token = owner.create()
    value = owner.api.value.update(token_id=token.id, **owner.path)
    assert isinstance(value, str)
    assert owner.verify(value).id == token.id
    with pytest.raises(cloudflare.AuthenticationError):
        owner.verify(token.value)


def test_a_list_is_paged_through_by_the_sdk_itself(owner):
    before = len(list(owner.api.list(per_page=5, **owner.path)))
    made = {owner.create(name=f"t{number}").id for number in range(12)}
    listed = [token.id for token in owner.api.list(per_page=5, **owner.path)]
    assert len(listed) == len(set(listed)) == before + 12
    assert made < set(listed)


def test_a_list_may_include_expired_tokens(owner):
    token = owner.create(expires_on=(datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    httpx.post(f"{owner.sandbox.control}/clock", json={"advance": 600}).raise_for_status()
    assert token.id not in [each.id for each in owner.api.list(**owner.path)]
    (found,) = [each for each in owner.api.list(include_expired=True, **owner.path) if each.id == token.id]
    assert found.status == "expired"


def test_a_delete_answers_the_id_and_a_second_one_not_found(owner):
    token = owner.create()
    assert owner.api.delete(token_id=token.id, **owner.path).id == token.id
    with pytest.raises(cloudflare.NotFoundError) as caught:
        owner.api.delete(token_id=token.id, **owner.path)
    assert [error.code for error in caught.value.errors] == [1003]


def test_verify_answers_the_tokens_own_id(owner):
    verified = owner.api.verify(**owner.path)
    assert (verified.id, verified.status) == (owner.management_id, "active")


def test_permission_groups_are_typed_and_filtered(owner):
    (group,) = owner.api.permission_groups.list(name="DNS Write", **owner.path)
    assert (group.id, group.scopes) == (DNS_WRITE, ["com.cloudflare.api.account.zone"])


@pytest.mark.parametrize(
    "raised,code,act",
    [
        (cloudflare.BadRequestError, 400, lambda owner: owner.create(name="")),
        (cloudflare.BadRequestError, 1001, lambda owner: owner.create(policies=[allow("0" * 32, on=zones_of())])),
        (cloudflare.BadRequestError, 6003, lambda owner: owner.verify("test")),
        (cloudflare.AuthenticationError, 1000, lambda owner: owner.verify("x" * 40)),
        (
            cloudflare.PermissionDeniedError,
            {"user": 9109, "account": 10000},
            lambda owner: owner.of(owner.as_(owner.create().value)).get(token_id="0" * 32, **owner.path),
        ),
        (cloudflare.NotFoundError, 1003, lambda owner: owner.api.get(token_id="0" * 32, **owner.path)),
    ],
)
def test_refusals_are_the_sdks_own_error_classes(owner, raised, code, act):
    with pytest.raises(raised) as caught:
        act(owner)
    expected = code[owner.kind] if isinstance(code, dict) else code
    assert [error.code for error in caught.value.errors] == [expected]


def test_a_rate_limit_is_the_sdks_own_error_class(owner):
    httpx.post(
        f"{owner.sandbox.control}/settings", json={"rate_limit": {"requests": 1, "window": 60}}
    ).raise_for_status()
    owner.api.verify(**owner.path)
    with pytest.raises(cloudflare.RateLimitError) as caught:
        owner.api.verify(**owner.path)
    assert 0 < int(caught.value.response.headers["Retry-After"]) <= 60


def test_the_sdks_own_retries_roll_a_token_twice_when_the_answer_is_lost(owner):
    """The reason why the daemon must not use them: the value of the first roll is gone before anybody saw it."""
    token = owner.create()
    httpx.post(f"{owner.sandbox.control}/faults", json={"operation": "roll", "kind": "lose_answer"}).raise_for_status()
    with owner.as_(owner.sandbox.credentials[f"{owner.kind}-management"]).with_options(max_retries=1) as client:
        value = owner.of(client).value.update(token_id=token.id, **owner.path)
    stored = owner.sandbox.world.tokens[token.id]
    assert len(stored.former) == 2
    assert sha256(value) == sha256(stored.value)


def test_zones_accounts_memberships_and_the_user_are_typed(sandbox):
    with cloudflare.Cloudflare(
        api_token=sandbox.credentials["user-management"], base_url=sandbox.url, max_retries=0
    ) as client:
        assert [zone.name for zone in client.zones.list()] == ["example.com", "example.net", "example.org"]
        assert [zone.id for zone in client.zones.list(name="example.com", account={"id": ACCOUNT})] == [ZONE]
        assert client.zones.get(zone_id=ZONE).account.id == ACCOUNT
        assert [account.name for account in client.accounts.list()] == ["Example Account", "Second Account"]
        assert client.accounts.get(account_id=ACCOUNT).id == ACCOUNT
        assert next(each.account.id for each in client.memberships.list()) == ACCOUNT
        assert client.user.get().email == "owner@example.com"


def test_the_global_key_works_through_the_sdk(sandbox):
    with cloudflare.Cloudflare(
        api_email="owner@example.com",
        api_key=sandbox.credentials["global-api-key"],
        base_url=sandbox.url,
        max_retries=0,
    ) as client:
        assert client.user.tokens.create(name="by-key", policies=[]).value.startswith("cfut_")
