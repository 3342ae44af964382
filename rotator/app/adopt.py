"""What `adopt` writes: for each token that nobody keeps yet the credential that takes it over as it is. Only reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rotator.app.discover import Look, Sight, looking
from rotator.config.fields import NAME_PATTERN, format_duration
from rotator.core.credential import NEVER
from rotator.core.durations import DAY
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.protocol.names import parse
from rotator.sources.cloudflare.adopting import options_of
from rotator.sources.cloudflare.audit import Listed, zone_names

Plain = dict[str, Any]

LONGEST: Final = 63
"""Characters of a credential's name."""
LEAST: Final = 6
"""Characters of an id that are enough where they tell one token."""


def adopt(path: Path, ids: Sequence[str], *, everything: bool, connection: str | None, name: str | None) -> Plain:
    """Return `{"credentials": [...], "skipped": [{"id", "name", "message", "remedy"}], "endless": [...]}`.

    Args:
        path: the configuration file.
        ids: tokens to take over, or the beginnings of their ids.
        everything: every token that can be taken over, instead.
        connection: only its tokens.
        name: of the one credential.

    Raises:
        ConfigError: no such connection, or flags that do not go together.
        RotatorError: a token that is named does not exist, or cannot be taken over.
    """
    if bool(ids) == everything:
        raise ConfigError("which tokens are meant", "name ids, as `rotator discover` shows them, or --pick-all")
    if name and (everything or len(ids) > 1):
        raise ConfigError("--name names one credential", "name one token beside it")
    if name and not re.fullmatch(NAME_PATTERN[1:-1], name):
        raise ConfigError(f"{name} is no name of a credential", "1 to 63 letters, digits, dots, dashes and underscores")
    with looking(path) as look:
        sights = look.sights([connection] if connection else None)
        chosen = _all(sights) if everything else [_one(sights, wanted) for wanted in dict.fromkeys(ids)]
        return _written(look, chosen, name, everything=everything)


def _all(sights: Sequence[Sight]) -> list[tuple[Sight, Listed]]:
    return [(sight, token) for sight in sights for token in sight.tokens]


def _one(sights: Sequence[Sight], wanted: str) -> tuple[Sight, Listed]:
    found = [pair for pair in _all(sights) if pair[1].state.id == wanted]
    found = found or [pair for pair in _all(sights) if len(wanted) >= LEAST and pair[1].state.id.startswith(wanted)]
    if len({token.state.id for _, token in found}) != 1:
        said = "begins the ids of several tokens" if found else "is the id of no token that can be listed"
        raise RotatorError(f"{wanted} {said}", "`rotator discover -o json` shows the ids of all tokens")
    return found[0]


def _written(look: Look, chosen: Sequence[tuple[Sight, Listed]], name: str | None, *, everything: bool) -> Plain:
    keepers = look.keepers()
    taken = {c.name for c in look.app.config.credentials} | {row.name for row in look.app.queries.streams()}
    zones = {sight.name: zone_names(sight.connection, sight.tokens) for sight, _ in chosen}
    made: list[Plain] = []
    skipped: list[Plain] = []
    endless: list[str] = []
    seen: set[str] = set()
    for sight, token in chosen:
        state = token.state
        if state.id in seen:
            continue  # two connections of one account list the same tokens
        seen.add(state.id)
        try:
            _free(token, keepers)
            options = options_of(token, sight.connection.account_id, zones[sight.name])
        except RotatorError as error:
            if not everything:
                raise RotatorError(f"the token {state.id} ({state.name}): {error.message}", error.remedy) from None
            if state.id not in keepers and not token.role:
                skipped.append(
                    {"id": state.id, "name": state.name, "message": error.message, "remedy": error.remedy or None}
                )
            continue
        called = name or _name(state.name, taken)
        taken.add(called)
        if state.expires_at == NEVER:
            endless.append(called)
        made.append(
            {
                "name": called,
                "connection": sight.name,
                "owner": options.pop("owner"),
                "adopt": {"id": state.id},
                **_lifetime(token),
                **options,
            }
        )
    return {"credentials": made, "skipped": skipped, "endless": endless}


def _free(token: Listed, keepers: dict[str, str]) -> None:
    """Refuse a token that somebody keeps already, or that is no use any more."""
    state = token.state
    if token.role:
        raise RotatorError(
            f"it is the {token.role} token of the connection, which never manages itself", "name another token"
        )
    if state.id in keepers:
        raise RotatorError(
            f"the credential {keepers[state.id]} keeps it already",
            f"`rotator status {keepers[state.id]}` shows it; one credential can publish to several targets",
        )
    if not state.active:
        raise RotatorError(
            f"it is {state.status}",
            "delete it in the dashboard" if state.final else "enable it in the dashboard first, or delete it",
        )


def _name(token: str, taken: set[str]) -> str:
    """A name for the credential of a token that is called so: as near as can be, and nobody else's."""
    made = parse(token)
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", made.base if made else token)
    base = re.sub(r"^[^A-Za-z0-9]+", "", base)[:LONGEST].rstrip("-._") or "token"
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base[: LONGEST - len(str(number)) - 1]}-{number}"
    return found


def _lifetime(token: Listed) -> Plain:
    """The whole life of the token in days, for its successors; nothing where it has no end or was made for hours."""
    state = token.state
    life = state.expires_at - state.issued_at
    if state.expires_at == NEVER or not state.issued_at or life < DAY:
        return {}
    return {"lifetime": format_duration(round(life / DAY) * DAY)}
