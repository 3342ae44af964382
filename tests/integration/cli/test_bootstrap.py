"""bootstrap: the first management token of a connection, by each of the three ways, and what can be wrong with each."""

import subprocess

import pytest

from rotator.sandbox.catalogue import ACCOUNT_API_TOKENS_READ, groups
from tests.canaries import leaks
from tests.integration.cli.first_token import ACCOUNT, EMAIL, ZONE, codes, levels, ours, stands, typed

SECOND = "a0000000000000000000000000000002"


def held(token):
    return {groups()[group].name for group in token.group_ids()}


def test_the_global_api_key_makes_both_tokens_and_check_is_green(by_key, bare, rotator):
    done = by_key("-o", "json")

    assert done.code == 0, done.err
    assert "fail" not in levels(done.json)
    by_role = {row["role"]: row for row in done.json["tokens"]}
    assert set(by_role) == {"management", "standby"}
    for role, name in (("management", "token"), ("standby", "standby")):
        token = bare.sandbox.world.tokens[by_role[role]["id"]]
        assert stands(bare, name) == token.value
        assert (bare.folder / "secrets" / name).stat().st_mode & 0o777 == 0o600
        assert by_role[role]["written_to"] == str(bare.folder / "secrets" / name)
        assert by_role[role]["expires_on"].endswith("Z")
        assert held(token) == {
            *("Account API Tokens Write", "Account API Tokens Read", "Account Settings Read"),
            *("Zone Read", "DNS Write"),
        }
    assert by_role["standby"]["expires_on"] < by_role["management"]["expires_on"]
    assert rotator("check").code == 0
    assert rotator("once", "--wait", "10s").code == 0


def test_the_key_stands_nowhere_afterwards_and_no_value_but_in_its_place(by_key, bare):
    done = by_key()
    again = by_key("-o", "json")

    key = (bare.folder / "global-api-key").read_text()
    (bare.folder / "global-api-key").unlink()
    texts = [done.out.encode(), done.err.encode(), again.out.encode(), again.err.encode()]
    assert leaks([key], [bare.folder], texts) == []
    values = [token.value for token in ours(bare)]
    assert len(values) == 2
    found = leaks(values, [bare.folder / "state.db", bare.folder / "bootstrap", bare.folder / "rotator.yaml"], texts)
    assert found == []


def test_a_place_that_holds_a_living_token_is_kept(by_key, bare):
    assert by_key().code == 0
    before = stands(bare, "token"), stands(bare, "standby")

    again = by_key()
    assert again.code == 1
    assert "kept" in again.err
    assert (stands(bare, "token"), stands(bare, "standby")) == before
    assert len(ours(bare)) == 2


def test_only_the_missing_one_is_made(by_key, bare):
    assert by_key().code == 0
    (bare.folder / "secrets" / "standby").unlink()
    kept = stands(bare, "token")

    again = by_key("-o", "json")
    assert again.code == 0
    assert [(row["role"], row["kept"]) for row in again.json["tokens"]] == [("management", True), ("standby", False)]
    assert stands(bare, "token") == kept


def test_a_placeholder_is_no_token(by_key, bare):
    (bare.folder / "secrets").mkdir()
    (bare.folder / "secrets" / "token").write_text("your_api_token_here\n")

    assert by_key().code == 0
    assert stands(bare, "token") in [token.value for token in ours(bare)]


@pytest.mark.parametrize(
    "content, said",
    [
        ("cfat_" + "dead" * 12, "does not accept"),
        ("cfk_" + "a1B2" * 12, "Global API Key"),
        ("'cfut_" + "dead" * 12 + "'", "quotes"),
        ("Bearer cfut_" + "dead" * 12, "Bearer"),
        ("CLOUDFLARE_API_TOKEN=cfut_" + "dead" * 12, "NAME=value"),
    ],
)
def test_what_stands_in_a_place_and_is_not_known_is_never_written_over(by_key, bare, content, said):
    (bare.folder / "secrets").mkdir()
    (bare.folder / "secrets" / "token").write_text(content)

    done = by_key()
    assert done.code == 1
    assert said in done.err
    assert "move" in done.err
    assert stands(bare, "token") == content
    assert ours(bare) == []


def test_credentials_of_a_user_get_a_token_of_the_user(by_key, bare):
    bare.configure(bare.credential("platform", owner="user"), bare.credential("deploy"))

    done = by_key("-o", "json")
    assert done.code == 0, done.err
    token = ours(bare)[0]
    assert token.owner.type == "user"
    assert {"API Tokens Write", "Account API Tokens Write"} <= held(token)


def test_a_token_of_the_user_that_manages_no_account_still_sees_the_connections(by_key, bare, rotator):
    bare.configure(bare.credential("platform", owner="user"))

    assert by_key().code == 0
    assert "Account Settings Read" in held(ours(bare)[0])
    assert "Account API Tokens Write" not in held(ours(bare)[0])
    accounts = [f["level"] for f in rotator("check", "-o", "json").json["findings"] if f["code"] == "account"]
    assert accounts == ["ok"]


def test_a_dry_run_makes_nothing_and_shows_what_would_be(by_key, bare):
    shown = by_key("--dry-run")

    assert shown.code == 0
    assert ours(bare) == []
    assert not (bare.folder / "secrets").exists()
    assert "Account API Tokens Write" in shown.out
    assert "DNS Write" in shown.out
    document = by_key("--dry-run", "-o", "json").json
    assert [row["id"] for row in document["tokens"]] == [None, None]


