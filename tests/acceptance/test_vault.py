"""The daemon and a real Vault: least privilege, neighbours who write the same path, and a Vault that goes away.

CI reads with hvac and with curl all the while; whatever happens, what it reads is a value that the provider accepts.
"""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import hvac
import pytest

from tests.acceptance import stage
from tests.acceptance.stage import Away, Consumer, short_lived, until
from tests.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.vault]

PATH = "ci/cloudflare/app"
NAMES = {"DEPLOY_TOKEN": "deploy", "DNS_TOKEN": "dns"}
LOGIN_END = 'rotator_connection_token_expiration_timestamp_seconds{connection="vault",role="login"}'


class Bench:
    """A Vault with an AppRole that may do on one path what the docs list, and a reader that may only read it."""

    def __init__(self, vault, folder, **role):
        self.vault, self.folder = vault, folder
        self.mount = f"approle-{folder.name}"
        self.path = f"{PATH}-{folder.name}"
        self._policy("write", "create", "read", "update")
        self._policy("read", "read")
        vault.call("POST", f"sys/auth/{self.mount}", {"type": "approle"})
        role = {"token_policies": [f"{self.mount}-write"], "token_ttl": "1h", "token_max_ttl": "4h", **role}
        vault.call("POST", f"auth/{self.mount}/role/ci", role)
        reader = {"policies": [f"{self.mount}-read"], "ttl": "1h", "no_parent": True}
        self.reader = vault.call("POST", "auth/token/create", reader)["auth"]["client_token"]

    def _policy(self, name, *capabilities):
        rules = {f"secret/{part}/{self.path}": {"capabilities": capabilities} for part in ("data", "metadata")}
        self.vault.call("PUT", f"sys/policies/acl/{self.mount}-{name}", {"policy": json.dumps({"path": rules})})

    def secret_id(self, *, wrapped=False):
        """A secret id for one delivery; with `wrapped`, a token that opens it once."""
        headers = {"X-Vault-Token": self.vault.root_token, **({"X-Vault-Wrap-TTL": "5m"} if wrapped else {})}
        url = f"{self.vault.address}/v1/auth/{self.mount}/role/ci/secret-id"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST", headers=headers), timeout=10) as answer:
            found = json.load(answer)
        return found["wrap_info"]["token"] if wrapped else found["data"]["secret_id"]

    def install(self, *, wrapped=False):
        """Two credentials that share the path, each with a key of its own."""
        role_id = self.vault.call("GET", f"auth/{self.mount}/role/ci/role-id")["data"]["role_id"]
        proof = {"role_id": role_id, "secret_id": {"file": "secret-id"}, "mount": self.mount, "wrapped": wrapped}
        connection = {"type": "vault", "address": self.vault.address, "auth": {"approle": proof}}
        credentials = [
            short_lived(
                name,
                {"type": "vault", "name": "ci", "connection": "vault", "path": self.path, "keys": {key: "token.value"}},
            )
            for key, name in NAMES.items()
        ]
        place = Installation(self.folder, *credentials, connections={"vault": connection})
        file = self.folder / "secret-id"
        file.write_text(self.secret_id(wrapped=wrapped))
        file.chmod(0o600)
        return place

    # -------------------------------------------------------------------------------------------------- two readers
    def with_hvac(self):
        client = hvac.Client(url=self.vault.address, token=self.reader, timeout=5)
        try:
            found = client.secrets.kv.v2.read_secret_version(path=self.path, raise_on_deleted_version=True)
        except (hvac.exceptions.VaultError, OSError) as error:
            raise Away from error
        finally:
            client.adapter.close()
        if not isinstance(found, dict):  # hvac hands out half an answer as it is
            raise Away
        return ours(found["data"]["data"])

    def with_curl(self):
        header = self.folder / "header"
        if not header.exists():
            header.write_text(f"X-Vault-Token: {self.reader}")
        url = f"{self.vault.address}/v1/secret/data/{self.path}"
        done = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "5", "--header", f"@{header}", url],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Away(done.stderr)
        return ours(json.loads(done.stdout)["data"]["data"])

    def look(self):
        """Everything at the path."""
        return self.vault.call("GET", f"secret/data/{self.path}")["data"]["data"]

    def marks(self):
        """The path's custom metadata."""
        return self.vault.call("GET", f"secret/metadata/{self.path}")["data"]["custom_metadata"] or {}


def ours(data):
    return {key: data[key] for key in NAMES if key in data}


class Neighbour:
    """Somebody else's job, which keeps a counter at the same path and writes it by check-and-set, again and again."""

    def __init__(self, bench):
        self.count = self.lost_races = self.lost_writes = 0
        self._bench = bench
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        path = f"secret/data/{self._bench.path}"
        while not self._stop.wait(0.03):
            found = self._bench.vault.call("GET", path)["data"]
            self.lost_writes += found["data"].get("COUNTER", 0) != self.count
            data = {**found["data"], "COUNTER": self.count + 1}
            try:
                self._bench.vault.call("POST", path, {"options": {"cas": found["metadata"]["version"]}, "data": data})
            except urllib.error.HTTPError as error:
                if error.code != 400:
                    raise
                self.lost_races += 1
            else:
                self.count += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)


