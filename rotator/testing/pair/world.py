"""One world of a pair: the real engine over simulated ports, hands that interfere, and a judge at the end.

`python -m rotator.testing.pair 0-200` runs seeds; a seed is one exact run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rotator.core.durations import DAY, HOUR
from rotator.core.errors import JournalUnsafe, RotatorError, Unavailable
from rotator.core.facts import Draft
from rotator.core.ids import CredentialId, Fingerprint, TokenId
from rotator.core.ports.journal import Lease
from rotator.core.protocol.keep import KEEP_TABLES, KeepTables
from rotator.core.protocol.keeping import KeepPolicy
from rotator.core.protocol.pair_view import Phase
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.keeping import Kept, keep
from rotator.engine.pair_look import Tools
from rotator.testing.pair.provider import LIFE, Breach, Killed, Nature, PairSim
from rotator.testing.simulation.store import Store


class PairJournal:
    """What the care of a pair uses of the journal port, over the simulated store."""

    instance = "sim"

    def __init__(self, nature: Nature) -> None:
        self._nature, self._store, self._boot = nature, Store(frozenset()), 1

    def restarted(self) -> None:
        """The process died; spools are imported by the next one."""
        for stream, draft, value in self._store.spools.pop(self._me, []):
            self._store.put(stream, draft, value, 0)
        self._boot += 1

    @property
    def _me(self) -> tuple[str, int]:
        return ("p", self._boot)

    def _room(self) -> None:
        if self._nature.trouble(("full",)):
            raise JournalUnsafe("the disk is full")

    def claim(self, stream: CredentialId) -> Lease | None:
        """See the port."""
        epoch = self._store.claim(stream, self._me, self._nature.now, {self._me})
        return None if epoch is None else Lease(stream, epoch, "p")

    def release(self, lease: Lease, next_at: float | None, why: str = "") -> None:
        """See the port."""

    def view(self, stream: CredentialId) -> View:
        """See the port."""
        return self._store.stream(stream).view

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        """See the port."""
        self._room()
        self._store.leases[lease.stream].until = self._nature.now + 30
        view = self._store.append(lease.stream, draft, value.reveal() if value else None, self._me, lease.epoch)
        if self._nature.trouble(("kill",)):
            raise Killed
        return view

    def spool(self, stream: CredentialId, draft: Draft, value: Secret) -> None:
        """See the port."""
        self._store.spools.setdefault(self._me, []).append((stream, draft, value.reveal()))
        if self._nature.trouble(("kill",)):
            raise Killed

    def capture(self, stream: CredentialId, draft: Draft, value: Secret) -> View:
        """See the port."""
        self._room()
        view = self._store.put(stream, draft, value.reveal(), 0)
        self._store.spools.pop(self._me, None)
        return view

    def reveal(self, stream: CredentialId, fingerprint: Fingerprint) -> Secret:
        """See the port."""
        return Secret(self._store.values[fingerprint])

    def fingerprint(self, value: Secret) -> Fingerprint:
        """A name for a value; the simulation has nothing to hide."""
        return Fingerprint("f" + value.reveal())

    def canary(self) -> None:
        """See the port."""
        self._room()

    @contextmanager
    def place(self, lease: Lease, place: str) -> Iterator[None]:
        """See the port."""
        if self._nature.trouble(("busy",)):
            raise Unavailable("somebody else writes there")
        yield

    def holds(self, value: str) -> bool:
        """Whether a value is durable."""
        spooled = [found for records in self._store.spools.values() for _, _, found in records]
        return "f" + value in self._store.values or value in spooled


class PairRuntime:
    """The machine: virtual time, no threads."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature

    def now(self, connection: str) -> float:
        """See the port."""
        return self._nature.now

    believed = now

    def sleep(self, seconds: float) -> None:
        """See the port."""
        self._nature.now += seconds

    def stopping(self) -> bool:
        """See the port."""
        return False

    def event(self, name: str, **fields: object) -> None:
        """See the port."""

    def crash(self, point: str) -> None:
        """See the port."""
        if self._nature.trouble(("kill",)):
            raise Killed


