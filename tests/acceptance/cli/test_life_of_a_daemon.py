"""What a daemon lives through in production, from outside: mistakes in its file, another environment, odd signals."""

import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.rotator_place import eventually
from tests.servers.require import MOUNTS, require


@pytest.fixture
def daemon(place):
    running = place.daemon()
    eventually(lambda: place.said(running, "rotation_confirmed"))
    return running


def asked(place, process, path):
    """Status and text of the listener's answer."""
    address = next(part for part in place.log(process).split('"') if part.startswith("127.0.0.1:"))
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, ""


def readiness(place, process):
    return asked(place, process, "/readyz")[0]


def reloaded(place, process):
    return "rotator_config_last_reload_successful 1.0" in asked(place, process, "/metrics")[1]


def broken(place):
    file = place.folder / "rotator.yaml"
    right = file.read_bytes()
    file.write_bytes(right.replace(b'"version": 1', b'"version": 1,, "typo"'))
    return right


# ------------------------------------------------------------------------------------------------ a mistake in the file
def test_a_mistake_in_the_file_blinds_nobody_while_the_daemon_works_on(place, daemon):
    before = place.value()
    broken(place)
    eventually(lambda: place.said(daemon, "config_rejected"))

    shown = place.run("status", "-o", "json").json
    assert [one["pid"] for one in shown["daemons"]] == [daemon.pid]
    assert "rotator.yaml:" in shown["configuration_problem"]
    assert place.run("healthcheck").code == 0
    done = place.run("rotate", "workers-deploy", "--wait", "60s")
    assert (done.code, "the configuration file cannot be used" in done.err) == (0, True)
    assert place.value() != before
    for verb in (("plan",), ("history",), ("pause", "--all"), ("resume", "--all"), ("audit", "verify")):
        assert place.run(*verb).code == 0, verb
    assert "works with" in place.run("status").out


def test_a_file_that_is_gone_blinds_no_verb_either_and_stops_whoever_would_start_something(place, daemon):
    (place.folder / "rotator.yaml").unlink()

    shown = place.run("status", "-o", "json").json
    assert [one["pid"] for one in shown["daemons"]] == [daemon.pid]
    assert "rotator.yaml" in shown["configuration_problem"]
    assert place.run("healthcheck").code == 0
    done = place.run("rotate", "workers-deploy", "--wait", "60s")
    assert (done.code, "the configuration file cannot be used" in done.err) == (0, True)
    assert [place.run(*verb).code for verb in (("check",), ("once",), ("run",))] == [2, 2, 2]


def test_a_mistake_in_the_file_stops_whoever_would_start_something_and_everybody_without_a_daemon(place, daemon):
    broken(place)
    assert [place.run(*verb).code for verb in (("check",), ("once",), ("run",))] == [2, 2, 2]

    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0

    for verb in (("status",), ("healthcheck",), ("rotate", "workers-deploy")):
        done = place.run(*verb)
        assert (done.code, "rotator.yaml:" in done.err) == (2, True), verb


def test_the_old_file_that_is_put_back_heals_the_metric(place, daemon):
    right = broken(place)
    eventually(lambda: place.said(daemon, "config_rejected"))
    eventually(lambda: not reloaded(place, daemon))

    (place.folder / "rotator.yaml").write_bytes(right)
    daemon.send_signal(signal.SIGHUP)

    eventually(lambda: reloaded(place, daemon))


# ----------------------------------------------------------------------------------------------- another environment
@pytest.fixture
def by_environment(place):
    """The state is where STATE_DIRECTORY says, which the unit of the service alone has."""
    text = (place.folder / "rotator.yaml").read_text()
    (place.folder / "rotator.yaml").write_text(text.replace('"url": "sqlite:///state.db",\n', ""))
    running = place.daemon(STATE_DIRECTORY=str(place.folder / "service"))
    eventually(lambda: place.said(running, "rotation_confirmed"))
    return running


