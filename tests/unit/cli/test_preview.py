"""An act says what it will do and asks once, where a person sits at a terminal and nowhere else."""

import io
import sys

import pytest

from rotator.cli.preview import LONGEST, agreed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Answers what the person types, and returns what that person was shown."""

    def sit(typed: str, *, where: tuple[str, ...] = ("stdin", "stderr")) -> io.StringIO:
        streams = {"stdin": io.StringIO(typed), "stderr": io.StringIO()}
        streams |= {name: Terminal(typed if name == "stdin" else "") for name in where}
        monkeypatch.setenv("TERM", "xterm")
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
        return streams["stderr"]

    return sit


@pytest.mark.parametrize(
    ("typed", "goes_on"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_only_a_yes_is_a_yes(terminal, typed, goes_on):
    shown = terminal(typed)

    assert agreed(["pause a", "pause b"], yes=False) is goes_on
    assert shown.getvalue().startswith("pause a\npause b\ngo on? [y/N] ")
    assert ("nothing was done" in shown.getvalue()) is not goes_on


def test_nobody_is_asked_who_said_yes_before(terminal):
    shown = terminal("n\n")

    assert agreed(["pause a"], yes=True)
    assert shown.getvalue() == ""


@pytest.mark.parametrize("where", [(), ("stdin",), ("stderr",)])
def test_without_a_terminal_it_goes_on_without_a_question(terminal, where):
    shown = terminal("n\n", where=where)

    assert agreed(["pause a"], yes=False)
    assert shown.getvalue() == ""


def test_a_long_preview_is_counted(terminal):
    shown = terminal("y\n")
    agreed([f"pause c{number}" for number in range(LONGEST + 3)], yes=False)

    assert "and 3 more\n" in shown.getvalue()
    assert f"c{LONGEST}\n" not in shown.getvalue()
