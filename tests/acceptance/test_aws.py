"""The daemon and AWS Secrets Manager: AWSCURRENT is right at every moment, whatever kills the daemon, wherever.

Everything runs on a strict double of ours and on moto's server, because each is kind where the other is not.
"""

import json
import random
import signal
import uuid
from functools import cache

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer

from rotator.host.crashpoints import Point
from rotator.testing.aws import SecretsManager
from tests import verdict
from tests.acceptance import stage
from tests.acceptance.stage import AWS_LOGIN, REGION, Away, Consumer, short_lived, until
from tests.installation import KEY, Installation

pytestmark = pytest.mark.slow

THEIRS = {"DATABASE_URL": "postgres://elsewhere", "LIMITS": {"cpu": 2, "name": "ü"}}
POINTS = [point for point in Point if point.paths == ("aws",)]
KILLS = 4


@pytest.fixture
def strict():
    with SecretsManager(REGION) as aws:
        yield aws


@pytest.fixture
def url(request, strict):
    """Where AWS answers."""
    if request.param == "strict":
        yield strict.url
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@cache
def foreign(url):
    """Another program's client."""
    login = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "not-a-secret"}
    return boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, **login)


class Bench:
    """Two secrets, one a JSON object with keys of others, one a string; a credential for each."""

    def __init__(self, url, folder):
        self.url, self.client = url, foreign(url)
        self.json, self.string = (f"prod/{kind}/{uuid.uuid4().hex}" for kind in ("json", "string"))
        self.client.create_secret(Name=self.json, SecretString=json.dumps(THEIRS))
        self.client.create_secret(Name=self.string)
        self.place = install(
            folder, url, short_lived("deploy", target(self.json)), short_lived("bare", target(self.string, "string"))
        )

    def text(self, secret):
        """What AWSCURRENT says, by its label, as every consumer asks."""
        try:
            return self.client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["SecretString"]
        except (ClientError, BotoCoreError) as error:
            raise Away from error

    def values(self):
        """The published values, by credential."""
        found = {}
        whole = json.loads(self.text(self.json))
        assert {key: whole[key] for key in THEIRS} == THEIRS
        if KEY in whole:
            found["deploy"] = whole[KEY]
        found["bare"] = self.text(self.string)
        return found

    def labels(self, secret):
        """All labels of a secret, of all versions."""
        versions = self.client.describe_secret(SecretId=secret)["VersionIdsToStages"]
        return sorted(label for labels in versions.values() for label in labels)

    def is_at_rest(self):
        """Both credentials have come to rest, and no label of ours was left behind."""
        stage.come_to_rest(self.place)
        found = self.values()
        for name in ("deploy", "bare"):
            verdict.is_at_rest(self.place, name, {"aws": found[name]})
        assert self.labels(self.json) == self.labels(self.string) == ["AWSCURRENT", "AWSPREVIOUS"]


def target(secret, format_="json"):
    return {
        "type": "aws_secrets_manager",
        "name": "aws",
        "connection": "aws",
        "secret": secret,
        "format": format_,
    }


def install(folder, url, *credentials):
    connection = {"type": "aws", "region": REGION, "endpoint_url": url}
    place = Installation(folder, *credentials, connections={"aws": connection})
    place.environment = AWS_LOGIN
    return place


BACKENDS = pytest.mark.parametrize("url", ["strict", "moto"], indirect=True)


@BACKENDS
def test_awscurrent_is_alive_and_verified_while_the_daemon_is_killed_again_and_again(url, tmp_path, record_property):
    bench = Bench(url, tmp_path)
    chance = random.Random(20261122)
    with bench.place as place:
        daemon = place.daemon()
        until(lambda: all(stage.is_confirmed(place, name) for name in ("deploy", "bare")), "the first values")
        with Consumer("boto3", place, bench.values, 0.1) as consumer:
            for _ in range(KILLS):
                stage.kill_after(place, daemon, chance.randint(1, 12))
                daemon = place.daemon()
            stage.more_rotations(place, 1, "deploy", "bare")
            assert place.end(daemon) == 0
            bench.is_at_rest()
        rotations = stage.rotations(place, "deploy") + stage.rotations(place, "bare")
        stage.tell(record_property, consumer, rotations=rotations, kills=KILLS)
        consumer.found_only_the_living()
        assert consumer.away == 0


