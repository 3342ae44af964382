"""Process 1: reaps whoever loses its parent, passes signals on, ends as its child does.

Linux can make any process the one to whom orphans go (a subreaper), so no container is needed.
"""

import signal
import subprocess
import sys
import time

import pytest

from tests.servers.require import MOUNTS, require

PROGRAM = """
import ctypes, os, signal, subprocess, sys, time
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
real = os.getpid
os.getpid = lambda: 1
from rotator.host.init import split_if_first
split_if_first()
os.getpid = real
print("child of", os.getppid(), flush=True)
"""

LEAVES_A_HELPER = """
subprocess.run(["sh", "-c", "sleep 0.05 & sleep 0.1 & exit 0"], check=True)
end = time.monotonic() + 30
while time.monotonic() < end:
    found = [line.rsplit(")", 1)[1].split() for line in map(stat, filter(str.isdecimal, os.listdir("/proc"))) if line]
    mine = [fields for fields in found if fields[1] == str(os.getppid())]
    if len(mine) == 1:  # this process alone
        sys.exit(7)
    time.sleep(0.02)
sys.exit("helpers or zombies are left: " + repr(mine))
"""

STAT = """
def stat(pid):
    try:
        return open(f"/proc/{pid}/stat").read()
    except OSError:
        return ""
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has containers")


def started(body):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM + STAT + body], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == f"child of {process.pid}\n"
    return process


def ended(process):
    code = process.wait(60)
    process.stdout.close()
    return code


def test_helpers_that_a_command_leaves_behind_are_reaped_and_the_exit_code_is_the_programs():
    assert ended(started(LEAVES_A_HELPER)) == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_program(number):
    body = f"signal.signal({int(number)}, lambda n, f: sys.exit(40)); print('ready', flush=True); time.sleep(60)"
    process = started(body)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert ended(process) == 40


def test_a_program_that_is_killed_ends_it_with_128_and_the_signal():
    assert ended(started("os.kill(os.getpid(), signal.SIGKILL)")) == 128 + signal.SIGKILL


def test_the_program_takes_signals_as_before():
    process = started("print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), flush=True)")
    assert process.stdout.readline() == "[]\n"
    assert ended(process) == 0


def test_any_other_process_does_not_split():
    program = "from rotator.host.init import split_if_first; import os; a = os.getpid(); split_if_first(); "
    program += "print(a == os.getpid())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\n"


def test_where_no_second_process_is_allowed_it_goes_on_alone():
    program = """
import os, signal
def refused():
    raise BlockingIOError(11, "Resource temporarily unavailable")
os.getpid, os.fork = lambda: 1, refused
from rotator.host.init import split_if_first
split_if_first()
print("alone", sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "alone []\n"


@pytest.mark.usefixtures("root")
def test_the_program_itself_is_its_own_init_in_a_container():
    words = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-m", "rotator", "version"]
    began = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if "Operation not permitted" in done.stderr:
        require(*MOUNTS)
    assert (done.returncode, done.stderr) == (0, ""), time.monotonic() - began
    assert done.stdout.startswith("rotator ")
