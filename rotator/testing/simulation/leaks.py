"""What must hold of leaked tokens, judged with the world's own knowledge of who revoked what, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rotator.core.credential import DAY, Strategy
from rotator.core.facts import Draft, Planned
from rotator.core.ids import CredentialId, TokenId
from rotator.testing.laws import Law
from rotator.testing.simulation.provider import Tok
from rotator.testing.simulation.state import State

PATIENCE: Final = 60.0
"""Seconds for which a leaked token may wait for its successor."""

BY_THEN: Final = 150.0
"""Seconds after which a leaked token is dead where nothing disturbs anybody."""

ON_THE_WIRE: Final = 65.0
"""Seconds for which a write that was sent may still arrive."""


class Leaks:
    """Leaked tokens of one world.

    Attributes:
        since: token id -> when it was revoked, as far as the journal that is in place may know.
        ever: the same of all: what was sent before an older journal was put back may still arrive.
        bare: those that nothing is to succeed.
    """

    def __init__(self, world: State) -> None:
        self.world = world
        self.since: dict[TokenId, float] = {}
        self.ever: dict[TokenId, float] = {}
        self.bare: set[TokenId] = set()

    def revoked(self, tokens: Iterable[TokenId], *, bare: bool) -> None:
        """Somebody revoked these tokens just now."""
        named = tuple(tokens)
        for token in named:
            self.since.setdefault(token, self.world.hub.now)
            self.ever.setdefault(token, self.world.hub.now)
        self.bare |= set(named) if bare else set()
        self.world.hub.at(BY_THEN, lambda: self._dead_by_now(named))

    def restored(self) -> None:
        """An older journal was put back: it cannot know what was revoked since."""
        known = {token for name in self.world.names for token in self.world.view(name).revoked}
        self.since = {token: at for token, at in self.since.items() if token in known}

    def _dead_by_now(self, tokens: Iterable[TokenId]) -> None:
        world = self.world
        for token in tokens:
            if self._quiet and token in self.since and world.provider.tokens[token].status == "active":
                world.bad(Law.LEAKED, f"{token} was revoked {world.hub.now - self.since[token]:.0f} s ago and lives")

    @property
    def _quiet(self) -> bool:
        """Whether nothing disturbs anybody, but for places that are away."""
        return not self.world.scenario.rate and not any(self.world.faults.count.values())

    def ended(self, tok: Tok) -> None:
        """A leaked token is disabled or deleted: its successor stands somewhere, or nothing could be published."""
        world, age, view = self.world, self.world.hub.now - self.ever[tok.id], self.world.view(tok.owner)
        refused = view.rotation.failures if view.rotation else {}
        first = tok.id == view.current and tok.id not in self.bare and world.scenario.can.overlap
        if tok.status != "active" or not first or any(found.full for found in refused.values()) or age >= PATIENCE:
            return
        values = [world.places[place].data.get(tok.owner) for place in world.required]
        if not any(world.provider.live(v) and v is not None and self._of(v) not in self.since for v in values):
            world.bad(Law.CURE, f"{tok.id} was ended {age:.0f} s after it was revoked, and nothing succeeds it")

    def _of(self, value: str) -> TokenId | None:
        return self.world.provider.by_value.get(value)

    def written(self, place: str, tok: Tok) -> None:
        """A value of a leaked token is written: by a request that was under way when it was revoked, or never."""
        world = self.world
        late = 5.0 if self._quiet else ON_THE_WIRE
        if world.hub.now > max(self.since[tok.id], world.stopped_until) + late:
            world.bad(Law.LEAK, f"wrote {tok.id} at {place}, which was revoked")

    def planned(self, stream: CredentialId, draft: Draft) -> None:
        """A rotation is planned: not for a third value after two were found in public, but for a person."""
        what, view = draft.what, self.world.view(stream)
        if not isinstance(what, Planned) or what.terms.policy.strategy is Strategy.REPUBLISH or what.request_id:
            return
        again = view.exposed_at - view.exposed_before < DAY and view.cleared_at < view.exposed_at
        if again and view.uncured:
            self.world.bad(Law.AGAIN, f"another value is made after {view.current} was found in public, too")

    def rest(self, name: CredentialId) -> None:
        """At rest no leaked token lives."""
        tokens = self.world.provider.tokens
        for token, at in self.since.items():
            if tokens[token].owner == name and tokens[token].status == "active":
                self.world.bad(Law.LEAKED, f"{name}: {token} was revoked at {at:.0f} and lives")
