"""What is known of a source connection, as `survey` notes it in the journal and status and metrics read it.

A cache that any process may write and every process reads, so both directions stand here. What another version wrote
and this one does not know is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from rotator.core.plain import NEVER, bounded, unbounded
from rotator.core.reasons import KeepCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Tokens that exist in the connection's scope, and that the provider allows there."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What only a person can do for one of the tokens with which a connection logs in.

    Attributes:
        role: which one.
        code: why.
        message: the same in words.
        remedy: what to do.
        due: by when, unix seconds; `NEVER` where nothing ends.
    """

    role: str
    code: KeepCode
    message: str
    remedy: str
    due: float = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionNote:
    """What was known when a process last asked; None or empty where nobody knows.

    Attributes:
        reachable: whether it answered.
        token_expires_on: role of a management token (`management`, `standby`) -> its end, unix seconds, `NEVER` for
            none.
        accepted: role -> whether the provider accepted the token.
        problem: what the contact complained about, or empty.
        remedy: what to do about that, or empty.
        rate_remaining: requests left of our own budget.
        quota: tokens there.
        orphans: tokens of ours that nothing owns.
        offset: seconds by which the provider's clock was ahead of the wall clock.
        needs: what only a person can do for its tokens.
        renewal: role -> when its partner is to renew that token, unix seconds, `NEVER` for never; empty without a pair.
    """

    reachable: bool | None = None
    token_expires_on: Mapping[str, float] = field(default_factory=dict)
    accepted: Mapping[str, bool] = field(default_factory=dict)
    problem: str = ""
    remedy: str = ""
    rate_remaining: int | None = None
    quota: Quota | None = None
    orphans: int = 0
    offset: float | None = None
    needs: tuple[Need, ...] = ()
    renewal: Mapping[str, float] = field(default_factory=dict)

    @property
    def degraded(self) -> bool:
        """Whether none of its tokens is accepted: nothing is minted and nothing revoked."""
        return bool(self.accepted) and not any(self.accepted.values())


def encode(note: ConnectionNote) -> str:
    """Return the note as JSON."""
    return json.dumps(
        {
            "reachable": note.reachable,
            "token_expires_on": {role: bounded(at) for role, at in note.token_expires_on.items()},
            "accepted": dict(note.accepted),
            "problem": note.problem or None,
            "remedy": note.remedy or None,
            "rate_remaining": note.rate_remaining,
            "quota": {"used": note.quota.used, "limit": note.quota.limit} if note.quota else None,
            "orphans": note.orphans,
            "offset": note.offset,
            "renewal": {role: bounded(at) for role, at in note.renewal.items()},
            "needs": [{**asdict(need), "due": bounded(need.due)} for need in note.needs],
        }
    )


def decode(text: str) -> ConnectionNote:
    """Read what `encode` of this or another version wrote; empty text and nonsense are an empty note."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return ConnectionNote()
    if not isinstance(found, dict):
        return ConnectionNote()
    quota = _mapping(found.get("quota"))
    used, limit = _whole(quota.get("used")), _whole(quota.get("limit"))
    reachable, offset = found.get("reachable"), found.get("offset")
    return ConnectionNote(
        reachable=reachable if isinstance(reachable, bool) else None,
        token_expires_on={role: unbounded(at) for role, at in _mapping(found.get("token_expires_on")).items()},
        accepted={role: is_so for role, is_so in _mapping(found.get("accepted")).items() if isinstance(is_so, bool)},
        problem=_text(found.get("problem")),
        remedy=_text(found.get("remedy")),
        rate_remaining=_whole(found.get("rate_remaining")),
        quota=Quota(used=used, limit=limit) if used is not None and limit is not None else None,
        orphans=_whole(found.get("orphans")) or 0,
        offset=float(offset) if isinstance(offset, int | float) and not isinstance(offset, bool) else None,
        needs=_needs(found.get("needs")),
        renewal={role: unbounded(at) for role, at in _mapping(found.get("renewal")).items()},
    )


def _needs(found: object) -> tuple[Need, ...]:
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return tuple(
        Need(
            role=_text(row.get("role")),
            code=code,
            message=_text(row.get("message")),
            remedy=_text(row.get("remedy")),
            due=unbounded(row.get("due")),
        )
        for row in rows
        if (code := KeepCode.of(row.get("code"))) is not None
    )


def _mapping(found: object) -> Mapping[str, object]:
    return found if isinstance(found, dict) else {}


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _whole(found: object) -> int | None:
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