@BACKENDS
def test_awscurrent_is_alive_and_verified_when_the_daemon_dies_at_each_point_of_a_write(url, tmp_path, record_property):
    bench = Bench(url, tmp_path)
    with bench.place as place:
        assert place.run("once").code == 0
        with Consumer("boto3", place, bench.values, 0.1) as consumer:
            for point in POINTS:
                dying = place.start("run", crash=point)
                assert dying.wait(60) == -signal.SIGKILL, f"{point} was not passed: {place.said(dying)[-3000:]}"
            bench.is_at_rest()
        rotations = stage.rotations(place, "deploy") + stage.rotations(place, "bare")
        stage.tell(record_property, consumer, rotations=rotations, kills=len(POINTS))
        consumer.found_only_the_living()
        assert consumer.away == 0


def missing(aws, client):
    """Nobody has created the secret."""
    yield "there is no such secret", "aws secretsmanager create-secret --name prod/token"
    client.create_secret(Name="prod/token")


def rotated_by_aws(aws, client):
    """AWS rotates it."""
    client.create_secret(Name="prod/token")
    client.rotate_secret(SecretId="prod/token")
    yield "Secrets Manager rotates this secret itself", "aws secretsmanager cancel-rotate-secret --secret-id prod/token"
    client.cancel_rotate_secret(SecretId="prod/token")


def on_its_way_out(aws, client):
    """It is scheduled for deletion."""
    client.create_secret(Name="prod/token")
    client.delete_secret(SecretId="prod/token")
    yield "the secret is scheduled for deletion", "aws secretsmanager restore-secret --secret-id prod/token"
    client.restore_secret(SecretId="prod/token")


@pytest.mark.parametrize("state", [missing, rotated_by_aws, on_its_way_out], ids=lambda state: state.__name__)
def test_a_secret_that_is_not_ours_to_write_is_refused_before_anything_is_minted(strict, tmp_path, state):
    client = foreign(strict.url)
    events = state(strict, client)
    what, remedy = next(events)
    with install(tmp_path, strict.url, short_lived("deploy", target("prod/token"))) as place:
        checked = place.run("check", "-o", "json")
        assert checked.code == 1
        failed = [finding for finding in json.loads(checked.out)["findings"] if finding["level"] == "fail"]
        assert [finding["subject"] for finding in failed] == ["credential deploy, target aws"]
        assert what in failed[0]["message"]
        assert failed[0]["remedy"].startswith((remedy, f"create it empty: {remedy}"))
        once = place.run("once")
        assert once.code == 1
        assert what in once.err
        found = stage.status(place, "deploy")
        assert (found["state"], found["rotation"]["reason"]) == ("failing", "target_unwritable")
        assert what in found["targets"][0]["problem"]["message"]
        assert place.tokens() == []
        next(events, None)
        assert place.run("once").code == 0
        assert place.accepts(json.loads(client.get_secret_value(SecretId="prod/token")["SecretString"])[KEY])


def test_a_secret_that_aws_begins_to_rotate_keeps_its_living_value_and_costs_no_token(strict, tmp_path):
    client = foreign(strict.url)
    client.create_secret(Name="prod/token")
    stanza = short_lived("deploy", target("prod/token", "string"), lifetime="1h")
    with install(tmp_path, strict.url, stanza) as place:
        assert place.run("once").code == 0
        client.rotate_secret(SecretId="prod/token")
        before = client.get_secret_value(SecretId="prod/token")["SecretString"]
        place.advance(45 * 60)
        once = place.run("once")
        assert once.code == 1
        assert "Secrets Manager rotates this secret itself" in once.err
        assert len(place.tokens()) == 1
        assert client.get_secret_value(SecretId="prod/token")["SecretString"] == before
        assert place.accepts(before)
