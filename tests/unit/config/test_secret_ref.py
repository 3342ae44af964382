"""Where secrets are read from, and what is refused on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rotator.config import secret_ref
from rotator.config.secret_ref import LARGEST, SecretRef
from rotator.core.errors import ConfigError, Unavailable

CANARY = "canary-value-3f9c"


def put(path: Path, content: bytes | str = CANARY, mode: int = 0o600) -> SecretRef:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return SecretRef(file=path)


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    ref = put(tmp_path / "t", "first\n")
    assert ref.read().reveal() == "first"

    put(tmp_path / "t", "second\n")

    assert ref.read().reveal() == "second"


@pytest.mark.parametrize("content", [CANARY, CANARY + "\n", CANARY + "\r\n"])
def test_one_line_end_is_taken_off(tmp_path: Path, content: str) -> None:
    assert put(tmp_path / "t", content).read().reveal() == CANARY


@pytest.mark.parametrize(
    "content",
    [
        f"{CANARY}\n\n",
        f" {CANARY}",
        f"{CANARY} ",
        f"{CANARY}\t",
        f"{CANARY}\nsecond",
        f"{CANARY}\x00",
        f"{CANARY}\x1b[0m",
        f"\ufeff{CANARY}",
        f"{CANARY}\u200b",
        b"canary\xff",
        "",
        "\n",
        CANARY * LARGEST,
    ],
    ids=lambda content: repr(content)[:24],
)
def test_what_is_not_one_plain_line_is_refused_and_never_shown(tmp_path: Path, content: bytes | str) -> None:
    ref = put(tmp_path / "t", content)

    with pytest.raises(ConfigError) as caught:
        ref.read()

    assert "canary" not in f"{caught.value} {caught.value.remedy} {caught.value!r}"
    assert str(tmp_path / "t") in caught.value.message


@pytest.mark.parametrize(
    "content, looks, fix",
    [
        ("Bearer CANARY", "whole header", "after the blank"),
        ("Authorization: Bearer CANARY", "whole header", "after the blank"),
        ("export TOKEN=CANARY", "NAME=value", "after the sign"),
        ('TOKEN = "CANARY"', "NAME=value", "after the sign"),
        ("A=CANARY\nB=CANARY\n", "file of variables", "{env: NAME}"),
        ("# a\nA=CANARY\n", "file of variables", "{env: NAME}"),
        ("CANARY\nCANARY\n", "several lines", "one line"),
        ("CANARY\n\n", "blanks or empty lines around", "remove them"),
        ("  CANARY\n", "blanks or empty lines around", "remove them"),
        ("\nCANARY", "blanks or empty lines around", "remove them"),
        ("CAN ARY", "contains spaces", "without spaces"),
        ("CAN\x00ARY", "contains spaces, line ends or control", "without spaces"),
    ],
)
def test_each_way_of_pasting_it_wrongly_has_its_own_message_and_fix(
    tmp_path: Path, content: str, looks: str, fix: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    file.chmod(0o600)

    with pytest.raises(ConfigError) as caught:
        SecretRef(file=file).read()
    assert looks in caught.value.message
    assert fix in caught.value.remedy
    assert "CANARY" not in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="can be written by others") as caught:
        put(tmp_path / "t", mode=mode).read()

    assert "chmod go-w" in caught.value.remedy


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o444])
def test_a_file_that_others_may_read_is_a_concern_and_works(tmp_path: Path, mode: int) -> None:
    ref = put(tmp_path / "t", mode=mode)

    assert ref.read().reveal() == CANARY
    assert "can be read by others" in (ref.concern() or ("",))[0]


def test_a_private_file_and_one_that_is_not_there_are_no_concern(tmp_path: Path) -> None:
    assert put(tmp_path / "t").concern() is None
    assert SecretRef(file=tmp_path / "absent").concern() is None
    assert SecretRef(env="X").concern() is None


def test_a_file_of_somebody_else_is_a_concern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = put(tmp_path / "t")
    os.chown(tmp_path / "t", 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert "belongs to user" in (ref.concern() or ("",))[0]


def test_a_link_is_followed_as_kubernetes_makes_them(tmp_path: Path) -> None:
    put(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")

    assert SecretRef(file=tmp_path / "link").read().reveal() == CANARY


def test_a_missing_file_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name, said in (("absent", "No such file"), (".", "not a regular file"), ("pipe", "not a regular file")):
        with pytest.raises(ConfigError, match=said):
            SecretRef(file=tmp_path / name).read()


def test_an_environment_variable_is_read_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = SecretRef(env="MINE")
    with pytest.raises(ConfigError, match="MINE is not set"):
        ref.read()

    monkeypatch.setenv("MINE", CANARY)

    assert ref.read().reveal() == CANARY


def test_a_systemd_credential_lies_in_the_folder_that_systemd_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "cf", mode=0o400)
    ref = SecretRef(systemd_credential="cf")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY"):
        ref.read()

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert ref.read().reveal() == CANARY


def test_a_systemd_credential_cannot_leave_its_folder() -> None:
    with pytest.raises(ValueError, match="without slashes"):
        SecretRef(systemd_credential="../etc/passwd")


def test_a_command_prints_the_secret() -> None:
    assert SecretRef(command=["printf", f"{CANARY}\\n"]).read().reveal() == CANARY


def test_a_command_gets_no_shell_and_no_input() -> None:
    assert SecretRef(command=["echo", "$HOME;x"]).read().reveal() == "$HOME;x"
    with pytest.raises(ConfigError, match="is empty"):
        SecretRef(command=["cat"]).read()


def test_a_command_that_fails_names_its_program_and_nothing_else() -> None:
    with pytest.raises(Unavailable, match=r"command sh failed with exit code 3") as caught:
        SecretRef(command=["sh", "-c", f"echo {CANARY}; echo {CANARY} >&2; exit 3"]).read()

    assert CANARY not in f"{caught.value} {caught.value.remedy}"


def test_a_command_that_is_not_there_says_so() -> None:
    with pytest.raises(ConfigError, match="cannot be started"):
        SecretRef(command=["no-such-program-anywhere"]).read()


def test_a_command_that_prints_without_end_is_cut_off() -> None:
    with pytest.raises(ConfigError, match="longer than"):
        SecretRef(command=["yes"]).read()


@pytest.mark.parametrize(
    "script", ["echo early; sleep 60", "exec >&-; sleep 60"], ids=["holding the pipe", "without it"]
)
def test_a_command_that_hangs_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(secret_ref, "COMMAND_TIMEOUT", 0.5)

    with pytest.raises(Unavailable, match="did not end"):
        SecretRef(command=["sh", "-c", f"echo $$ > {tmp_path}/group; {script}"]).read()

    group = int((tmp_path / "group").read_text())
    deadline = time.monotonic() + 5
    while _group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _group_lives(group)


def _group_lives(group: int) -> bool:
    listing = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return any(int(pgid) == group and not stat.startswith("Z") for pgid, stat in rows)


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    ref = put(tmp_path / "t")
    with_pipe = SecretRef(command=[sys.executable, "-c", "print('x')"])
    ref.read(), with_pipe.read()
    before = open_files()

    ref.read(), with_pipe.read()

    assert open_files() == before


def test_a_reference_says_where_it_points_and_never_shows_arguments() -> None:
    found = [
        SecretRef(file=Path("/run/t")).describe(),
        SecretRef(env="T").describe(),
        SecretRef(command=["op", "read", CANARY]).describe(),
        SecretRef(systemd_credential="t").describe(),
    ]

    assert found == ["file /run/t", "environment variable T", "command op", "systemd credential t"]


def test_a_program_with_a_slash_is_relative_to_the_configuration_and_one_without_is_looked_up() -> None:
    context = {"folder": Path("/etc/rotator")}

    own = SecretRef.model_validate({"command": ["./bin/read", "x"]}, context=context)
    from_path = SecretRef.model_validate({"command": ["op", "./x"]}, context=context)

    assert (own.command, from_path.command) == (["/etc/rotator/bin/read", "x"], ["op", "./x"])


def test_a_key_file_may_have_several_lines_and_is_held_to_the_same_rules_otherwise(tmp_path: Path) -> None:
    assert put(tmp_path / "t", "one\ntwo\n").read_lines().reveal() == "one\ntwo\n"
    with pytest.raises(ConfigError, match="is empty"):
        put(tmp_path / "t", " \n").read_lines()
    with pytest.raises(ConfigError, match="longer than"):
        put(tmp_path / "t", "x" * (LARGEST + 1)).read_lines()
    with pytest.raises(ConfigError, match="can be written by others"):
        put(tmp_path / "t", "one\n", mode=0o622).read_lines()


def test_only_a_file_is_read_again_by_a_process_that_runs(tmp_path: Path) -> None:
    assert put(tmp_path / "t").changes
    assert SecretRef(systemd_credential="key").changes
    assert not SecretRef(env="KEY").changes
    assert not SecretRef(command=["cat", "key"]).changes
