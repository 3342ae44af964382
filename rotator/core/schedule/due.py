"""Is a rotation due, and why? An ordered tuple of named checks; the first that answers wins. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from rotator.core.credential import NEVER, Credential
from rotator.core.ids import CredentialId
from rotator.core.protocol.mend import Fix, fix
from rotator.core.protocol.rules import TICK, Case, Result, Sight
from rotator.core.protocol.view import View

JITTER: Final = 0.1
"""Share of `renew_before` by which a renewal is moved, either way: a fleet made in one hour does not renew in one."""


class Due(StrEnum):
    """Why a rotation is planned; the word stays in its terms. `urgent` ones are never held back by pacing."""

    urgent: bool

    def __new__(cls, word: str, urgent: bool = False) -> Self:
        """Make a member out of its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.urgent = urgent
        return member

    FIRST = "first", True
    REVOKED = "revoked", True
    DEAD = "dead", True
    UNREADABLE = "unreadable"
    MOVED = "moved", True
    UNKNOWN = "unknown"
    REQUESTED = "requested", True
    DISPLACED = "displaced"
    CHANGED = "changed"
    EMERGENCY = "emergency", True
    RENEWAL = "renewal"
    DRIFT = "drift"


@lru_cache(maxsize=65536)
def jitter(credential_id: CredentialId, generation: int) -> float:
    """Return a stable number in [-JITTER, JITTER) from the credential's id and its generation."""
    digest = hashlib.sha256(f"{credential_id}:{generation}".encode()).digest()
    return JITTER * (int.from_bytes(digest[:8], "big") / 2**63 - 1)


def renewal_at(credential: Credential, view: View) -> float:
    """Provider time at which the next ordinary rotation is due; `NEVER` without expiry or `every`; 0 before any.

    The earliest of expiry minus a jittered `renew_before`, and the last rotation plus `every`, which counts from the
    issue of the token where nothing was rotated yet. A token without expiry whose successor will have one (it was
    adopted, or the lifetime was configured later) is treated as if it ended one lifetime after its issue.
    """
    token = view.tokens.get(view.current)
    if token is None:
        return 0.0
    policy = credential.policy
    early = policy.renew_before * (1 + jitter(credential.id, view.generation))
    # the end alone where there is one: a roll moves it, and the issue stays where it was
    ends = token.born + policy.lifetime if token.expires_at == NEVER else token.expires_at
    by_expiry = ends - TICK - early
    by_age = (view.confirmed_at or token.born) + policy.every if policy.every else NEVER
    return min(by_expiry, by_age)


def emergency_at(credential: Credential, view: View) -> float:
    """Provider time at which the current token's emergency window opens; `NEVER` where it has no expiry."""
    token = view.tokens.get(view.current)
    if token is None or token.expires_at == NEVER:
        return NEVER
    return token.expires_at - TICK - credential.policy.emergency(token.expires_at - token.born)


def deadline(credential: Credential, view: View) -> float:
    """Provider time after which a rotation cannot finish before expiry: settle and propagation still fit."""
    token = view.tokens.get(view.current)
    if token is None or token.expires_at == NEVER:
        return NEVER
    return token.expires_at - TICK - credential.policy.settle - credential.policy.propagation


def first(case: Case) -> bool:
    """Nothing was ever published."""
    return not case.view.current


def revoked(case: Case) -> bool:
    """The current token was revoked."""
    return case.view.uncured


def dead(case: Case) -> bool:
    """The published value is dead."""
    return case.dead(case.view.fingerprint)


def unreadable(case: Case) -> bool:
    """The published value cannot be opened any more and could be read nowhere: it can never be published again."""
    return case.result(Sight.ALIVE, case.view.fingerprint) is Result.LOST


def unknown(case: Case) -> bool:
    """A restored journal knows too little of a required write-only target: only a new value is certain there."""
    names = case.credential.required & case.markers
    return any(case.result(Sight.STANDS, name) is Result.UNKNOWN for name in names)


def moved(case: Case) -> bool:
    """The current token lives in a scope that the credential left."""
    scope = case.view.scope_of(case.view.current)
    return bool(scope) and bool(case.credential.scope) and scope != case.credential.scope


def requested(case: Case) -> bool:
    """An operator asked for it."""
    return case.view.request is not None


def displaced(case: Case) -> bool:
    """The last rotation was displaced."""
    return case.view.want


def changed(case: Case) -> bool:
    """The configuration asks for another token than the current one is, and only a new one will do."""
    return fix(case.credential, case.view, case.can) is Fix.ROTATE


def emergency(case: Case) -> bool:
    """The current token is in its emergency window."""
    return case.now >= emergency_at(case.credential, case.view)


def renewal(case: Case) -> bool:
    """Expiry minus `renew_before`, or the last rotation plus `every`, has come."""
    return case.now >= renewal_at(case.credential, case.view)


CHECKS: Final[Mapping[Due, Callable[[Case], bool]]] = {
    Due.FIRST: first,
    Due.REVOKED: revoked,
    Due.DEAD: dead,
    Due.UNREADABLE: unreadable,
    Due.MOVED: moved,
    Due.UNKNOWN: unknown,
    Due.REQUESTED: requested,
    Due.DISPLACED: displaced,
    Due.CHANGED: changed,
    Due.EMERGENCY: emergency,
    Due.RENEWAL: renewal,
}
"""Asked in this order."""


def why_due(case: Case) -> Due | None:
    """Return the reason of the first check that says yes, or None."""
    return next((why for why, check in CHECKS.items() if check(case)), None)
