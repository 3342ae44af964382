"""The stage: a folder, a sandbox, a configuration with lifetimes of seconds, and a real `rotator run` process.

It knows how to start, kill and end the daemon; it must not know what is right or wrong with what it does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import RotatorError
from rotator.sandbox import Sandbox

ACCOUNT: Final = "a0000000000000000000000000000001"

CONFIGURATION: Final = """\
# Written by `rotator demo`. Lifetimes of seconds are allowed because the API is on loopback.
version: 1
state: {{ url: "sqlite:///state/state.db" }}
http: {{ listen: "127.0.0.1:0" }}
connections:
  account:
    type: cloudflare
    api_url: "{url}"
    account_id: {account}
    token: {{ file: tokens/account-management }}
    {budget}
  user:
    type: cloudflare
    api_url: "{url}"
    token: {{ file: tokens/user-management }}
    {budget}
advanced: {{ settle: 1s, propagation: 4s, retry: 1s, evaluate: 0.2s, watch: 1s, sweep: 1s }}
defaults: {{ lifetime: 30s }}
credentials:
  - name: workers-deploy
    connection: account
    grants: [{{ permissions: [Workers Scripts Write, D1 Write] }}, {{ permissions: [DNS Write], zones: [example.com] }}]
    rotation: {{ renew_before: 22s, grace: 3s, quiet: 1s, soak: 1s }}
    targets:
      - {{ type: env_file, name: env, path: app/.env }}
  - name: dashboard
    connection: user
    owner: user
    grants: [{{ permissions: [User Details Read] }}]
    rotation: {{ renew_before: 22s, grace: 3s, quiet: 1s, soak: 1s }}
    targets:
      - {{ type: env_file, name: bindings, path: worker/.dev.vars, keys: {{ DASHBOARD_TOKEN: token.value }} }}
  - name: legacy
    connection: account
    grants: [{{ permissions: [Workers R2 Storage Read] }}]
    rotation: {{ strategy: roll, outage_budget: 40s, renew_before: 22s, grace: 3s, quiet: 1s, soak: 1s }}
    targets:
      - {{ type: env_file, name: bindings, path: worker/.dev.vars, keys: {{ LEGACY_TOKEN: token.value }} }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A credential of the demo: where its consumer finds it.

    Attributes:
        credential: name.
        file: path below the folder.
        key: key in that file.
        owner: `user` or `account`, which decides the verify endpoint.
        rolls: whether its old value dies at once.
    """

    credential: str
    file: str
    key: str
    owner: str
    rolls: bool = False


ROLES: Final = (
    Role(credential="workers-deploy", file="app/.env", key="CLOUDFLARE_API_TOKEN", owner="account"),
    Role(credential="dashboard", file="worker/.dev.vars", key="DASHBOARD_TOKEN", owner="user"),
    Role(credential="legacy", file="worker/.dev.vars", key="LEGACY_TOKEN", owner="account", rolls=True),
)

FILES: Final = {
    "app/.env": "# yours: rotator keeps every byte that it does not own\nAPP_NAME=demo   # as it was\n",
    "worker/.dev.vars": "STAGE='dev'\n",
}


class Stage:
    """Everything that the demo starts."""

    def __init__(self, folder: Path) -> None:
        """Make the folder's content and start the sandbox; the daemon is not started yet."""
        self.folder = folder
        for name in ("app", "worker", "tokens"):
            (folder / name).mkdir(mode=0o700)
        for name, text in FILES.items():
            (folder / name).write_text(text)
        self.sandbox = Sandbox("127.0.0.1:0", tokens_dir=folder / "tokens").start()
        self.config = folder / "rotator.yaml"
        budget = "rate_budget: { requests: 100000, window: 5m }"
        self.config.write_text(CONFIGURATION.format(url=self.sandbox.url, account=ACCOUNT, budget=budget))
        self._log = (folder / "daemon.log").open("ab")
        self._from = 0
        self._daemon: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        """Start the daemon as an operator would."""
        self._from = (self.folder / "daemon.log").stat().st_size
        command = [sys.executable, "-m", "rotator", "-c", str(self.config), "--log-format", "json", "run"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ROTATOR_")}
        self._daemon = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def ready(self) -> bool:
        """Whether the daemon that was started last has said that it is ready."""
        with (self.folder / "daemon.log").open("rb") as log:
            log.seek(self._from)
            return b'"daemon_ready"' in log.read()

    def check(self) -> None:
        """Raise when the daemon ended on its own.

        Raises:
            RotatorError: it did; the message has its last line.
        """
        code = self._daemon.poll() if self._daemon else None
        if code is not None:
            last = (self.folder / "daemon.log").read_text(errors="replace").strip().splitlines()[-1:]
            text = f"the daemon ended on its own with {code}: {' '.join(last)}"
            raise RotatorError(text, f"see {self.folder}/daemon.log")

    def now(self) -> float:
        """The sandbox's time is this machine's."""
        return time.time()

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGKILL)
            self._daemon.wait()
            self.kills += 1

    def end(self, within: float = 30.0) -> int:
        """SIGTERM, and wait; returns the exit code, -9 when it had to be killed."""
        if self._daemon is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._daemon.terminate()
        try:
            return self._daemon.wait(within)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            return self._daemon.wait()

    def close(self) -> None:
        """End everything that was started."""
        if self._daemon is not None and self._daemon.poll() is None:
            self.end(5.0)
        self._log.close()
        self.sandbox.stop()
