"""What may stand at a path of a real Vault before and beside us: other keys, old versions, settings, other mounts."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.config.secret_ref import SecretRef
from rotator.core.credential import NEVER
from rotator.core.errors import Conflict, Refused, Unavailable
from rotator.core.ports.target import Publication, Reading
from rotator.core.secret import Secret
from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import VaultAuth
from rotator.targets.vault.target import VaultTarget
from rotator.testing.target_contract import fresh_values, plain, publication
from tests.contract.targets.vault_place import KEYS, VaultPlace
from tests.pages import block
from tests.servers.vault import Vault

pytestmark = pytest.mark.vault


@pytest.fixture
def target(place: VaultPlace) -> VaultTarget:
    return place.open(lambda point: None)


def data(place: VaultPlace) -> dict[str, object]:
    found: dict[str, object] = place.vault.call("GET", f"secret/data/{place.path}")["data"]["data"]
    return found


def settings(place: VaultPlace) -> dict[str, object]:
    found = place.vault.call("GET", f"secret/metadata/{place.path}")["data"]
    return {name: found[name] for name in ("max_versions", "cas_required", "delete_version_after")}


# ------------------------------------------------------------------------------------------------------ keys of others
def test_what_others_keep_there_is_not_even_written_differently(place: VaultPlace, target: VaultTarget) -> None:
    theirs = {"number": 12345678901234567890, "deep": {"a": [1, None, True]}, "empty": "", "null": None, "text": "ü\n"}
    place.overwrite(theirs)
    theirs, new = data(place), fresh_values(place)
    target.write(publication(new, target.read()))
    assert data(place) == {**theirs, **new}


def test_a_writer_with_check_and_set_keeps_its_key_beside_ours(place: VaultPlace, target: VaultTarget) -> None:
    new = fresh_values(place)
    target.write(publication(new, target.read()))
    found = place.vault.call("GET", f"secret/data/{place.path}")["data"]
    body = {"options": {"cas": found["metadata"]["version"]}, "data": {**found["data"], "THEIRS": "1"}}
    expected = target.read()
    place.vault.call("POST", f"secret/data/{place.path}", body)
    newer = fresh_values(place)
    target.write(publication(newer, expected, generation=2))
    assert data(place) == {**newer, "THEIRS": "1"}


def test_a_path_that_others_change_without_pause_is_given_up_and_left_to_them(
    place: VaultPlace, target: VaultTarget
) -> None:
    count = iter(range(100))

    def meddle() -> None:
        place.overwrite({"OTHER": str(next(count))})

    with pytest.raises(Conflict, match="others changed it"):
        target.write(publication(fresh_values(place), target.read(), still_mine=meddle))
    assert data(place) == {"OTHER": "4"}


def test_the_lease_is_asked_for_before_every_try(place: VaultPlace, target: VaultTarget) -> None:
    asked: list[int] = []

    def meddle_once() -> None:
        asked.append(1)
        if len(asked) == 1:
            place.overwrite({"OTHER": "theirs"})

    target.write(publication(fresh_values(place), target.read(), still_mine=meddle_once))
    assert len(asked) == 2


def test_a_key_of_ours_that_holds_no_text_is_read_as_occupied(place: VaultPlace, target: VaultTarget) -> None:
    place.overwrite({"CLOUDFLARE_API_TOKEN": {"nested": 1}, "CLOUDFLARE_ACCOUNT_ID": None})
    assert plain(target.read()) == {"CLOUDFLARE_API_TOKEN": '{"nested":1}'}


# ------------------------------------------------------------------------------------------------------ versions
def test_a_deleted_version_reads_as_empty_and_is_written_over(place: VaultPlace, target: VaultTarget) -> None:
    place.overwrite(fresh_values(place))
    place.vault.call("DELETE", f"secret/data/{place.path}")
    found, new = target.read(), fresh_values(place)
    target.write(publication(new, found))
    assert (dict(found.values), bool(found.version), dict(place.look())) == ({}, True, new)


def test_a_destroyed_version_reads_as_empty_and_is_written_over(place: VaultPlace, target: VaultTarget) -> None:
    place.overwrite(fresh_values(place))
    place.vault.call("PUT", f"secret/destroy/{place.path}", {"versions": [1]})
    found, new = target.read(), fresh_values(place)
    target.write(publication(new, found))
    assert (dict(found.values), dict(place.look())) == ({}, new)


def test_a_value_that_is_deleted_between_read_and_write_is_a_conflict(place: VaultPlace, target: VaultTarget) -> None:
    place.overwrite(fresh_values(place))
    expected = target.read()
    place.vault.call("DELETE", f"secret/data/{place.path}")
    with pytest.raises(Conflict):
        target.write(publication(fresh_values(place), expected))
    assert dict(place.look()) == {}


def test_a_secret_that_was_removed_and_made_anew_is_another_version(place: VaultPlace, target: VaultTarget) -> None:
    same = fresh_values(place)
    place.overwrite(same)
    before = target.read().version
    place.vault.call("DELETE", f"secret/metadata/{place.path}")
    absent = target.read()
    place.overwrite(same)
    assert (absent.version, target.read().version != before) == ("", True)


@pytest.mark.parametrize(
    "chosen",
    [
        {"max_versions": 1, "cas_required": False, "delete_version_after": "0s"},
        {"max_versions": 7, "cas_required": True, "delete_version_after": "3h0m0s"},
    ],
)
def test_settings_of_the_path_stay_and_are_obeyed(
    place: VaultPlace, target: VaultTarget, chosen: dict[str, object]
) -> None:
    place.vault.call("POST", f"secret/metadata/{place.path}", chosen)
    for generation in (1, 2):
        target.write(publication(fresh_values(place), target.read(), generation=generation))
    assert (settings(place), place.metadata()["rotator_workers-deploy_generation"]) == (chosen, "2")


# ------------------------------------------------------------------------------------------------------ metadata
def test_the_custom_metadata_names_generation_token_and_end_and_no_value(
    place: VaultPlace, target: VaultTarget
) -> None:
    target.write(publication(fresh_values(place), target.read(), generation=3))
    assert place.metadata() == {
        "rotator_workers-deploy_generation": "3",
        "rotator_workers-deploy_token_id": "0" * 32,
        "rotator_workers-deploy_expires_on": "2027-01-15T08:00:00Z",
    }


def test_custom_metadata_of_others_stays(place: VaultPlace, target: VaultTarget) -> None:
    place.vault.call("POST", f"secret/metadata/{place.path}", {"custom_metadata": {"owner": "team-web"}})
    target.write(publication(fresh_values(place), target.read()))
    assert (place.metadata()["owner"], len(place.metadata())) == ("team-web", 4)


def test_a_new_generation_of_the_same_value_is_marked_without_a_new_version(
    place: VaultPlace, target: VaultTarget
) -> None:
    new = fresh_values(place)
    target.write(publication(new, target.read()))
    target.write(publication(new, target.read(), generation=2))
    number = place.vault.call("GET", f"secret/data/{place.path}")["data"]["metadata"]["version"]
    assert (place.metadata()["rotator_workers-deploy_generation"], number) == ("2", 1)


def test_credentials_that_share_a_path_have_marks_of_their_own(place: VaultPlace, target: VaultTarget) -> None:
    for name in ("one", "n" * 63):
        target.write(credential(name, fresh_values(place), target))
    assert {name.split("_")[1] for name in place.metadata()} == {"one", "n" * 63}


def test_a_token_without_an_end_never_expires(place: VaultPlace, target: VaultTarget) -> None:
    target.write(credential("app", fresh_values(place), target))
    assert place.metadata()["rotator_app_expires_on"] == "never"


def test_the_policy_of_the_page_is_enough(place: VaultPlace) -> None:
    rules = block("docs/targets/vault.md", "capabilities").text.replace("ci/cloudflare/workers-deploy", place.path)
    place.vault.call("PUT", f"sys/policies/acl/{place.path.replace('/', '-')}", {"policy": rules})
    target, new = place.open(lambda point: None), fresh_values(place)

    target.check()
    target.write(publication(new, target.read()))

    assert (dict(place.look()), place.warnings) == (new, [])


def test_a_policy_without_metadata_publishes_and_warns(place: VaultPlace) -> None:
    rules = f'path "secret/data/{place.path}" {{ capabilities = ["create", "read", "update"] }}'
    place.vault.call("PUT", f"sys/policies/acl/{place.path.replace('/', '-')}", {"policy": rules})
    target, new = place.open(lambda point: None), fresh_values(place)
    target.write(publication(new, target.read()))
    assert (dict(place.look()), [code for code, _ in place.warnings]) == (new, ["target_not_marked"])


def test_metadata_that_is_full_publishes_and_warns(place: VaultPlace, target: VaultTarget) -> None:
    full = {f"key-{number}": "x" for number in range(64)}
    place.vault.call("POST", f"secret/metadata/{place.path}", {"custom_metadata": full})
    new = fresh_values(place)
    target.write(publication(new, target.read()))
    assert (dict(place.look()), [code for code, _ in place.warnings]) == (new, ["target_not_marked"])


def credential(name: str, values: dict[str, str], target: VaultTarget) -> Publication:
    return Publication(
        credential=name,
        rid="rid",
        generation=1,
        token_id="0" * 32,
        expires_at=NEVER,
        values={key: Secret(value) for key, value in values.items()},
        expected=target.read(),
        still_mine=lambda: None,
    )


# ---------------------------------------------------------------------------------------------------- mounts and rights
def other(place: VaultPlace, mount: str) -> VaultTarget:
    return VaultTarget(place.connect(), VaultTargetOptions(mount=mount, path="app"), KEYS)


@pytest.fixture
def as_root(place: VaultPlace) -> VaultPlace:
    place.token_file.write_text(place.vault.root_token)
    return place


def test_a_version_1_mount_is_refused_before_anything_is_written_there(as_root: VaultPlace) -> None:
    mount = f"kv1-{uuid.uuid4()}"
    as_root.vault.call("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "1"}})
    target = other(as_root, mount)
    for attempt in (target.check, lambda: target.write(publication(fresh_values(as_root), target.read()))):
        with pytest.raises(Refused, match="not a KV version 2") as caught:
            attempt()
        assert "enable-versioning" in caught.value.remedy
    assert keys_of(as_root.vault, mount) == []


def test_a_mount_with_slashes_and_odd_letters_works(as_root: VaultPlace) -> None:
    mount = f"teams/web {uuid.uuid4()}"
    as_root.vault.call("POST", f"sys/mounts/{mount.replace(' ', '%20')}", {"type": "kv", "options": {"version": "2"}})
    target, new = (
        VaultTarget(as_root.connect(), VaultTargetOptions(mount=mount, path="a b/ü?#%"), KEYS),
        fresh_values(as_root),
    )
    eventually(target.check)
    target.write(publication(new, target.read()))
    assert plain(target.read()) == new


def test_a_mount_that_is_not_there_is_named(as_root: VaultPlace) -> None:
    target = other(as_root, f"absent-{uuid.uuid4()}")
    with pytest.raises(Refused, match="no such mount"):
        target.check()
    with pytest.raises(Unavailable, match="no handler for route") as caught:
        target.read()
    assert "mount" in caught.value.remedy


@pytest.mark.parametrize("granted", [["read"], ["create", "read"], ["read", "update"], ["create", "update"]])
def test_the_preflight_names_the_capability_that_is_missing(place: VaultPlace, granted: list[str]) -> None:
    lists = ", ".join(f'"{one}"' for one in granted)
    rules = "".join(
        f'path "secret/{kind}/{place.path}" {{ capabilities = [{lists}] }}\n' for kind in ("data", "metadata")
    )
    place.vault.call("PUT", f"sys/policies/acl/{place.path.replace('/', '-')}", {"policy": rules})
    missing = sorted({"create", "read", "update"} - set(granted))
    with pytest.raises(Refused, match=f"may not {', '.join(missing)} secret/data/") as caught:
        place.open(lambda point: None).check()
    assert (caught.value.code, "capabilities" in caught.value.remedy) == ("permission", True)


@pytest.mark.parametrize("granted, passes", [(["create", "read", "update"], True), (["create", "update"], False)])
def test_without_the_default_policy_the_preflight_reads(place: VaultPlace, granted: list[str], passes: bool) -> None:
    name = place.path.replace("/", "-")
    lists = ", ".join(f'"{one}"' for one in granted)
    rules = f'path "secret/data/{place.path}" {{ capabilities = [{lists}] }}'
    place.vault.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})
    made = place.vault.call("POST", "auth/token/create", {"policies": [name], "no_default_policy": True, "ttl": "1h"})
    place.token_file.write_text(made["auth"]["client_token"])
    target = place.open(lambda point: None)
    if passes:
        target.check()
    else:
        with pytest.raises(Refused) as caught:
            target.check()
        assert caught.value.code == "permission"


def test_a_publication_of_other_keys_is_a_mistake_of_ours(place: VaultPlace, target: VaultTarget) -> None:
    with pytest.raises(ValueError, match="exactly the managed keys"):
        target.write(publication({"OTHER": "value"}, target.read()))


def keys_of(vault: Vault, mount: str) -> list[str]:
    from urllib.error import HTTPError

    try:
        return list(vault.call("LIST", f"{mount}/")["data"]["keys"])
    except HTTPError:
        return []


def eventually(call: Callable[[], None]) -> None:
    """A fresh mount prepares itself for up to a second."""
    import time

    deadline = time.monotonic() + 20
    while True:
        try:
            call()
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


# ------------------------------------------------------------------------------------------------------ before a write
@pytest.mark.parametrize(
    "mount, path, right",
    [
        ("secret/data", "ci/app", "`mount: secret` and `path: ci/app`"),
        ("secret/metadata", "ci/app", "`mount: secret` and `path: ci/app`"),
        ("secret/ci", "app", "`mount: secret` and `path: ci/app`"),
    ],
)
def test_a_mount_that_is_none_of_its_own_is_refused_with_the_right_spelling(
    place: VaultPlace, tmp_path: Path, mount: str, path: str, right: str
) -> None:
    file = tmp_path / "root"
    file.write_text(place.vault.root_token)
    file.chmod(0o600)
    options = VaultConnectionOptions(address=place.gate.address, auth=VaultAuth(token=SecretRef(file=file)))
    on = VaultTarget(VaultConnection("vault", options), VaultTargetOptions(mount=mount, path=path), KEYS)
    with pytest.raises(Refused) as checked:
        on.check()
    with pytest.raises(Refused):
        on.write(publication(fresh_values(place), Reading(version="")))
    assert (checked.value.code, right in checked.value.remedy) == ("mount", True)


@pytest.mark.parametrize("published", [False, True])
def test_a_path_whose_versions_vault_deletes_is_a_remark(
    place: VaultPlace, target: VaultTarget, published: bool
) -> None:
    assert list(target.check()) == []
    place.vault.call("POST", f"secret/metadata/{place.path}", {"delete_version_after": "3h"})
    if published:
        target.write(publication(fresh_values(place), target.read()))
        assert "versions_end" in [code for code, _ in place.warnings]
        assert target.read().ends == pytest.approx(time.time() + 3 * 3600, abs=300)
    else:
        assert target.read().ends == float("inf")
    (remark,) = target.check()
    assert (remark.code, "3h" in remark.message, place.path in remark.remedy) == ("versions_end", True, True)
