"""The document of `discover`: every token of the connections, who keeps it, and what is said of it. Only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rotator.app.app import App
from rotator.app.fleet import ConfiguredFleet
from rotator.app.read_only import read_only_fleet
from rotator.core.errors import Absent
from rotator.core.instants import rfc3339
from rotator.sources.cloudflare.audit import Listed, Owner, Unseen, grants_of, listed, zone_names
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.hygiene import Found, Question, findings

TYPE: Final = "cloudflare"


@dataclass(slots=True)
class Sight:
    """What was seen of one connection.

    Attributes:
        name: of the connection.
        connection: opened.
        tokens: every token that it can list.
        unseen: the owners whose tokens it could not list.
    """

    name: str
    connection: CloudflareConnection
    tokens: tuple[Listed, ...]
    unseen: list[Unseen]


@dataclass(slots=True)
class Look:
    """An opened instance that only looks at the provider, and counts its requests."""

    app: App
    fleet: ConfiguredFleet
    counted: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return len(self.counted)

    def sights(self, names: Sequence[str] | None) -> list[Sight]:
        """Return what the named connections, or all, can list.

        Raises:
            Absent: there is no such connection.
            Unavailable, RateLimited, Refused: one of them could list nothing.
        """
        known = [name for name, stanza in self.app.config.connections.items() if stanza.type == TYPE]
        for name in names or ():
            if name not in known:
                raise Absent(f"there is no Cloudflare connection {name}", f"name one of {', '.join(known) or 'none'}")
        found = []
        for name in dict.fromkeys(names or known):
            connection = self.fleet.connection(name)
            tokens, unseen = listed(connection, self._owners(name, connection))
            found.append(Sight(name, connection, tokens, unseen))
        return found

    def _owners(self, name: str, connection: CloudflareConnection) -> Iterable[Owner]:
        for stanza in self.app.config.credentials:
            if stanza.common.connection == name:
                account = getattr(stanza.source, "account_id", None) or connection.account_id
                yield (stanza.owner, account if stanza.owner == "account" else None)

    def keepers(self) -> dict[str, str]:
        """Return token id -> the credential that keeps it, or takes it over."""
        named = {c.common.adopt.id: c.name for c in self.app.config.credentials if c.common.adopt}
        return named | self.app.queries.keepers()

    def now(self, connection: str) -> float:
        """Provider time as it was heard just now."""
        time = self.fleet.times[connection]
        return time.now() if time.heard else self.app.clock.utc()


@contextmanager
def looking(path: Path) -> Iterator[Look]:
    """Open an instance that only looks.

    Raises:
        ConfigError: the configuration is wrong.
    """
    with App.open(path, "reader") as app:
        counted: list[str] = []
        fleet = read_only_fleet(app, lambda connection, operation, status: counted.append(operation))
        try:
            yield Look(app, fleet, counted)
        finally:
            fleet.close()


def discover(path: Path, names: Sequence[str] | None, *, unused: float, expires: float) -> dict[str, Any]:
    """Return the document of `discover`.

    Args:
        path: the configuration file.
        names: connections; None for all.
        unused: seconds without use after which a token counts as unused.
        expires: seconds before its end in which a token ends soon.
    """
    with looking(path) as look:
        keepers, convention = look.keepers(), look.app.config.names
        rows: list[dict[str, Any]] = []
        unseen = []
        for sight in look.sights(names):
            zones = zone_names(sight.connection, sight.tokens)
            called = Counter((token.owner, token.account_id, token.state.name) for token in sight.tokens)
            now = look.now(sight.name)
            for token in sight.tokens:
                asked = Question(
                    token=token,
                    now=now,
                    managed_by=keepers.get(token.state.id),
                    namesakes=called[token.owner, token.account_id, token.state.name],
                    fits=convention.fits if convention else None,
                    unused=unused,
                    expires=expires,
                )
                rows.append(_row(sight.name, asked, grants_of(token.row, zones), findings(asked)))
            unseen += [
                {"connection": sight.name, "owner": one.owner, "message": one.message, "remedy": one.remedy or None}
                for one in sight.unseen
            ]
        return {"tokens": rows, "requests": look.requests, "unseen": unseen, "time": rfc3339(look.app.clock.utc())}


def _row(connection: str, asked: Question, grants: list[dict[str, Any]], found: Sequence[Found]) -> dict[str, Any]:
    token, state = asked.token, asked.token.state
    return {
        "connection": connection,
        "owner": token.owner,
        "account_id": token.account_id,
        "id": state.id,
        "name": state.name,
        "status": state.status,
        "issued_on": rfc3339(state.issued_at) if state.issued_at else None,
        "expires_on": rfc3339(state.expires_at),
        "last_used_on": rfc3339(state.last_used_at) if state.last_used_at is not None else None,
        "managed_by": asked.managed_by,
        "role": token.role or None,
        "grants": grants,
        "findings": [{"code": f.code, "level": f.level.value, "message": f.message, "remedy": f.remedy} for f in found],
    }
