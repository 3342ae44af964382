"""The strict double of AWS does what AWS documents, and says no where AWS does.

The second half names what moto does otherwise, one by one: one that turns red has been mended there and goes.
"""

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer

from rotator.testing.aws import SecretsManager

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=3, read_timeout=5)


def client(url: str) -> Any:
    return boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=ONCE,
    )


@pytest.fixture
def aws() -> Iterator[SecretsManager]:
    with SecretsManager() as double:
        yield double


@pytest.fixture
def api(aws: SecretsManager) -> Any:
    return client(aws.url)


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield client(f"http://{host}:{port}")
    server.stop()


def new(api: Any, text: str | None = "one") -> tuple[str, str]:
    """A fresh secret: its name and the id of its first version."""
    name = f"test/{uuid.uuid4()}"
    made = api.create_secret(Name=name, **({} if text is None else {"SecretString": text}))
    return name, made.get("VersionId", "")


def put(api: Any, name: str, text: str, *labels: str, token: str = "") -> str:
    more = {"VersionStages": list(labels)} if labels else {}
    token = token or str(uuid.uuid4())
    return str(api.put_secret_value(SecretId=name, SecretString=text, ClientRequestToken=token, **more)["VersionId"])


def labels(api: Any, name: str) -> dict[str, list[str]]:
    return dict(api.describe_secret(SecretId=name)["VersionIdsToStages"])


def refused(call: Any, *args: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*args, **parameters)
    return str(caught.value.response["Error"]["Code"])


# ------------------------------------------------------------------------------------------------------ documented
def test_a_client_that_dies_while_it_sends_leaves_nothing_behind_and_no_noise(capfd):
    with SecretsManager() as aws:
        host, port = aws.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: secretsmanager.CreateSecret\r\n")
            half.sendall(b'Content-Length: 99\r\n\r\n{"Name": "half"')
            half.shutdown(socket.SHUT_WR)
            assert half.recv(1) == b""  # the double has seen the end, and closed
        assert aws.requests == []
    assert capfd.readouterr().err == ""


def test_a_put_without_labels_becomes_current_and_the_old_one_previous(api: Any) -> None:
    name, first = new(api)
    second = put(api, name, "two")
    assert labels(api, name) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
    assert api.get_secret_value(SecretId=name)["SecretString"] == "two"


def test_a_put_with_a_label_leaves_the_current_version_alone(api: Any) -> None:
    name, first = new(api)
    second = put(api, name, "two", "PENDING")
    assert labels(api, name) == {first: ["AWSCURRENT"], second: ["PENDING"]}
    assert api.get_secret_value(SecretId=name)["VersionId"] == first


def test_the_first_version_of_a_secret_is_current_whatever_its_labels(api: Any) -> None:
    name, _ = new(api, None)
    first = put(api, name, "one", "PENDING")
    assert labels(api, name) == {first: ["AWSCURRENT", "PENDING"]}


def test_a_secret_without_a_value_has_nothing_to_get(api: Any) -> None:
    name, _ = new(api, None)
    assert refused(api.get_secret_value, SecretId=name) == "ResourceNotFoundException"


def test_the_same_token_with_the_same_text_does_nothing(api: Any) -> None:
    name, _ = new(api)
    token = str(uuid.uuid4())
    put(api, name, "two", "PENDING", token=token)
    put(api, name, "three")
    before = labels(api, name)
    assert put(api, name, "two", "AWSCURRENT", token=token) == token
    assert labels(api, name) == before


def test_the_same_token_with_another_text_is_refused(api: Any) -> None:
    name, first = new(api)
    assert refused(put, api, name, "other", token=first) == "ResourceExistsException"
    assert api.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_the_current_label_moves_only_from_where_it_is(api: Any) -> None:
    name, first = new(api)
    second = put(api, name, "two", "PENDING")
    move = api.update_secret_version_stage
    where = {"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": second}
    assert refused(move, **where) == "InvalidParameterException"
    assert refused(move, **where, RemoveFromVersionId=second) == "InvalidParameterException"
    assert labels(api, name) == {first: ["AWSCURRENT"], second: ["PENDING"]}
    move(**where, RemoveFromVersionId=first)
    assert labels(api, name) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "PENDING"]}


def test_a_move_that_was_made_is_not_made_again(api: Any) -> None:
    name, first = new(api)
    second = put(api, name, "two", "PENDING")
    where = {
        "SecretId": name,
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": second,
        "RemoveFromVersionId": first,
    }
    api.update_secret_version_stage(**where)
    assert refused(api.update_secret_version_stage, **where) == "InvalidParameterException"


def test_a_label_is_taken_off_only_from_the_version_that_wears_it(api: Any) -> None:
    name, first = new(api)
    second = put(api, name, "two", "PENDING")
    off = api.update_secret_version_stage
    assert refused(off, SecretId=name, VersionStage="PENDING", RemoveFromVersionId=first) == "InvalidParameterException"
    assert refused(off, SecretId=name, VersionStage="PENDING") == "InvalidParameterException"
    assert refused(off, SecretId=name, VersionStage="PENDING", RemoveFromVersionId="0" * 32) == (
        "ResourceNotFoundException"
    )
    assert refused(off, SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=first) == (
        "InvalidParameterException"
    )
    off(SecretId=name, VersionStage="PENDING", RemoveFromVersionId=second)
    assert labels(api, name) == {first: ["AWSCURRENT"]}


