"""The Secrets Manager target keeps the target contract on a strict double of ours and on moto, both over HTTP."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from rotator.testing.aws import SecretsManager
from rotator.testing.target_contract import SharedTargetContract, TargetContract
from tests.contract.targets.aws_place import AwsPlace


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


@pytest.fixture(scope="module")
def strict_url() -> Iterator[str]:
    with SecretsManager() as aws:
        yield aws.url


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class TestJsonOnTheStrictDouble(SharedTargetContract):
    @pytest.fixture
    def place(self, strict_url: str) -> Iterator[AwsPlace]:
        place = AwsPlace(strict_url, "json")
        yield place
        place.cut()


class TestStringOnTheStrictDouble(TargetContract):
    @pytest.fixture
    def place(self, strict_url: str) -> Iterator[AwsPlace]:
        place = AwsPlace(strict_url, "string")
        yield place
        place.cut()


class TestJsonOnMoto(SharedTargetContract):
    @pytest.fixture
    def place(self, moto_url: str) -> Iterator[AwsPlace]:
        place = AwsPlace(moto_url, "json")
        yield place
        place.cut()


class TestStringOnMoto(TargetContract):
    @pytest.fixture
    def place(self, moto_url: str) -> Iterator[AwsPlace]:
        place = AwsPlace(moto_url, "string")
        yield place
        place.cut()
