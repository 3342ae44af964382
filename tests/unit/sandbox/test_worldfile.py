"""World files: what they may say, and how a mistake in one is told."""

import re
import stat

import pytest

from rotator.sandbox import Sandbox
from tests.sandbox_calls import DNS_WRITE, Provider

WORLD = f"""
accounts:
  - name: Main
  - {{id: {"d" * 32}, name: Other}}
users:
  - {{email: me@example.com, accounts: [Main]}}
zones:
  - {{name: shop.example, account: Main}}
  - {{id: {"e" * 32}, name: blog.example, account: {"d" * 32}}}
tokens:
  - name: old-deploy
    id: "{"1" * 32}"
    owner: {{account: Main}}
    value: cfat_{"A" * 40}{"0" * 8}
    policies:
      - effect: allow
        permission_groups: [{{id: {DNS_WRITE}}}]
        resources: {{com.cloudflare.api.account.zone.{"e" * 32}: "*"}}
"""


def world(tmp_path, text):
    path = tmp_path / "world.yaml"
    path.write_text(text)
    return Provider(Sandbox(world=path))


MINIMAL = "accounts: [{name: Main}]\nusers: [{email: me@example.com}]\n"


def with_token(**more):
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return MINIMAL + f"tokens:\n  - name: old\n    owner: {{user: me@example.com}}\n    policies: []\n{lines}"


def only_token(provider):
    return provider.control("GET", "tokens").json["tokens"][-1]


def test_a_world_file_says_what_exists(tmp_path):
    text = WORLD.replace(f"com.cloudflare.api.account.zone.{'e' * 32}", f"com.cloudflare.api.account.{'0' * 32}")
    with pytest.raises(ValueError, match=r"tokens\.0"):
        world(tmp_path, text)  # that account is not there
    provider = world(tmp_path, MINIMAL + "zones: [{name: shop.example, account: Main}]\n")
    got = provider.api("GET", "/zones", bearer=provider.credentials["user-management"])
    assert [row["name"] for row in got.result] == ["shop.example"]
    assert provider.api("GET", "/user", bearer=provider.credentials["user-management"]).result["email"] == (
        "me@example.com"
    )


@pytest.mark.parametrize("spelling", ["xn--bcher-kva.example", "BÜCHER.example", "bücher.example."])
def test_a_zone_of_a_world_file_is_kept_under_its_unicode_name_as_cloudflare_does(tmp_path, spelling):
    provider = world(tmp_path, MINIMAL + f"zones: [{{name: {spelling}, account: Main}}]\n")
    found = provider.api("GET", "/zones?name=b%C3%BCcher.example", bearer=provider.credentials["user-management"])
    assert [row["name"] for row in found.result] == ["bücher.example"]


def test_an_account_token_of_a_world_file_stays_within_its_account(tmp_path):
    with pytest.raises(ValueError, match="Failed common permission check"):
        world(tmp_path, WORLD)  # the zone e... is the other account's
    text = WORLD.replace("owner: {account: Main}", "owner: {account: Other}")
    assert only_token(world(tmp_path, text))["id"] == "1" * 32


def test_ids_that_are_not_given_are_the_same_at_every_start(tmp_path):
    first, second = world(tmp_path, MINIMAL), world(tmp_path, MINIMAL)
    assert list(first.world.accounts) == list(second.world.accounts)
    assert list(first.world.users) == list(second.world.users)


def test_a_user_is_a_member_of_all_accounts_unless_some_are_named(tmp_path):
    accounts = "accounts: [{name: Main}, {name: Other}]\n"
    for users, count in (("{email: a@b}", 2), ("{email: a@b, accounts: [Other]}", 1)):
        provider = world(tmp_path, accounts + f"users: [{users}]\n")
        got = provider.api("GET", "/memberships", bearer=provider.credentials["user-management"])
        assert len(got.result) == count


def test_a_token_of_a_world_file_has_the_value_it_was_given(tmp_path):
    value = "cfut_" + "A" * 40 + "0" * 8
    provider = world(tmp_path, with_token(value=value))
    assert provider.api("GET", "/user/tokens/verify", bearer=value).result["status"] == "active"


@pytest.mark.parametrize("moment", ["2126-12-24T00:00:00Z", "'2126-12-24T01:00:00+01:00'", "2126-12-24 00:00:00"])
def test_a_time_may_be_quoted_or_not(tmp_path, moment):
    assert only_token(world(tmp_path, with_token(expires_on=moment)))["expires_on"] == "2126-12-24T00:00:00Z"


def test_a_token_may_be_expired_disabled_or_managed_from_the_start(tmp_path):
    assert only_token(world(tmp_path, with_token(expires_on="2020-01-01T00:00:00Z")))["status"] == "expired"
    assert only_token(world(tmp_path, with_token(status="disabled")))["status"] == "disabled"
    provider = world(tmp_path, with_token(managed="true"))
    assert provider.owner("user").delete(only_token(provider)["id"]).refusal == (400, 1001)


def test_a_world_file_may_set_settings(tmp_path):
    provider = world(tmp_path, MINIMAL + "settings: {user_quota: 2}\n")
    assert provider.owner("user").create(policies=[]).refusal == (400, 1001)


def test_tokens_of_a_world_file_are_seeded_once_and_then_kept_by_the_state(tmp_path):
    path, state = tmp_path / "world.yaml", tmp_path / "state.json"
    path.write_text(with_token(id=repr("1" * 32)))
    first = Provider(Sandbox(world=path, state=state))
    assert first.owner("user").delete("1" * 32).status == 200
    second = Provider(Sandbox(world=path, state=state))
    assert second.seen("1" * 32)["status"] == "deleted"


@pytest.mark.parametrize(
    "text,said",
    [
        ("", "accounts"),
        ("- a\n", "the file"),
        ("accounts: []\nusers: []\n", "accounts"),
        (MINIMAL + "zone: []\n", "zone"),
        (MINIMAL + "zones: [{name: x.example, account: Nowhere}]\n", "there is no account 'Nowhere'"),
        (MINIMAL + "zones: [{name: xn--ü.example, account: Main}]\n", "no name in its xn-- form"),
        (MINIMAL + "accounts: []\n", "world.yaml:3"),
        ("accounts: [", "world.yaml:1:12: not YAML"),
        (MINIMAL + "settings: {lag: 3}\n", "unknown setting 'lag'"),
        (with_token(id="1" * 32), "put them in quotes"),
        (with_token(value="short"), "tokens.0.value"),
        (with_token(status="gone"), "tokens.0.status"),
        (with_token(expires_on="soon"), "tokens.0.expires_on"),
        (with_token(condition="{country: DE}"), "tokens.0: condition"),
        (with_token().replace("{user: me@example.com}", "{user: you@example.com}"), "there is no user"),
        (with_token().replace("{user: me@example.com}", "{}"), "either account or user"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, text, said):
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        world(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "world.yaml"))


def test_token_files_are_private_and_hold_the_bare_value(tmp_path):
    folder = tmp_path / "tokens"
    folder.mkdir()
    (folder / "user-management").write_text("something long that stood here before and was readable by all" * 3)
    sandbox = Sandbox(tokens_dir=folder).start()
    sandbox.stop()
    assert {each.name: each.read_text() for each in folder.iterdir()} == dict(sandbox.credentials)
    assert set(sandbox.credentials) == {
        "user-management",
        "user-standby",
        "account-management",
        "account-narrow",
        "account-standby",
        "global-api-key",
    }
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
