"""A working day from outside: set up, check, run, look, act, stop. Only exit codes, documents and files count."""

import os
import pty
import re
import signal
import time

import pytest

from tests.rotator_place import eventually

SHAPE = {"credential", "request_id", "rotation_id", "state"}


def test_from_nothing_to_a_published_value_and_its_rotation(place):
    assert place.run("check").code == 0
    assert place.run("status", "-o", "json").json["credentials"][0]["state"] == "uninitialized"
    assert place.run("once").code == 0
    first = place.value()
    done = place.run("rotate", "workers-deploy", "--wait", "60s", "--until", "done", "-o", "json")
    assert done.code == 0
    assert [request.keys() >= SHAPE for request in done.json["requests"]] == [True]
    assert place.value() != first
    assert place.status()["generation"] == 2
    assert place.run("audit", "verify").code == 0


def test_a_daemon_answers_everybody_beside_it(place):
    daemon = place.daemon()
    eventually(lambda: place.status()["state"] == "idle")
    assert place.run("healthcheck").code == 0
    assert place.run("healthcheck", "--ready").code == 0
    document = place.run("status", "-o", "json").json
    assert [found["pid"] for found in document["daemons"]] == [daemon.pid]
    before = place.value()
    done = place.run("rotate", "workers-deploy", "--wait", "60s", "-o", "json")
    assert (done.code, done.json["requests"][0]["state"] in ("confirmed", "done")) == (0, True)
    assert "no daemon" not in done.err
    assert place.value() != before
    assert place.said(daemon, "rotation_confirmed")
    second = place.run("run")
    assert second.code == 1
    assert f"process {daemon.pid} " in second.err


def test_a_daemon_says_where_it_listens_and_for_how_many(place):
    line = next(line for line in place.log(place.daemon()).splitlines() if "daemon_ready" in line)
    assert re.search(r'"listener":"127\.0\.0\.1:[1-9]\d*"', line)
    assert '"credentials":1' in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_asked_to_end_ends_with_0_and_says_nothing_on_standard_output(place, number):
    daemon = place.daemon()
    daemon.send_signal(number)
    assert daemon.wait(30) == 0
    assert place.output(daemon) == ""


def test_a_pass_that_waits_ends_with_0_when_it_is_asked_to(place):
    place.write(place.credential("slow", rotation={"grace": "10m", "quiet": "1s", "soak": "1s"}))
    place.run("rotate", "slow", "--wait", "60s")
    place.run("rotate", "slow", "--wait", "60s")  # the grace of the first token keeps the next pass waiting
    # longer than the grace, which ends a grace and a second after the publication: with 10m it would rightly not wait
    waiting = place.start("once", "--wait", "30m")
    eventually(lambda: any(p["kind"] == "once" for p in processes(place)))
    assert place.status("slow")["retirements"]
    assert place.status("slow")["retirements"]  # two whole processes later it still waits
    assert waiting.poll() is None
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(30) == 0


def test_a_waiter_that_is_interrupted_leaves_its_request_in_the_journal(place):
    place.run("once")
    place.run("pause", "workers-deploy")
    waiter = place.start("rotate", "workers-deploy", "--wait", "10m", "-o", "json")
    eventually(lambda: "workers-deploy: requested" in place.log(waiter))
    waiter.send_signal(signal.SIGINT)
    assert waiter.wait(30) == 0
    assert '"state": "requested"' in place.output(waiter)
    before = place.value()
    place.run("resume", "workers-deploy")
    assert place.run("once").code == 0
    assert place.value() != before


def test_a_waiter_takes_over_from_a_daemon_that_dies(place):
    daemon = place.daemon()
    eventually(lambda: place.status()["state"] == "idle")
    before = place.value()
    daemon.send_signal(signal.SIGSTOP)  # it lives and does nothing: the waiter waits for it
    waiter = place.start("rotate", "workers-deploy", "--wait", "90s")
    eventually(lambda: "workers-deploy: requested" in place.log(waiter))
    assert place.value() == before
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    assert waiter.wait(90) == 0, place.log(waiter)
    assert place.value() != before


def test_a_daemon_that_was_killed_in_a_rotation_loses_nothing(place):
    place.run("once")
    dying = place.start("run", ROTATOR_TESTING="1", ROTATOR_CRASH_AT="after_create_send")
    asked = place.run("rotate", "workers-deploy")
    assert asked.code == 0
    eventually(lambda: dying.poll() is not None)
    assert dying.returncode == -signal.SIGKILL
    assert place.run("once", "--wait", "60s").code == 0
    found = place.status()
    assert (found["state"], found["ready"]) == ("idle", True)


def test_two_waiters_are_served_by_the_same_work(place):
    place.run("once")
    waiters = [place.start("rotate", "workers-deploy", "--wait", "90s", "-o", "json") for _ in range(2)]
    assert [waiter.wait(100) for waiter in waiters] == [0, 0]


def test_status_is_drawn_in_colour_on_a_terminal_and_never_elsewhere(place):
    place.run("once")
    plain = place.run("status", FORCE_COLOR="1", COLUMNS="40")
    assert "\x1b" not in plain.out
    drawn = on_a_terminal(place, "status", columns=80)
    assert "\x1b[" in drawn
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in drawn.splitlines()) <= 80


def test_watching_on_a_terminal_draws_in_place_until_it_is_interrupted(place):
    drawn = on_a_terminal(place, "status", "--watch", columns=80, interrupt="uninitialized")
    assert "\x1b[?1049h" in drawn
    assert "\x1b[?1049l" in drawn


def processes(place):
    from rotator.journal.open import open_journal

    journal = open_journal(f"sqlite:///{place.folder / 'state.db'}", None, mode="reader")
    try:
        return [{"kind": found.kind, "alive": found.alive} for found in journal.presence.processes() if found.alive]
    finally:
        journal.close()


def on_a_terminal(place, *arguments, columns, interrupt=None):
    """Run the program on a terminal of that width; interrupt it once a word was drawn. Returns what was drawn."""
    import fcntl
    import struct
    import sys
    import termios

    pid, master = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite that was started in the background ignores Ctrl-C
        os.chdir(place.folder)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = place.environment(TERM="xterm-256color")
        environment.pop("COLUMNS", None)
        environment.pop("NO_COLOR", None)
        os.execve(sys.executable, [sys.executable, "-m", "rotator", *arguments], environment)
    drawn, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        drawn += piece
        if interrupt and interrupt.encode() in drawn:
            os.kill(pid, signal.SIGINT)
            interrupt = None
    os.close(master)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return drawn.decode().replace("\r\n", "\n")
