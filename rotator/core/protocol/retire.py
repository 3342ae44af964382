"""The rows of a retirement: one per old or abandoned token, beside and independent of later rotations.

Destruction needs an irrevocable fact about an *id* (SUPERSEDED or CONDEMNED); no transition may ever publish an id so
marked, so a stale process that sends its request late is harmless. Before each disable and delete every target, present
and past, is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.facts import Condemned, Draft, Kind
from rotator.core.ids import TokenId
from rotator.core.protocol.mend import settled
from rotator.core.protocol.rules import TICK, Act, Case, Look, Result, Row, Sight, Verdict, Wait, do, need, wait
from rotator.core.protocol.steps import never_published
from rotator.core.protocol.telling import record
from rotator.core.reasons import Reason

K = Kind

READ_FRESH: Final = 30.0
"""How old a reading of the targets may be when a token is destroyed, in seconds."""

QUIET_FRESH: Final = 60.0
"""How old the provider's word on the last use may be, in seconds; an UNPUBLISHED look hears that word, too."""


def _token(case: Case) -> TokenId:
    return case.retired.token_id


def held(case: Case) -> Verdict | None:
    """An operator's pause stops retirements."""
    pause = case.view.pause
    if pause is None or case.now >= pause.until:
        return None
    return Wait(min(pause.until, case.now + case.watch), Reason.PAUSED)


def report_only(case: Case) -> Verdict | None:
    """After a restored journal nothing older than the restore is retired until an operator has confirmed it."""
    view, token = case.view, case.view.tokens.get(_token(case))
    if not view.ahead or view.cleared_at >= view.ahead_at or (token and token.born > view.ahead_at):
        return None
    return Wait(case.now + case.sweep, Reason.RESTORED_JOURNAL)


SILENT: Final = Reason.PROVIDER_SILENT
unpublished = need(
    Sight.UNPUBLISHED, READ_FRESH, {Result.GOOD, Result.DEAD}, Reason.STILL_PUBLISHED, of=_token, unsure=SILENT
)
in_sync = need(Sight.IN_SYNC, READ_FRESH, {Result.GOOD}, Reason.TARGETS_NOT_IN_SYNC)
quiet = need(Sight.QUIET, QUIET_FRESH, {Result.GOOD}, Reason.STILL_USED, of=_token, unsure=SILENT)


def condemn(case: Case) -> Verdict | None:
    """A token that was never published needs no grace, only silence."""
    condemned = Condemned(token_id=_token(case))
    if never_published(case.view, condemned, Draft(what=condemned, at=case.now)):
        return None
    return quiet(case) or record(K.CONDEMNED)(case)


def witnessed(case: Case) -> Verdict | None:
    """What cannot be read, or is pasted elsewhere, shows no use: its old token's end needs a word, or silence seen.

    A word names a generation, and counts against tokens of earlier ones. It shortens neither grace nor quiet.
    Which one a token older than a restore had there may be lost: then the word must be about a later publication.
    """
    view, token = case.view, _token(case)
    seen = case.seen.get(Look(Sight.UNPUBLISHED, token))
    if seen is not None and seen.result is Result.DEAD:
        return None
    blind = (case.markers | case.credential.pasted) & case.credential.required
    lost = view.ahead_generation if view.before_restore(token) else None
    had = {t: n for t in sorted(blind) if (n := view.generations.get((t, token), lost)) is not None}
    unsaid = [t for t, generation in had.items() if view.acks.get(t, 0) <= generation]
    if not unsaid or (case.can.last_use and case.policy.quiet > 0):
        return None
    return Wait(case.now + case.watch, Reason.UNACKNOWLEDGED, unsaid[0])


def only_deletes(case: Case) -> Verdict | None:
    """A source that cannot disable: the soak comes before the only act, which nobody can undo."""
    if case.can.disable:
        return None
    return wait("soak")(case) or in_sync(case) or do(Act.DELETE)(case)


def grace(case: Case) -> Verdict | None:
    """Counts from the last moment at which a target was seen to hold the old value; a dead token needs none."""
    seen = case.seen.get(Look(Sight.UNPUBLISHED, _token(case)))
    if seen is not None and seen.result is Result.DEAD:
        return None
    since = max(case.retired.opened, case.view.let_go.get(_token(case), 0.0))
    until = since + case.policy.grace + TICK
    return Wait(until, Reason.GRACE) if case.now < until else None


def grace_anew(case: Case) -> Verdict | None:
    """A target that came back with the old value and let it go after the mark: its consumers get their grace, too."""
    return grace(case) if case.view.let_go.get(_token(case), 0.0) > case.retired.since else None


RETIRE: Final[Mapping[Kind, Row]] = {
    K.RETIREMENT: (held, report_only, condemn, unpublished, grace, in_sync, quiet, witnessed, record(K.SUPERSEDED)),
    K.SUPERSEDED: (held, unpublished, grace_anew, settled, only_deletes, do(Act.DISABLE)),
    K.CONDEMNED: (held, unpublished, only_deletes, do(Act.DISABLE)),
    K.DISABLED: (held, wait("soak"), in_sync, unpublished, do(Act.DELETE)),
    K.DELETED: (record(K.RETIRED),),
}
