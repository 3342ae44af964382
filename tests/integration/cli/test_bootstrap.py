"""bootstrap: the first management token of a connection, by each of the three ways, and what can be wrong with each."""

import io
import json
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from rotator.sandbox.catalogue import ACCOUNT_API_TOKENS_READ, groups
from tests.canaries import leaks

ACCOUNT = "a0000000000000000000000000000001"
SECOND = "a0000000000000000000000000000002"
ZONE = "b0000000000000000000000000000001"
EMAIL = "owner@example.com"
BY_KEY = ["bootstrap", "prod", "--with", "global-key", "--email", EMAIL, "--key-file", "global-api-key"]
OURS = re.compile(r"rotator (management|standby) prod [0-9a-f]{8}")


@pytest.fixture
def bare(place):
    """A configuration whose management token and standby are yet to be made."""

    def write(*credentials, **connection):
        prod = {
            "type": "cloudflare",
            "account_id": ACCOUNT,
            "api_url": place.sandbox.url,
            "token": {"file": "secrets/token"},
            "standby_token": {"file": "secrets/standby"},
        }
        prod = {key: value for key, value in (prod | connection).items() if value is not None}
        found = list(credentials) or [place.credential("workers-deploy")]
        place.write(*found)
        document = json.loads((place.folder / "rotator.yaml").read_text())
        document["connections"]["prod"] = prod
        (place.folder / "rotator.yaml").write_text(json.dumps(document))
        return place

    write()
    place.configure = write
    return place


@pytest.fixture
def by_key(rotator, bare):
    def run(*more):
        return rotator(
            "bootstrap", "prod", "--with", "global-key", "--email", EMAIL, "--key-file", "global-api-key", *more
        )

    return run


def stands(place, name):
    return (place.folder / "secrets" / name).read_text()


def ours(place):
    """Tokens that a bootstrap made and that exist now."""
    return [t for t in place.sandbox.world.tokens.values() if OURS.fullmatch(t.name) and t.deleted_on is None]


def held(token):
    return {groups()[group].name for group in token.group_ids()}


def typed(monkeypatch, *lines):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode())))


def levels(document):
    return {finding["level"] for finding in document["findings"]}


def codes(document):
    return {finding["code"] for finding in document["findings"]}


# -------------------------------------------------------------------------------------------------- with a global key
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


# ---------------------------------------------------------------------------------------------- lost answers, crashes
def test_a_lost_answer_is_looked_for_deleted_and_made_anew(by_key, bare):
    bare.sandbox.gateway.faults.arm({"operation": "create", "kind": "lose_answer"})

    lost = by_key()
    assert lost.code == 1
    assert "run the same command again" in lost.err
    (orphan,) = ours(bare)

    again = by_key()
    assert again.code == 0, again.err
    assert "was deleted" in again.err
    assert orphan.deleted_on is not None
    assert len(ours(bare)) == 2


def test_check_says_that_a_bootstrap_did_not_come_to_its_end(by_key, bare, rotator):
    bare.sandbox.gateway.faults.arm({"operation": "create", "kind": "lose_answer", "skip": 1})
    assert by_key().code == 1

    assert "bootstrap_unfinished" in codes(rotator("check", "-o", "json").json)
    bare.sandbox.world.clock.advance(5)
    assert by_key().code == 0
    assert "bootstrap_unfinished" not in codes(rotator("check", "-o", "json").json)


def test_a_value_that_was_captured_is_placed_by_the_next_run(by_key, bare):
    bare.sandbox.world.settings.verify_lag = 3600
    slow = by_key()
    assert slow.code == 1
    assert "its value is kept" in slow.err
    (made,) = ours(bare)
    assert leaks([made.value], [bare.folder]) == []

    bare.sandbox.world.settings.verify_lag = 0
    made.accepted_from = 0.0
    again = by_key()
    assert again.code == 0
    assert "going on with the management token" in again.err
    assert stands(bare, "token") == made.value
    assert len(ours(bare)) == 2


@pytest.mark.parametrize(
    "point",
    [
        *("before_create_send", "after_create_send", "before_create_send:2", "after_create_send:2"),
        *("before_spool_write", "after_spool_write", "before_spool_write:2", "after_spool_write:2"),
        *("after_file_temp_fsync", "before_file_exchange", "after_file_exchange", "after_file_exchange:2"),
    ],
)
def test_a_kill_anywhere_loses_no_token(bare, point):
    killed = bare.run(*BY_KEY, ROTATOR_TESTING="1", ROTATOR_CRASH_AT=point)
    assert killed.code == -9, (killed.code, killed.err)
    known = {t.value for t in ours(bare)}

    again = bare.run(*BY_KEY)
    assert again.code == 0, again.err
    assert {stands(bare, "token"), stands(bare, "standby")} == {t.value for t in ours(bare)}
    assert len(ours(bare)) == 2
    lost = known - {t.value for t in ours(bare)}
    assert len(lost) <= (1 if point.startswith(("after_create_send", "before_spool_write:2")) else 0)


