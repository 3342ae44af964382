"""A running Vault for a test: start, stop, restart on the same address with the same data, seal, unseal.

It speaks Vault's HTTP API with the standard library, so that a defect of hvac or of our target cannot hide behind it.
"""

import json
import queue
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers.vault.build import Binary

START_SECONDS = 60.0


class Vault:
    """One Vault core on loopback, its storage in a folder of its own, KV v2 at `secret/`."""

    def __init__(self, binary: Binary, folder: Path, root_token: str = "test-root") -> None:
        self.root_token = root_token
        self.unseal_key = ""
        self.address = ""
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and wait until `secret/` answers. The first start picks a free port; later ones keep it."""
        folder = self._folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if self._binary.ours:
            self._start_ours(folder)
        else:
            self._start_stock(folder)
        self._until(lambda: self.call("GET", "secret/config"), "mount secret/")

    def stop(self) -> None:
        """Stop the process; connections are refused from now on."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def restart(self) -> None:
        """Stop and start on the same address, with the same data and keys, unsealed."""
        self.stop()
        self.start()

    def seal(self) -> None:
        """Seal: every request but status is answered with 503 from now on."""
        self.call("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal with the one key share; waits until `secret/` answers again."""
        self.call("PUT", "sys/unseal", {"key": self.unseal_key})
        self._until(lambda: self.call("GET", "secret/config"), "unseal")

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> dict[str, Any]:
        """One API request below `/v1/`, as root unless another token is given; returns the decoded answer ({} for 204).

        Raises `urllib.error.HTTPError` for a status of 400 or more (the body is in its `read()`).
        """
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self.root_token if token is None else token},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    # -------------------------------------------------------------------------------------------- our own core
    def _start_ours(self, folder: Path) -> None:
        listen = self.address.removeprefix("http://") or "127.0.0.1:0"
        command = [str(self._binary.path), "--listen", listen, "--storage", f"file:{folder}", "--die-with-stdin"]
        command += ["--root-token", self.root_token, *(["--unseal-key", self.unseal_key] if self.unseal_key else [])]
        process = self._spawn(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        words = _first_line(process, START_SECONDS).split()
        if words[:2] != ["vault", "ready"]:
            self.stop()
            raise RuntimeError(f"Vault did not start: {self._log().read_text()[-2000:]}")
        self.address, self.unseal_key = words[2], words[4]

    # ------------------------------------------------------------------------------- `vault` or `bao` from PATH
    def _start_stock(self, folder: Path) -> None:
        first = not self.address
        if first:
            self.address = f"http://127.0.0.1:{_free_port()}"
        settings = {
            "storage": {"file": {"path": str(folder)}},
            "listener": [{"tcp": {"address": self.address.removeprefix("http://"), "tls_disable": True}}],
            "api_addr": self.address,
            "disable_mlock": True,
        }
        file = self._folder / "server.json"
        file.write_text(json.dumps(settings))
        self._spawn([str(self._binary.path), "server", f"-config={file}"], stdin=None, stdout=subprocess.DEVNULL)
        self._until(lambda: self.call("GET", "sys/seal-status"), "listen")
        if not first:
            self.call("PUT", "sys/unseal", {"key": self.unseal_key})
            return
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
        self.unseal_key = made["keys"][0]
        self.call("PUT", "sys/unseal", {"key": self.unseal_key})
        token = {"id": self.root_token, "policies": ["root"], "no_parent": True}
        self._until(lambda: self.call("POST", "auth/token/create", token, token=made["root_token"]), "make a token")
        self.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})

    # ------------------------------------------------------------------------------------------------ plumbing
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _spawn(self, command: list[str], *, stdin: int | None, stdout: int) -> "subprocess.Popen[str]":
        with self._log().open("a") as log:
            self._process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=log, text=True)
        return self._process

    def _until(self, ask: Any, what: str) -> None:
        """Ask until Vault answers without an error; a fresh KV v2 mount or unsealed core refuses for up to a second."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                ask()
            except OSError as problem:  # HTTPError and URLError are OSErrors
                if time.monotonic() > deadline:
                    raise RuntimeError(f"Vault did not {what}: {self._log().read_text()[-2000:]}") from problem
                time.sleep(0.02)
            else:
                return


def _first_line(process: "subprocess.Popen[str]", seconds: float) -> str:
    """The first line of stdout, or '' when the process ended or stayed silent for that long."""
    lines: queue.Queue[str] = queue.Queue()
    stdout = process.stdout
    assert stdout is not None
    threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
