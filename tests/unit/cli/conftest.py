"""The program run inside the test's own process, in a folder of its own."""

import signal
from dataclasses import dataclass

import pytest

from rotator.cli.main import app


@dataclass(frozen=True)
class Shown:
    """What a run of the program left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def rotator(tmp_path, monkeypatch, capsys):
    """Runs the program with arguments, in `tmp_path` and with no configuration but what is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="rotator")
        found = capsys.readouterr()
        return Shown(int(ended.value.code or 0), found.out, found.err)

    return run
