"""A finding of `check`: what was looked at, how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class About(StrEnum):
    """The kinds of things that something can be said of; the value is the word in log lines and in `check`."""

    CONFIGURATION = "configuration"
    STATE = "state"
    LOG = "log"
    CONNECTION = "connection"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True)
class Subject:
    """What something is said of: the whole of a kind, or the one of that name; `target`: one target of a credential."""

    about: About
    name: str = ""
    target: str = ""

    def __str__(self) -> str:
        """Return it in words for people: `credential workers-deploy, target hub`."""
        named = f"{self.about} {self.name}" if self.name else str(self.about)
        return f"{named}, target {self.target}" if self.target else named

    def fields(self) -> dict[str, str]:
        """Return the fields of a log line about it."""
        named = {self.about.value: self.name} if self.name else {"subject": self.about.value}
        return {**named, "target": self.target} if self.target else named

    def at(self, target: str) -> Subject:
        """Return one target of this credential."""
        return replace(self, target=target)


CONFIGURATION: Final = Subject(About.CONFIGURATION)
STATE: Final = Subject(About.STATE)
LOG: Final = Subject(About.LOG)


def of_connection(name: str) -> Subject:
    """Return the connection of that name."""
    return Subject(About.CONNECTION, name)


def of_credential(name: str) -> Subject:
    """Return the credential of that name."""
    return Subject(About.CREDENTIAL, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `check`.

    Attributes:
        level: ok, warn or fail.
        subject: what it is about.
        code: a short stable word.
        message: what was found, one sentence, no value.
        remedy: what to do, or empty.
    """

    level: Level
    subject: Subject
    code: str
    message: str
    remedy: str = ""
