"""The life of a login to Vault, and one of limited uses."""

import json
import urllib.error

import pytest

from rotator.config.secret_ref import SecretRef
from rotator.core.credential import NEVER
from rotator.core.errors import Refused, Unavailable
from rotator.targets.vault import VaultTargetOptions
from rotator.targets.vault.login import Keeper
from rotator.targets.vault.options import VaultAuth
from rotator.targets.vault.target import VaultTarget
from rotator.testing.target_contract import fresh_values, publication
from tests.contract.targets.vault_place import KEYS, VaultPlace, policy
from tests.integration.vault.conftest import MovableClock
from tests.integration.vault.logging_in import Roles, asked, connect, target, until, works
from tests.servers.vault import Vault

pytestmark = pytest.mark.vault


def test_a_login_that_was_revoked_is_taken_anew_in_the_middle_of_the_work(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    assert works(place, connection)
    roles.vault.call("POST", f"sys/leases/revoke-prefix/auth/{roles.name}/login")
    assert works(place, connection)
    assert asked(place, "/login") == 2


def test_a_login_that_expires_between_read_and_write_does_not_fail_the_write(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth(token_ttl="1s", token_max_ttl="1s"))
    on = target(place, connection)
    expected = on.read()
    token = next(h["X-Vault-Token"] for h in reversed(place.gate.headers) if "X-Vault-Token" in h)
    until(lambda: not valid(roles.vault, token))
    new = fresh_values(place)
    on.write(publication(new, expected))
    assert dict(place.look()) == new


def test_two_thirds_through_its_life_a_login_is_renewed(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, roles.approle_auth(token_ttl="1h"), clock)
    connection.renew_login()
    first = connection.token_expires_at
    clock.now += 2399
    connection.renew_login()
    assert asked(place, "renew-self") == 0
    clock.now += 2
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "/login")) == (1, 1)
    assert (first, connection.token_expires_at) == (clock.utc() - 2401 + 3600, clock.utc() + 3600)


def test_a_login_that_may_not_be_renewed_is_taken_anew(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, roles.approle_auth(token_type="batch"), clock)
    assert works(place, connection)
    clock.now += 2401
    assert works(place, connection)
    assert (asked(place, "renew-self"), asked(place, "/login")) == (0, 2)


def test_a_renewal_that_grants_little_makes_the_next_one_a_login(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    connection = connect(place, roles.approle_auth(), clock)
    connection.renew_login()
    grant = {"auth": {"client_token": "", "lease_duration": 600, "renewable": True}}
    place.gate.arm("replace", part="renew-self", status=200, body=json.dumps(grant))
    clock.now += 2401
    connection.renew_login()
    clock.now += 401
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "/login")) == (1, 2)


def test_a_vault_that_is_away_at_renewal_time_fails_nothing_while_the_login_lives(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    connection = connect(place, roles.approle_auth(), clock)
    connection.renew_login()
    clock.now += 2401
    place.gate.arm("answer", part="auth/", status=503, times=10, body='{"errors": ["away"]}')
    connection.renew_login()
    clock.now += 1200
    with pytest.raises(Unavailable):
        connection.renew_login()


def test_a_given_token_without_end_is_never_renewed(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    auth = VaultAuth(token=roles.file(roles.vault.root_token))
    connection = connect(place, auth, clock)
    connection.renew_login()
    clock.now += 10**8
    connection.renew_login()
    assert (connection.token_expires_at, asked(place, "renew-self")) == (NEVER, 0)


def test_a_given_token_is_renewed_by_us_too(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, VaultAuth(token=SecretRef(file=place.token_file)), clock)
    connection.renew_login()
    clock.now += 2401
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "lookup-self")) == (1, 1)


