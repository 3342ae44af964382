"""The R2 key pair, used by a real S3 client: what is published signs requests, and ends with its token."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rotator.sandbox import Sandbox
from tests.rotator_place import Place

ACCOUNT = "a0000000000000000000000000000001"
KEYS = {
    "AWS_ACCESS_KEY_ID": "r2.access_key_id",
    "AWS_SECRET_ACCESS_KEY": "r2.secret_access_key",
    "TOKEN_ID": "token.id",
    "TOKEN_OWNER": "token.owner",
    "TOKEN_EXPIRES": "token.expires_on",
    "TOKEN": "token.value",
    "ACCOUNT": "account.id",
    "STAGE": {"literal": "prod"},
}


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    """One credential that may write one bucket, published with every output and a literal."""
    with Sandbox() as sandbox:
        made = Place(tmp_path, sandbox)
        grants = [{"permissions": ["Workers R2 Storage Bucket Item Write"], "buckets": ["backups"]}]
        target = {"type": "env_file", "path": "r2.env", "keys": KEYS}
        made.write(made.credential("r2", grants=grants, targets=[target]))
        assert made.run("once", "--wait", "5s").code == 0
        yield made
        made.close()


def published(place: Place) -> dict[str, str]:
    lines = (place.folder / "r2.env").read_text().splitlines()
    return {key: value.strip("'\"") for key, value in (line.split("=", 1) for line in lines)}


def client(place: Place, key: str, secret: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=place.sandbox.r2_endpoint(ACCOUNT),
        region_name="auto",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def of(place: Place) -> Any:
    found = published(place)
    return client(place, found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])


def code(call: Any, **more: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**more)
    return str(caught.value.response["Error"]["Code"])


def test_the_published_pair_writes_and_reads_the_bucket(place):
    s3 = of(place)

    s3.put_object(Bucket="backups", Key="2026/dump & more.sql", Body=b"rows")
    assert s3.get_object(Bucket="backups", Key="2026/dump & more.sql")["Body"].read() == b"rows"
    listed = s3.list_objects_v2(Bucket="backups", Prefix="", MaxKeys=5)
    assert [entry["Key"] for entry in listed["Contents"]] == ["2026/dump & more.sql"]


def test_the_pair_opens_no_other_bucket(place):
    assert code(of(place).put_object, Bucket="others", Key="a", Body=b"") == "AccessDenied"


def test_another_secret_is_refused(place):
    s3 = client(place, published(place)["AWS_ACCESS_KEY_ID"], published(place)["TOKEN"])

    assert code(s3.get_object, Bucket="backups", Key="a") == "SignatureDoesNotMatch"


def test_a_rotation_publishes_a_new_pair_that_works_and_the_old_one_ends_with_its_token(place):
    old = of(place)

    assert place.run("rotate", "r2", "--wait", "60s", "--until", "done").code == 0

    of(place).put_object(Bucket="backups", Key="a", Body=b"")
    assert code(old.get_object, Bucket="backups", Key="a") in ("Unauthorized", "401")


def test_every_output_and_a_literal_stand_at_their_keys(place):
    found, status = published(place), place.status("r2")

    assert found["AWS_ACCESS_KEY_ID"] == found["TOKEN_ID"] == status["token_id"]
    assert (found["TOKEN_OWNER"], found["ACCOUNT"], found["STAGE"]) == ("account", ACCOUNT, "prod")
    assert found["TOKEN_EXPIRES"] == status["expires_on"]
    assert found["TOKEN"].startswith("cfat_")