def test_lifetimes_are_years_days_or_never(by_key, bare):
    assert by_key("--lifetime", "never", "-o", "json").json["tokens"][0]["expires_on"] is None
    assert ours(bare)[0].expires_on is None
    assert by_key("--lifetime", "5x").code == 2
    assert by_key("--lifetime", "1h").code == 2


@pytest.mark.parametrize(
    "email, key, said, fix",
    [
        ("somebody@else.example", None, "does not accept the Global API Key", "compare the e-mail"),
        (EMAIL, "cfk_" + "a1B2" * 10 + "00000000", "does not accept the Global API Key", "changed (revoked)"),
        (EMAIL, "nonsense", "not a Global API Key", "View"),
        (EMAIL, "cfut_" + "a1B2" * 10 + "00000000", "an API token, not the Global API Key", "--with token"),
        (EMAIL, '"' + "cfk_" + "a1B2" * 10 + '"', "quotes", "remove the quotes"),
        (EMAIL, "KEY=cfk_" + "a1B2" * 10, "a whole line", "keep only the key"),
        ("", None, "needs the e-mail", "--email"),
        ("owner", None, "no e-mail address", "--email"),
    ],
)
def test_each_trouble_with_the_key_has_its_own_message_and_fix(rotator, bare, email, key, said, fix):
    if key is not None:
        (bare.folder / "global-api-key").write_text(key)
    arguments = ["--email", email] if email else []

    done = rotator("bootstrap", "prod", "--with", "global-key", *arguments, "--key-file", "global-api-key")
    assert done.code in (1, 2)
    assert said in done.err
    assert fix in done.err
    assert ours(bare) == []
    if key is not None:
        assert leaks([key.strip("\"'")] if len(key) > 20 else [], [], [done.err.encode(), done.out.encode()]) == []


def test_without_a_key_it_says_where_the_dashboard_has_it(rotator, bare, monkeypatch):
    typed(monkeypatch)
    done = rotator("bootstrap", "prod", "--with", "global-key", "--email", EMAIL)

    assert done.code == 2
    assert "Global API Key, `View`" in done.err


def test_e_mail_and_key_come_from_the_environment_or_standard_input(rotator, bare, monkeypatch):
    key = bare.sandbox.credentials["global-api-key"]
    monkeypatch.setenv("CLOUDFLARE_EMAIL", EMAIL)
    typed(monkeypatch, key)
    assert rotator("bootstrap", "prod", "--with", "global-key").code == 0
    (bare.folder / "secrets" / "standby").unlink()
    monkeypatch.setenv("CLOUDFLARE_GLOBAL_KEY", key)
    assert rotator("bootstrap", "prod", "--with", "global-key").code == 0


@pytest.mark.parametrize(
    "account, said",
    [
        (ZONE, "the id of the zone example.com"),
        ("c0000000000000000000000000000001", "the id of the user"),
        ("a000000000000000000000000000000f", "does not reach it"),
    ],
)
def test_what_an_account_id_really_is_is_named_before_anything_is_made(by_key, bare, account, said):
    bare.configure(account_id=account)

    done = by_key()
    assert done.code == 2
    assert said in done.err
    assert ACCOUNT in done.err
    assert ours(bare) == []


def test_a_missing_account_id_is_found_for_the_user(by_key, bare):
    bare.configure(account_id=None)

    done = by_key()
    assert done.code == 2
    assert ACCOUNT in done.err
    assert SECOND in done.err
    assert ours(bare) == []


def test_a_missing_account_id_is_found_by_the_token_that_was_given(rotator, bare):
    bare.configure(account_id=None)

    done = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management")
    assert done.code == 2
    assert f"write `account_id: {ACCOUNT}`" in done.err
    assert not (bare.folder / "secrets").exists()


def test_check_says_how_a_missing_management_token_is_made(rotator, bare):
    (finding,) = [f for f in rotator("check", "-o", "json").json["findings"] if f["code"] == "secret"]

    assert finding["level"] == "fail"
    assert "rotator bootstrap prod --with global-key" in finding["remedy"]
    assert "standby_missing" in codes(rotator("check", "-o", "json").json)


def test_a_silently_dropped_permission_is_named_and_the_token_deleted(by_key, bare, monkeypatch):
    from rotator.sandbox import tokens

    made = tokens.make

    def forgetful(world, owner, name, policies, now):
        for policy in policies:
            kept = [g for g in policy["permission_groups"] if g["id"] != ACCOUNT_API_TOKENS_READ]
            policy["permission_groups"] = kept
        return made(world, owner, name, policies, now)

    monkeypatch.setattr(tokens, "make", forgetful)
    done = by_key()
    assert done.code == 1
    assert "Account API Tokens Read is missing" in done.err
    assert ours(bare) == []
    assert not (bare.folder / "secrets" / "token").exists()


def test_where_git_would_take_the_token_up_nothing_is_made(by_key, bare):
    subprocess.run(["git", "init", "-q", str(bare.folder)], check=True)

    done = by_key()
    assert done.code == 1
    assert ".gitignore" in done.err
    assert ours(bare) == []
