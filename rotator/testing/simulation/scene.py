"""What may be done to a simulated world: the effects behind the ports, and the ends of processes; each is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rotator.core.credential import NEVER
from rotator.core.errors import Refused
from rotator.core.ids import CredentialId, TokenId
from rotator.core.ports.source import Minted, TokenState
from rotator.core.secret import Secret
from rotator.testing.laws import Law
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.hub import Process
from rotator.testing.simulation.judge import Judge
from rotator.testing.simulation.leaks import Leaks
from rotator.testing.simulation.provider import Tok
from rotator.testing.simulation.state import Mutation, Scenario, State
from rotator.testing.simulation.timings import LIFE


class Scene(State, ABC):
    """The state of a world with its judge."""

    def __init__(
        self, seed: int, scenario: Scenario, faults: Faults, mutation: Mutation, *, trace: bool = False
    ) -> None:
        super().__init__(seed, scenario, faults, mutation, trace=trace)
        self.leaks = Leaks(self)
        self.judge = Judge(self, self.leaks)
        self.provider.on_end = self.judge.expired

    # --- processes

    @abstractmethod
    def start(self, process: Process, delay: float) -> None:
        """Start the next incarnation of a process."""

    def kill(self, process: Process) -> None:
        """SIGKILL: locks are gone with the process; it is started again later."""
        process.until = 0.0
        self.locks = {place: owner for place, owner in self.locks.items() if owner[:2] != process.me}
        self.start(process, self.chance.choice([1.0, 5.0, 40.0, 90.0]))

    def stop(self, process: Process, seconds: float) -> None:
        """SIGSTOP for that long."""
        process.until = max(process.until, self.hub.now + seconds)
        self.stopped_until = max(self.stopped_until, process.until)
        if seconds > 100:
            self.excused_until = max(self.excused_until, process.until + 300)

    # --- what the ports do

    def minted(self, owner: CredentialId, name: str) -> Tok:
        """Create a token at the provider."""
        self.count["mint"] += 1
        if self.count["mint"] > 200:
            self.bad(Law.RUNAWAY, "more than 200 mints")
        self.judge.minted()
        return self.provider.make(owner, name, float(int(self.hub.now + (1e7 if self.calm else LIFE))))

    def roll(self, token: TokenId, sent: float | None = None) -> Minted:
        """Give a token a new value; the request was sent at `sent`, now by default."""
        tok = self.provider.tokens[token]
        if tok.status != "active":
            raise Refused("roll: the token is not active")
        self.judge.rolled(tok, self.hub.now if sent is None else sent)
        tok.value = self.provider.value()
        tok.modified = self.hub.now
        self.provider.by_value[tok.value] = tok.id
        tok.accepted_at = self.hub.now + (self.chance.choice([0, 0, 2, 8]) if self.provider.lags else 0)
        self.count["mint"] += 1
        if self.count["mint"] > 200:
            self.bad(Law.RUNAWAY, "more than 200 mints")
        self.judge.check_dead(tok.owner)
        return Minted(
            token_id=tok.id, value=Secret(tok.value), name=tok.name, issued_at=tok.born, expires_at=tok.expires
        )

    def extend(self, token: TokenId, expires: float) -> None:
        """Move an expiry."""
        tok = self.provider.tokens[token]
        if tok.status != "active":
            raise Refused("extend: the token is not active")
        tok.expires = expires
        self.provider.expire(tok)

    def update(self, token: TokenId, name: str) -> None:
        """Put the grants and the name right; status, end and value stay."""
        tok = self.provider.tokens[token]
        self.judge.updated(tok)
        if tok.status != "active":
            raise Refused("update: it is not active", code="not_active")
        tok.equal, tok.name, tok.modified = True, name, self.hub.now

    def destroy(self, token: TokenId, act: str, seen: float) -> None:
        """Disable or delete, judged first."""
        tok = self.provider.tokens.get(token)
        if tok is None or tok.status == "deleted":
            return
        self.judge.destroyed(tok, act, seen)
        tok.killed = tok.killed or "us"
        if act == "disable" and tok.status == "active":
            tok.disabled_at, tok.status = self.hub.now, "disabled"
        elif act == "delete":
            tok.status = "deleted"

    def state(self, token: TokenId) -> TokenState | None:
        """GET."""
        tok = self.provider.tokens.get(token)
        if tok is None or tok.status == "deleted":
            return None
        used = self.judge.last_used(tok)
        return TokenState(
            id=tok.id,
            name=tok.name,
            status=tok.status,
            issued_at=tok.born,
            modified_at=tok.modified,
            expires_at=tok.expires,
            last_used_at=None if used == -NEVER or not self.scenario.can.last_use else used,
            compared=True,
            equal=tok.equal,
            exposed=tok.status.startswith("revoked"),
            final=tok.status not in ("active", "disabled"),
        )

    def listed(self) -> tuple[TokenState, ...]:
        """List."""
        seen = [self.state(t.id) for t in self.provider.tokens.values() if t.listed_at <= self.hub.now]
        return tuple(state for state in seen if state is not None)

    def verify(self, value: str) -> TokenId | None:
        """Verify a value as its owner."""
        tok = self.provider.of_value(value)
        if tok is None or not self.provider.live(value) or tok.accepted_at > self.hub.now:
            return None
        tok.used = tok.verified = max(tok.used, self.hub.now)
        return tok.id

    def store_place(self, place: str, data: dict[str, str], writer: str | None) -> None:
        """Change a place: by a target of ours (`writer`), or by people (None)."""
        found = self.places[place]
        before, found.data = found.data, data
        found.version += 1
        for name in self.names:
            if before.get(name) != data.get(name):
                found.touched[name] = self.hub.now
                self.judge.changed(place, name, before.get(name), data.get(name), writer)
