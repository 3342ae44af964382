"""A finding of `check`: what was looked at, how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `check`.

    Attributes:
        level: ok, warn or fail.
        subject: what it is about (`credential workers-deploy`, `connection prod`).
        code: a short stable word.
        message: what was found, one sentence, no value.
        remedy: what to do, or empty.
    """

    level: Level
    subject: str
    code: str
    message: str
    remedy: str = ""