# ------------------------------------------------------------------------------------------------------- with a token
def test_a_token_that_may_create_tokens_becomes_the_management_token(rotator, bare):
    done = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management", "-o", "json")

    assert done.code == 0, done.err
    assert stands(bare, "token") == bare.sandbox.credentials["account-management"]
    assert [row["role"] for row in done.json["tokens"]] == ["management"]
    (missing,) = [f for f in done.json["findings"] if f["code"] == "standby_missing"]
    assert "rotator bootstrap prod" in missing["remedy"]
    assert "name a file" not in missing["remedy"]  # the configuration does
    assert "fail" not in levels(done.json)


def test_a_second_one_becomes_the_standby(rotator, bare, monkeypatch):
    assert rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management").code == 0
    same = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management")
    assert same.code == 0
    assert not (bare.folder / "secrets" / "standby").exists()

    typed(monkeypatch, bare.sandbox.credentials["account-standby"])
    done = rotator("bootstrap", "prod", "--with", "token", "-o", "json")
    assert done.code == 0
    assert stands(bare, "standby") == bare.sandbox.credentials["account-standby"]
    assert "standby_missing" not in codes(done.json)


def test_the_file_that_is_the_place_itself_is_taken_as_it_is(rotator, bare):
    (bare.folder / "secrets").mkdir()
    (bare.folder / "secrets" / "token").write_text(bare.sandbox.credentials["account-management"])
    (bare.folder / "secrets" / "token").chmod(0o600)

    assert rotator("bootstrap", "prod", "--with", "token", "--token-file", "secrets/token").code == 0


@pytest.mark.parametrize(
    "value, said",
    [
        ("cfk_" + "a1B2" * 10 + "00000000", "Global API Key"),
        ("0123456789abcdef" * 2, "looks like an id"),
        ('"cfut_' + "dead" * 12 + '"', "quotes"),
        ("cfut_" + "dead" * 12 + "'", "quote at one end"),
        ("Bearer cfut_" + "dead" * 12, "Bearer"),
        ("CLOUDFLARE_API_TOKEN=cfut_" + "dead" * 12, "NAME=value"),
        ("", "was not given"),
    ],
)
def test_each_look_alike_has_its_own_message_and_is_sent_nowhere(rotator, bare, monkeypatch, value, said):
    typed(monkeypatch, value)
    before = len(bare.sandbox.gateway.recorder.after(0))

    done = rotator("bootstrap", "prod", "--with", "token")
    assert done.code == 2
    assert said in done.err
    assert "do: " in done.err
    assert len(bare.sandbox.gateway.recorder.after(0)) == before
    assert leaks([value] if len(value) > 20 else [], [], [done.err.encode()]) == []


def test_a_token_that_may_not_create_tokens_is_told_what_it_lacks(rotator, bare):
    bare.sandbox.world.roles.pop("account-narrow")
    token = next(t for t in bare.sandbox.world.tokens.values() if t.name == "sandbox account-narrow")
    token.policies[0]["permission_groups"] = [{"id": ACCOUNT_API_TOKENS_READ}]

    done = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-narrow")
    assert done.code == 1
    assert "lacks Account API Tokens Write" in done.err
    assert not (bare.folder / "secrets" / "token").exists()


def test_an_accounts_token_is_refused_where_a_users_is_needed(rotator, bare):
    bare.configure(bare.credential("platform", owner="user"))

    done = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management")
    assert done.code == 1
    assert "never manage tokens of a user" in done.err
    assert "My Profile" in done.err


def test_a_dead_token_is_told_so_and_kept_nowhere(rotator, bare, monkeypatch):
    monkeypatch.setattr("rotator.app.bootstrap.settling.PATIENCE", 0.0)
    typed(monkeypatch, "cfat_" + "dead" * 12)

    done = rotator("bootstrap", "prod", "--with", "token")
    assert done.code == 1
    assert "does not accept" in done.err
    assert not (bare.folder / "secrets" / "token").exists()
    assert not list((bare.folder / "bootstrap").glob("*.spool"))


def test_a_zone_in_place_of_the_account_is_named_for_a_given_token(rotator, bare, monkeypatch):
    monkeypatch.setattr("rotator.app.bootstrap.settling.PATIENCE", 0.0)
    bare.configure(account_id=ZONE)

    done = rotator("bootstrap", "prod", "--with", "token", "--token-file", "account-management")
    assert done.code == 1
    assert "the id of the zone example.com" in done.err


