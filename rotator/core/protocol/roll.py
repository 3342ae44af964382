"""The rows of `roll`: same token, new value, the old value dies at once.

A roll cannot be made safe against a lost answer; it is made to heal: every captured value is an oracle, except the one
from before the roll; if none lives, rolling again is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.credential import NEVER
from rotator.core.facts import Kind, Verified
from rotator.core.protocol.each import each
from rotator.core.protocol.mend import settled
from rotator.core.protocol.recreate import (
    WRITABLE_FRESH,
    closing,
    held,
    mint_or_heal,
    revoked,
    room,
    unmanaged,
    writable,
)
from rotator.core.protocol.rules import Act, Case, Look, Result, Row, Seen, Sight, Verdict, do, need, wait
from rotator.core.protocol.telling import close, of_rotation, record, tell
from rotator.core.reasons import Reason

K = Kind

ALIVE_FRESH: Final = 45.0
"""How old the last sign of life of a rolled value may be, in seconds."""


def _oracle_of(case: Case) -> str:
    return case.rotation.attempt_name


def _value(case: Case) -> str:
    return case.rotation.fingerprint


def _roll_again(case: Case, seen: Seen) -> Verdict | None:
    """The value died before CONFIRMED (a paused process rolled late), or is lost: roll again, while the token lives."""
    died = seen.result in (Result.DEAD, Result.BAD, Result.LOST)
    return rollable(case) or do(Act.MINT)(case) if died else None


def _gone(case: Case, seen: Seen) -> Verdict | None:
    """A token that is not active any more cannot be rolled: close, and let a successor recreate it."""
    if seen.result is not Result.DEAD:
        return None
    return close(case, "its token is not active", dead=True)


def extended(case: Case) -> Verdict | None:
    """A roll does not move the expiry, so it is extended first, proven by GET."""
    endless = case.view.expires_at(case.rotation.token_id) == NEVER
    return None if case.rotation.extended or (endless and not case.can.move_expiry) else do(Act.EXTEND)(case)


def adopt(case: Case) -> Verdict | None:
    """A captured value that lives is the answer that was lost."""
    seen = case.seen.get(Look(Sight.ORACLE, _oracle_of(case)))
    if seen is None or not seen.value:
        return None
    return tell(Verified(**of_rotation(case), fingerprint=seen.value))


rollable = need(
    Sight.TOKEN,
    WRITABLE_FRESH,
    {Result.GOOD},
    Reason.VERIFICATION,
    of=lambda case: case.rotation.token_id,
    otherwise=_gone,
)
oracle = need(Sight.ORACLE, ALIVE_FRESH, {Result.GOOD}, Reason.VERIFICATION, of=_oracle_of)
alive = need(
    Sight.ALIVE, ALIVE_FRESH, {Result.GOOD, Result.UNSURE}, Reason.VERIFICATION, of=_value, otherwise=_roll_again
)
healed = need(Sight.ALIVE, ALIVE_FRESH, {Result.GOOD}, Reason.VERIFICATION, of=_value, otherwise=_roll_again)

ROLL: Final[Mapping[Kind, Row]] = {
    K.PLANNED: (revoked, closing, unmanaged, held, room, writable, settled, rollable, extended, mint_or_heal),
    K.INTENT: (revoked, wait("settle"), oracle, adopt, room, rollable, do(Act.MINT)),
    K.CAPTURED: (
        revoked,
        record(K.VERIFIED),
    ),
    K.VERIFIED: (
        revoked,
        record(K.PUBLISHING),
    ),
    K.PUBLISHING: (revoked, each(Act.WRITE), alive, each(Act.READ_BACK), record(K.CONFIRMED)),
    K.CONFIRMED: (revoked, wait("settle"), healed, record(K.DONE)),
}
