"""Where a benchmark plays: a folder, a sandbox in a process of its own, and a configuration of N credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "a0000000000000000000000000000001"

CONFIGURATION = """\
version: 1
state: {{ url: "sqlite:///state/state.db" }}
http: {{ listen: "127.0.0.1:0" }}
connections:
  account:
    type: cloudflare
    api_url: "{url}"
    account_id: {account}
    token: {{ file: tokens/account-management }}
    rate_budget: {{ requests: 1000000, window: 5m }}
{advanced}defaults: {{ connection: account, lifetime: 90d, rotation: {rotation} }}
credentials:
"""

CREDENTIAL = """\
  - name: bench-{number:04d}
    grants: [{{ permissions: [Workers Scripts Write] }}]
    targets: [{{ type: env_file, path: app/{number:04d}.env }}]
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What was set up.

    Attributes:
        folder: everything lies below it.
        config: the configuration file.
        url: the sandbox's API.
        token: value of the account's management token.
    """

    folder: Path
    config: Path
    url: str
    token: str

    def set(self, **settings: object) -> None:
        """Change settings of the sandbox."""
        request = urllib.request.Request(
            self.url.replace("/client/v4", "/__sandbox__/settings"), json.dumps(settings).encode(), method="POST"
        )
        urllib.request.urlopen(request).close()


def environment() -> dict[str, str]:
    """Return this environment as an operator's would be: no settings of ours, and compiled modules are kept."""
    hidden = ("ROTATOR_", "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in os.environ.items() if not key.startswith(hidden)}


@contextmanager
def place(folder: Path, credentials: int, *, rotation: str = "{}", advanced: str = "") -> Iterator[Place]:
    """Start a sandbox and write a configuration; the sandbox ends with the block."""
    (folder / "app").mkdir()
    command = [sys.executable, "-m", "rotator", "sandbox", "--listen", "127.0.0.1:0", "--tokens-dir", "tokens"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout is not None
            url = sandbox.stdout.readline().removeprefix("sandbox ready").strip()
            config = folder / "rotator.yaml"
            text = CONFIGURATION.format(url=url, account=ACCOUNT, rotation=rotation, advanced=advanced)
            config.write_text(text + "".join(CREDENTIAL.format(number=n) for n in range(credentials)))
            found = Place(folder, config, url, (folder / "tokens/account-management").read_text().strip())
            found.set(rate_limit=None, account_quota=100_000)
            yield found
        finally:
            sandbox.terminate()