@dataclass
class _Streams:
    """See `engine.pair_look.Streams`."""

    found: list[CredentialId] = field(default_factory=list)

    def of(self, one: TokenId, other: TokenId) -> CredentialId:
        """See the port."""
        stream = CredentialId("+".join(sorted((one, other))))
        self.found = [stream, *(known for known in self.found if known != stream)]
        return stream

    def known(self) -> Sequence[CredentialId]:
        """See the port."""
        return self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScenario:
    """What happens in a world.

    Attributes:
        rolls: whether values are renewed, too.
        years: how long it lasts.
        rate: share of calls that go wrong.
        hands: things that people do in a year.
        step: seconds between two looks at most.
    """

    rolls: bool = True
    years: float = 1.0
    rate: float = 0.03
    hands: float = 3.0
    step: float = 6 * HOUR


HANDS = ("revoke", "paste", "roll_and_paste", "shorten", "empty", "garbage", "silence", "unable", "swap")


class PairWorld:
    """One run."""

    eager = True
    """Whether a broken law ends it."""

    def __init__(self, seed: int, scenario: PairScenario, tables: KeepTables = KEEP_TABLES) -> None:
        self.chance = random.Random(seed)
        self.scenario, self.tables = scenario, tables
        self.nature = Nature(self.chance, scenario.rate)
        self.policy = KeepPolicy(rolls=scenario.rolls)
        self.provider = PairSim(self.nature, LIFE, self.policy.apart)
        self.journal, self.streams = PairJournal(self.nature), _Streams()
        self.provider.journaled = self.journal.holds
        self.mended: list[tuple[float, Callable[[], None]]] = []
        self.kept: Kept | None = None

    def run(self) -> list[Breach]:
        """Live, come to rest, and be judged."""
        nature, scenario = self.nature, self.scenario
        end = nature.now + scenario.years * 365 * DAY
        while nature.now < end and not (nature.breaches and self.eager):
            if self.chance.random() < scenario.hands * scenario.step / (365 * DAY):
                self._hand(self.chance.choice(HANDS))
            self._pass()
        nature.calm = True
        for _, mend in self.mended:
            mend()
        self.mended.clear()
        self._cure()
        rest = nature.now + 3 * DAY
        while nature.now < rest and not nature.breaches:
            self._pass()
        self._judge()
        return nature.breaches

    def _pass(self) -> None:
        nature = self.nature
        for at, mend in [found for found in self.mended if found[0] <= nature.now]:
            self.mended.remove((at, mend))
            mend()
        before = {t.id: t.alive(nature.now) for t in self.provider.tokens.values()}
        until, began = nature.now + 60.0, nature.now
        try:
            self.kept = keep(
                Tools(
                    journal=self.journal,  # type: ignore[arg-type]  # the part that is used
                    runtime=PairRuntime(nature),  # type: ignore[arg-type]  # likewise
                    connection="cf",
                    keeper=self.provider,
                    streams=self.streams,
                    policy=self.policy,
                    tables=self.tables,
                )
            )
            until = self.kept.until
        except Killed:
            self.journal.restarted()
        except RotatorError:
            pass
        except (KeyError, AttributeError) as error:
            nature.breach("crashed", repr(error))
        if nature.breaches and self.eager:
            return
        nature.now = max(nature.now + 5.0, min(until, nature.now + self.scenario.step))
        self._ended(before, nature.now - began)

    def _ended(self, before: Mapping[TokenId, bool], passed: float) -> None:
        """Judge tokens that came to their end although their partner was there for days to prevent it."""
        nature, provider = self.nature, self.provider
        able = {t.id for role in provider.places if (t := provider.current(role)) is not None and t.able}
        placed = {t.id for role in provider.places if (t := provider.current(role)) is not None}
        for token in provider.tokens.values():
            held = token.id in placed or token.value in {place.content for place in provider.places.values()}
            if not held:
                token.helped = 0.0
            if held and able - {token.id} and token.expires_at - nature.now < LIFE / 4:
                token.helped += passed
            if before[token.id] and not token.alive(nature.now) and not token.gone and token.helped > 3 * DAY:
                nature.breach("expired", f"{token.id} came to its end")

    # ------------------------------------------------------------------------------------------------------------ hands

    def _hand(self, what: str) -> None:
        """Somebody does something in the dashboard or to a file; most of it is put right within a day."""
        provider, role = self.provider, self.chance.choice(("management", "standby"))
        place, token = provider.places[role], provider.current(role)
        if token is None or self.mended:
            return
        later = self.nature.now + self.chance.uniform(HOUR, DAY)
        if what == "revoke":
            later += self.chance.choice((0, 60 * DAY))
            token.gone = token.by_hand = True
            self.mended.append((later, lambda: self._replace(role)))
        elif what == "paste":
            token.by_hand = True
            self._replace(role)
        elif what == "roll_and_paste":
            number = int(token.value.split(".")[1]) + 1
            value = token.value = f"{token.id.replace('t', 'v')}.{number}0"
            self.mended.append((later, lambda: self._paste(role, value)))
        elif what == "shorten":
            token.by_hand = True
            token.expires_at = min(token.expires_at, self.nature.now + 20 * DAY)
            self.mended.append((self.nature.now + 25 * DAY, lambda: setattr(token, "by_hand", False)))
        elif what == "empty":
            before = place.content
            place.content = None
            if not self.scenario.rolls:
                self.mended.append((later, lambda: self._paste(role, before)))
        elif what == "garbage":
            token.by_hand = True
            place.content = "garbage"
            self.mended.append((later, lambda: self._replace(role)))
        elif what == "unable":
            token.able = False
            self.mended.append((later, lambda: setattr(token, "able", True)))
        elif what == "swap" and (other := provider.current(_other(role))) is not None:
            there = provider.places[_other(role)]
            place.content, there.content = other.value, token.value
            for one in (place, there):
                one.ours |= {token.value, other.value}

    def _paste(self, role: str, value: str | None) -> None:
        place = self.provider.places[role]
        place.content = value
        place.ours.add(value)

    def _replace(self, role: str) -> None:
        """A person makes a new token and puts it there."""
        self._paste(role, self.provider.token(LIFE).value)

    def _cure(self) -> None:
        """Whatever is dead is replaced, as the findings ask for."""
        self._pass()
        for role in ("management", "standby"):
            place = self.provider.places[role]
            held = [t for t in self.provider.tokens.values() if t.alive(self.nature.now) and not t.by_hand]
            known = [t for t in held if t.value == place.content or self.journal.holds(t.value)]
            if self.provider.current(role) is None and len(known) < 2:
                self._replace(role)

    # ------------------------------------------------------------------------------------------------------------ judge

    def _judge(self) -> None:
        """At rest both live in their places, nothing is open, and no end is near."""
        nature, now = self.nature, self.nature.now
        for role, place in self.provider.places.items():
            token = self.provider.current(role)
            if token is None:
                nature.breach("lost", f"{role}: {place.content} is dead, and nobody cured it")
            elif token.expires_at - now < LIFE / 4:
                nature.breach("neglected", f"{role} ends in {(token.expires_at - now) / DAY:.1f} d")
        view = self.journal.view(self.streams.found[0]) if self.streams.found else None
        for member in view.pair.values() if view else ():
            if member.phase is not Phase.KEPT:
                nature.breach("open", f"{member.role} is {member.phase} for ever")


def _other(role: str) -> str:
    return "standby" if role == "management" else "management"


def breaches(seed: int, scenario: PairScenario | None = None, tables: KeepTables = KEEP_TABLES) -> list[Breach]:
    """Run one seed and return the laws that it broke; with a scenario of its own where none is given."""
    chance = random.Random(seed * 7 + 1)
    drawn = PairScenario(
        rolls=chance.random() < 0.6,
        years=1.0,
        rate=chance.choice((0.0, 0.02, 0.06)),
        hands=chance.choice((0.0, 4.0, 12.0)),
        step=chance.choice((HOUR, 6 * HOUR)),
    )
    return PairWorld(seed, scenario or drawn, tables).run()
