"""Cloudflare's own command line as the consumer: it uses what was published, from the files that it reads by itself."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest

from tests.installation import ACCOUNT, Installation, credential, eventually
from tests.prepared import RENEWAL, settled
from tests.servers import wrangler as tool

pytestmark = [pytest.mark.slow, pytest.mark.wrangler, pytest.mark.timeout(300)]

WORKER = """\
export default {
  async fetch(request, env) {
    return Response.json({ token: env.CLOUDFLARE_API_TOKEN ?? null, theirs: env.STAGE ?? null });
  },
};
"""


def environment(place: Installation) -> dict[str, str]:
    """wrangler's: a home of its own, the sandbox as the API, and no token but the one that it finds in the file."""
    kept = {name: value for name, value in tool.environment().items() if not name.startswith(("CLOUDFLARE_", "CF_"))}
    home = place.folder / "home"
    home.mkdir(exist_ok=True)
    ours = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "CLOUDFLARE_API_BASE_URL": place.sandbox.url}
    return {**kept, **ours, "CLOUDFLARE_CF_FETCH_ENABLED": "false"}


def whoami(wrangler, place):
    done = subprocess.run(
        [str(wrangler), "whoami"],
        env=environment(place),
        cwd=place.folder / "app",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


OWNERS = {
    "account": (
        {"grants": [{"permissions": ["Account Settings Read", "Workers Scripts Write"]}]},
        ["Account API Token", ACCOUNT],
    ),
    "user": (
        {
            "connection": "me",
            "owner": "user",
            "grants": [
                {"permissions": ["User Details Read", "Memberships Read"]},
                {"permissions": ["Account Settings Read"], "accounts": [ACCOUNT]},
            ],
        },
        ["User API Token", "owner@example.com"],
    ),
}


@pytest.mark.parametrize("owner", OWNERS)
def test_wrangler_logs_in_with_the_published_file_before_and_after_a_rotation(tmp_path, opened, wrangler, owner):
    stanza, says = OWNERS[owner]
    me = {"type": "cloudflare", "api_url": "", "token": {"file": "tokens/user-management"}, "account_id": ACCOUNT}
    place = opened(tmp_path, credential(**stanza), connections={"me": me})
    place.file()
    settled(place.run("once"))
    values = [place.value()]
    code, said = whoami(wrangler, place)
    assert code == 0, said
    assert all(words in said for words in says), said
    place.advance(RENEWAL)
    settled(place.run("once", "--wait", "20s"))
    values.append(place.value())
    assert values[0] != values[1]
    code, said = whoami(wrangler, place)
    assert code == 0, said
    assert not any(value in said for value in values)


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def dev(wrangler, place):
    """`wrangler dev` in the folder of the Worker; yields what asks it for the bindings of a request."""
    chosen = port()
    command = [str(wrangler), "dev", "--port", str(chosen), "--ip", "127.0.0.1", "--inspector-port", "0"]
    with (place.folder / "dev.log").open("a+") as log:
        process = subprocess.Popen(
            command,
            env=environment(place),
            cwd=place.folder / "app",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it starts workerd: both end together
        )

        def ask():
            if process.poll() is not None:
                raise AssertionError((place.folder / "dev.log").read_text()[-3000:])
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{chosen}/", timeout=5) as answer:
                    return json.load(answer)
            except OSError:  # not there yet
                return None

        try:
            yield lambda: eventually(ask, 90)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_worker_in_wrangler_dev_finds_the_published_value_in_its_bindings(tmp_path, opened, wrangler):
    place = opened(tmp_path, credential(targets=[{"type": "env_file", "name": "bindings", "path": "app/.dev.vars"}]))
    place.file("app/.dev.vars", "STAGE='dev'\n")
    (tmp_path / "app" / "worker.mjs").write_text(WORKER)
    configuration = {"name": "demo", "main": "worker.mjs", "compatibility_date": "2025-01-01"}
    (tmp_path / "app" / "wrangler.json").write_text(json.dumps(configuration))
    for round_ in range(2):  # wrangler reads the file when it starts
        place.advance(round_ * RENEWAL)
        settled(place.run("once", "--wait", "20s"))
        with dev(wrangler, place) as bindings:
            found = bindings()
        assert found == {"token": place.value("app/.dev.vars"), "theirs": "dev"}
        assert place.accepts(found["token"])
    assert place.value("app/.dev.vars") not in (tmp_path / "dev.log").read_text()
