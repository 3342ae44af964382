"""What stands in the places of a pair, whose it is, and what the provider shows of it. It only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rotator.core.errors import RotatorError
from rotator.core.ids import NO_TOKEN, NO_VALUE, CredentialId, TokenId
from rotator.core.ports.journal import Journal
from rotator.core.ports.keeper import Keeper, Place
from rotator.core.ports.runtime import Runtime
from rotator.core.protocol.keep import KEEP_TABLES, KeepTables
from rotator.core.protocol.keeping import Holds, KeepPolicy, Standing
from rotator.core.protocol.rules import Result
from rotator.core.secret import Secret
from rotator.engine.failing import CERTAIN


class Streams(Protocol):
    """The streams of pairs in the journal."""

    def of(self, one: TokenId, other: TokenId) -> CredentialId:
        """Return the stream of a pair, which is made if need be; it belongs to the two ids, in any order."""

    def known(self) -> Sequence[CredentialId]:
        """Return the streams of the pairs that this connection had, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the care of one pair works with."""

    journal: Journal
    runtime: Runtime
    connection: str
    keeper: Keeper
    streams: Streams
    policy: KeepPolicy
    tables: KeepTables = KEEP_TABLES

    @property
    def now(self) -> float:
        """Provider time, unix seconds."""
        return self.runtime.now(self.connection)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen in both places, by role, and the values there, which live as long as the pass."""

    standings: Mapping[str, Standing]
    values: Mapping[str, Secret]


def look(tools: Tools) -> Looked:
    """Ask anew: one request for each value, and one for each token that lives."""
    found: dict[str, Standing] = {}
    values: dict[str, Secret] = {}
    for role, place in tools.keeper.places.items():
        found[role] = _stands(tools, role, place, values)
    alive = [role for role, seen in found.items() if seen.accepted is Result.GOOD]
    for role in alive:  # each is read by the other, where that one lives
        readers = [values[other] for other in alive if other != role] + [values[role]]
        found[role] = _read(tools, found[role], readers)
    return Looked(found, values)


def _stands(tools: Tools, role: str, place: Place, values: dict[str, Secret]) -> Standing:
    seen = Standing(role=role, at=tools.now, writable=tools.policy.rolls and place.writable)
    try:
        value = place.value()
    except RotatorError:
        return seen
    if value is None:
        return replace(seen, holds=Holds.NOTHING, accepted=Result.DEAD)
    values[role] = value
    seen = replace(seen, holds=Holds.VALUE, fingerprint=tools.journal.fingerprint(value))
    try:
        who = tools.keeper.who(value)
    except CERTAIN:
        return seen
    return replace(seen, accepted=Result.DEAD if who is None else Result.GOOD, token_id=who or NO_TOKEN)


def _read(tools: Tools, seen: Standing, readers: Sequence[Secret]) -> Standing:
    for reader in readers:
        try:
            state = tools.keeper.read(seen.token_id, reader)
        except CERTAIN:
            continue
        if state is not None:
            return replace(seen, able=state.able, expires_at=state.expires_at, born=state.born)
    return seen


def stream_of(tools: Tools, standings: Mapping[str, Standing]) -> CredentialId | None:
    """Return the stream of the pair: of both ids where both live, else the newest one that fits; None for none."""
    ids = [seen.token_id for seen in standings.values() if seen.token_id]
    if len(standings) < 2 or (len(ids) == 2 and ids[0] == ids[1]):
        return None
    if len(ids) == 2:
        return tools.streams.of(ids[0], ids[1])
    pieces = {seen.fingerprint for seen in standings.values()} - {NO_VALUE}
    for stream in tools.streams.known():
        view = tools.journal.view(stream)
        told = {member.fingerprint for member in view.pair.values()} | set(view.values)
        if set(ids) & view.pair.keys() or (not ids and pieces & told):
            return stream
    return None
