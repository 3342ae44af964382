"""What `check` says of `after_publish` before anything is published: what a hook needs, and whether it is there."""

import os

import pytest

from rotator.app import hooks
from rotator.app.checks import check
from rotator.core.findings import Level


@pytest.fixture
def looked(place, monkeypatch):
    """Runs `check` with one hook: its finding, or None."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))

    def look(hook, **more):
        target = {"type": "env_file", "name": "env", "path": "a.env", "after_publish": [hook]}
        place.write(place.credential("workers-deploy", targets=[target]))
        found = [one for one in check(place.folder / "rotator.yaml", **more) if one.code == "after_publish"]
        assert len(found) <= 1
        return found[0] if found else None

    return look


def make(place, name, content="", mode=0o644):
    (place.folder / name).write_text(content)
    (place.folder / name).chmod(mode)


MISSING = {
    "touch": ({"touch": "gone"}, "the file cannot be touched: No such file or directory"),
    "pid file": ({"signal": {"pid_file": "gone"}}, "the pid file cannot be read: No such file or directory"),
    "program": ({"command": ["no-such-program-here"]}, "it cannot be started: No such file or directory"),
    "path": ({"command": ["./gone"]}, "it cannot be started: No such file or directory"),
}


@pytest.mark.parametrize(("hook", "said"), MISSING.values(), ids=MISSING)
def test_what_a_hook_needs_and_is_not_there_is_a_warning_at_its_target_with_a_remedy(looked, hook, said):
    found = looked(hook)

    assert found.level is Level.WARN
    assert str(found.subject) == "credential workers-deploy, target env"
    assert found.message.endswith(f": {said}")
    assert found.remedy


def test_a_program_that_may_not_be_run_is_said(looked, place):
    make(place, "reload.sh", "#!/bin/sh\n", 0o644)

    assert looked({"command": ["./reload.sh"]}).message.endswith("it cannot be started: Permission denied")


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("x", 0o644, "the pid file holds no number of a process"),
        ("4194304999", 0o644, "no process has the number in the pid file"),
        ("9", 0o666, "others may write the pid file, and so say whom to signal"),
    ],
)
def test_a_pid_file_that_says_nothing_usable_is_said(looked, place, content, mode, said):
    make(place, "pid", content, mode)

    assert looked({"signal": {"pid_file": "pid"}}).message.endswith(said)


def test_a_file_of_somebody_else_that_may_not_be_written_is_said(looked, place, monkeypatch):
    make(place, "wrangler.toml")
    monkeypatch.setattr(hooks.os, "geteuid", lambda: -1)
    monkeypatch.setattr(hooks.os, "access", lambda path, mode, **more: mode != os.W_OK)

    assert looked({"touch": "wrangler.toml"}).message.endswith("the file cannot be touched: Permission denied")


def test_what_is_there_is_good_and_nothing_is_done_to_it(looked, place, monkeypatch):
    make(place, "wrangler.toml")
    make(place, "pid", str(os.getpid()))
    make(place, "reload.sh", "#!/bin/sh\ntouch started\n", 0o755)
    os.utime(place.folder / "wrangler.toml", (1, 1))

    for hook in ({"touch": "wrangler.toml"}, {"signal": {"pid_file": "pid", "signal": "TERM"}}):
        assert looked(hook).level is Level.OK
    for command in ("./reload.sh", "sh"):
        assert looked({"command": [command]}).level is Level.OK
    assert (place.folder / "wrangler.toml").stat().st_mtime == 1
    assert not (place.folder / "started").exists()


def test_offline_looks_at_no_hook(looked):
    assert looked({"touch": "gone"}, offline=True) is None
