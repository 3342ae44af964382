"""Who we are at AWS: keys are looked for anew when they are not accepted, and the remedy names where they come from."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.core.errors import Refused, RotatorError, Unavailable
from rotator.targets.aws_secrets_manager import AwsConnectionOptions, AwsTargetOptions
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.aws_secrets_manager.target import AwsSecretsManagerTarget
from rotator.testing.aws import SecretsManager
from tests.contract.targets.aws_place import KEYS, REGION, foreign
from tests.integration.cloudflare.raw_server import RawServer, http, raw_server
from tests.servers.proxy import Proxy

FRESH = b"Credential=AKIAFRESH"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shared files of AWS of the test's own."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").write_text("")
    return tmp_path


def keys(home: Path, name: str, profile: str = "ops") -> None:
    lines = [f"[{profile}]", f"aws_access_key_id = {name}", "aws_secret_access_key = not-a-secret", ""]
    (home / "credentials").write_text("\n".join(lines))


@pytest.fixture
def service() -> Iterator[RawServer]:
    """AWS: it accepts the fresh key and calls every other one expired."""
    with raw_server(lambda connection: None) as server:
        server.script = answering(server, "ExpiredTokenException")
        yield server


def answering(server: RawServer, code: str) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        if FRESH in server.requests[-1]:
            connection.sendall(http({"Name": "x"}))
        else:
            connection.sendall(http({"__type": code, "Message": "not this key"}, "400 Bad Request"))

    return answer


def connect(url: str, **options: Any) -> AwsConnection:
    return AwsConnection("aws", AwsConnectionOptions(region=REGION, endpoint_url=url, **options), attempts=1)


def describe(connection: AwsConnection, *, effect: bool = False) -> None:
    with connection.open() as client:
        client.ask("restore_secret" if effect else "describe_secret", doing="asking", effect=effect, SecretId="x")


def failure(connection: AwsConnection, *, effect: bool = False) -> RotatorError:
    with pytest.raises((Unavailable, Refused)) as caught:
        describe(connection, effect=effect)
    return caught.value


# ------------------------------------------------------------------------------------------------------ looked for anew
@pytest.mark.parametrize(
    "code",
    ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId",
     "InvalidSignatureException", "SignatureDoesNotMatch"],
)  # fmt: skip
@pytest.mark.parametrize("effect", [False, True])
def test_keys_that_were_replaced_in_their_file_are_used_without_a_restart(
    service: RawServer, home: Path, code: str, effect: bool
) -> None:
    service.script = answering(service, code)
    keys(home, "AKIAOLD")
    connection = connect(service.url, profile="ops")
    assert "profile `ops`" in failure(connection, effect=effect).remedy
    keys(home, "AKIAFRESH")
    before = len(service.requests)
    describe(connection, effect=effect)
    describe(connection, effect=effect)
    assert [FRESH in request for request in service.requests[before:]] == [False, True, True]


def test_the_same_keys_are_not_sent_twice(service: RawServer, home: Path) -> None:
    keys(home, "AKIAOLD")
    failure(connect(service.url, profile="ops"))
    assert len(service.requests) == 1


def test_keys_that_appear_later_are_found(service: RawServer, home: Path) -> None:
    connection = connect(service.url, profile="ops")
    failure(connection)
    keys(home, "AKIAFRESH")
    describe(connection)
    assert len(service.requests) == 1


# ------------------------------------------------------------------------------------------------------ what helps
SSO = "sso_account_id = 123456789012\nsso_role_name = ci\n"


@pytest.mark.parametrize(
    "config, login",
    [
        (f"[profile ops]\nsso_start_url = https://sso.test/start\nsso_region = {REGION}\n{SSO}", "ops"),
        (f"[profile ops]\nsso_session = corp\n{SSO}[sso-session corp]\nsso_start_url = https://sso.test/start\n"
         f"sso_region = {REGION}\n", "ops"),
        (f"[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n[profile base]\n"
         f"sso_start_url = https://sso.test/start\nsso_region = {REGION}\n{SSO}", "base"),
    ],
)  # fmt: skip
def test_an_sso_session_that_ended_names_the_command_that_begins_one(
    service: RawServer, home: Path, config: str, login: str
) -> None:
    (home / "config").write_text(config)
    error = failure(connect(service.url, profile="ops"))
    assert (error.remedy, service.requests) == (f"aws sso login --profile {login}", [])


def test_keys_of_the_environment_are_replaced_there(service: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    assert "AWS_ACCESS_KEY_ID" in failure(connect(service.url)).remedy


def test_a_role_that_does_not_trust_us_is_named(service: RawServer, home: Path) -> None:
    keys(home, "AKIAFRESH")
    role = "arn:aws:iam::123456789012:role/ci"
    said = f"User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: {role}"
    body = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{said}</Message></Error></ErrorResponse>"
    with raw_server(lambda one: one.sendall(http(body.encode(), "403 Forbidden", "Content-Type: text/xml"))) as sts:
        error = failure(connect(service.url, profile="ops", role_arn=role, sts_endpoint_url=sts.url))
        assert len(sts.requests) >= 1
    assert (f"trust policy of {role}" in error.remedy, service.requests) == (True, [])


def test_keys_of_the_instance_are_not_asked_for_through_a_proxy_of_the_environment(
    service: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Proxy({}) as intruder, raw_server(lambda one: one.sendall(http(b"", "404 Not Found"))) as metadata:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, intruder.url)
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{metadata.port}/")
        failure(connect(service.url))
        assert (bool(metadata.requests), intruder.heads) == (True, [])


# ------------------------------------------------------------------------------------------------------ replicas
def test_a_replica_is_refused_before_anything_is_put_and_the_primary_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(home, "AKIAFRESH")
    with SecretsManager(REGION) as aws:
        monkeypatch.setenv("AWS_PROFILE", "ops")
        foreign(aws.url).create_secret(Name="prod/x", SecretString=json.dumps({"OTHER": "1"}))
        carry_out, primary = aws.carry_out, "us-east-1"

        def describing(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
            found = carry_out(operation, asked)
            return found | {"PrimaryRegion": primary} if operation == "DescribeSecret" else found

        monkeypatch.setattr(aws, "carry_out", describing)
        target = AwsSecretsManagerTarget(connect(aws.url), AwsTargetOptions(secret="prod/x"), KEYS)
        with pytest.raises(Refused) as caught:
            target.check()
        assert (caught.value.code, "region: us-east-1" in caught.value.remedy) == ("replica", True)
        primary = REGION
        assert list(target.check()) == []
        assert aws.count("PutSecretValue") == 0
