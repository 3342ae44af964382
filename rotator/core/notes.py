"""The driver's last words about a credential: what each obligation waits for, and which targets could not be used.

A cache for `status`, written on release and read by other processes, so both directions stand here. No decision
reads it. A word that this version does not know is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from rotator.core.credential import NEVER
from rotator.core.reasons import OperatorCode, Reason

TROUBLES, ENDS = "troubles", "ends"
"""The entries of a note that are no obligation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What one obligation waits for.

    Attributes:
        until: provider time, `NEVER` for open end.
        why: the reason, None where a person is needed or the reason is not known.
        code: what a person has to decide, or None.
        subject: the target that it is about, or empty.
        since: provider time at which the question to a person was asked first, 0 where it is not known.
    """

    until: float
    why: Reason | None = None
    code: OperatorCode | None = None
    subject: str = ""
    since: float = 0.0

    @property
    def word(self) -> str:
        """The word for it in documents, or an empty string."""
        return self.code or self.why or ""

    @property
    def text(self) -> str:
        """What people read, or an empty string."""
        return self.why.text if self.why else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why something could not be done when last tried.

    `act` of a target is `check` (write preflight), `read` or the failed act; of a credential or a retirement `mint`,
    `extend`, `accept` (the verification of a new value), `disable` or `delete`.
    """

    act: str
    message: str
    remedy: str = ""


Troubles = Mapping[tuple[str, str], Trouble]
"""By target and act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """All last words about one credential.

    Attributes:
        waits: by `rotation`, `start`, `watch` or token id.
        troubles: targets that could not be used when last tried.
        ends: target that will itself delete what stands there -> when (unix seconds).
    """

    waits: Mapping[str, Waits] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=dict)
    ends: Mapping[str, float] = field(default_factory=dict)


def encode(note: Note) -> str:
    """Return the note as JSON; empty where there is nothing to say."""
    said: dict[str, object] = {name: _plain(waits) for name, waits in note.waits.items()}
    if note.troubles:
        said[TROUBLES] = [{"target": target, **asdict(trouble)} for (target, _), trouble in note.troubles.items()]
    if note.ends:
        said[ENDS] = [{"target": target, "at": at} for target, at in note.ends.items()]
    return json.dumps(said) if said else ""


def decode(text: str) -> Note:
    """Read what `encode` of this or another version wrote; what makes no sense is left out."""
    try:
        said = json.loads(text or "{}")
    except ValueError:
        return Note()
    if not isinstance(said, dict):
        return Note()
    troubles, ends = said.pop(TROUBLES, None), said.pop(ENDS, None)
    return Note(
        waits={name: _waits(found) for name, found in said.items() if isinstance(found, dict)},
        troubles={
            (str(found.get("target", "")), str(found.get("act", ""))): Trouble(
                act=str(found.get("act", "")),
                message=str(found.get("message", "")),
                remedy=str(found.get("remedy", "")),
            )
            for found in (troubles if isinstance(troubles, list) else ())
            if isinstance(found, dict)
        },
        ends={
            str(found.get("target", "")): at
            for found in (ends if isinstance(ends, list) else ())
            if isinstance(found, dict) and (at := _number(found.get("at"), NEVER)) != NEVER
        },
    )


def _plain(waits: Waits) -> dict[str, object]:
    plain: dict[str, object] = {"until": None if waits.until == NEVER else waits.until, "why": waits.word}
    if waits.code:
        plain |= {"code": waits.code, "since": waits.since}
    return plain | ({"subject": waits.subject} if waits.subject else {})


def _waits(found: Mapping[str, object]) -> Waits:
    return Waits(
        until=_number(found.get("until"), NEVER),
        why=None if "code" in found else Reason.of(found.get("why")),
        code=OperatorCode.of(found.get("code")),
        subject=str(found.get("subject", "")),
        since=_number(found.get("since"), 0.0),
    )


def _number(found: object, otherwise: float) -> float:
    return float(found) if isinstance(found, int | float) else otherwise
