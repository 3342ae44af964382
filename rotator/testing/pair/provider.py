"""The provider of a simulated pair, and the places of the two: faults at every call, laws at every effect."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from rotator.core.durations import DAY, HOUR, NEVER
from rotator.core.errors import Conflict, OutcomeUnknown, Refused, Unavailable
from rotator.core.ids import TokenId
from rotator.core.ports.keeper import MemberState
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret

T = TypeVar("T")


class Killed(BaseException):
    """The process died here."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that was broken, and how."""

    law: str
    why: str


@dataclass(slots=True)
class Tok:
    """One token at the provider."""

    id: TokenId
    value: str
    expires_at: float
    born: float
    able: bool = True
    gone: bool = False
    by_hand: bool = False
    rolled_at: float = -NEVER
    helped: float = 0.0
    """Seconds of its last third of life in which its partner could have renewed it."""

    def alive(self, now: float) -> bool:
        """Whether its value is accepted."""
        return not self.gone and now < self.expires_at


@dataclass
class Nature:
    """Chance, time and trouble of one world."""

    chance: random.Random
    rate: float
    now: float = 1_000_000_000.0
    calm: bool = False
    breaches: list[Breach] = field(default_factory=list)

    def trouble(self, kinds: tuple[str, ...]) -> str:
        """What goes wrong with this call, or an empty string."""
        if self.calm or self.chance.random() >= self.rate:
            return ""
        return self.chance.choice(kinds)

    def breach(self, law: str, why: str) -> None:
        """Note a broken law."""
        self.breaches.append(Breach(law, why))


READS = ("silent", "kill", "slow")
EFFECTS = ("lose_request", "lose_answer", "refuse", "kill_before", "kill_after")
WRITES = ("unwritable", "kill_before", "kill_after", "unsure")


class SimPlace:
    """Where one of the two is read from. `ours`: what the product may write over."""

    def __init__(self, world: PairSim, role: str, value: str | None) -> None:
        self.world, self.role, self.content = world, role, value
        self.ours: set[str | None] = {None, value}

    @property
    def place(self) -> str:
        """See the port."""
        return self.role

    @property
    def writable(self) -> bool:
        """See the port."""
        return True

    def value(self) -> Secret | None:
        """See the port."""
        if self.world.nature.trouble(("unreadable",)):
            raise Unavailable("reading a place")
        return None if self.content is None else Secret(self.content)

    def write(self, value: Secret, instead_of: Secret | None) -> None:
        """See the port."""
        kind = self.world.nature.trouble(WRITES)
        if kind == "unwritable":
            raise Refused("writing a place")
        if kind == "kill_before":
            raise Killed
        before = None if instead_of is None else instead_of.reveal()
        if before != self.content:
            raise Conflict("somebody else was faster")
        if self.content not in self.ours:
            self.world.nature.breach("foreign", f"{self.role}: a stranger's value was written over")
        self.content = value.reveal()
        self.ours.add(self.content)
        if kind == "kill_after":
            raise Killed
        if kind == "unsure":
            raise OutcomeUnknown("writing a place")


