"""A throw-away PostgreSQL cluster on loopback: made, started, stopped, killed and started again on the same address.

PostgreSQL refuses to run as root, so there it runs as `postgres` or `nobody`. The cluster keeps its promises (fsync is
on, because rotator refuses one that is not), so it lies on a file system in memory where there is one.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOW = "install PostgreSQL 14 or newer (Debian: apt-get install postgresql); initdb and postgres may lie off PATH"
OLDEST = 14
START_SECONDS = 60.0
_MEMORY = Path("/dev/shm")
_ROOM = 1 << 30


def binaries() -> Path | None:
    """The folder of initdb and postgres, of the newest version that is installed; None where none is new enough."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -_number(folder.parent.name))
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists() and _version(folder) >= OLDEST:
            return folder
    return None


def ensure() -> None:
    """Raise OSError where no PostgreSQL is installed."""
    if binaries() is None:
        raise OSError("initdb and postgres are not there")


class Postgres:
    """One cluster in a folder of its own, with the superuser `postgres`; other roles are made by whoever needs them."""

    password = "made-up-for-a-test"

    def __init__(self, folder: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Make the cluster; `settings` go on the command line of the server, where they win."""
        found = binaries()
        assert found is not None, HOW
        self._bin = found
        self.folder = Path(tempfile.mkdtemp(prefix="rotator-postgres-", dir=folder or _fast()))
        self.settings = dict(settings or {})
        self._user = unprivileged()
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self._run(
            self._bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", secret,
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def url(self, database: str, user: str = "rotator", port: int | None = None) -> str:
        """The address of a database, without a password."""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers."""
        assert self._process is None
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self.folder),
            "max_connections": "60", "shared_buffers": "16MB", "autovacuum": "off", **self.settings,
        }  # fmt: skip
        command: list[str | Path] = [self._bin / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, **self.as_user()
        )
        log.close()
        self._await()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts every connection in an orderly way, SIGKILL leaves a crash to recover from."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(60)
        if how is signal.SIGKILL:
            self._await_end_of_backends()

    def kill(self) -> None:
        """End it as a crash does: what was not flushed is gone."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in an orderly way and start on the same address."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """The server stops to answer; its connections stay open."""
        assert self._process is not None
        for pid in self._family():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        for pid in self._family():
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def receiver(self) -> Iterator[None]:
        """Something follows the log of the server meanwhile, as a standby does."""
        folder = self.folder / "received"
        folder.mkdir()
        command = [self._bin / "pg_receivewal", "-D", folder, "-d", self.url("postgres", "postgres")]
        process = subprocess.Popen(
            command,
            env={**os.environ, "PGPASSWORD": self.password},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)

    def close(self) -> None:
        """End it and remove everything."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres", user: str = "postgres") -> list[tuple[object, ...]]:
        """Run statements in autocommit on a connection of their own; return the rows of the last one."""
        import psycopg

        with psycopg.connect(
            self.url(database, user), password=self.password, autocommit=True, connect_timeout=10
        ) as connection:
            cursor = connection.execute(statement)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def _await(self) -> None:
        import psycopg

        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self.sql("SELECT 1")
                return
            except psycopg.OperationalError as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > give_up:
                    log = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{log}") from error
                time.sleep(0.05)

    def _await_end_of_backends(self) -> None:
        give_up = time.monotonic() + 20
        while self._family() and time.monotonic() < give_up:
            time.sleep(0.02)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _family(self) -> list[int]:
        """Processes of this cluster: those that work in its data folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (entry / "cwd").resolve() == self.data.resolve():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, cwd=self.folder, **self.as_user()
        )
        assert done.returncode == 0, done.stderr

    def as_user(self) -> dict[str, object]:
        """How to start a process as whoever the server runs as."""
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


class Standby(Postgres):
    """A second server that follows a running one by streaming, until it is promoted."""

    def __init__(self, primary: Postgres) -> None:
        """Copy the primary, which goes on meanwhile."""
        self._bin = primary._bin
        self.folder = Path(tempfile.mkdtemp(prefix="rotator-standby-", dir=_fast()))
        self.settings = dict(primary.settings)
        self._user = primary._user
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self.data = self.folder / "data"
        self._process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        way = f"host=127.0.0.1 port={primary.port} user=postgres password={primary.password}"
        self._run(self._bin / "pg_basebackup", "-D", self.data, "-d", way, "-R", "-c", "fast", "-X", "stream")
        self._run("chmod", "0700", self.data)

    def has(self, position: str) -> bool:
        """Whether it has replayed the primary's log up to a position."""
        return bool(self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")[0][0])

    def promote(self) -> None:
        """Let it take writes."""
        self.sql("SELECT pg_promote(wait => true, wait_seconds => 60)")


def unprivileged() -> pwd.struct_passwd | None:
    """Whom it runs as where we are root; else None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("neither the user postgres nor nobody is there")


def _fast() -> Path | None:
    """A folder in memory with enough room, or None: where temporary files are."""
    try:
        space = os.statvfs(_MEMORY)
    except OSError:
        return None
    return _MEMORY if space.f_bavail * space.f_frsize >= _ROOM and os.access(_MEMORY, os.W_OK) else None


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    return _number(said.rpartition(" ")[2] if "(" not in said else said.split()[2])


def _number(text: str) -> int:
    digits = text.split(".")[0]
    return int(digits) if digits.isdigit() else 0
