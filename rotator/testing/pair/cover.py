"""Every state of a pair that its rules tell apart, and the laws that their answers must keep: an exhaustive cover.

A mutant is a row without one of its rules; it is caught where its answer breaks a law in some state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Final

from rotator.core.durations import DAY
from rotator.core.ids import Fingerprint, TokenId
from rotator.core.protocol.keep import END, KEEP, VALUE, answer
from rotator.core.protocol.keeping import Holds, KeepCase, KeepPolicy, KeepRow, Standing
from rotator.core.protocol.pair_view import MemberView, Phase, Tries
from rotator.core.protocol.rules import Act, Action, Do, Result
from rotator.core.protocol.view import View

NOW: Final = 1_000_000_000.0
LIFE: Final = 90 * DAY
POLICY: Final = KeepPolicy(rolls=True)
ME, PARTNER = TokenId("a"), TokenId("b")


def _value(text: str) -> Fingerprint:
    return Fingerprint(text)


@dataclass(frozen=True, slots=True)
class State:
    """One state: what may be wrong with the member, with its partner, and when things happened last."""

    accepted: Result
    stands: str
    due: bool
    old: bool
    writable: bool
    partner: str
    sent: float
    shown: bool
    tried: bool


PARTNERS: Final = (
    *("works", "dead", "unsure", "unable", "other", "stale", "rolling"),
    *("not durable", "not in place", "just rolled", "just extended"),
)

STATES: Final = tuple(
    State(*values)
    for values in product(
        (Result.GOOD, Result.DEAD, Result.UNSURE),
        ("current", "captured", "older", "strange", "nothing", "unreadable"),
        (False, True),
        (False, True),
        (False, True),
        PARTNERS,
        (10.0, 1000.0),
        (False, True),
        (False, True),
    )
)


def case_of(row: str, state: State) -> KeepCase:
    """Return the case of one state in which that row is asked about token `a`."""
    ends = NOW + (DAY * 20 if state.due else 80 * DAY)
    me = MemberView(
        token_id=ME,
        role="one",
        life=LIFE,
        expires_at=ends,
        fingerprint=_value("a1"),
        fresh_at=NOW - (80 * DAY if state.old else DAY),
        attempt=1,
        sent_at=NOW - state.sent,
        tries={act: Tries(1, NOW - 5) for act in ("extend", "mint", "write")} if state.tried else {},
    )
    wanted = NOW + 85 * DAY
    if row == Phase.EXTENDING:
        me = replace(me, extending=wanted)
    elif row == Phase.ROLLING:
        me = replace(me, rolling=True)
    elif row == Phase.CAPTURED:
        me = replace(me, captured=_value("a2"), captured_at=NOW - state.sent)
    other = MemberView(token_id=PARTNER, role="two", life=LIFE, expires_at=NOW + 60 * DAY, fingerprint=_value("b1"))
    if state.partner == "rolling":
        other = replace(other, rolling=True)
    elif state.partner == "just rolled":
        other = replace(other, rolled_at=NOW - 60)
    elif state.partner == "just extended":
        other = replace(other, extended_at=NOW - 60)
    values = {_value("a0"): ME, _value("a1"): ME, _value("a2"): ME}
    if state.partner != "not durable":
        values[_value("b1")] = PARTNER
    stands = {"current": "a1", "captured": "a2", "older": "a0", "strange": "x"}.get(state.stands, "")
    holds = {"nothing": Holds.NOTHING, "unreadable": Holds.UNREADABLE}.get(state.stands, Holds.VALUE)
    good = state.accepted is Result.GOOD
    seen = Standing(
        role="one",
        at=NOW,
        holds=holds,
        fingerprint=_value(stands),
        accepted=state.accepted,
        token_id=ME if good else TokenId(""),
        able=True,
        expires_at=wanted if state.shown and row == Phase.EXTENDING else ends if good else None,
        writable=state.writable,
    )
    accepted = {"dead": Result.DEAD, "unsure": Result.UNSURE}.get(state.partner, Result.GOOD)
    there = Standing(
        role="two",
        at=NOW - (100 if state.partner == "stale" else 0),
        holds=Holds.VALUE,
        fingerprint=_value("b0" if state.partner == "not in place" else "b1"),
        accepted=accepted,
        token_id=TokenId("c") if state.partner == "other" else PARTNER,
        able=state.partner != "unable",
        expires_at=NOW + 60 * DAY,
        writable=True,
    )
    view = View(pair={ME: me, PARTNER: other}, values=values)
    return KeepCase(view=view, standings={"one": seen, "two": there}, policy=POLICY, now=NOW, token_id=ME)


_REPLACED: Final = {True: ("older", "nothing", "current"), False: ("older", "nothing", "captured")}
"""Whether a new value is on its way -> what it may be written over."""


def broken(row: str, state: State, case: KeepCase, rules: KeepRow) -> Iterator[str]:
    """Name the laws that the row's answer breaks in a state."""
    verdict = answer(rules, case)
    action = verdict.actions[0] if isinstance(verdict, Do) else None
    if action is None:
        if wanted(row, state):
            yield "neglected"
        return
    if action.act in (Act.EXTEND, Act.MINT):
        yield from _acting(row, state, action)
    if action.act is Act.WRITE and state.stands not in _REPLACED[row == Phase.CAPTURED]:
        yield "foreign" if state.stands == "strange" else "pointless"
    if action.act in (Act.EXTEND, Act.MINT, Act.WRITE) and state.tried:
        yield "restless"
    if action.act is Act.RECORD and not (state.shown if row == Phase.EXTENDING else state.stands == "captured"):
        yield "unproven"


