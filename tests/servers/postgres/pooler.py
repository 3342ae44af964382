"""A pooler in transaction mode before a cluster: each transaction gets whichever server connection is free."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.postgres import Postgres, unprivileged

HOW = "install PgBouncer (Debian: apt-get install pgbouncer)"
START_SECONDS = 60.0
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def binary() -> str | None:
    """The program, which Debian keeps off the PATH of users."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path=os.pathsep.join(_PLACES))


class Pooler:
    """PgBouncer on loopback, with fewer connections to the server than the tests have to it."""

    def __init__(self, cluster: Postgres, connections: int = 3) -> None:
        """Start it and wait until it takes connections; `connections`: to the server, per database."""
        found = binary()
        assert found is not None, HOW
        self.folder = Path(tempfile.mkdtemp(prefix="rotator-pooler-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        users = self.folder / "users"
        users.write_text("".join(f'"{name}" "{cluster.password}"\n' for name in ("rotator", "postgres")))
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\n"
            f"default_pool_size = {connections}\nmax_client_conn = 300\nserver_idle_timeout = 1\n"
        )
        user = unprivileged()
        if user is not None:
            for path in (self.folder, users, settings):
                os.chown(path, user.pw_uid, user.pw_gid)
        log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [found, settings], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, **cluster.as_user()
        )
        log.close()
        self._await()

    def close(self) -> None:
        """End it and remove everything."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    said = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PgBouncer did not start: {error}\n{said}") from error
                time.sleep(0.02)
