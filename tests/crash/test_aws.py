"""A write to AWS Secrets Manager that dies at each of its points: AWSCURRENT is always whole, no label stays behind."""

import copy
import json

import pytest

from rotator.testing.aws import CURRENT, SecretsManager, StoredSecret, Version
from tests.crash.matrix import Site, cross, points
from tests.installation import KEY, Installation, credential
from tests.prepared import RENEWAL, settled

pytestmark = pytest.mark.slow

SECRET = "prod/cloudflare/deploy"
VERSION = "00000000-0000-4000-8000-000000000001"
THEIRS = {"DATABASE_URL": "postgres://elsewhere"}
LOGIN = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def secrets():
    """What AWS held when the template was made: a secret that an operator created, and our first publication."""
    return {}


@pytest.fixture(scope="module")
def created(secrets):
    def aws_created(folder):
        target = {"type": "aws_secrets_manager", "name": "aws", "connection": "aws", "secret": SECRET}
        with SecretsManager() as aws:
            secret = StoredSecret(SECRET, f"arn:aws:secretsmanager:{aws.region}:123456789012:secret:{SECRET}-abcdef")
            secret.versions[VERSION] = Version(json.dumps(THEIRS), None, 0.0, {CURRENT})
            aws.secrets[SECRET] = secret
            connections = {"aws": {"type": "aws", "region": aws.region, "endpoint_url": aws.url}}
            with Installation(folder, credential(targets=[target]), connections=connections) as place:
                place.environment = LOGIN
                settled(place.run("once"))
                place.advance(RENEWAL)
            secrets.update(aws.secrets)

    return aws_created


@pytest.fixture(scope="module")
def verdict_on(ahead, templates, created, secrets, tmp_path_factory):
    def run(point):
        folder = templates.copy(created)
        with SecretsManager() as aws, Installation(folder) as place:
            aws.secrets = copy.deepcopy(secrets)
            place.environment = LOGIN
            place.document["connections"]["aws"]["endpoint_url"] = aws.url
            place.write()

            def read():
                versions = aws.secrets[SECRET].versions
                found = json.loads(versions[aws.secrets[SECRET].holder(CURRENT)].text)
                assert found.items() >= THEIRS.items()
                return {"aws": found[KEY]}

            cross(Site(place, read), point, tmp_path_factory.mktemp("scratch"))
            labels = sorted(label for version in aws.secrets[SECRET].versions.values() for label in version.labels)
            assert labels == ["AWSCURRENT", "AWSPREVIOUS"]

    return ahead(run)


@pytest.mark.parametrize("point", points("aws"))
def test_a_write_to_aws_survives_a_crash(verdict_on, point):
    verdict_on(point)
