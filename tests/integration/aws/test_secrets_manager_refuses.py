"""Secrets Manager refuses, loses answers, and knows several identities."""

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from rotator.core.errors import OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.core.ports.target import Reading
from rotator.targets.aws_secrets_manager import AwsTargetOptions
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.aws_secrets_manager.target import AwsSecretsManagerTarget
from rotator.testing.target_contract import fresh_values, publication
from tests.contract.targets.aws_place import KEYS, REGION
from tests.integration.aws.managed import SECRET, Place, connection

UNREAD = Reading(version="")


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def refusal(place: Place, **options: Any) -> Refused:
    """The refusal of a write; the preflight says the same, and neither changes anything."""
    target = place.open(**options)
    values = {"CLOUDFLARE_API_TOKEN": "new"} if options.get("format") == "string" else fresh_values(place)
    before = {id_: set(version.labels) for id_, version in place.stored.versions.items()}
    with pytest.raises(Refused) as written:
        target.write(publication(values, UNREAD))
    with pytest.raises(Refused) as checked:
        target.check()
    assert {id_: version.labels for id_, version in place.stored.versions.items()} == before
    assert (checked.value.code, bool(checked.value.remedy)) == (written.value.code, True)
    return written.value


def test_a_secret_that_is_not_there_is_not_created(place: Place) -> None:
    found = refusal(place, secret="prod/absent")
    assert (found.code, "create-secret" in found.remedy) == ("not_found", True)
    assert dict(place.open(secret="prod/absent").read().values) == {}


def test_a_secret_that_aws_rotates_itself_is_refused(held: Place) -> None:
    held.api.rotate_secret(SecretId=SECRET)
    assert refusal(held).code == "rotated_by_aws"


def test_a_secret_that_is_scheduled_for_deletion_is_refused(held: Place) -> None:
    held.api.delete_secret(SecretId=SECRET)
    found = refusal(held)
    assert (found.code, "restore-secret" in found.remedy) == ("deleted", True)
    with pytest.raises(Unavailable, match="marked for deletion"):
        held.open().read()


def test_a_secret_of_another_service_is_refused(held: Place) -> None:
    held.stored.owning_service = "rds"
    assert refusal(held).code == "managed"


def test_a_secret_that_is_no_json_object_is_refused_for_json(place: Place) -> None:
    place.api.put_secret_value(SecretId=SECRET, SecretString="CANARY-plain")
    found = refusal(place)
    assert (found.code, "format: string" in found.remedy, "CANARY" in str(found)) == ("format", True, False)
    with pytest.raises(Unavailable, match="not a JSON object"):
        place.open().read()


def test_a_binary_secret_has_no_reading(place: Place) -> None:
    place.api.put_secret_value(SecretId=SECRET, SecretBinary=b"\x00")
    with pytest.raises(Unavailable, match="binary"):
        place.open().read()


def test_more_than_64_kib_are_refused_before_anything_is_sent(place: Place) -> None:
    place.overwrite({"OTHER": "x" * 65_500})
    target, puts = place.open(), place.aws.count("PutSecretValue")
    with pytest.raises(Refused) as caught:
        target.write(publication(fresh_values(place), target.read()))
    assert (caught.value.code, place.aws.count("PutSecretValue")) == ("too_big", puts)


def test_too_many_versions_are_refused_with_the_reason(held: Place) -> None:
    target = held.open()
    for number in range(99):
        held.overwrite({"n": number})
    with pytest.raises(Refused) as caught:
        target.write(publication(fresh_values(held), target.read()))
    assert caught.value.code == "limit"


def test_the_preflight_asks_for_the_right_to_move_a_label_and_moves_none(held: Place) -> None:
    held.open().check()
    held.aws.deny("UpdateSecretVersionStage")
    with pytest.raises(Refused) as caught:
        held.open().check()
    assert (caught.value.code, held.stored.holder("ROTATOR_PENDING")) == ("permission", None)


