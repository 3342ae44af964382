"""Whose an unknown value is: another credential's, nobody's by its shape, or the provider is asked.

Only text of the shape of the source's own values is ever sent to the provider. A value that the journal does not know
is never called dead because somebody refused it: another account's is refused here and lives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rotator.core.credential import Credential
from rotator.core.durations import HOUR
from rotator.core.errors import Barred, Refused, Unavailable
from rotator.core.ids import NO_TOKEN, CredentialId, Fingerprint, TokenId
from rotator.core.ports.journal import Journal
from rotator.core.ports.source import Source, TokenState
from rotator.core.protocol.names import AttemptName, is_of, parse
from rotator.core.secret import Secret
from rotator.engine.work import Doubt, Work

SILENCE: Final = 10
"""Times the span of a proof without any refusal after which earlier ones count no more."""

EAGER: Final = 600.0
"""Seconds for which the provider is asked at every watch whose an unknown value is."""

SELDOM: Final = HOUR
"""Seconds between two questions after that."""


class Whose(StrEnum):
    """Whose an unknown value is, as the provider says."""

    ADOPTED = "adopted"
    OURS = "ours"
    FOREIGN = "foreign"
    REFUSED = "refused"
    BARRED = "barred"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Other:
    """A value of another credential of ours: its stream, its token, and whether it may be written over here.

    `managed`: whether it is configured. A value of one that left the configuration may be ours by its name.
    `leaving`: whether that credential is configured to be elsewhere, and has not journaled yet that it left this place.
    """

    stream: CredentialId
    token_id: TokenId
    free: bool
    managed: bool
    leaving: bool = False


def refused(work: Work, fingerprint: Fingerprint, source: Source | None = None) -> bool:
    """Note that a value of ours was refused; True once it is proven dead: three times over two minutes.

    The first refusals are kept, not the last ones: many targets that hold the same value ask so often that ten refusals
    never span two minutes. After a long silence counting starts again. While the control is refused nothing counts.
    """
    if not (source or work.source).control():
        return False
    now, doubt = work.now, work.memory.doubts.setdefault(fingerprint, Doubt())
    fresh = bool(doubt.times) and now - doubt.times[-1] <= SILENCE * work.tuning.doubt
    doubt.times = (*doubt.times[:9], now) if fresh else (now,)
    return len(doubt.times) >= 3 and now - doubt.times[0] >= work.tuning.doubt


def minted_for(work: Work, name: AttemptName, *, inherits: bool = False) -> bool:
    """Whether a token of that name is this credential's: of an attempt of its own, or else by the name's base.

    A name says what the credential was called when the token was made. After a rename its own tokens bear the former
    name; another credential that is called so now must not take them for its own, for it would retire them.
    With `inherits`, a token whose credential left the configuration is its own, too: a rename that was taken back.
    """
    if str(name) in work.view.attempts:
        return True
    if not is_of(name, work.credential.name, work.source.can.name_length):
        return False
    if name.instance != work.journal.instance:
        return True
    return work.journal.stream_of(name.rid, managed=inherits) in ("", work.stream)


def adoptable(work: Work, state: TokenState) -> bool:
    """Whether a token may be taken over: not one that another managed credential minted, which would lose it."""
    name = parse(state.name)
    if name is None or name.instance != work.journal.instance:
        return True
    return work.journal.stream_of(name.rid, managed=True) in ("", work.stream)


def named_for_adoption(work: Work) -> TokenId:
    """Return the id of the token that the credential takes over, empty where it may not have it, or nobody knows."""
    adopt, view = work.credential.adopt, work.view
    if not adopt or adopt in view.tokens or adopt in view.marked or adopt in view.retirements:
        return adopt
    try:
        state = work.source.get(adopt)
    except (Unavailable, Refused):
        return NO_TOKEN  # asked again at the next occasion
    return adopt if state is None or adoptable(work, state) else NO_TOKEN


def whose(work: Work, value: Secret) -> tuple[Whose, TokenState | None]:
    """Ask the provider whose an unknown value of its own shape is; raises what the source raises."""
    try:
        token_id = work.source.verify(value)
    except Barred:
        return Whose.BARRED, None  # somebody's living token that this host may not use
    if token_id is None:
        return (Whose.REFUSED if work.source.control() else Whose.UNSURE), None
    state = work.source.get(token_id)
    if state is None:
        return Whose.UNSURE, None
    if state.id == work.credential.adopt and adoptable(work, state):
        return Whose.ADOPTED, state
    name = parse(state.name)
    return (Whose.OURS if name and minted_for(work, name, inherits=True) else Whose.FOREIGN), state


def may_ask(work: Work, target: str, fingerprint: Fingerprint) -> bool:
    """Whether the provider is asked now whose a value is that overrides a target: often at first, then hourly."""
    view, asked = work.view, work.memory.asked
    last = asked.get((target, fingerprint))
    young = view.overridden.get(target) != fingerprint or work.now - view.overridden_at[target] <= EAGER
    if last is not None and not young and work.now - last < SELDOM:
        return False
    asked[target, fingerprint] = work.now
    return True


def another(work: Work, target: str, fingerprint: Fingerprint) -> Other | None:
    """Return the other credential of ours whose value this is, None where the journal knows none.

    It may be written over where its token is marked or gone, or where that credential has left this place.
    """
    return another_of(work.journal, work.credential, work.stream, target, fingerprint, work.fleet.serves)


def another_of(
    journal: Journal,
    credential: Credential,
    of: CredentialId,
    target: str,
    fingerprint: Fingerprint,
    serves: Callable[[str, CredentialId], bool],
) -> Other | None:
    """Return the same of the stream `of` without a pass: for whoever only looks."""
    found = journal.owner_of(fingerprint, of)
    if found is None:
        return None
    stream, token, managed = found
    theirs = journal.view(stream)
    used = {theirs.current, theirs.rotation.token_id if theirs.rotation else ""} | theirs.retirements.keys()
    place = next((t.place for t in credential.targets if t.name == target), "")
    had = theirs.spec.get("places")
    places = set(had.values() if isinstance(had, dict) else ())
    left = set(theirs.vacated.values()) | (set() if managed else places)
    free = token in theirs.marked or token not in used or (bool(place) and place in left)
    leaving = managed and not free and place in places and not serves(place, stream)
    return Other(stream, token, free, managed, leaving)