def test_a_token_file_that_was_replaced_is_picked_up_when_the_old_token_ends(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, VaultAuth(token=SecretRef(file=place.token_file)))
    assert works(place, connection)
    roles.vault.call("POST", "auth/token/revoke", {"token": place.token_file.read_text()})
    with pytest.raises(Unavailable):
        target(place, connection).read()
    made = roles.vault.call("POST", "auth/token/create", {"policies": [roles.policy], "ttl": "1h", "no_parent": True})
    place.token_file.write_text(made["auth"]["client_token"])
    assert works(place, connection)


def test_no_end_is_shown_before_the_first_login(place: VaultPlace, roles: Roles) -> None:
    assert connect(place, roles.approle_auth()).token_expires_at is None


def test_a_denied_path_does_not_cost_a_login_per_try(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    elsewhere = VaultTarget(connection, VaultTargetOptions(path="somebody/elses"), KEYS)
    for _ in range(3):
        with pytest.raises(Unavailable, match="403"):
            elsewhere.read()
    assert asked(place, "/login") == 1


def test_a_role_that_got_another_policy_is_noticed_within_a_minute(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    auth = roles.approle_auth(token_policies=[])
    connection = connect(place, auth, clock)
    with pytest.raises(Unavailable, match="403"):
        target(place, connection).read()
    roles.vault.call("POST", f"auth/{roles.name}/role/ci", {"token_policies": [roles.policy]})
    clock.now += 61
    assert works(place, connection)


def test_closing_revokes_the_login_that_we_took_and_no_token_that_was_given(place: VaultPlace, roles: Roles) -> None:
    ours, given = connect(place, roles.approle_auth()), place.connect()
    assert works(place, ours)
    taken = next(h["X-Vault-Token"] for h in reversed(place.gate.headers) if "X-Vault-Token" in h)
    assert works(place, given)
    ours.close()
    given.close()
    given.close()
    assert (valid(roles.vault, taken), valid(roles.vault, place.token_file.read_text())) == (False, True)


def test_closing_does_not_fail_when_vault_is_away(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    connection.renew_login()
    place.cut()
    connection.close()
    assert asked(place, "revoke-self") == 0


def valid(vault: Vault, token: str) -> bool:
    try:
        vault.call("GET", "auth/token/lookup-self", token=token)
    except urllib.error.HTTPError:
        return False
    return True


@pytest.mark.parametrize("uses", [1, 2, 3, 5, 7, 10])
def test_a_role_whose_logins_are_good_for_few_requests_publishes_and_check_says_so(
    place: VaultPlace, roles: Roles, uses: int
) -> None:
    connection = connect(place, roles.approle_auth(token_num_uses=uses))
    assert works(place, connection)
    remarks = [remark.code for remark in target(place, connection).check()]
    assert remarks == ["login_uses"]


@pytest.mark.parametrize("uses", [1, 4])
def test_what_such_a_login_may_not_do_is_still_refused(place: VaultPlace, roles: Roles, uses: int) -> None:
    rules = policy(place.path, "read")
    roles.vault.call("PUT", f"sys/policies/acl/{roles.policy}", {"policy": rules})
    on = target(place, connect(place, roles.approle_auth(token_num_uses=uses)))
    if uses > 1:
        with pytest.raises(Refused, match="may not"):
            on.check()
    with pytest.raises(Refused, match="403"):
        on.write(publication(fresh_values(place), on.read()))


def test_a_token_of_the_operator_that_ends_by_use_is_a_remark(place: VaultPlace, roles: Roles) -> None:
    made = roles.vault.call("POST", "auth/token/create", {"policies": [roles.policy], "num_uses": 50})
    connection = connect(place, VaultAuth(token=roles.file(made["auth"]["client_token"])))
    assert [remark.code for remark in target(place, connection).check()] == ["login_uses"]


def test_a_login_that_is_used_up_is_replaced_before_a_request_is_denied(
    place: VaultPlace, roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied: list[object] = []
    monkeypatch.setattr(Keeper, "denied", lambda keeper, token: denied.append(token))
    on = target(place, connect(place, roles.approle_auth(token_num_uses=2)))
    on.write(publication(fresh_values(place), on.read()))
    assert (denied, asked(place, "/login")) == ([], 3)
