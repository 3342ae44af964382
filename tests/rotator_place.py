"""A folder with a configuration, a sandbox as provider, and the program as a process: what a person would set up.

For tests of the command line from outside. Timings are seconds, which a provider on loopback may have.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rotator.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]

PACE = {"settle": "1s", "propagation": "2s", "retry": "1s", "evaluate": "1s", "watch": "2s", "sweep": "2s"}
SHORT = {"grace": "1s", "quiet": "1s", "soak": "1s"}


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on standard output."""
        return json.loads(self.out)


def eventually(asked, seconds=60.0):
    """Return the first true answer; a deadline, not a measurement."""
    end = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return answer


class Place:
    """One folder, one configuration, one provider."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.credentials = [self.credential("workers-deploy")]
        self.more: dict = {}
        for role, value in sandbox.credentials.items():
            (folder / role).write_text(value)
            (folder / role).chmod(0o600)
        self.processes: list[subprocess.Popen] = []

    def credential(self, name, **more):
        return {
            "name": name,
            "owner": "account",
            "grants": [{"permissions": ["DNS Write"], "zones": ["example.com"]}],
            "targets": [{"type": "env_file", "path": f"{name}.env"}],
        } | more

    def write(self, *credentials, **more):
        """Write the configuration; JSON is YAML."""
        self.credentials = list(credentials) or self.credentials
        document = {
            "version": 1,
            "state": {"url": "sqlite:///state.db", "encryption_key": {"file": "rotator.key"}},
            "http": {"listen": "127.0.0.1:0"},
            "advanced": PACE,
            "connections": {
                "prod": {
                    "type": "cloudflare",
                    "account_id": "a0000000000000000000000000000001",
                    "api_url": self.sandbox.url,
                    "token": {"file": "account-management"},
                }
            },
            "defaults": {"connection": "prod", "lifetime": "1h", "rotation": SHORT},
            "credentials": self.credentials,
        } | (more or self.more)
        self.more = more
        (self.folder / "rotator.yaml").write_text(json.dumps(document, indent=1))
        if not (self.folder / "rotator.key").exists():
            from rotator.journal.key_file import generate_key

            generate_key(self.folder / "rotator.key")
        return self

    def value(self, name="workers-deploy"):
        """The value that stands in a credential's file."""
        found = re.search(r"^CLOUDFLARE_API_TOKEN=(.*)$", (self.folder / f"{name}.env").read_text(), re.MULTILINE)
        return found[1].strip("'\"") if found else None

    def overwrite(self, value, name="workers-deploy"):
        """Let somebody else write the managed key."""
        (self.folder / f"{name}.env").write_text(f"CLOUDFLARE_API_TOKEN={value}\nCLOUDFLARE_ACCOUNT_ID=x\n")

    def environment(self, **more):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROTATOR_", "XDG_"))}
        return {**kept, "HOME": str(self.folder), "PYTHONPATH": str(ROOT), **more}

    def run(self, *arguments, timeout=100.0, **environment) -> Done:
        """Run the program to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "rotator", *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments, **environment) -> subprocess.Popen:
        """Start the program and let it run; its output goes to files in the folder."""
        number = len(self.processes)
        with (self.folder / f"out-{number}").open("w") as out, (self.folder / f"err-{number}").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "rotator", *arguments],
                cwd=self.folder,
                env=self.environment(**environment),
                stdout=out,
                stderr=err,
            )
        self.processes.append(process)
        return process

    def daemon(self, **environment) -> subprocess.Popen:
        """Start the daemon and wait until it says that it is ready."""
        process = self.start("run", **environment)
        eventually(lambda: self.said(process, "daemon_ready") or process.poll() is not None)
        assert process.poll() is None, self.log(process)
        return process

    def log(self, process) -> str:
        """What a started process wrote to standard error so far."""
        return (self.folder / f"err-{self.processes.index(process)}").read_text()

    def output(self, process) -> str:
        """What a started process wrote to standard output so far."""
        return (self.folder / f"out-{self.processes.index(process)}").read_text()

    def said(self, process, event) -> bool:
        """Whether a started process has logged an event."""
        return f'"event":"{event}"' in self.log(process)

    def status(self, name="workers-deploy"):
        """One credential of `status -o json`."""
        return next(c for c in self.run("status", "-o", "json").json["credentials"] if c["name"] == name)

    def close(self) -> None:
        """End what was started."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
