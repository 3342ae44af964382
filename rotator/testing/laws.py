"""The laws: what must hold of every run, by name. The simulation's judge and the state cover report the same ones.

A law is about the world outside (tokens, places, what was destroyed) or about a fact that must not become durable. None
asks the daemon for its opinion of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Law(StrEnum):
    """Every law; the value says what must hold."""

    CAPTURE_FIRST = "a value is durable before it stands anywhere"
    SPOOLED = "a value that was spooled is captured in the end"
    LOST = "a live value of every credential exists, in the journal or at a target"
    ABANDONED = "an attempt is not given up once it was captured"
    SETTLED = "nothing is minted while an earlier request of the same rotation may still arrive"
    WASTED = "no captured value that lives is rolled over before it was published"
    WRITABLE = "nothing is minted, and no publication begins, while a required target refuses it; urgent ones do"
    ROOM = "nothing is minted while the journal has no room"
    DEAD = "a value that we destroyed, or that expired, is never written"
    UNPROVEN = "what is called verified was accepted by the provider just before, with the right grants"
    LAG = "nothing is written before the provider accepts it"
    GRANTS = "nothing is written whose grants are not those of the terms"
    STALE = "a value was verified shortly before it is written"
    REGRESS = "no older value replaces a newer one"
    OVERRIDE = "a live value of somebody else is not overwritten"
    STRANGER = "text that is not ours is not overwritten without leave"
    SENT = "nothing is sent to the provider that cannot be its value"
    FOREIGN = "a token that is not ours is not touched"
    PUBLISHED = "no token is ended while its value stands at a target that counts"
    SYNC = "no token is ended while a required target holds none of the values that are published"
    TRUE_MARK = "only a token whose value may have stood somewhere is superseded; any other one is condemned"
    GRACE = "no token is ended within grace of its last target"
    QUIET = "no token is ended within quiet of its last use"
    WITNESS = "no token is ended that a write-only target held before its silence was seen or a consumer spoke"
    SOAK = "a token is deleted only when it was disabled for the soak time"
    EXPIRED = "no published value reaches its end"
    DOUBT = "no value is replaced as dead while it lives"
    LATE_ROLL = "no roll of ours kills a value that was published after it was sent"
    OLD_ROLL = "no roll is confirmed with the value from before it"
    CONFIRMED = "what is confirmed stands at every required target, and lives"
    HELD = "nothing is begun, and nothing ended, against an operator's word"
    LEAKED = "a leaked token is ended within a minute and a half of the last word about it, and lives nowhere at rest"
    CURE = "a leaked token is ended only once its successor stands somewhere, or nothing was published for a minute"
    LEAK = "nothing of a leaked token is published after it was revoked"
    AGAIN = "after a second value was found in public within a day no other one is made before a person has decided"
    RESTORED = "after a restore nothing older than it is ended before an operator has looked"
    ONE_STEP = "a fact follows only a fact that it may follow"
    MENDED = "at rest the current token is what was asked for, where that is to be restored"
    TARGETS = "at rest every target holds one live value"
    OPEN = "a run without faults comes to rest: no rotation stays open"
    RETIREMENT = "a run without faults comes to rest: no retirement stays open"
    ORPHAN = "at rest no token of ours lives beside the current one"
    RUNAWAY = "what is minted, and what is asked, is bounded by the faults"


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that was broken: when (virtual seconds), which, how."""

    at: float
    law: Law
    text: str

    def __str__(self) -> str:
        return f"{self.law.name} ({self.law}) at {self.at:.0f}: {self.text}"
