"""Drafts of the facts of one rotation, as the engine would write them."""

from __future__ import annotations

from typing import Any

from rotator.core import encoding
from rotator.core.credential import Policy, Strategy, Terms
from rotator.core.facts import Draft, Kind
from rotator.core.ports.journal import Journal, Lease
from rotator.core.secret import Secret

RID = "r1"
VALUE = Secret("v1.0-canary-value-0123456789abcdef")


def planned(rid: str = RID, strategy: Strategy = Strategy.RECREATE) -> Draft:
    terms = Terms(policy=Policy(strategy=strategy), targets=frozenset({"t"}), required=frozenset({"t"}))
    return encoding.draft(Kind.PLANNED, at=100, rid=rid, detail=terms.to_json())


def intent(attempt: int = 1, rid: str = RID) -> Draft:
    return encoding.draft(Kind.INTENT, at=101, rid=rid, attempt=attempt, token_name=name(attempt, rid))


def captured(attempt: int = 1, rid: str = RID, token_id: str = "token-1", fingerprint: str = "") -> Draft:
    return encoding.draft(
        Kind.CAPTURED,
        at=102,
        rid=rid,
        attempt=attempt,
        token_id=token_id,
        token_name=name(attempt, rid),
        fingerprint=fingerprint,
        detail={"born": 101.0, "expires_at": 9000.0, "attempt_name": name(attempt, rid)},
    )


def abandoned(attempt: int = 1, rid: str = RID) -> Draft:
    return encoding.draft(Kind.ABANDONED, at=170, rid=rid, attempt=attempt, token_name=name(attempt, rid))


def seen(at: float = 100, **more: Any) -> Draft:
    """A fact that is legal at any time."""
    return encoding.draft(Kind.TARGET_ADDED, at=at, target="t", **more)


def request(identity: str = "q1") -> Draft:
    return encoding.draft(Kind.REQUEST, at=100, actor="alice", detail={"request_id": identity})


def name(attempt: int, rid: str = RID) -> str:
    return f"name-{rid}-{attempt}"


def mine(journal: Journal, draft: Draft, value: Secret) -> Draft:
    """The capture with the value's fingerprint, as the engine fills it in."""
    return captured(draft.what.attempt, draft.rid, draft.what.token_id, journal.fingerprint(value))


def claimed(journal: Journal, stream: str) -> Lease:
    """The lease of a stream that is free."""
    lease = journal.claim(stream)
    assert lease is not None
    return lease


def publication(token_id: str = "token-1", fingerprint: str = "", rid: str = RID) -> list[Draft]:
    """What follows a capture, up to the confirmation at the one target."""
    of: dict[str, Any] = {"rid": rid, "token_id": token_id, "fingerprint": fingerprint}
    at_target = {**of, "target": "t", "generation": 1}
    return [
        encoding.draft(Kind.VERIFIED, at=103, **of),
        encoding.draft(Kind.PUBLISHING, at=104, generation=1, **of),
        encoding.draft(Kind.PUBLISH_INTENT, at=105, **at_target, detail={"version": "1"}),
        encoding.draft(Kind.WRITTEN, at=106, **at_target),
        encoding.draft(Kind.READ_BACK, at=107, **at_target),
        encoding.draft(Kind.CONFIRMED, at=108, generation=1, **of),
    ]
