"""Bootstrap: lost answers and crashes, with a token, by the dashboard, and what all ways have in common."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from rotator.sandbox.catalogue import ACCOUNT_API_TOKENS_READ
from tests.canaries import leaks
from tests.integration.cli.first_token import EMAIL, ZONE, codes, levels, ours, stands, typed

BY_KEY = ["bootstrap", "prod", "--with", "global-key", "--email", EMAIL, "--key-file", "global-api-key"]


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
