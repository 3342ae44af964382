"""The sandbox as a process: its first line, its end, and what a killed one leaves behind."""

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

PROGRAM = "import sys; from rotator.sandbox import main; sys.exit(main(*[each or None for each in sys.argv[1:]]))"


@pytest.fixture
def start(tmp_path):
    """Start sandboxes with `main`'s arguments; those still running at the end are killed."""
    running = []

    def run(listen="127.0.0.1:0", world="", tokens_dir="", state=""):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, listen, str(world), str(tokens_dir), str(state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def ready(process):
    """The API's base, from the first line on stdout."""
    line = process.stdout.readline()
    assert line.startswith("sandbox ready http://127.0.0.1:"), process.stderr.read()
    return line.removeprefix("sandbox ready ").strip()


def verify(url, value):
    request = urllib.request.Request(f"{url}/user/tokens/verify", headers={"Authorization": f"Bearer {value}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_with_0_when_asked(start, number):
    process = start()
    url = ready(process)
    assert url.endswith("/client/v4")
    assert verify(url, "x" * 40) == 401
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_it_answers_as_soon_as_it_is_ready_with_the_tokens_that_it_wrote(start, tmp_path):
    url = ready(start(tokens_dir=tmp_path / "tokens"))
    assert verify(url, (tmp_path / "tokens" / "user-management").read_text()) == 200


def test_a_killed_sandbox_comes_back_with_its_tokens(start, tmp_path):
    first = start(tokens_dir=tmp_path / "tokens", state=tmp_path / "state.json")
    value_at = tmp_path / "tokens" / "user-management"
    ready(first)
    value = value_at.read_text()
    first.kill()
    first.wait(20)
    url = ready(start(tokens_dir=tmp_path / "tokens", state=tmp_path / "state.json"))
    assert value_at.read_text() == value
    assert verify(url, value) == 200


def test_an_address_that_is_taken_is_told_and_the_exit_is_1(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start(address)
        assert process.wait(20) == 1
    assert address in process.stderr.read()


@pytest.mark.parametrize(
    "arguments,said",
    [({"listen": "0.0.0.0:8980"}, "loopback"), ({"listen": "here"}, "HOST:PORT"), ({"world": "/dev/null"}, "accounts")],
)
def test_a_wrong_argument_is_told_and_the_exit_is_2(start, arguments, said):
    process = start(**arguments)
    assert process.wait(20) == 2
    assert said in process.stderr.read()
    assert process.stdout.read() == ""


def test_a_file_that_is_missing_is_a_usage_error(start, tmp_path):
    process = start(world=tmp_path / "none.yaml")
    assert process.wait(20) == 2
    assert "none.yaml" in process.stderr.read()