@pytest.mark.parametrize("operation", ["DescribeSecret", "GetSecretValue"])
def test_a_preflight_that_may_not_read_is_refused(held: Place, operation: str) -> None:
    held.aws.deny(operation)
    with pytest.raises(Refused) as caught:
        held.open().check()
    assert caught.value.code == "permission"


def test_a_read_without_the_right_is_no_reading(held: Place) -> None:
    held.aws.deny("GetSecretValue")
    with pytest.raises(Unavailable, match="AccessDenied") as caught:
        held.open().read()
    assert "docs/targets/aws_secrets_manager.md" in caught.value.remedy


def test_a_version_that_somebody_put_under_our_id_is_never_made_current(held: Place) -> None:
    target, new = held.open(), fresh_values(held)
    written = publication(new, target.read())

    def forge(point: str) -> None:
        if point == "after_aws_put":
            pending = held.stored.holder("ROTATOR_PENDING")
            assert pending is not None
            held.stored.versions[pending].text = '{"CLOUDFLARE_API_TOKEN": "forged"}'

    before = held.text()
    with pytest.raises(Refused, match="something else than what was put"):
        held.open(crash=forge).write(written)
    assert held.text() == before


def test_the_sdk_repeats_what_was_lost_and_one_version_comes_of_it(held: Place) -> None:
    target, new = held.open(attempts=3), fresh_values(held)
    expected = target.read()
    held.aws.arm("PutSecretValue", "lose_answer")
    held.aws.arm("PutSecretValue", "lose_request")
    held.aws.arm("UpdateSecretVersionStage", "lose_answer")
    target.write(publication(new, expected))
    assert (json.loads(held.text()), len(held.stored.versions)) == (new, 2)


def test_a_put_without_an_answer_moved_nothing(held: Place) -> None:
    target, before = held.open(), held.text()
    expected = target.read()
    held.aws.arm("PutSecretValue", "lose_answer")
    with pytest.raises(Unavailable):
        target.write(publication(fresh_values(held), expected))
    assert held.text() == before


def test_the_first_put_of_a_secret_without_an_answer_is_unknown(place: Place) -> None:
    """It becomes current at once."""
    target, new = place.open(), fresh_values(place)
    written = publication(new, target.read())
    place.aws.arm("PutSecretValue", "lose_answer")
    with pytest.raises(OutcomeUnknown):
        target.write(written)
    target.write(written)
    assert (json.loads(place.text()), len(place.stored.versions)) == (new, 1)


@pytest.mark.parametrize("fault", ["lose_answer", "lose_request", "internal"])
def test_a_move_without_an_answer_is_unknown_and_the_same_publication_again_settles_it(held: Place, fault: Any) -> None:
    target, new = held.open(), fresh_values(held)
    written = publication(new, target.read())
    held.aws.arm("UpdateSecretVersionStage", fault)
    with pytest.raises(OutcomeUnknown):
        target.write(written)
    target.write(written)
    assert (json.loads(held.text()), len(held.stored.versions)) == (new, 2)


def test_a_throttled_move_was_not_made(held: Place) -> None:
    target, before = held.open(), held.text()
    expected = target.read()
    held.aws.arm("UpdateSecretVersionStage", "throttle")
    with pytest.raises(Unavailable):
        target.write(publication(fresh_values(held), expected))
    assert held.text() == before


def test_a_move_that_was_lost_and_then_throttled_is_unknown(held: Place) -> None:
    target = held.open(attempts=2)
    expected = target.read()
    held.aws.arm("UpdateSecretVersionStage", "lose_answer")
    held.aws.arm("UpdateSecretVersionStage", "throttle")
    with pytest.raises(OutcomeUnknown):
        target.write(publication(fresh_values(held), expected))