class PairSim:
    """The keeper port over simulated tokens; what the provider does is judged at once."""

    def __init__(self, nature: Nature, life: float, apart: float) -> None:
        self.nature, self.apart = nature, apart
        self.extended: dict[TokenId, float] = {}
        self.tokens: dict[TokenId, Tok] = {}
        self.made = 0
        self.proven: dict[TokenId, float] = {}
        self.changed: list[float] = []
        first = self.token(life)
        second = self.token(life * nature.chance.choice((1, 11 / 12)))
        self._places = {
            "management": SimPlace(self, "management", first.value),
            "standby": SimPlace(self, "standby", second.value),
        }
        self.journaled: Callable[[str], bool] = lambda value: False

    def token(self, life: float) -> Tok:
        """A person makes a token in the dashboard."""
        self.made += 1
        found = Tok(
            id=TokenId(f"t{self.made}"),
            value=f"v{self.made}.0",
            expires_at=self.nature.now + life,
            born=self.nature.now,
        )
        self.tokens[found.id] = found
        return found

    @property
    def places(self) -> Mapping[str, SimPlace]:
        """See the port."""
        return self._places

    def holder(self, value: str | None) -> Tok | None:
        """The token whose value it is and that lives."""
        return next((t for t in self.tokens.values() if t.value == value and t.alive(self.nature.now)), None)

    def current(self, role: str) -> Tok | None:
        """The living token of a role: of the value in its place, else of a value in the journal."""
        place = self._places[role].content
        return self.holder(place)

    def who(self, value: Secret) -> TokenId | None:
        """See the port."""
        self._read()
        found = self.holder(value.reveal())
        if found is not None:
            self.proven[found.id] = self.nature.now
        return found.id if found else None

    def read(self, token_id: TokenId, actor: Secret) -> MemberState | None:
        """See the port."""
        self._read()
        if self.holder(actor.reveal()) is None:
            raise Refused("reading: not accepted")
        found = self.tokens.get(token_id)
        if found is None or found.gone:
            return None
        return MemberState(id=token_id, active=True, able=found.able, born=found.born, expires_at=found.expires_at)

    def extend(self, token_id: TokenId, expires_at: float, actor: Secret) -> None:
        """See the port."""
        found = self._acts(token_id, actor)

        def done() -> None:
            if expires_at < found.expires_at - 1 and not found.by_hand:
                self.nature.breach("shortened", f"{token_id} lost {found.expires_at - expires_at:.0f} s")
            others = [t for t in self._members() if t is not found]
            if any(t.expires_at == expires_at for t in others):
                self.nature.breach("apart", "both ends are the same")
            urgent = found.expires_at - self.nature.now < LIFE * 0.12
            if not urgent and any(self.nature.now - self.extended.get(t.id, -NEVER) < HOUR for t in others):
                self.nature.breach("apart", "both were renewed within the hour")
            found.expires_at, found.helped = expires_at, 0.0
            self.extended[token_id] = self.nature.now

        self._effect("moving an end", done)

    def roll(self, token_id: TokenId, actor: Secret) -> Minted:
        """See the port."""
        found = self._acts(token_id, actor)
        minted: list[Minted] = []

        def done() -> None:
            now = self.nature.now
            others = [t for t in self._members() if t is not found]
            known = [t for t in others if t.alive(now) and self.journaled(t.value)]
            placed = {place.content for place in self._places.values()}
            if not [t for t in known if t.value in placed]:
                self.nature.breach("locked_out", f"{token_id} was rolled while its partner's value was not safe")
            if any(now - t.rolled_at < self.apart for t in others):
                self.nature.breach(
                    "apart", f"{token_id} was rolled {now - max(t.rolled_at for t in others):.0f} s later"
                )
            number = int(found.value.split(".")[1]) + 1
            found.value, found.rolled_at = f"{token_id.replace('t', 'v')}.{number}", now
            for place in self._places.values():
                place.ours.add(found.value)
            minted.append(
                Minted(
                    token_id=token_id,
                    value=Secret(found.value),
                    name="",
                    issued_at=now,
                    expires_at=found.expires_at,
                )
            )

        self._effect("rolling", done)
        return minted[0]

    # ----------------------------------------------------------------------------------------------------------- inside

    def _members(self) -> list[Tok]:
        held = {place.content for place in self._places.values()}
        return [t for t in self.tokens.values() if t.value in held or self.journaled(t.value)]

    def _acts(self, token_id: TokenId, actor: Secret) -> Tok:
        """The token that is acted upon; the law that it is never the actor's own."""
        who = next((t for t in self.tokens.values() if t.value == actor.reveal()), None)
        if who is not None and who.id == token_id:
            self.nature.breach("itself", f"{token_id} acted upon itself")
        if who is None or not who.alive(self.nature.now):
            self.nature.breach("dead_actor", f"{token_id} was acted upon by a dead token")
            raise Refused("not accepted")
        if not who.able:
            self.nature.breach("dead_actor", f"{token_id} was acted upon by one that may not")
            raise Refused("not allowed")
        if self.nature.now - self.proven.get(who.id, -NEVER) > 181.0:  # a look begins before its answer comes
            self.nature.breach("unproven", f"{who.id} was last seen to work long ago")
        found = self.tokens.get(token_id)
        if found is None or found.gone or found.expires_at <= self.nature.now:
            self.nature.breach("dead_victim", f"{token_id} is dead")
            raise Refused("no such token")
        return found

    def _read(self) -> None:
        kind = self.nature.trouble(READS)
        if kind == "silent":
            raise Unavailable("no answer")
        if kind == "kill":
            raise Killed
        if kind == "slow":
            self.nature.now += self.nature.chance.uniform(5, 90)

    def _effect(self, doing: str, done: Callable[[], None]) -> None:
        kind = self.nature.trouble(EFFECTS)
        if kind == "refuse":
            raise Refused(doing)
        if kind == "lose_request":
            raise OutcomeUnknown(doing)
        if kind == "kill_before":
            raise Killed
        done()
        self.changed = [at for at in self.changed if self.nature.now - at < DAY] + [self.nature.now]
        if len(self.changed) > 12:
            self.nature.breach("restless", "more than twelve changes in one day")
        if kind == "lose_answer":
            raise OutcomeUnknown(doing)
        if kind == "kill_after":
            raise Killed


LIFE = 90 * DAY