@pytest.mark.parametrize("wrapped", [False, True], ids=["secret-id", "wrapped-secret-id"])
def test_two_credentials_and_a_stranger_share_one_path_and_ci_never_reads_a_dead_value(
    vault_server, tmp_path, record_property, wrapped
):
    bench = Bench(vault_server, tmp_path, token_ttl="4s", token_max_ttl="8s")
    theirs = {"DATABASE_URL": "postgres://elsewhere", "LIMITS": {"cpu": 2, "ratio": 1.50}}
    vault_server.call("POST", f"secret/data/{bench.path}", {"data": theirs})
    with bench.install(wrapped=wrapped) as place:
        assert place.run("check").code == 0  # which leaves a wrapped secret id closed
        daemon = place.daemon()
        until(lambda: ours(bench.look()).keys() == NAMES.keys(), "the first values")
        assert place.run("check").code == 0  # nor does it mind that the daemon has opened it since
        first_login = until(lambda: stage.metric(place, daemon, LOGIN_END), "the login's end on /metrics")
        hvac_, curl = Consumer("hvac", place, bench.with_hvac), Consumer("curl", place, bench.with_curl, 0.2)
        with hvac_, curl, Neighbour(bench) as neighbour:
            stage.more_rotations(place, 3, *NAMES.values())
        assert stage.metric(place, daemon, LOGIN_END) > first_login  # 8 s at most: it has logged in anew
        assert place.end(daemon) == 0
        rotations = sum(stage.rotations(place, name) for name in NAMES.values())
        stage.tell(record_property, hvac_, curl, rotations=rotations, foreign_writes=neighbour.count, kills=0)
        hvac_.found_only_the_living()
        curl.found_only_the_living()
        assert neighbour.count > 10
        assert neighbour.lost_writes == 0
        assert {key: bench.look()[key] for key in theirs} == theirs
        assert bench.look()["COUNTER"] == neighbour.count
        for key, name in NAMES.items():
            is_marked(bench, place, key, name)


def is_marked(bench, place, key, name):
    """The path's custom metadata tell the token that stands at a key."""
    token, marks = place.holder(bench.look()[key]), bench.marks()
    assert marks[f"rotator_{name}_token_id"] == token.id
    assert int(marks[f"rotator_{name}_generation"]) == stage.view(place, name).generation
    assert marks[f"rotator_{name}_expires_on"].endswith("Z")


def sealed(vault, place, daemon):
    """Somebody seals Vault, and unseals it once the daemon has noticed."""
    vault.seal()
    yield
    until(lambda: "Vault is sealed" in place.said(daemon), "the daemon says what is wrong")
    vault.unseal()


def restarted(vault, place, daemon):
    """Vault is stopped, and started once the daemon has noticed."""
    vault.stop()
    yield
    until(lambda: "no connection to Vault" in place.said(daemon), "the daemon says what is wrong")
    vault.start()


def revoked(vault, place, daemon):
    """An administrator revokes all logins of the role's mount; the daemon takes another."""
    before = stage.metric(place, daemon, LOGIN_END)
    mount = place.document["connections"]["vault"]["auth"]["approle"]["mount"]
    vault.call("PUT", f"sys/leases/revoke-prefix/auth/{mount}")
    yield
    until(lambda: stage.metric(place, daemon, LOGIN_END) > before, "another login")


def sealed_until_the_login_has_ended(vault, place, daemon):
    """Vault is sealed for longer than the login lives: what the daemon holds is worth nothing when it is unsealed."""
    vault.seal()
    yield
    end = stage.metric(place, daemon, LOGIN_END)
    until(lambda: time.time() > end + 1, "the end of the login")
    vault.unseal()


TROUBLES = [sealed, sealed_until_the_login_has_ended, restarted, revoked]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_daemon_survives_that_vault_is(own_vault, tmp_path, record_property, trouble):
    vault = own_vault()
    short = {"token_ttl": "4s", "token_max_ttl": "4s"} if trouble is sealed_until_the_login_has_ended else {}
    bench = Bench(vault, tmp_path, **short)
    with bench.install() as place:
        daemon = place.daemon()
        until(lambda: all(stage.is_confirmed(place, name) for name in NAMES.values()), "the first values")
        hvac_, curl = Consumer("hvac", place, bench.with_hvac), Consumer("curl", place, bench.with_curl, 0.2)
        with hvac_, curl:
            with stage.held_before_publication(place) as held:
                stands_still = held("deploy")
                events = trouble(vault, place, daemon)
                next(events)
                assert stands_still()
            next(events, None)
            stage.more_rotations(place, 2, *NAMES.values())
        assert daemon.poll() is None
        assert place.end(daemon) == 0
        rotations = sum(stage.rotations(place, name) for name in NAMES.values())
        stage.tell(record_property, hvac_, curl, rotations=rotations, kills=0)
        hvac_.found_only_the_living()
        curl.found_only_the_living()
        for key, name in NAMES.items():
            is_marked(bench, place, key, name)
