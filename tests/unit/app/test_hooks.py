"""What `after_publish` does on this machine, and what it says when it cannot."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from rotator.app.hooks import hooks_of
from rotator.config.load import load
from rotator.core.errors import Fenced, Refused
from rotator.core.ports.hook import Publicized
from rotator.host import commands
from rotator.registry import kinds

TOLD = Publicized(credential="deploy", target="env", generation=7)


def hook(tmp_path: Path, written: str):
    path = tmp_path / "rotator.yaml"
    path.write_text(
        "version: 1\nconnections:\n  p: {type: cloudflare, account_id: a0000000000000000000000000000001, "
        "token: {env: T}}\ncredentials:\n  - name: a\n    connection: p\n    grants: [{permissions: [D1 Write]}]\n"
        f"    targets: [{{type: env_file, path: .env, after_publish: [{written}]}}]\n"
    )
    (found,) = hooks_of(load(path, kinds()).credentials[0].targets[0])
    return found


def refused(found) -> str:
    with pytest.raises(Refused) as caught:
        found.run(TOLD, lambda: None)
    return caught.value.message


def command(*words: str, more: str = "") -> str:
    return f"{{command: {list(words)!r}{more}}}"


def test_touch_moves_the_time_of_a_file_to_now(tmp_path):
    file = tmp_path / "wrangler.toml"
    file.write_text("x")
    os.utime(file, (1, 1))

    hook(tmp_path, "{touch: wrangler.toml}").run(TOLD, lambda: None)

    assert file.stat().st_mtime > 1
    assert file.read_text() == "x"


def test_touch_makes_no_file(tmp_path):
    assert refused(hook(tmp_path, "{touch: gone}")) == "the file cannot be touched: No such file or directory"
    assert not (tmp_path / "gone").exists()


def test_a_signal_reaches_the_process_of_the_pid_file(tmp_path):
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    try:
        (tmp_path / "pid").write_text(f"{os.getpid()}\n")
        (tmp_path / "pid").chmod(0o644)
        hook(tmp_path, "{signal: {pid_file: pid, signal: USR1}}").run(TOLD, lambda: None)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert got == [signal.SIGUSR1]


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("x", 0o644, "the pid file holds no number of a process"),
        ("1", 0o644, "the pid file holds no number of a process"),
        ("-5", 0o644, "the pid file holds no number of a process"),
        ("4194304999", 0o644, "no process has the number in the pid file"),
        ("9", 0o666, "others may write the pid file, and so say whom to signal"),
        (None, 0, "the pid file cannot be read: No such file or directory"),
    ],
)
def test_a_pid_file_that_says_nothing_usable_is_refused(tmp_path, content, mode, said):
    if content is not None:
        (tmp_path / "pid").write_text(content)
        (tmp_path / "pid").chmod(mode)

    assert refused(hook(tmp_path, "{signal: {pid_file: pid}}")) == said


def test_a_pid_file_that_is_no_file_is_refused_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "pid", 0o600)

    assert refused(hook(tmp_path, "{signal: {pid_file: pid}}")) == "the pid file holds no number of a process"


def test_a_command_learns_names_and_generation_and_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "canary-value")
    script = "import os, json; json.dump(dict(os.environ), open('seen', 'w'))"
    monkeypatch.chdir(tmp_path)

    hook(tmp_path, command(sys.executable, "-c", script)).run(TOLD, lambda: None)

    seen = (tmp_path / "seen").read_text()
    assert "canary" not in seen
    assert '"ROTATOR_CREDENTIAL": "deploy"' in seen
    assert '"ROTATOR_GENERATION": "7"' in seen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sh", "-c", "exit 3"), "it ended with exit code 3"),
        (("sh", "-c", "kill -9 $$"), "it was ended by signal 9"),
        (("no-such-program-here",), "it cannot be started: No such file or directory"),
    ],
)
def test_a_command_that_fails_says_how_it_ended(tmp_path, words, said):
    assert refused(hook(tmp_path, command(*words))) == said


def lives(stat):
    """Whether the process of that file runs: it is neither gone nor a zombie that nobody has reaped yet."""
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    started = tmp_path / "child"
    script = f"sleep 60 & echo $! > {started}; wait"

    said = refused(hook(tmp_path, command("sh", "-c", script, more=", timeout: 1s")))

    assert said == "it did not end within 1 s"
    stat, end = Path(f"/proc/{int(started.read_text())}/stat"), time.monotonic() + 10
    while lives(stat):
        assert time.monotonic() < end, "what the command started lives on"
        time.sleep(0.02)


def test_a_command_ends_when_the_lease_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "POLL", 0.05)

    def lost() -> None:
        raise Fenced("somebody else")

    with pytest.raises(Fenced):
        hook(tmp_path, command("sleep", "60")).run(TOLD, lost)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{}", "a hook does one thing"),
        ("{touch: a, command: [b]}", "a hook does one thing"),
        ("{touch: a, timeout: 3s}", "only a command has a timeout"),
        ("{command: [a], timeout: 11m}", "the timeout is too long"),
        ("{command: []}", "expected at least 1 entry"),
        ("{signal: {pid_file: a, signal: KILL}}", "does not have that choice"),
        ("{run: a}", "the key `run` is not known here"),
    ],
)
def test_a_wrong_hook_is_refused_at_its_place(tmp_path, written, said):
    from rotator.config.explain import ConfigErrors

    with pytest.raises(ConfigErrors, match=said):
        hook(tmp_path, written)