def test_a_verb_that_would_make_a_second_journal_beside_a_daemon_says_so(place, by_environment):
    second = place.folder / "mine"
    for verb in (("rotate", "workers-deploy"), ("once",), ("status",), ("pause", "--all"), ("run",)):
        done = place.run(*verb, STATE_DIRECTORY=str(second))
        assert done.code == 2, verb
        assert f"process {by_environment.pid} uses" in done.err
        assert "state: {url: ...}" in done.err
    assert not second.exists()

    done = place.run("check", STATE_DIRECTORY=str(second))
    assert (done.code, "with a journal elsewhere" in done.out) == (1, True)
    done = place.run("rotate", "workers-deploy", "--wait", "60s", STATE_DIRECTORY=str(place.folder / "service"))
    assert done.code == 0, "with the environment of the daemon all is well"


def test_nor_does_a_verb_take_an_older_journal_that_lies_there_from_another_time(place):
    second = str(place.folder / "mine")
    text = (place.folder / "rotator.yaml").read_text()
    (place.folder / "rotator.yaml").write_text(text.replace('"url": "sqlite:///state.db",\n', ""))
    assert place.run("once", STATE_DIRECTORY=second).code == 0
    running = place.daemon(STATE_DIRECTORY=str(place.folder / "service"))
    eventually(lambda: place.said(running, "daemon_ready"))

    for verb in (("rotate", "workers-deploy"), ("status",)):
        done = place.run(*verb, STATE_DIRECTORY=second)
        assert (done.code, f"process {running.pid} uses" in done.err, "has no daemon" in done.err) == (2, True, True)
    found = place.run("check", STATE_DIRECTORY=second)
    assert (found.code, "with a journal elsewhere" in found.out) == (1, True)


def test_a_file_that_an_editor_exchanged_still_shows_that_a_daemon_uses_it(place, by_environment):
    copy = place.folder / "copy"
    shutil.copy(place.folder / "rotator.yaml", copy)
    copy.replace(place.folder / "rotator.yaml")

    eventually(lambda: place.run("status", STATE_DIRECTORY=str(place.folder / "mine")).code == 2)


def test_after_the_daemon_has_ended_another_state_is_nobodys_second_one(place, by_environment):
    by_environment.send_signal(signal.SIGTERM)
    assert by_environment.wait(30) == 0

    assert place.run("status", STATE_DIRECTORY=str(place.folder / "mine")).code == 0


# ------------------------------------------------------------------------------------------------------------ signals
def test_signals_without_a_meaning_change_nothing(place, daemon):
    daemon.send_signal(signal.SIGUSR1)
    daemon.send_signal(signal.SIGUSR2)

    assert place.run("healthcheck").code == 0
    assert daemon.poll() is None


def test_a_daemon_that_gives_no_sign_of_life_is_not_said_to_be_none(place, daemon):
    """Stopped here; a full disk looks the same from outside."""
    daemon.send_signal(signal.SIGSTOP)
    try:
        found = eventually(
            lambda: [one for one in place.run("status", "-o", "json").json["daemons"] if not one["responds"]]
        )
        assert [one["pid"] for one in found] == [daemon.pid]
        assert "its disk is full, or it hangs" in place.run("status").out
        done = place.run("check")
        assert (done.code, "gives no sign of life" in done.out) == (1, True)
        assert "gives no sign of life" in place.run("rotate", "workers-deploy").err
    finally:
        daemon.send_signal(signal.SIGCONT)


# ---------------------------------------------------------------------------------------------------------- a full disk
@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        require(*MOUNTS)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_everywhere_and_heals(place, small_disk):
    place.write(state={"url": f"sqlite:///{small_disk}/state.db", "encryption_key": {"file": "rotator.key"}})
    running = place.daemon()
    eventually(lambda: place.said(running, "rotation_confirmed"))
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

    eventually(lambda: readiness(place, running) == 503)
    done = place.run("check")
    assert (done.code, "is full" in done.out) == (1, True)
    assert [one["pid"] for one in place.run("status", "-o", "json").json["daemons"]] == [running.pid]
    assert place.run("healthcheck").code == 0

    ballast.unlink()
    eventually(lambda: readiness(place, running) == 200)
    assert place.run("check").code == 0
    log = place.log(running)
    assert "journal_unsafe" in log
    assert "internal_error" not in log
    assert "Traceback" not in log
    assert "exc_type" not in log