def test_a_pending_label_that_stays_is_a_warning_and_goes_with_the_next_write(held: Place) -> None:
    target, new = held.open(), fresh_values(held)
    written = publication(new, target.read())
    held.aws.arm("UpdateSecretVersionStage", "lose_request", skip=1)
    target.write(written)
    assert ([code for code, _ in held.warnings], json.loads(held.text())) == (["pending_label_left"], new)
    target.write(written)
    assert held.stored.holder("ROTATOR_PENDING") is None


def test_a_replica_that_does_not_follow_is_a_warning(held: Place) -> None:
    held.stored.replicas = [
        {"Region": "us-east-1", "Status": "Failed", "StatusMessage": "no key"},
        {"Status": "InSync"},
    ]
    target = held.open()
    remarks = [(remark.code, remark.message) for remark in target.check()]
    target.write(publication(fresh_values(held), target.read()))
    told = [*remarks, *held.warnings]
    assert [(code, "us-east-1" in text) for code, text in told] == [("replica_failed", True)] * 2


def test_a_text_of_the_service_that_repeats_the_value_is_not_repeated(
    held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, new = held.open(), fresh_values(held)
    expected = target.read()
    carry_out = held.aws.carry_out

    def echo(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "PutSecretValue":
            from rotator.testing.aws import AwsError

            raise AwsError("InvalidParameterException", f"cannot take {asked['SecretString']}")
        return carry_out(operation, asked)

    monkeypatch.setattr(held.aws, "carry_out", echo)
    with pytest.raises(Refused, match="cannot take") as caught:
        target.write(publication(new, expected))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert [value for value in new.values() if value in shown] == []


def read(connection: AwsConnection) -> RotatorError:
    with pytest.raises(Unavailable) as caught:
        AwsSecretsManagerTarget(connection, AwsTargetOptions(secret=SECRET), KEYS).read()
    return caught.value


def test_without_an_identity_nothing_is_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    sent = len(place.aws.requests)
    for options in ({}, {"role_arn": "arn:aws:iam::123456789012:role/ci"}):
        assert "credentials" in str(read(connection(region=REGION, endpoint_url=place.aws.url, **options)))
    assert len(place.aws.requests) == sent


def test_without_a_region_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "region" in str(read(connection()))


def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "nobody" in str(read(connection(region=REGION, profile="nobody")))


def test_a_profile_is_used(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    file = tmp_path / "credentials"
    file.write_text("[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = not-a-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    on = AwsSecretsManagerTarget(
        connection(region=REGION, profile="ops", endpoint_url=place.aws.url), AwsTargetOptions(secret=SECRET), KEYS
    )
    on.write(publication(fresh_values(place), on.read()))
    assert set(json.loads(place.text())) == set(KEYS)


def test_a_role_is_assumed_with_its_external_id(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        role = {
            "role_arn": "arn:aws:iam::123456789012:role/ci/rotator",
            "external_id": "shared-word",
            "sts_endpoint_url": f"http://{host}:{port}",
        }
        on = AwsSecretsManagerTarget(
            connection(region=REGION, endpoint_url=place.aws.url, **role), AwsTargetOptions(secret=SECRET), KEYS
        )
        on.write(publication(fresh_values(place), on.read()))
    finally:
        server.stop()
    assert set(json.loads(place.text())) == set(KEYS)


def test_a_closed_connection_forgets_its_identity(place: Place) -> None:
    made = connection(region=REGION, endpoint_url=place.aws.url)
    AwsSecretsManagerTarget(made, AwsTargetOptions(secret=SECRET), KEYS).read()
    made.close()
    assert made._identity is None


def test_a_publication_of_other_keys_and_several_keys_for_a_string_are_mistakes_of_ours(place: Place) -> None:
    with pytest.raises(ValueError, match="exactly the managed keys"):
        place.open().write(publication({"OTHER": "value"}, UNREAD))
    with pytest.raises(ValueError, match="exactly one key"):
        AwsSecretsManagerTarget(connection(), AwsTargetOptions(secret=SECRET, format="string"), KEYS)
