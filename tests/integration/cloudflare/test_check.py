"""What `check` says of a connection, of its accounts and of its credentials, before anything is minted."""

import json
from collections.abc import Iterator

import pytest

from rotator.core.errors import Barred, ConfigError, RateLimited, Refused, Unavailable
from rotator.core.findings import Finding, Level
from rotator.core.secret import Secret
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.grantable import Asked
from rotator.sources.cloudflare.management import logins, look
from rotator.sources.cloudflare.options import QUOTA, CredentialOptions
from rotator.sources.cloudflare.preflight import preflight
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.sandbox_world import OPTIONS, CountingBudget, SandboxWorld, sandbox_world
from tests.sandbox_calls import ACCOUNT, ACCOUNT_API_TOKENS_WRITE, SECOND_ACCOUNT, USER, ZONE

HOUR = 3600.0
DAY = 24 * HOUR
GRANTED = [{"permissions": ["DNS Write"], "zones": ["example.com"]}]


@pytest.fixture
def account() -> Iterator[SandboxWorld]:
    with sandbox_world("account") as world:
        yield world


@pytest.fixture
def user() -> Iterator[SandboxWorld]:
    with sandbox_world("user") as world:
        yield world


def options(**more: object) -> CredentialOptions:
    return CredentialOptions.model_validate({**OPTIONS, "grants": GRANTED, **more})


def findings(world: SandboxWorld, *credentials: CredentialOptions, adopt: str = "") -> list[Finding]:
    return preflight(world.connection, [Asked(f"c{n}", c, adopt) for n, c in enumerate(credentials)], world.now())


def the(found: list[Finding], code: str, level: Level = Level.FAIL) -> Finding:
    """The one finding of that code and level."""
    (one,) = [f for f in found if f.code == code and f.level is level]
    return one


def elsewhere(world: SandboxWorld, account_id: str | None) -> None:
    """Let the configuration say another account."""
    world.connection = CloudflareConnection(
        "prod",
        token=lambda: Secret(world.management),
        budget=CountingBudget(),
        api_url=world.sandbox.url,
        account_id=account_id,
        places={"management": "file /run/secrets/cf"},
    )


# ------------------------------------------------------------------------------------------------------ what check says
def said(world: SandboxWorld, *credentials: CredentialOptions, now: float = 0.0) -> dict[tuple[str, str], str]:
    """Findings as {(subject, code): level}, the worst of each."""
    found: dict[tuple[str, str], str] = {}
    order = [Level.OK, Level.WARN, Level.FAIL]
    for f in preflight(world.connection, [Asked(f"c{n}", c) for n, c in enumerate(credentials)], now or world.now()):
        key = (str(f.subject).removeprefix("connection prod").strip() or "connection", f.code)
        assert f.level is Level.OK or f.remedy, f
        assert world.management not in f"{f}"
        if key not in found or order.index(f.level) > order.index(Level(found[key])):
            found[key] = f.level
    return found


def test_when_all_is_well_every_finding_is_ok(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["account-standby"])

    assert said(account, options(owner="account")) == {
        ("connection", "management_token"): "ok",
        ("connection", "standby_token"): "ok",
        ("connection", "pair"): "ok",
        ("connection", "quota"): "ok",
        ("connection", "account"): "ok",
        ("connection", "permission"): "ok",
        ("credential c0", "grants"): "ok",
        ("credential c0", "request_ip"): "ok",
    }
    assert account.connection.principal == account.management_id
    assert account.requests("create") == account.requests("update") == 0


def test_a_management_token_that_is_not_accepted_is_the_one_finding(account: SandboxWorld):
    account.management = "cfat_" + "dead" * 12

    assert said(account, options()) == {("connection", "management_token"): "fail"}


@pytest.mark.parametrize("role", ["management", "standby"])
def test_a_global_api_key_in_place_of_a_token_is_named_and_sent_nowhere(account: SandboxWorld, role: str):
    key = account.sandbox.credentials["global-api-key"]
    if role == "management":
        account.management = key
    else:
        account.connection.standby_token = lambda: Secret(key)
    before = len(account.sandbox.gateway.recorder.after(0))

    finding = the(findings(account, options()), f"{role}_token")
    assert "a Global API Key" in finding.message
    assert "make an API token" in finding.remedy
    if role == "management":
        assert len(account.sandbox.gateway.recorder.after(0)) == before


def test_a_management_token_that_cannot_be_read_is_the_one_finding(account: SandboxWorld):
    def unreadable() -> Secret:
        raise ConfigError("reading a secret: file x cannot be opened", "create it")

    account.connection._token = unreadable
    assert said(account, options()) == {("connection", "management_token"): "fail"}


