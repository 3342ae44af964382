"""The documents of `permissions`: the catalogue, searched, and compared with the live API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rotator import catalogue
from rotator.app.app import App
from rotator.app.read_only import read_only_fleet
from rotator.catalogue import Group, Scope
from rotator.catalogue.spelling import fits
from rotator.core.errors import ConfigError


def listing(text: str = "", scope: Scope | None = None) -> dict[str, Any]:
    """Return every permission with an id whose name holds the text, or that the text spells.

    Args:
        text: any part of a name, or a whole permission as anybody writes it; empty for all.
        scope: only those of it.
    """
    scopes = (scope,) if scope else tuple(Scope)
    spelt = fits(text, frozenset(scopes)) if text else ()
    wanted = " ".join(text.split()).casefold()
    found = [
        group
        for group in catalogue.all_groups()
        if group.id and group.scope in scopes and (group in spelt or wanted in _names(group))
    ]
    about = catalogue.catalogue()
    return {"permissions": [_document(group) for group in found], "origin": about.origin, "date": about.date}


def comparison(path: Path, connection: str) -> dict[str, Any]:
    """Return how the live API differs from the catalogue, as the management token of a connection sees it.

    Raises:
        ConfigError: there is no such connection, or it is none to Cloudflare.
        Unavailable, RateLimited: no usable answer.
    """
    from rotator.sources.cloudflare.comparison import compare

    with App.open(path, "reader") as app:
        fleet = read_only_fleet(app)
        try:
            names = [name for name, stanza in app.config.connections.items() if stanza.type == "cloudflare"]
            if connection not in names:
                raise ConfigError(
                    f"there is no Cloudflare connection {connection}", f"name one of {', '.join(names) or 'none'}"
                )
            return compare(fleet.connection(connection))
        finally:
            fleet.close()


def _names(group: Group) -> str:
    return f"{group.name}\n{group.dashboard_name}".casefold()


def _document(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "dashboard_name": group.dashboard_name,
        "scope": group.scope.value,
        "id": group.id,
        "account_tokens": not catalogue.account_token_refusal(group),
        "deprecated": group.deprecated or None,
        "probe": catalogue.probe_of(group) is not None,
    }
