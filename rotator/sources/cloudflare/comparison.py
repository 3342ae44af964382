"""The catalogue beside the live API: which permission groups are new there, gone, or called otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator import catalogue
from rotator.catalogue import Scope
from rotator.core.errors import RotatorError
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.management import group_rows

_SCOPES = {scope.api_name: scope for scope in Scope}


def compare(connection: CloudflareConnection) -> dict[str, list[dict[str, Any]]]:
    """Return `added`, `missing` and `renamed` groups of the live API against the catalogue.

    What is missing is told for those scopes only that the live answers hold: an account's list has no groups on users.

    Raises:
        Unavailable, RateLimited: neither the account's nor the user's list could be read.
    """
    live = _live(connection)
    scopes = {scope for row in live.values() for scope in _scopes(row)}
    added, renamed = [], []
    for group_id, row in live.items():
        known, name = catalogue.by_id(group_id), str(row.get("name", ""))
        told = {"id": group_id, "name": name, "scope": next((s.value for s in _scopes(row)), None)}
        if known is None:
            added.append(told)
        elif known.name != name:
            renamed.append({**told, "was": known.name})
    missing = [
        {"id": group.id, "name": group.name, "scope": group.scope.value}
        for group in catalogue.all_groups()
        if group.id and group.scope in scopes and group.id not in live
    ]
    return {"added": added, "missing": missing, "renamed": renamed}


def _live(connection: CloudflareConnection) -> dict[str, Mapping[str, Any]]:
    """Every group that either list shows, by id."""
    found: dict[str, Mapping[str, Any]] = {}
    failed: RotatorError | None = None
    answered = False
    for owner in ("account", "user"):
        if owner == "account" and connection.account_id is None:
            continue
        try:
            rows = group_rows(connection, tokens_path(owner, connection.account_id))
        except RotatorError as error:
            failed = failed or error
            continue
        answered = True
        found |= {str(row["id"]): row for row in rows}
    if not answered and failed is not None:
        raise failed
    return found


def _scopes(row: Mapping[str, Any]) -> list[Scope]:
    listed = row.get("scopes")
    return [_SCOPES[s] for s in listed if s in _SCOPES] if isinstance(listed, list) else []