def test_a_secret_on_its_way_out_answers_nothing_until_it_is_restored(api: Any) -> None:
    name, first = new(api)
    api.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert refused(api.get_secret_value, SecretId=name) == "InvalidRequestException"
    assert refused(put, api, name, "two") == "InvalidRequestException"
    assert refused(api.delete_secret, SecretId=name) == "InvalidRequestException"
    assert refused(api.create_secret, Name=name) == "InvalidRequestException"
    assert api.describe_secret(SecretId=name)["DeletedDate"]
    api.restore_secret(SecretId=name)
    assert api.get_secret_value(SecretId=name)["VersionId"] == first


def test_a_secret_that_was_deleted_at_once_is_gone(api: Any) -> None:
    name, _ = new(api)
    api.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert refused(api.describe_secret, SecretId=name) == "ResourceNotFoundException"


def test_64_kib_are_the_end(api: Any) -> None:
    name, _ = new(api)
    put(api, name, "x" * 65536)
    assert refused(put, api, name, "x" * 65537) == "ValidationException"
    assert len(api.get_secret_value(SecretId=name)["SecretString"]) == 65536


def test_a_hundred_versions_a_day_are_the_end(api: Any) -> None:
    name, _ = new(api)
    for number in range(99):
        put(api, name, f"text {number}")
    assert refused(put, api, name, "one more") == "LimitExceededException"


def test_rotation_by_aws_is_shown_and_refused_while_a_version_is_pending(api: Any) -> None:
    name, _ = new(api)
    pending = put(api, name, "two", "AWSPENDING")
    assert refused(api.rotate_secret, SecretId=name) == "InvalidRequestException"
    api.update_secret_version_stage(SecretId=name, VersionStage="AWSPENDING", RemoveFromVersionId=pending)
    api.rotate_secret(SecretId=name)
    assert api.describe_secret(SecretId=name)["RotationEnabled"] is True
    api.cancel_rotate_secret(SecretId=name)
    assert "RotationEnabled" not in api.describe_secret(SecretId=name)


def test_name_full_and_partial_arn_mean_the_same_secret(api: Any) -> None:
    name, _ = new(api)
    arn = api.describe_secret(SecretId=name)["ARN"]
    assert {api.describe_secret(SecretId=one)["Name"] for one in (name, arn, arn.rpartition("-")[0])} == {name}


def test_binary_secrets_and_tags_are_kept(api: Any) -> None:
    name, _ = new(api, None)
    api.put_secret_value(SecretId=name, SecretBinary=b"\x00\x01")
    api.tag_resource(SecretId=name, Tags=[{"Key": "team", "Value": "web"}])
    assert api.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\x01"
    assert api.describe_secret(SecretId=name)["Tags"] == [{"Key": "team", "Value": "web"}]


def test_names_are_unique_and_plain(api: Any) -> None:
    name, _ = new(api)
    assert refused(api.create_secret, Name=name) == "ResourceExistsException"
    assert refused(api.create_secret, Name="with space") == "InvalidParameterException"


def test_a_request_that_is_not_signed_is_refused(aws: SecretsManager) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(aws.url, b"{}", {"X-Amz-Target": "secretsmanager.DescribeSecret"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    assert caught.value.code == 400
    caught.value.close()


def test_an_operation_that_the_double_does_not_know_is_an_error(api: Any) -> None:
    assert refused(api.list_secrets) == "UnknownOperationException"


# ---------------------------------------------------------------------------------------------------- trouble on demand
def test_a_lost_request_was_not_done_and_a_lost_answer_was(aws: SecretsManager, api: Any) -> None:
    name, _ = new(api)
    aws.arm("PutSecretValue", "lose_request")
    with pytest.raises(BotoCoreError):
        put(api, name, "two")
    assert aws.count("PutSecretValue") == 0
    aws.arm("PutSecretValue", "lose_answer")
    with pytest.raises(BotoCoreError):
        put(api, name, "three")
    assert api.get_secret_value(SecretId=name)["SecretString"] == "three"


def test_faults_are_used_up_in_order_and_after_what_they_skip(aws: SecretsManager, api: Any) -> None:
    name, _ = new(api)
    aws.arm("DescribeSecret", "throttle", skip=1)
    aws.arm("GetSecretValue", "internal", times=2)
    api.describe_secret(SecretId=name)
    assert refused(api.describe_secret, SecretId=name) == "ThrottlingException"
    assert [refused(api.get_secret_value, SecretId=name) for _ in range(2)] == ["InternalServiceError"] * 2
    api.describe_secret(SecretId=name)
    api.get_secret_value(SecretId=name)


def test_denied_operations_are_denied_until_they_are_not(aws: SecretsManager, api: Any) -> None:
    name, _ = new(api)
    aws.deny("GetSecretValue")
    assert refused(api.get_secret_value, SecretId=name) == "AccessDeniedException"
    aws.deny()
    assert api.get_secret_value(SecretId=name)["SecretString"] == "one"


# ------------------------------------------------------------------------------------------------------ moto differs
def test_moto_answers_the_old_version_to_a_get_without_a_label_after_a_move(moto: Any) -> None:
    name, first = new(moto)
    second = put(moto, name, "two", "PENDING")
    moto.update_secret_version_stage(
        SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=second, RemoveFromVersionId=first
    )
    assert moto.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")["SecretString"] == "two"
    assert moto.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_moto_lets_a_secret_on_its_way_out_be_written(moto: Any) -> None:
    name, _ = new(moto)
    moto.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    put(moto, name, "two")


def test_moto_takes_more_than_64_kib(moto: Any) -> None:
    name, _ = new(moto)
    put(moto, name, "x" * 70_000)


def test_moto_has_no_limit_of_versions(moto: Any) -> None:
    name, _ = new(moto)
    for number in range(100):
        put(moto, name, f"text {number}")