def _acting(row: str, state: State, action: Action) -> Iterator[str]:
    if state.partner in ("dead", "unsure", "unable", "other"):
        yield "dead actor"
    if state.partner == "stale":
        yield "unproven actor"
    if row in (END, VALUE, Phase.EXTENDING) and state.accepted is not Result.GOOD:
        yield "dead victim"
    if row == END and (not state.due or state.partner == "just extended"):
        yield "too early"
    if row == Phase.EXTENDING and state.shown:
        yield "restless"
    if row == VALUE and (not state.old or not state.writable):
        yield "too early"
    if action.act is Act.MINT:
        if state.partner in ("rolling", "not durable"):
            yield "locked out"
        if row == VALUE and state.partner in ("not in place", "just rolled"):
            yield "locked out"
        if row in (Phase.ROLLING, Phase.CAPTURED) and state.sent < POLICY.settle:
            yield "unsettled"
        if row == Phase.CAPTURED and (state.accepted is not Result.DEAD or state.stands != "captured"):
            yield "given up"


def wanted(row: str, state: State) -> bool:
    """Whether something must be done in a state in which nothing is wrong."""
    if state.partner != "works" or state.tried or state.sent < POLICY.settle:
        return False
    if row == END and state.stands in _REPLACED[False]:
        return state.writable
    if row == END:
        return state.accepted is Result.GOOD and state.stands == "current" and state.due
    if row == VALUE:
        return state.accepted is Result.GOOD and state.old and state.writable
    if row == Phase.EXTENDING:
        return state.accepted is Result.GOOD
    if row == Phase.ROLLING:
        return True
    return state.stands in ("older", "nothing", "current") or (
        state.stands == "captured" and state.accepted is Result.GOOD
    )


def mutants() -> Iterator[tuple[str, str, KeepRow]]:
    """Every row without one of its rules: name of the mutant, of the row, and what is left of it."""
    for name, row in KEEP.items():
        for at, rule in enumerate(row):
            yield f"{name} {at + 1} {rule.__name__}", str(name), row[:at] + row[at + 1 :]


def laws(row: str, rules: KeepRow) -> frozenset[str]:
    """Return all laws that a row breaks in any state."""
    found: set[str] = set()
    for state in STATES:
        found |= set(broken(row, state, case_of(row, state), rules))
    return frozenset(found)


ROWS: Final = MappingProxyType({str(name): row for name, row in KEEP.items()})
