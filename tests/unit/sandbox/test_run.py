"""`Sandbox` and `main` inside a process: addresses, ends and exit codes."""

import io
import signal
import threading
import urllib.request

import pytest

from rotator.sandbox import Sandbox, main


class Terminal(io.StringIO):
    """A stdout that sends a signal as soon as the sandbox says that it is ready."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def flush(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_main_ends_with_0_when_asked_and_gives_the_signals_back(monkeypatch, number):
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    terminal = Terminal(number)
    monkeypatch.setattr("rotator.sandbox.run.sys.stdout", terminal)
    assert main("127.0.0.1:0") == 0
    assert terminal.getvalue().startswith("sandbox ready http://127.0.0.1:")
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


def test_main_tells_a_wrong_argument_with_2(capsys):
    assert main("0.0.0.0:1") == 2
    assert "loopback" in capsys.readouterr().err


def test_main_tells_a_world_file_that_is_not_there_with_2(capsys, tmp_path):
    assert main("127.0.0.1:0", world=tmp_path / "none.yaml") == 2
    assert "none.yaml" in capsys.readouterr().err


def test_main_tells_what_cannot_be_opened_with_1(capsys, tmp_path):
    assert main("127.0.0.1:0", tokens_dir="/dev/null/tokens") == 1
    assert "/dev/null" in capsys.readouterr().err


def test_main_tells_an_address_that_is_taken_with_1(capsys):
    with Sandbox() as other:
        taken = other.url.removeprefix("http://").partition("/")[0]
        assert main(taken) == 1
    assert taken in capsys.readouterr().err


def test_a_sandbox_has_no_address_before_it_starts():
    with pytest.raises(RuntimeError, match="start"):
        _ = Sandbox().url


def test_a_sandbox_is_started_once_and_may_be_stopped_twice():
    with Sandbox().start() as sandbox:
        with urllib.request.urlopen(f"{sandbox.control}/tokens", timeout=10) as answer:
            assert answer.status == 200
        sandbox.stop()


def test_a_sandbox_listens_on_ipv6_too():
    with Sandbox("[::1]:0") as sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        with urllib.request.urlopen(f"{sandbox.control}/tokens", timeout=10) as answer:
            assert answer.status == 200


def test_stopping_leaves_no_thread_that_accepts():
    sandbox = Sandbox().start()
    sandbox.stop()
    assert not [each for each in threading.enumerate() if each is sandbox._server._thread and each.is_alive()]