# --------------------------------------------------------------------------------------------------- by the dashboard
def test_the_dashboard_link_has_everything_filled_in_and_two_values_are_taken(rotator, bare, monkeypatch):
    typed(monkeypatch, bare.sandbox.credentials["account-management"], bare.sandbox.credentials["account-standby"])

    done = rotator("bootstrap", "prod", "--with", "dashboard")
    assert done.code == 0, done.err
    assert stands(bare, "token") == bare.sandbox.credentials["account-management"]
    assert stands(bare, "standby") == bare.sandbox.credentials["account-standby"]
    links = re.findall(r"https://dash\S+", done.out)
    assert len(links) == 2
    query = parse_qs(urlsplit(links[0]).query)
    wanted = json.loads(query["permissionGroupKeys"][0])
    assert {"key": "account_api_tokens", "type": "edit"} in wanted
    assert {"key": "zone", "type": "read"} in wanted
    assert {"key": "dns", "type": "edit"} in wanted
    assert query["to"] == ["/:account/api-tokens"]
    assert leaks(list(bare.sandbox.credentials.values()), [], [done.out.encode(), done.err.encode()]) == []


def test_a_users_link_names_account_and_zones(rotator, bare):
    bare.configure(bare.credential("platform", owner="user"))

    shown = rotator("bootstrap", "prod", "--with", "dashboard", "--dry-run")
    query = parse_qs(urlsplit(re.findall(r"https://dash\S+", shown.out)[0]).query)
    assert {"key": "api_tokens", "type": "edit"} in json.loads(query["permissionGroupKeys"][0])
    assert (query["accountId"], query["zoneId"]) == (["*"], ["all"])


def test_the_same_value_twice_is_no_pair(rotator, bare, monkeypatch):
    value = bare.sandbox.credentials["account-management"]
    typed(monkeypatch, value, value)

    done = rotator("bootstrap", "prod", "--with", "dashboard")
    assert done.code == 1
    assert "the connection's other token" in done.err
    assert stands(bare, "token") == value


def test_a_value_that_could_not_be_proven_is_not_lost(rotator, bare, monkeypatch):
    value = bare.sandbox.credentials["account-management"]
    bare.sandbox.gateway.faults.arm({"operation": "verify", "kind": "status", "status": 500, "times": 5})
    typed(monkeypatch, value)
    assert rotator("bootstrap", "prod", "--with", "token").code == 1
    bare.sandbox.gateway.faults.clear()
    assert list((bare.folder / "bootstrap").glob("*.spool"))
    assert leaks([value], [bare.folder / "bootstrap"]) == []

    typed(monkeypatch)
    again = rotator("bootstrap", "prod", "--with", "token", "-o", "json")
    assert "going on with the management token" in again.err
    assert stands(bare, "token") == value


# ----------------------------------------------------------------------------------------------------------- all ways
@pytest.mark.parametrize(
    "arguments, said",
    [
        (["prod"], "--with"),
        (["prod", "--with", "token", "--email", "a@b"], "does not belong"),
        (["prod", "--with", "dashboard", "--token-file", "x"], "does not belong"),
        (["prod", "--with", "global-key", "--key-file", "x", "--key-env", "Y"], "exclude each other"),
    ],
)
def test_what_does_not_fit_together_is_a_usage_error(rotator, bare, arguments, said):
    done = rotator("bootstrap", *arguments)

    assert done.code == 2
    assert said in done.err


def test_a_connection_that_does_not_exist_is_the_answer_no(rotator, bare):
    done = rotator("bootstrap", "nobody", "--with", "token")

    assert done.code == 1
    assert "no Cloudflare connection nobody" in done.err


def test_a_place_that_is_no_file_is_told_so(by_key, bare):
    bare.configure(token={"env": "CF_TOKEN"})

    done = by_key()
    assert done.code == 2
    assert "environment variable CF_TOKEN" in done.err
    assert "{file: PATH}" in done.err


def test_a_user_who_may_not_make_tokens_of_the_account_is_told_who_may(by_key, bare):
    fault = {"operation": "create", "kind": "status", "status": 403, "code": 10000, "message": "Authentication error"}
    bare.sandbox.gateway.faults.arm(fault)

    done = by_key()
    assert done.code == 1
    assert "Super Administrator" in done.err
    assert "--owner user" in done.err
    assert not list((bare.folder / "bootstrap").glob("*.spool"))


def test_a_token_of_the_user_can_be_asked_for(by_key, bare):
    assert by_key("--owner", "user").code == 0
    assert {token.owner.type for token in ours(bare)} == {"user"}


def test_two_at_once_are_one(by_key, bare):
    from rotator.host.locks import FileLock

    (bare.folder / "bootstrap").mkdir()
    with FileLock(bare.folder / "bootstrap" / "prod.lock"):
        done = by_key()
    assert done.code == 1
    assert "is under way" in done.err
    assert ours(bare) == []


def test_at_a_terminal_a_look_alike_is_asked_for_once_more_and_nothing_is_echoed(rotator, bare, monkeypatch):
    pasted = iter(['"quoted"' + "x" * 40, bare.sandbox.credentials["account-management"]])
    monkeypatch.setattr("rotator.cli.bootstrap.is_terminal", lambda stream: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream=None: next(pasted))

    done = rotator("bootstrap", "prod", "--with", "token")
    assert done.code == 0, done.err
    assert "quote" in done.err
    assert stands(bare, "token") == bare.sandbox.credentials["account-management"]
