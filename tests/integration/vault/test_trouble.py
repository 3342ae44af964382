"""What goes wrong between us and a real Vault, and which of our errors it is: not sent, refused, or unknown."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotator.config.secret_ref import SecretRef
from rotator.core.errors import OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import VaultAuth
from rotator.targets.vault.target import VaultTarget
from rotator.testing.target_contract import fresh_values, plain, publication
from tests.contract.targets.vault_place import KEYS, VaultPlace
from tests.integration.vault.conftest import MovableClock
from tests.servers.certificates import certificate
from tests.servers.gate import Gate
from tests.servers.vault import Vault

pytestmark = pytest.mark.vault


@pytest.fixture
def target(place: VaultPlace, clock: MovableClock) -> VaultTarget:
    return on(place, clock)


def on(place: VaultPlace, clock: MovableClock) -> VaultTarget:
    options = VaultConnectionOptions(address=place.gate.address, auth=VaultAuth(token=SecretRef(file=place.token_file)))
    return VaultTarget(VaultConnection("vault", options, clock=clock), VaultTargetOptions(path=place.path), KEYS)


def versions(place: VaultPlace) -> int:
    return len(place.vault.call("GET", f"secret/metadata/{place.path}")["data"]["versions"])


# ------------------------------------------------------------------------------------------------------ the server
def test_a_sealed_vault_is_waited_for_and_works_again_after_unsealing(
    own_vault: Callable[[], Vault], tmp_path: Path
) -> None:
    vault = own_vault()
    place = VaultPlace(vault, tmp_path, "ci/app")
    target = place.open(lambda point: None)
    first, second = fresh_values(place), fresh_values(place)
    target.write(publication(first, target.read()))
    expected = target.read()
    vault.seal()
    for attempt in (target.read, target.check, lambda: target.write(publication(second, expected, generation=2))):
        with pytest.raises(Unavailable, match="sealed"):
            attempt()
    vault.unseal()
    assert plain(target.read()) == first
    target.write(publication(second, expected, generation=2))
    assert dict(place.look()) == second
    place.cut()


def test_a_restarted_vault_goes_on_with_the_same_login_and_the_same_value(
    own_vault: Callable[[], Vault], tmp_path: Path
) -> None:
    vault = own_vault()
    place = VaultPlace(vault, tmp_path, "ci/app")
    target = place.open(lambda point: None)
    new = fresh_values(place)
    expected = target.read()
    vault.stop()
    with pytest.raises(Unavailable, match=r"no connection to Vault|the connection ended"):
        target.write(publication(new, expected))
    vault.restart()
    target.write(publication(new, expected))
    assert plain(target.read()) == new
    place.cut()


# ------------------------------------------------------------------------------------------------------ answers
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(place: VaultPlace, target: VaultTarget) -> None:
    expected = target.read()
    with Gate(place.vault.address) as elsewhere:
        where = {"Location": f"{elsewhere.address}/v1/secret/data/{place.path}"}
        place.gate.arm("answer", part="/data/", status=307, times=2, headers=where)
        with pytest.raises(Unavailable, match="redirect") as caught:
            target.read()
        with pytest.raises(Unavailable, match="redirect"):
            target.write(publication(fresh_values(place), expected))
        assert elsewhere.requests == []
    assert "active node" in caught.value.remedy


def test_a_redirected_put_was_not_applied(place: VaultPlace, target: VaultTarget) -> None:
    place.gate.arm("answer", method="POST", part="/data/", status=307, headers={"Location": "http://127.0.0.1:9/"})
    with pytest.raises(Unavailable, match="redirect"):
        target.write(publication(fresh_values(place), target.read()))
    assert dict(place.look()) == {}


def test_a_server_that_has_not_caught_up_is_asked_again_at_once(
    place: VaultPlace, target: VaultTarget, clock: MovableClock
) -> None:
    expected, new = target.read(), fresh_values(place)
    place.gate.arm("answer", method="POST", part="/data/", status=412, times=2, body='{"errors": []}')
    target.write(publication(new, expected))
    assert (dict(place.look()), clock.waits) == (new, [0.1, 0.3])


def test_a_server_that_never_catches_up_has_not_applied_it(place: VaultPlace, target: VaultTarget) -> None:
    place.gate.arm("answer", method="POST", part="/data/", status=412, times=9)
    with pytest.raises(Unavailable, match="caught up"):
        target.write(publication(fresh_values(place), target.read()))
    assert dict(place.look()) == {}


@pytest.mark.parametrize(
    "status, body, outcome",
    [
        (400, '{"errors": ["some rule"]}', Refused),
        (403, '{"errors": ["permission denied"]}', Refused),
        (404, '{"errors": ["no handler for route"]}', Refused),
        (405, '{"errors": ["unsupported operation"]}', Refused),
        (408, "slow", OutcomeUnknown),
        (413, "too large", Refused),
        (429, '{"errors": ["quota"]}', Unavailable),
        (472, "", Unavailable),
        (473, "", Unavailable),
        (500, '{"errors": ["1 error occurred"]}', OutcomeUnknown),
        (501, "", Unavailable),
        (502, "<html>bad gateway</html>", OutcomeUnknown),
        (503, '{"errors": ["Vault is sealed"]}', Unavailable),
        (503, "no backend", OutcomeUnknown),
        (200, "<html>log in to this network</html>", OutcomeUnknown),
    ],
)
def test_the_answer_to_a_put_decides_what_is_known(
    place: VaultPlace, target: VaultTarget, status: int, body: str, outcome: type[RotatorError]
) -> None:
    expected = target.read()
    place.gate.arm("answer", method="POST", part="/data/", status=status, body=body, times=2)
    with pytest.raises(RotatorError) as caught:
        target.write(publication(fresh_values(place), expected))
    assert caught.type is outcome


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 408, 429, 472, 473, 500, 501, 502, 503])
def test_no_answer_of_a_proxy_is_taken_for_a_reading(place: VaultPlace, target: VaultTarget, status: int) -> None:
    place.overwrite(fresh_values(place))
    place.gate.arm("answer", method="GET", part="/data/", status=status, body='{"errors": ["proxy"]}')
    with pytest.raises(Unavailable):
        target.read()


def test_half_an_answer_is_no_reading(place: VaultPlace, target: VaultTarget) -> None:
    place.overwrite(fresh_values(place))
    place.gate.arm("replace", method="GET", part="/data/", status=200, body='{"data": {"data": {"CLOUDFLARE')
    with pytest.raises(Unavailable):
        target.read()


def test_a_mount_in_preparation_is_asked_again_later(place: VaultPlace, target: VaultTarget) -> None:
    words = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period"
    place.gate.arm("answer", method="GET", part="/data/", status=400, body=json.dumps({"errors": [words]}))
    with pytest.raises(Unavailable, match="preparing"):
        target.read()


# ------------------------------------------------------------------------------------------------------ lost on the way
@pytest.mark.parametrize("kind, applied", [("lose_answer", 1), ("lose_request", 0)])
def test_a_put_without_an_answer_is_unknown_and_the_same_publication_again_is_one_version(
    place: VaultPlace, target: VaultTarget, kind: str, applied: int
) -> None:
    new = publication(fresh_values(place), target.read())
    place.gate.arm(kind, method="POST", part="/data/")
    with pytest.raises(OutcomeUnknown):
        target.write(new)
    assert bool(place.look()) is bool(applied)
    target.write(new)
    assert (plain(target.read()) == dict(place.look()), versions(place)) == (True, 1)


def test_lost_marks_are_set_by_the_same_publication_again(place: VaultPlace, target: VaultTarget) -> None:
    new = publication(fresh_values(place), target.read())
    place.gate.arm("lose_request", method="POST", part="/metadata/")
    with pytest.raises(OutcomeUnknown):
        target.write(new)
    assert (place.metadata(), versions(place)) == ({}, 1)
    target.write(new)
    assert (place.metadata()["rotator_workers-deploy_generation"], versions(place)) == ("1", 1)


def test_a_lost_read_before_a_write_means_that_nothing_was_sent(place: VaultPlace, target: VaultTarget) -> None:
    expected = target.read()
    place.gate.arm("lose_answer", method="GET", part="/data/")
    with pytest.raises(Unavailable):
        target.write(publication(fresh_values(place), expected))
    assert dict(place.look()) == {}


# ------------------------------------------------------------------------------------------------------ what is said
def test_a_server_that_repeats_what_was_sent_does_not_make_us_repeat_it(place: VaultPlace, target: VaultTarget) -> None:
    expected, new = target.read(), fresh_values(place)
    token = place.token_file.read_text()
    words = {"errors": [f"cannot take {' '.join(new.values())} from {token}"]}
    place.gate.arm("answer", method="POST", part="/data/", status=400, body=json.dumps(words))
    with pytest.raises(Refused, match="cannot take") as caught:
        target.write(publication(new, expected))
    assert [text for text in (*new.values(), token) if text in str(caught.value)] == []


def test_a_token_that_no_header_can_carry_is_not_repeated(place: VaultPlace, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_text("CANARY-\N{SNOWMAN}")
    path.chmod(0o600)
    options = VaultConnectionOptions(address=place.gate.address, auth=VaultAuth(token=SecretRef(file=path)))
    connection = VaultConnection("vault", options)
    with pytest.raises(Unavailable) as caught:
        connection.renew_login()
    assert "CANARY" not in str(caught.value)


def test_a_name_that_does_not_resolve_says_so(place: VaultPlace) -> None:
    options = VaultConnectionOptions(
        address="https://vault.invalid:8200", auth=VaultAuth(token=SecretRef(file=place.token_file))
    )
    with pytest.raises(Unavailable, match="does not resolve"):
        VaultConnection("vault", options).renew_login()


def test_the_namespace_goes_with_every_request(place: VaultPlace, clock: MovableClock) -> None:
    options = VaultConnectionOptions(
        address=place.gate.address, auth=VaultAuth(token=SecretRef(file=place.token_file)), namespace="teams/web"
    )
    connection = VaultConnection("vault", options, clock=clock)
    VaultTarget(connection, VaultTargetOptions(path=place.path), KEYS).read()  # this server has none, and ignores it
    assert {headers.get("X-Vault-Namespace") for headers in place.gate.headers} == {"teams/web"}


# ------------------------------------------------------------------------------------------------------ TLS
@pytest.fixture
def tls(tmp_path: Path, place: VaultPlace) -> Iterator[tuple[Gate, Path]]:
    """The place's Vault behind TLS with a certificate of a private authority, and that authority's file."""
    context, authority = certificate(tmp_path)
    with Gate(place.vault.address, tls=context) as gate:
        yield gate, authority


def secure(place: VaultPlace, address: str, ca_file: Path | None) -> VaultTarget:
    auth = VaultAuth(token=SecretRef(file=place.token_file))
    options = VaultConnectionOptions(address=address, auth=auth, ca_file=ca_file)
    return VaultTarget(VaultConnection("vault", options), VaultTargetOptions(path=place.path), KEYS)


def test_a_private_authority_is_trusted_when_its_file_is_named(place: VaultPlace, tls: tuple[Gate, Path]) -> None:
    gate, authority = tls
    target, new = secure(place, gate.address, authority), fresh_values(place)
    target.write(publication(new, target.read()))
    assert dict(place.look()) == new


def test_a_certificate_that_is_not_trusted_stops_before_anything_is_sent(
    place: VaultPlace, tls: tuple[Gate, Path]
) -> None:
    gate, _ = tls
    with pytest.raises(Unavailable, match="not trusted") as caught:
        secure(place, gate.address, None).read()
    assert ("ca_file" in caught.value.remedy, gate.requests) == (True, [])


def test_a_missing_authority_file_is_named(place: VaultPlace, tls: tuple[Gate, Path], tmp_path: Path) -> None:
    gate, _ = tls
    with pytest.raises(Unavailable) as caught:
        secure(place, gate.address, tmp_path / "absent.pem").read()
    assert "ca_file" in caught.value.remedy
