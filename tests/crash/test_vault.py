"""A write to a real Vault that dies at each of its points: the secret is always whole, its metadata catch up."""

import pytest

from tests.crash.matrix import Site, cross, points
from tests.installation import KEY, Installation, credential
from tests.prepared import RENEWAL, settled

pytestmark = [pytest.mark.slow, pytest.mark.vault]

THEIRS = {"DATABASE_URL": "postgres://elsewhere"}


@pytest.fixture(scope="module")
def verdict_on(ahead, vault_server, tmp_path_factory):
    def run(point):
        folder, path = tmp_path_factory.mktemp("vault-crash"), f"crash/{point}"
        target = {"type": "vault", "name": "vault", "connection": "vault", "path": path}
        login = {"token": {"file": "tokens/vault"}}
        connections = {"vault": {"type": "vault", "address": vault_server.address, "auth": login}}
        vault_server.call("POST", f"secret/data/{path}", {"data": THEIRS})

        def read():
            found = vault_server.call("GET", f"secret/data/{path}")["data"]["data"]
            assert found.items() >= THEIRS.items()
            return {"vault": found[KEY]}

        with Installation(folder, credential(targets=[target]), connections=connections) as place:
            (folder / "tokens" / "vault").write_text(vault_server.root_token)
            (folder / "tokens" / "vault").chmod(0o600)
            settled(place.run("once"))
            place.advance(RENEWAL)
            cross(Site(place, read), point, tmp_path_factory.mktemp("scratch"))
            metadata = vault_server.call("GET", f"secret/metadata/{path}")["data"]
            assert metadata["custom_metadata"]["rotator_deploy_token_id"] == place.alive("deploy")[0].id
            assert metadata["current_version"] == 3  # theirs, the first creation, the rotation: nothing written twice

    return ahead(run)


@pytest.mark.parametrize("point", points("vault"))
def test_a_write_to_vault_survives_a_crash(verdict_on, point):
    verdict_on(point)
