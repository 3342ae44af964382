"""What the image installs and how it runs, as far as a machine without containers can show it.

The wheel goes into an empty environment with the locked dependencies, the way the Dockerfile does it, and is run under
the Dockerfile's environment with a read-only root file system and without capabilities, where this machine lets us
(root, and `unshare` and `setpriv` of util-linux). Elsewhere the same runs plainly.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator import __version__

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
LOCK = ROOT / "requirements/runtime.txt"
UID = 65532

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CONFIGURATION = """\
version: 1
connections:
  prod:
    type: cloudflare
    api_url: "{url}"
    account_id: a0000000000000000000000000000001
    token: {{ file: {token} }}
credentials:
  - name: workers-deploy
    connection: prod
    grants: [{{ permissions: [Workers Scripts Write] }}]
    targets: [{{ type: env_file, path: {file} }}]
"""


def environment_of_the_image() -> dict[str, str]:
    """The ENV lines of the last stage."""
    last = DOCKERFILE.rsplit("FROM ", 1)[1]
    lines = re.findall(r"^ENV (.+)$", last, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in line.split())


def build_tools() -> list[str]:
    """What the Dockerfile takes away again once the wheel is made."""
    found = re.search(r"uninstall --yes ([a-z -]+?) *&&", DOCKERFILE)
    assert found is not None
    return found[1].split()


def pip(python: Path, *arguments: str) -> None:
    # The pip of the tests' environment: the new one has none, as in the image.
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


class Image:
    """An environment like the image's, below one folder that everybody may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.python = folder / "venv/bin/python"
        self.home = folder / "etc"

    def build(self) -> None:
        self.state.mkdir(mode=0o700)
        self.home.mkdir()
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(self.folder), str(ROOT)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.folder / "venv"], check=True, timeout=60)
        wheel = next(self.folder.glob("rotatord-*.whl"))
        pip(
            self.python,
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "-r",
            str(LOCK),
        )
        pip(self.python, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
        pip(self.python, "uninstall", "--quiet", "--yes", *build_tools())

    def command(self, *words: str) -> list[str]:
        """`rotator WORDS` with a root file system that is read-only but for the state, and without capabilities."""
        program = [str(self.folder / "venv/bin/rotator"), *words]
        if os.geteuid() or not (shutil.which("unshare") and shutil.which("setpriv")) or not may_mount():
            return program
        mounts = (
            'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd "$0" && exec "$@"'
        )
        drop = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--clear-groups"]
        if self.unprivileged():
            drop += ["--reuid", str(UID), "--regid", str(UID)]
        return ["unshare", "--mount", "sh", "-c", mounts, str(self.state), *drop, *program]

    def unprivileged(self) -> bool:
        """Whether another user may run this Python at all; one below /root, say, is root's alone."""
        real = Path(sys.executable).resolve()
        return os.geteuid() == 0 and all(folder.stat().st_mode & 0o005 == 0o005 for folder in real.parents)

    def environment(self) -> dict[str, str]:
        given = environment_of_the_image()
        own = {name: str(self.state) for name in ("HOME", "TMPDIR", "STATE_DIRECTORY")}
        config = str(self.home / "rotator.yaml")
        path = f"{self.folder}/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**given, **own, "PATH": path, "ROTATOR_CONFIG": config, "ROTATOR_HTTP_LISTEN": "0.0.0.0:0"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        if self.unprivileged():
            os.chown(self.state, UID, UID)
        return subprocess.Popen(
            self.command(*words),
            cwd=self.state,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=240)
        return process.returncode, out, err


def may_mount() -> bool:
    """A container without the capability may not."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    # Not below pytest's folder: nobody but its owner may enter that one.
    with tempfile.TemporaryDirectory(prefix="rotator-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        found = Image(folder)
        found.build()
        yield found


def test_the_wheel_runs_with_the_locked_dependencies_and_without_the_build_tools(image: Image) -> None:
    code, out, err = image.run("version", "-o", "json")

    assert code == 0, err
    assert json.loads(out)["version"] == __version__
    tools = subprocess.run([image.python, "-c", "import hatchling"], capture_output=True, text=True)
    assert "ModuleNotFoundError" in tools.stderr


def test_the_demo_runs_from_the_wheel_and_leaves_nothing_behind(image: Image) -> None:
    code, out, err = image.run("demo", "--rotations", "1", "-o", "json")

    assert code == 0, err
    board = json.loads(out)
    assert (board["dead_reads"], board["lost_values"], board["orphans"]) == (0, 0, 0)
    assert list(image.state.glob("rotator-demo-*")) == []


def test_the_daemon_runs_as_the_image_starts_it_and_ends_at_sigterm(image: Image, provider: tuple[str, Path]) -> None:
    url, token = provider
    secret = image.home / "cloudflare"
    secret.write_text(token.read_text())
    if image.unprivileged():
        os.chown(secret, UID, UID)
    secret.chmod(0o600)
    file = image.state / "app.env"
    (image.home / "rotator.yaml").write_text(CONFIGURATION.format(url=url, token=secret, file=file))

    daemon = image.start("run")
    try:
        until = time.monotonic() + 60
        while not (file.exists() and image.run("healthcheck")[0] == 0):
            assert daemon.poll() is None, daemon.communicate()
            assert time.monotonic() < until
        daemon.send_signal(signal.SIGTERM)
        _, log = daemon.communicate(timeout=30)
    finally:
        daemon.kill()

    assert daemon.returncode == 0
    assert '"daemon_ready"' in log
    assert image.run("healthcheck")[0] == 1
    assert "CLOUDFLARE_API_TOKEN=cfat_" in file.read_text()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    from rotator.sandbox import Sandbox

    sandbox = Sandbox("127.0.0.1:0", tokens_dir=tmp_path / "tokens").start()
    try:
        yield sandbox.url, tmp_path / "tokens/account-management"
    finally:
        sandbox.stop()
