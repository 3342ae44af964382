"""One credential in Vault, AWS and a file, one of them optional and away for a while."""

import json
import urllib.error

import pytest

from rotator.testing.aws import SecretsManager
from tests import verdict
from tests.acceptance import stage
from tests.acceptance.stage import AWS_LOGIN, REGION, Away, Consumer, until
from tests.installation import BESIDE, KEY, ROTATION, Installation, credential

pytestmark = [pytest.mark.slow, pytest.mark.vault]

PATH, SECRET = "ci/deploy", "prod/deploy"
TARGETS = [
    {"type": "vault", "name": "vault", "connection": "vault", "path": PATH, "required": False},
    {"type": "aws_secrets_manager", "name": "aws", "connection": "aws", "secret": SECRET},
    {"type": "env_file", "name": "env", "path": "app/.env"},
]


class Bench:
    """The three places, each read without our code."""

    def __init__(self, vault, aws, folder):
        self.vault, self.aws = vault, aws
        aws.carry_out("CreateSecret", {"Name": SECRET})
        connections = {
            "vault": {"type": "vault", "address": vault.address, "auth": {"token": {"file": "tokens/vault"}}},
            "aws": {"type": "aws", "region": REGION, "endpoint_url": aws.url},
        }
        rotation = {**ROTATION, "grace": f"{stage.GRACE:.0f}s"}
        self.place = Installation(folder, credential(targets=TARGETS, rotation=rotation), connections=connections)
        self.place.environment = AWS_LOGIN
        self.place.file()
        (folder / "tokens" / "vault").write_text(vault.root_token)
        (folder / "tokens" / "vault").chmod(0o600)

    def required(self):
        text = self.aws.carry_out("GetSecretValue", {"SecretId": SECRET, "VersionStage": "AWSCURRENT"})["SecretString"]
        return {"aws": json.loads(text)[KEY], "env": self.place.value()}

    def optional(self):
        try:
            return {"vault": self.vault.call("GET", f"secret/data/{PATH}")["data"]["data"][KEY]}
        except (urllib.error.URLError, OSError) as error:
            raise Away from error

    def in_sync(self):
        """What `status` says of each target."""
        found = stage.status(self.place, "deploy")
        assert {target["name"]: target["required"] for target in found["targets"]} == {
            "vault": False,
            "aws": True,
            "env": True,
        }
        return found["ready"], {target["name"] for target in found["targets"] if target["in_sync"]}


def test_an_optional_target_that_is_away_holds_nobody_up_and_is_healed_when_it_is_back(
    own_vault, tmp_path, record_property
):
    vault = own_vault()
    with SecretsManager(REGION) as aws:
        bench = Bench(vault, aws, tmp_path)
        with bench.place as place:
            daemon = place.daemon()
            until(lambda: stage.is_confirmed(place, "deploy"), "the first values")
            assert bench.in_sync() == (True, {"vault", "aws", "env"})
            required, optional = Consumer("required", place, bench.required), Consumer("vault", place, bench.optional)
            with required, optional:
                stood = bench.optional()["vault"]
                vault.stop()
                for number in (1, 2):
                    assert place.run("rotate", "deploy", "--wait", "60s").code == 0
                    assert stage.rotations(place, "deploy") == number
                values = set(bench.required().values())
                assert len(values) == 1
                assert stood not in values
                assert bench.in_sync() == (True, {"aws", "env"})
                assert place.accepts(stood)  # nobody can see that Vault does not hold it any more
                vault.start()
                until(lambda: set(bench.optional().values()) == values, "Vault is healed")
                until(lambda: bench.in_sync() == (True, {"vault", "aws", "env"}), "the status says so")
                assert place.end(daemon) == 0
                stage.come_to_rest(place)  # a process that has seen nothing yet retires the old tokens at once
            assert len(place.tokens()) == 3  # healing mints nothing
            stage.tell(record_property, required, optional, rotations=2, kills=0)
            required.found_only_the_living()
            optional.found_only_the_living()
            assert optional.away
            verdict.is_at_rest(place, "deploy", {**bench.required(), **bench.optional()})
            verdict.other_bytes_are_kept(tmp_path / "app" / ".env", BESIDE)