def test_a_management_token_that_ends_soon_is_a_warning_and_so_is_a_missing_standby(account: SandboxWorld):
    account.sandbox.world.tokens[account.management_id].expires_on = account.now() + 10 * DAY

    found = said(account, options())
    assert found["connection", "management_token"] == "warn"
    assert found["connection", "standby_missing"] == "warn"

    account.sandbox.world.tokens[account.management_id].expires_on = account.now() + 300 * DAY
    assert said(account, options())["connection", "management_token"] == "ok"
    assert look(account.connection).expires_at == pytest.approx(account.now() + 300 * DAY, abs=5)


@pytest.mark.parametrize("standby, level", [("account-management", "warn"), ("dead", "fail")])
def test_a_standby_token_must_be_another_living_one(account: SandboxWorld, standby: str, level: str):
    value = account.sandbox.credentials.get(standby, "cfat_" + "dead" * 12)
    account.connection.standby_token = lambda: Secret(value)

    assert said(account, options())["connection", "standby_token"] == level


def test_a_standby_token_that_cannot_be_read_is_a_finding(account: SandboxWorld):
    def unreadable() -> Secret:
        raise ConfigError("reading a secret: file x cannot be opened", "create it")

    account.connection.standby_token = unreadable
    assert said(account, options())["connection", "standby_token"] == "fail"
    account.connection.standby_token = None
    with pytest.raises(ValueError, match="no standby"):
        look(account.connection, "standby")


