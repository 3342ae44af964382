"""What is to be done about a living token that differs from what is asked for. Pure.

An update in place changes no value and never sends a status or another end, so what is published stays as alive as it
was. One that may still arrive is waited for before it is repeated, before a roll, and before its token is disabled.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from rotator.core.credential import Can, Credential
from rotator.core.drift import MENDED, RIGHTS, OnChange, OnDrift
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.protocol.backoff import not_before
from rotator.core.protocol.rules import TICK, Act, Action, Case, Do, Look, Sight, Verdict, Wait, look
from rotator.core.protocol.view import View
from rotator.core.reasons import Reason

SELDOM: Final = 10
"""Times the first back-off between two changes of one token: whoever keeps changing it back is not answered at once."""


class Fix(StrEnum):
    """How a difference is put right."""

    NONE = "none"
    UPDATE = "update"
    ROTATE = "rotate"
    KEEP = "keep"


_ACTS: Final = {Fix.UPDATE: Act.UPDATE, Fix.KEEP: Act.KEEP}


def subject(credential: Credential, view: View) -> TokenId:
    """Return the token that is compared: the current one, or the one that is only watched."""
    return view.current or (TokenId(credential.adopt) if credential.watched else NO_TOKEN)


def reconfigured(credential: Credential, view: View) -> bool:
    """Whether the current token differs because the configuration asks for something else now."""
    token, drift = view.tokens.get(view.current), view.drift.get(view.current)
    if token is None or drift is None or not drift.parts & RIGHTS or drift.digest != credential.digest:
        return False
    return bool(token.digest) and token.digest != credential.digest


def fix(credential: Credential, view: View, can: Can) -> Fix:
    """Return what is to be done about the current token."""
    drift = view.drift.get(view.current)
    if drift is None or not drift.parts & MENDED or credential.watched:
        return Fix.NONE
    in_place = Fix.UPDATE if can.update else Fix.ROTATE if can.overlap else Fix.NONE
    if reconfigured(credential, view):
        widens = any(one.widens for one in drift.differences if one.part in RIGHTS)
        asked = credential.on_change
        if asked is OnChange.UPDATE or (asked is OnChange.AUTO and not widens):
            return in_place
        return Fix.ROTATE if can.overlap else in_place
    wanted = {OnDrift.REPORT: Fix.NONE, OnDrift.RESTORE: in_place, OnDrift.ADOPT: Fix.KEEP}
    return wanted[credential.on_drift]


def under_way(case: Case, token: TokenId) -> float:
    """Provider time until which a change of that token may still arrive; 0 where none was sent."""
    sent = case.view.updating.get(token)
    return 0.0 if sent is None else sent + case.credential.policy.settle + TICK


def settled(case: Case) -> Verdict | None:
    """Nothing that was sent to change the token may still arrive: it could undo what comes now."""
    token = case.retired.token_id if case.retirement else case.rotation.token_id
    until = under_way(case, token)
    return Wait(until, Reason.SETTLE) if case.now < until else None


def mend(case: Case) -> Verdict | None:
    """Put the current token right where that is asked for, at most now and then."""
    view, token = case.view, case.view.current
    until = under_way(case, token)
    if case.now < until:
        return Wait(until, Reason.SETTLE)
    if until:  # nobody knows whether it arrived: the provider is asked before anything is sent again
        seen = case.seen.get(Look(Sight.DRIFT, token))
        if seen is None or seen.at < until:
            return look(Sight.DRIFT, token)
    wanted = fix(case.credential, view, case.can)
    if wanted not in (Fix.UPDATE, Fix.KEEP) or case.start is not None or case.incident:
        return None
    if view.ahead and view.cleared_at < view.ahead_at:
        return None
    failures = {(Act.UPDATE.value, ""): failed} if (failed := view.unmended.get(token)) else {}
    again = view.updated.get(token, 0.0) + SELDOM * case.credential.policy.retry if token in view.updated else 0.0
    again = max(again, not_before(failures, Act.UPDATE, "", case.credential.policy.retry))
    return Wait(again, Reason.DRIFT) if case.now < again else Do((Action(_ACTS[wanted], token_id=token),))
