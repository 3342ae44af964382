"""One installation of the real program: folder, configuration, provider (in this process), the program as a process.

It starts, kills and copies; `tests.verdict` says what is right and wrong. Timings are seconds, which a provider on
loopback may have; provider time can be moved, so that nobody waits for a renewal.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rotator.app import App
from rotator.journal.store import SqlJournal
from rotator.sandbox import Sandbox
from rotator.sandbox.message import Request
from rotator.sandbox.world import Token
from tests import journals

CHECKOUT = Path(__file__).resolve().parents[1]
ACCOUNT = "a0000000000000000000000000000001"
VERIFY = {"account": f"/client/v4/accounts/{ACCOUNT}/tokens/verify", "user": "/client/v4/user/tokens/verify"}

ADVANCED = {"settle": "1s", "propagation": "4s", "retry": "1s", "evaluate": "0.2s", "watch": "1s", "sweep": "1s"}
ROTATION = {"renew_before": "20m", "grace": "0s", "quiet": "1s", "soak": "0s"}
"""Waits are a second longer than they say, because provider time comes in whole seconds; that is enough."""

KEY = "CLOUDFLARE_API_TOKEN"
BESIDE = (
    "# yours: every byte that rotator does not own stays\nAPP_NAME=demo   # as it was\n\n  export  QUOTED = 'a b'\n"
)
"""What stands in a file before the program first sees it."""


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[str]:
        """Names of the events that it logged, in order."""
        return [line["event"] for line in self.log]

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        lines = (line for line in self.err.splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]


def credential(name: str = "deploy", **more: Any) -> dict[str, Any]:
    """A stanza: one account token that publishes into `app/.env`, lifetime one hour, due after forty minutes."""
    return {
        "name": name,
        "connection": "cf",
        "lifetime": "1h",
        "grants": [{"permissions": ["DNS Write"], "zones": ["example.com"]}],
        "rotation": ROTATION,
        "targets": [{"type": "env_file", "name": "env", "path": "app/.env"}],
        **more,
    }


class Installation:
    """A folder with everything in it. Use as a context manager; whatever it started ends with it."""

    PROGRAM = (sys.executable, "-m", "rotator")

    def __init__(self, folder: Path, *credentials: Mapping[str, Any], **sections: Any) -> None:
        """Start the provider, and write the configuration with these credentials (default: one) and further sections.

        A folder that was copied from another installation keeps its state, its provider's tokens and its configuration.
        """
        self.folder = folder
        self.config = folder / "rotator.yaml"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = journals.environment(folder)
        for name in ("app", "tokens"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sandbox = Sandbox("127.0.0.1:0", tokens_dir=folder / "tokens", state=folder / "sandbox.json").start()
        self.world = self.sandbox.world
        if self.config.exists() and not credentials:
            self.document: dict[str, Any] = json.loads(self.config.read_text())
        else:
            self.document = self._document(credentials or (credential(),), sections)
        self.write()

    def _document(self, credentials: Iterable[Mapping[str, Any]], sections: Mapping[str, Any]) -> dict[str, Any]:
        provider = {
            "type": "cloudflare",
            "api_url": "",
            "account_id": ACCOUNT,
            "token": {"file": "tokens/account-management"},
            "rate_budget": {"requests": 100000, "window": "5m"},
        }
        more = dict(sections)
        return {
            "version": 1,
            "state": more.pop("state", None) or journals.section(self.folder),
            "http": {"listen": "127.0.0.1:0"},
            "connections": {"cf": provider, **more.pop("connections", {})},
            "advanced": {**ADVANCED, **more.pop("advanced", {})},
            "credentials": [dict(stanza) for stanza in credentials],
            **more,
        }

    def write(self) -> None:
        """Write the configuration as `document` has it now (JSON is YAML), with the provider's address of today."""
        for connection in self.document["connections"].values():
            if connection["type"] == "cloudflare":
                connection["api_url"] = self.sandbox.url
        journals.on_one_machine(self.document)
        self.config.write_text(json.dumps(self.document, indent=1))

    # ------------------------------------------------------------------------------------------------ the program
    def run(self, *arguments: str, crash: str = "", timeout: float = 100.0, instead: Iterable[str] = ()) -> Done:
        """Run the program to its end.

        `crash` names the point at which it kills itself; `instead` is a command that takes the program's arguments.
        """
        journals.leases_end(self.document["state"])
        try:
            done = subprocess.run(
                [*(instead or self.PROGRAM), *self._arguments(arguments)],
                cwd=self.folder,
                env=self._environment(crash),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace")
            raise AssertionError(f"{arguments} did not end within {timeout} s; it said: {said[-3000:]}") from None
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, crash: str = "") -> "subprocess.Popen[bytes]":
        """Start the program; what it says goes to `err-N` and `out-N` in the folder."""
        number = len(self.processes)
        with (self.folder / f"out-{number}").open("wb") as out, (self.folder / f"err-{number}").open("wb") as err:
            process = subprocess.Popen(
                [*self.PROGRAM, *self._arguments(arguments)],
                cwd=self.folder,
                env=self._environment(crash),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self.processes.append(process)
        return process

    def said(self, process: "subprocess.Popen[bytes]") -> str:
        """What a started process wrote to standard error so far."""
        return (self.folder / f"err-{self.processes.index(process)}").read_text(errors="replace")

    def daemon(self) -> "subprocess.Popen[bytes]":
        """Start the daemon and wait until it says that it is ready."""
        process = self.start("run")
        eventually(lambda: '"daemon_ready"' in self.said(process) or process.poll() is not None)
        assert process.poll() is None, self.said(process)
        return process

    def end(self, process: "subprocess.Popen[bytes]", within: float = 30.0) -> int:
        """Ask a process to end and wait for it; returns its exit code."""
        process.terminate()
        return process.wait(within)

    def _arguments(self, arguments: Iterable[str]) -> list[str]:
        return ["-c", str(self.config), "--log-format", "json", *arguments]

    def _environment(self, crash: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROTATOR_", "XDG_", "COV_"))}
        hooks = {"ROTATOR_TESTING": "1", "ROTATOR_CRASH_AT": crash} if crash else {}
        return {**kept, "HOME": str(self.folder), "PYTHONPATH": str(CHECKOUT), **self.environment, **hooks}

    # ------------------------------------------------------------------------------------------------- the provider
    def advance(self, seconds: float) -> None:
        """Move provider time."""
        with self.world.lock:
            self.world.clock.advance(seconds)
        self.sandbox._save()

    def arm(self, **fault: Any) -> None:
        """Arm a fault of the provider."""
        self.sandbox.gateway.faults.arm(fault)

    def heal(self) -> None:
        """Disarm all faults."""
        self.sandbox.gateway.faults.clear()

    def tokens(self) -> list[Token]:
        """Every token ever but those of the provider's own management, oldest first."""
        roles = set(self.world.roles.values())
        with self.world.lock:
            return [token for token in self.world.tokens.values() if token.id not in roles]

    def alive(self, name: str = "") -> list[Token]:
        """Tokens that exist (active, disabled or expired), of one credential or of all."""
        now = self.world.clock.now()
        found = [token for token in self.tokens() if token.status(now) != "deleted"]
        return [token for token in found if not name or token.name.startswith(f"{name}~")]

    def accepts(self, value: str | None, owner: str = "account") -> bool:
        """Whether the provider accepts a value: one verify, as any client would send it."""
        headers = {"host": "127.0.0.1", "authorization": f"Bearer {value}"}
        answer = self.sandbox.gateway.answer(Request("GET", VERIFY[owner], "", headers, b"", "127.0.0.1"))
        return answer is not None and answer.status == 200 and json.loads(answer.body)["result"]["status"] == "active"

    def holder(self, value: str | None) -> Token | None:
        """The token whose present value this is and that is active, without asking (and so without using it)."""
        now = self.world.clock.now()
        with self.world.lock:
            token = self.world.holder(value, now) if value else None
        return token if token is not None and token.status(now) == "active" else None

    # -------------------------------------------------------------------------------------------- files and journal
    def file(self, path: str = "app/.env", content: str = BESIDE) -> Path:
        """Make a file as it stood before the program came."""
        found = self.folder / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(content)
        found.chmod(0o600)
        return found

    def value(self, path: str = "app/.env", key: str = KEY) -> str | None:
        """What stands at a key of a dotenv file, read as any simple reader would; None where nothing does."""
        return values_of((self.folder / path).read_text(encoding="utf-8", errors="replace")).get(key)

    def journal(self, folder: Path | None = None) -> SqlJournal:
        """Open the journal (of a copy of the state folder, where one is given) for reading, with its key."""
        return journals.reader(self.document["state"], self.folder, folder)

    def reader(self) -> App:
        """Open the installation for reading; use it as a context manager."""
        return App.open(self.config)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, stopped processes included."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        self.sandbox.stop()


def values_of(text: str) -> dict[str, str]:
    """The plain assignments of a dotenv file."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def eventually(asked: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return the first true answer; a deadline, not a measurement."""
    end = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
    return answer