def test_a_management_token_that_may_only_read_is_a_failure(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    for policy in token.policies:
        policy["permission_groups"] = [g for g in policy["permission_groups"] if g["id"] != ACCOUNT_API_TOKENS_WRITE]

    assert said(account, options())["connection", "permission"] == "fail"


def test_a_management_token_that_may_not_read_tokens_is_a_failure_and_its_end_is_unknown(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    for policy in token.policies:
        policy["permission_groups"] = [{"id": "c8fed203ed3043cba015a93ad1616f1f"}]

    found = said(account, options())
    assert found["connection", "management_token"] == "warn"
    assert found["connection", "permission"] == "fail"
    assert look(account.connection).groups is None


@pytest.mark.parametrize(
    "request_ip, more, level",
    [
        ({"in": ["198.51.100.0/24"]}, {}, "fail"),
        ({"not_in": ["127.0.0.0/8"]}, {}, "fail"),
        ({"in": ["127.0.0.0/8"], "not_in": ["127.0.0.1"]}, {}, "fail"),
        ({"in": ["2001:db8::/32"]}, {}, "fail"),
        ({"in": ["198.51.100.0/24"]}, {"verify": "get"}, "ok"),
        ({"in": ["127.0.0.1", "::/0"]}, {}, "ok"),
        ({"not_in": ["198.51.100.0/24"]}, {}, "ok"),
    ],
)
def test_a_credential_that_this_host_could_not_verify_is_found_before_anything_is_minted(
    account: SandboxWorld, request_ip: dict[str, object], more: dict[str, object], level: str
):
    found = findings(account, options(request_ip=request_ip, **more))

    finding = the(found, "request_ip", Level(level))
    assert more or "127.0.0.1" in finding.message
    assert level != "fail" or "verify: get" in finding.remedy


def test_no_token_is_sent_where_the_edge_is_asked_for_our_address(account: SandboxWorld):
    seen: list[dict[str, str]] = []
    handler = account.sandbox._answer

    def watched(request):
        if request.path == "/cdn-cgi/trace":
            seen.append(request.headers)
        return handler(request)

    account.sandbox._server._handler = watched
    assert account.connection.calls.address() == "127.0.0.1"
    assert seen
    assert "authorization" not in seen[0]


@pytest.mark.parametrize(
    "request_ip, mine, level",
    [
        ({"in": ["198.51.100.0/24"]}, ["127.0.0.0/8"], "fail"),
        ({"not_in": ["127.0.0.0/8"]}, ["127.0.0.1"], "fail"),
        ({"in": ["127.0.0.0/8", "::/0"]}, ["127.0.0.1/32"], "ok"),
        ({"in": ["127.0.0.1"]}, ["127.0.0.0/8"], "warn"),
        ({"in": ["127.0.0.1"]}, [], "warn"),
    ],
)
def test_where_the_edge_does_not_say_our_address_the_management_tokens_own_restriction_is_a_hint(
    account: SandboxWorld,
    request_ip: dict[str, object],
    mine: list[str],
    level: str,
    monkeypatch: pytest.MonkeyPatch,
):
    token = account.sandbox.world.tokens[account.management_id]
    token.condition = {"request_ip": {"in": mine}} if mine else None
    monkeypatch.setattr(account.connection.calls, "address", lambda: None)

    assert said(account, options(request_ip=request_ip))["credential c0", "request_ip"] == level


def test_without_a_restriction_nothing_is_said_of_addresses(account: SandboxWorld):
    assert ("credential c0", "request_ip") not in said(account, options(request_ip=None))


def test_a_value_that_this_host_may_not_use_is_barred_and_not_dead(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(request_ip={"in": ["198.51.100.0/24"]}))
    minted = source.mint("one", account.now() + HOUR)

    with pytest.raises(Barred) as caught:
        source.verify(minted.value)
    assert "request_ip" in caught.value.remedy
    assert "verify: get" in caught.value.remedy


def test_a_management_token_that_this_host_may_not_use_is_told_as_such(account: SandboxWorld):
    account.sandbox.world.tokens[account.management_id].condition = {"request_ip": {"in": ["198.51.100.0/24"]}}

    (finding,) = findings(account, options())
    assert finding.level is Level.FAIL
    assert "management token" in finding.remedy
    assert "verify: get" not in finding.remedy


def test_a_roll_of_a_token_that_cannot_be_verified_from_here_is_a_certain_no(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(verify="get"))
    minted = source.mint("one", account.now() + HOUR)

    with pytest.raises(Refused, match="verify: get"):
        source.roll(minted.token_id)
    assert account.requests("roll") == 0


def test_little_room_is_a_warning_and_none_a_failure(account: SandboxWorld):
    used, limit = len(account.connection.inventory("account")), QUOTA["account"]
    assert (used, limit) == (3, 500)

    account.sandbox.world.settings.account_quota = 1000
    account.add(limit - used - 1)
    assert said(account, options(), options())["connection", "quota"] == "warn"
    account.add(1)
    assert said(account, options())["connection", "quota"] == "fail"


def test_a_zone_that_is_not_there_and_a_group_that_is_gone_are_findings(account: SandboxWorld):
    no_zone = options(grants=[{"permissions": ["DNS Write"], "zones": ["example.dev"]}])
    no_group = options(grants=[{"permissions": [{"id": "f" * 32}]}])
    found = said(account, no_zone, no_group, options())

    assert found["credential c0", "grants"] == "fail"
    assert found["credential c1", "grants"] == "warn"
    assert found["credential c2", "grants"] == "ok"
    assert account.requests("permission_groups") == 1


@pytest.mark.parametrize(
    "meta, level", [({"eol_at": "2027-03-01"}, "warn"), ({"deprecated": "true"}, "warn"), ({}, "ok")]
)
def test_a_permission_of_which_cloudflare_announces_the_end_is_a_warning(
    account: SandboxWorld, meta: dict[str, str], level: str
):
    rows = [{"id": "4755a26eedb94da69e1066d98aa820be", "name": "DNS Write", "meta": {"deprecated": "false", **meta}}]
    body = json.dumps({"success": True, "errors": [], "messages": [], "result": rows})
    account.fault("permission_groups", "status", status=200, body=body)

    finding = the(findings(account, options()), "grants", Level(level))
    assert level == "ok" or "DNS Write" in finding.message
    assert meta.get("eol_at", "") in finding.message


def test_when_groups_cannot_be_listed_the_grants_are_not_called_wrong(account: SandboxWorld):
    account.fault("permission_groups", "break")
    found = said(account, options())

    assert found["connection", "grants"] == "fail"
    assert ("credential c0", "grants") not in found


def test_two_scopes_are_looked_at_once_each(user: SandboxWorld):
    found = said(user, options(owner="user"), options(owner="account"), options(owner="user"))

    assert found["connection", "permission"] == "fail"
    assert user.requests("permission_groups") == 2


def test_a_provider_that_asks_to_wait_is_a_finding_and_no_crash(account: SandboxWorld):
    account.budget.empty = True

    assert said(account, options()) == {("connection", "management_token"): "fail"}
    with pytest.raises(RateLimited):
        account.connection.control()


# ------------------------------------------------------------------------------------------------------- which account
def test_the_id_of_a_zone_in_place_of_the_accounts_is_named_with_the_right_one(user: SandboxWorld):
    elsewhere(user, ZONE)
    finding = the(findings(user, options(owner="user")), "account")

    assert "the zone example.com" in finding.message
    assert ACCOUNT in finding.remedy


def test_the_id_of_the_user_in_place_of_the_accounts_is_named(user: SandboxWorld):
    elsewhere(user, USER)
    finding = the(findings(user, options(owner="user")), "account")

    assert "the id of the user" in finding.message
    assert f"{ACCOUNT} (Example Account)" in finding.remedy


def test_an_account_that_the_management_token_does_not_reach_is_named_with_those_that_it_does(user: SandboxWorld):
    elsewhere(user, "d" * 32)
    finding = the(findings(user, options(owner="user")), "account")

    assert "does not reach" in finding.message
    assert f"{ACCOUNT} (Example Account)" in finding.remedy


@pytest.mark.parametrize("wrong, said", [(ZONE, "the zone example.com"), (SECOND_ACCOUNT, "does not reach")])
def test_an_accounts_token_under_a_wrong_account_id_is_told_of_the_id_and_not_of_the_token_alone(
    account: SandboxWorld, wrong: str, said: str
):
    elsewhere(account, wrong)
    (finding,) = findings(account, options())

    assert (finding.level, finding.code) == (Level.FAIL, "management_token")
    assert said in finding.message
    assert ACCOUNT in finding.remedy


def test_a_credentials_own_account_is_looked_at_too_and_nothing_else_is_asked_of_a_wrong_one(account: SandboxWorld):
    found = findings(account, options(), options(account_id=SECOND_ACCOUNT))

    assert SECOND_ACCOUNT in the(found, "account").message
    assert [f for f in found if str(f.subject) == "credential c1"] == []


def test_where_nothing_tells_of_an_account_it_is_a_warning_and_all_else_is_asked(user: SandboxWorld):
    token = user.sandbox.world.tokens[user.management_id]
    token.policies = [p for p in token.policies if "zone" not in str(p["resources"])]  # sees no account any more
    for operation in ("accounts", "zones"):
        user.fault(operation, "refuse", times=100)
    found = findings(user, options(owner="user", grants=[{"permissions": ["D1 Write"]}]))

    assert "does not see the account" in the(found, "account", Level.WARN).message
    assert [f for f in found if str(f.subject) == "credential c0"]


# ------------------------------------------------------------------------------------------------------------ its owner
def test_an_accounts_token_is_never_told_to_get_what_only_a_users_can_hold(account: SandboxWorld):
    found = findings(account, options(), options(owner="user"))
    finding = the(found, "permission")

    assert "owned by an account" in finding.message
    assert "a connection whose token a user owns" in finding.remedy
    assert "c1" in finding.message
    assert [f for f in found if str(f.subject) == "credential c1"] == []


# ------------------------------------------------------------------------------------------- what could not be minted
PURGE = {"permissions": ["Cache Purge"], "zones": ["example.com"]}


def test_a_grant_on_one_zone_that_the_management_token_does_not_hold_is_found_in_words(account: SandboxWorld):
    finding = the(findings(account, options(grants=[PURGE])), "grants")

    assert "Cache Purge on the zone example.com" in finding.message
    assert "1001" in finding.message
    assert "zones: all" in finding.remedy
    source = CloudflareSource(account.connection, options(grants=[PURGE]))
    with pytest.raises(Refused) as refused:
        source.mint("one", account.now() + HOUR)
    assert "does not hold this permission itself" in refused.value.message
    assert "same permission on that zone" in refused.value.remedy


@pytest.mark.parametrize(
    "grant",
    [
        {"permissions": ["Cache Purge"], "zones": "all"},
        {"permissions": ["DNS Write"], "zones": ["example.com"]},
        {"permissions": ["Workers R2 Storage Bucket Item Read"], "buckets": ["b"]},
    ],
)
def test_what_can_be_handed_on_is_not_called_wrong(account: SandboxWorld, grant: dict[str, object]):
    found = findings(account, options(grants=[grant], request_ip=None))

    assert {f.level for f in found if str(f.subject) == "credential c0"} == {Level.OK}
    CloudflareSource(account.connection, options(grants=[grant])).mint("one", account.now() + HOUR)


def test_what_the_management_token_holds_on_that_very_zone_can_be_handed_on(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    resources = {f"com.cloudflare.api.account.zone.{ZONE}": "*"}
    purge = {"id": "e17beae8b8cb423a99b1730f21238bed"}
    token.policies.append({"id": "1", "effect": "allow", "permission_groups": [purge], "resources": resources})

    assert not [f for f in findings(account, options(grants=[PURGE])) if f.level is Level.FAIL]

    token.policies.append({"id": "2", "effect": "deny", "permission_groups": [purge], "resources": resources})
    assert the(findings(account, options(grants=[PURGE])), "grants")


def test_a_token_of_a_user_hands_on_what_the_user_may(user: SandboxWorld):
    assert not [f for f in findings(user, options(owner="user", grants=[PURGE])) if f.level is Level.FAIL]


def test_a_permission_that_was_dropped_on_create_is_named_by_the_token_that_lacks_it(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(grants=[{"permissions": ["D1 Write", "Queues Write"]}]))
    minted = source.mint("one", account.now() + HOUR)
    (policy,) = account.sandbox.world.tokens[minted.token_id].policies
    policy["permission_groups"].pop()

    state = source.get(minted.token_id)
    assert state is not None
    assert not state.equal
    assert state.differs == "the permission Queues Write is missing"


def test_a_full_quota_is_refused_in_words(account: SandboxWorld):
    account.sandbox.world.settings.account_quota = 3

    with pytest.raises(Refused) as refused:
        account.source.mint("one", account.now() + HOUR)
    assert refused.value.code == "quota"
    assert "the quota is reached" in refused.value.message
    assert "expired too" in refused.value.message
    assert "delete tokens that nobody uses" in refused.value.remedy
    assert "retirement" in refused.value.remedy


# ------------------------------------------------------------------------------------------------------------- adoption
def test_a_token_to_take_over_that_does_not_exist_is_found(account: SandboxWorld):
    finding = the(findings(account, options(), adopt="f" * 32), "adopt")

    assert "f" * 32 in finding.message
    assert finding.remedy


@pytest.mark.parametrize(
    "change, level", [({}, Level.OK), ({"disabled": True}, Level.WARN), ({"expires_on": 1.0}, Level.WARN)]
)
def test_a_token_to_take_over_is_looked_at(account: SandboxWorld, change: dict[str, object], level: Level):
    world = account.sandbox.world
    token = make(world, Owner("account", ACCOUNT), "old one", [], account.now())
    for key, value in change.items():
        setattr(token, key, value)
    world.add(token)

    assert the(findings(account, options(), adopt=token.id), "adopt", level)


def test_the_management_token_is_never_taken_over(account: SandboxWorld):
    assert "never manages itself" in the(findings(account, options(), adopt=account.management_id), "adopt").message


def test_a_token_to_take_over_that_cannot_be_looked_at_is_a_finding(account: SandboxWorld):
    account.fault("get", "break", skip=1)

    assert "502" in the(findings(account, options(), adopt="f" * 32), "adopt").message


# ----------------------------------------------------------------------------------------------- how the logins are
def test_a_management_token_that_was_revoked_is_seen_at_the_next_look_with_connection_and_place(account: SandboxWorld):
    elsewhere(account, ACCOUNT)
    (before,) = logins(account.connection)
    assert (before.accepted, before.problem) == (True, "")

    account.sandbox.world.tokens[account.management_id].deleted_on = account.now() - 1
    (after,) = logins(account.connection)
    assert after.accepted is False
    for named in ("connection prod", "file /run/secrets/cf", "management token"):
        assert named in after.problem
    assert after.remedy


def test_a_mint_with_a_revoked_management_token_names_connection_and_place(account: SandboxWorld):
    elsewhere(account, ACCOUNT)
    source = CloudflareSource(account.connection, options(grants=[{"permissions": ["D1 Write"]}]))
    account.sandbox.world.tokens[account.management_id].deleted_on = account.now() - 1

    with pytest.raises(Refused) as refused:
        source.mint("one", account.now() + HOUR)
    for named in ("connection prod", "file /run/secrets/cf"):
        assert named in refused.value.message


@pytest.mark.parametrize("operation", ["any", "verify", "get"])
def test_a_provider_that_answers_500_is_no_healthy_one(account: SandboxWorld, operation: str):
    logins(account.connection)
    account.fault(operation, "status", status=500, times=100)

    with pytest.raises(Unavailable, match="500"):
        logins(account.connection)


def test_trouble_with_the_standby_alone_is_told_of_the_standby(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret("cfat_" + "dead" * 12)
    management, standby = logins(account.connection)

    assert (management.accepted, standby.accepted) == (True, False)
    assert "standby token of connection prod" in standby.problem


def test_a_standby_that_may_not_manage_tokens_cannot_keep_its_partner_alive(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["account-standby"])
    token = account.sandbox.world.tokens[account.sandbox.world.roles["account-standby"]]
    for policy in token.policies:
        policy["permission_groups"] = [g for g in policy["permission_groups"] if g["id"] != ACCOUNT_API_TOKENS_WRITE]

    assert said(account, options())["connection", "pair_permission"] == "warn"


def test_two_management_tokens_of_different_owners_cannot_renew_each_other(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["user-standby"])

    assert said(account, options())["connection", "pair_owner"] == "warn"
