"""The pages' blocks of commands, typed as they stand into a shell, against a sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.sandbox import Sandbox, tokens
from tests.pages import ROOT, Block, block

PRINTED = "http://127.0.0.1:8980/client/v4"
NAME = "workers-deploy"


class Shell:
    """A folder with the README's configuration, `rotator` on PATH, and a sandbox where Cloudflare would be."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        (folder / "bin").mkdir()
        (folder / "bin/rotator").write_text(f'#!/bin/sh\nexec {sys.executable} -m rotator "$@"\n')
        (folder / "bin/rotator").chmod(0o755)
        start = block("README.md", "cat rotator.yaml").text
        self._put("rotator.yaml", start.split("$ cat rotator.yaml\n")[1].split("$ cat app/.env\n")[0])
        self._put("app/.env", start.split("$ cat app/.env\n")[1])

    def _put(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(self.here(text))
        (self.folder / name).chmod(0o600)

    def here(self, text: str) -> str:
        """The text with this sandbox's address for the printed one."""
        host = self.sandbox.url.removesuffix("/client/v4")
        return text.replace(PRINTED, self.sandbox.url).replace("http://127.0.0.1:8980", host)

    def type(self, script: str, **environment: str) -> str:
        """Type it, and return what was printed; a command that fails ends it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROTATOR_", "XDG_"))}
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{kept['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(script)],
            cwd=self.folder,
            env={**kept, "HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PATH": path, "COLUMNS": "120"}
            | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Sandbox(tokens_dir=str(tmp_path / "tokens")) as sandbox:
        yield Shell(tmp_path, sandbox)


@pytest.fixture
def kept(shell: Shell) -> Shell:
    """The same after the first creation."""
    shell.type("rotator once")
    return shell


def shape(text: str) -> list[str]:
    """Lines without what differs from run to run: ids, times, numbers, values, widths."""
    text = re.sub(r"cfat_\S+", "VALUE", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|\b[0-9a-f]{12,}\b", "ID", text)
    text = re.sub(r"~ID\S*", "~ID", text)
    text = re.sub(r"\d+( min| h| d| s)\b", "N UNIT", text)
    text = re.sub(r"UTC, now$", "UTC, N UNIT ago", text, flags=re.MULTILINE)
    text = re.sub(r"\d+", "N", text)
    return [re.sub(r"[ ]{2,}", "  ", line).rstrip() for line in text.splitlines()]


def printed(one: Block) -> list[tuple[str, str]]:
    """Command -> what the page shows of its answer."""
    parts = re.split(r"^\$ (.*)\n", one.text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_the_tour_of_the_readme_shows_what_is_printed(shell: Shell) -> None:
    tour = [
        block("README.md", "$ rotator check"),
        block("README.md", "$ rotator once"),
        block("README.md", "$ rotator rotate"),
        block("README.md", "$ rotator history"),
    ]
    for command, answer in (pair for one in tour for pair in printed(one)):
        said = shell.type(command).replace(str(shell.folder), "/tmp/tour")

        assert shape(said) == shape(answer), command


def test_the_sandbox_starts_as_the_tour_starts_it(shell: Shell) -> None:
    command = printed(block("README.md", "$ rotator sandbox"))[0]
    listening = command[0].replace(" &", " --listen 127.0.0.1:0 & sandbox=$!")
    ended = (
        "for i in $(seq 100); do [ -s said ] && break; sleep 0.1; done; kill $sandbox; wait $sandbox || true; cat said"
    )

    said = shell.type(f"exec 3>said; {listening.replace(' & ', ' >&3 & ')}; {ended}")

    assert shape(said) == shape(command[1])


def test_the_first_token_is_three_commands(tmp_path: Path) -> None:
    with Sandbox(tokens_dir=str(tmp_path / "tokens")) as sandbox:
        shell = Shell(tmp_path, sandbox)
        (shell.folder / "rotator.yaml").unlink()
        init, bootstrap, once = block("docs/first-token.md", "rotator init").text.splitlines()
        account, user = "a0000000000000000000000000000001", "owner@example.com"

        shell.type(init.replace("0123456789abcdef0123456789abcdef", account))
        written = (shell.folder / "rotator.yaml").read_text()
        found = re.sub(r"^( *)account_id:", rf"\1api_url: {sandbox.url}\n\1account_id:", written, count=1, flags=re.M)
        (shell.folder / "rotator.yaml").write_text(found)
        key = sandbox.credentials["global-api-key"]
        shell.type(f"{bootstrap.replace('me@example.com', user)} <<< {key}")
        shell.type(once)

        assert "CLOUDFLARE_API_TOKEN=cfat_" in (shell.folder / ".dev.vars").read_text()


def test_a_look_at_what_is_stuck(kept: Shell) -> None:
    said = kept.type(block("docs/operations.md", "rotator report --all").text.replace("NAME", NAME))

    assert "generation     1" in said
    assert "a rotation of all 1 needs 1 more" in said


def test_a_leaked_value_is_ended(kept: Shell) -> None:
    before = (kept.folder / "app/.env").read_text()

    kept.type(block("docs/operations.md", "rotator revoke NAME").text.replace("NAME", f"{NAME} --wait 1m --yes"))

    assert (kept.folder / "app/.env").read_text() != before


def test_what_nobody_keeps_is_written_as_credentials(kept: Shell) -> None:
    with kept.sandbox.world.lock:
        world = kept.sandbox.world
        like = next(token for token in world.tokens.values() if token.name.startswith(f"{NAME}~"))
        world.add(tokens.make(world, like.owner, "old-deploy", like.policies, world.clock.now()))

    kept.type(block("docs/operations.md", "rotator adopt --pick-all").commands)

    assert "name: old-deploy" in (kept.folder / "credentials.yaml").read_text()


def test_a_backup_comes_back_in_a_drill_and_for_good(kept: Shell) -> None:
    (kept.folder / "drill").mkdir()
    text = (kept.folder / "rotator.yaml").read_text()
    url = 'state: { url: "sqlite:///state/state.db" }\n'
    assert url in text
    key = kept.folder / "state/rotator.key"
    assert key.exists()
    (kept.folder / "drill.yaml").write_text(text.replace(url, f"state: {{ encryption_key: {{ file: {key} }} }}\n"))
    made = block("docs/operations.md", "rotator backup /backup").commands.replace("/backup", str(kept.folder))
    drill = block("docs/operations.md", "drill.yaml restore").commands.replace("/tmp/drill", str(kept.folder / "drill"))
    restored = block("docs/operations.md", "rotator restore /backup").commands.replace("/backup", str(kept.folder))

    kept.type(made)
    kept.type(drill)
    said = kept.type(restored)

    assert "rotator.db" not in said
    assert kept.type("rotator once --wait 1m").startswith(NAME)


def test_the_state_explains_itself_and_takes_another_key(kept: Shell) -> None:
    (kept.folder / "rotator.key").write_bytes((kept.folder / "state/rotator.key").read_bytes())
    (kept.folder / "rotator.key").chmod(0o600)
    text = (kept.folder / "rotator.yaml").read_text()
    keyed = text.replace('state.db" }', 'state.db", encryption_key: { file: rotator.key } }')
    (kept.folder / "rotator.yaml").write_text(keyed)
    another = block("docs/operations.md", "rotator rekey").commands.replace("/run/secrets/", f"{kept.folder}/")

    kept.type(another + block("docs/operations.md", "rotator state check").commands)

    assert kept.type("rotator audit verify")


def test_an_export_is_verified_from_the_file_alone(kept: Shell) -> None:
    with (kept.folder / "rotator.yaml").open("a") as config:
        config.write("audit:\n  - { name: local, type: file, path: audit.jsonl }\n")
    kept.type("rotator once")

    said = kept.type(block("docs/audit-export.md", "audit verify --export").text)

    assert "nothing is missing" in said


def test_a_fault_of_the_sandbox_shows_in_the_history(kept: Shell) -> None:
    with (kept.folder / "rotator.yaml").open("a") as config:
        config.write("advanced: { settle: 1s, retry: 1s, propagation: 1s }\n")

    said = kept.type(block("docs/sandbox.md", "lose_answer").text)

    facts = [line.split()[3] for line in said.splitlines()[1:]]
    assert [fact for fact in facts if fact in ("intent", "abandoned", "captured")][-4:] == [
        *("intent", "abandoned", "intent", "captured")
    ]


def test_the_sandbox_is_a_library(tmp_path: Path) -> None:
    program = block("docs/sandbox.md", "from rotator.sandbox import").text

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/client/v4\n", done.stdout)
    assert (tmp_path / "tokens/account-management").exists()


def test_the_sandbox_keeps_its_world_in_a_file(tmp_path: Path, shell: Shell) -> None:
    command = block("docs/sandbox.md", "--state sandbox.json").text.strip().replace("127.0.0.1:8980", "127.0.0.1:0")

    shell.type(
        f"{command} > said & sandbox=$!; for i in $(seq 100); do [ -s said ] && break; sleep 0.1; done;"
        " kill $sandbox; wait $sandbox || true"
    )

    assert (shell.folder / "sandbox.json").exists()


def test_a_program_rotates_through_the_page(kept: Shell) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    (kept.folder / "alice").write_text(secret)
    (kept.folder / "alice").chmod(0o600)
    pid = os.getpid()
    host = f"127.{1 + pid // 65536 % 200}.{pid // 256 % 256}.{1 + pid % 250}:9854"  # an address that nobody else uses
    with (kept.folder / "rotator.yaml").open("a") as config:
        config.write(
            f"http: {{ listen: 127.0.0.1:0 }}\npage:\n  listen: {host}\n  base_url: http://{host}\n"
            "  users: { bearer: [{ name: alice, token: { file: alice } }] }\n  acts: { alice: [rotate] }\n"
        )
    sent = block("docs/page.md", "curl -X POST").text.replace("127.0.0.1:9854", host)
    asked = f'until curl -fs -o said -H "Authorization: Bearer $TOKEN" http://{host}/api/v1/status; do sleep 0.1; done'

    kept.type(
        f"export NO_PROXY='*'; rotator run 2> log & daemon=$!; {asked}; {sent} kill $daemon; wait $daemon; cat log",
        TOKEN=secret,
    )

    assert kept.type(f"rotator history {NAME} --kind request").splitlines()[1].split()[4] == "alice"
