"""The ids of zones and accounts by their names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from rotator.core.errors import Refused
from rotator.core.ports.runtime import Priority
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.domains import plain_name
from rotator.sources.cloudflare.listing import read_all

KEPT: Final = 3600.0
"""Seconds for which an id is believed; a zone that was deleted and added again has a new one."""


class Lookup:
    """Names to ids; kept for an hour. Safe for threads."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str | None], tuple[str, float]] = {}

    def zone(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name, of that account if one is given.

        Raises:
            Refused: there is none, or more than one (code `zone`).
            Unavailable, RateLimited: no usable answer.
        """
        wanted = plain_name(name)
        query = {"name": wanted, "per_page": "50"} | ({"account.id": account_id} if account_id else {})
        call = Call(
            operation="zones",
            doing=f"looking up the zone {wanted}",
            method="GET",
            path="/zones",
            priority=Priority.START,
            query=query,
        )
        return self._id(call, ("zone", wanted, account_id), plain_name, "Zone Read on it")

    def account(self, name: str) -> str:
        """Return the id of the account of that name.

        Raises:
            Refused: there is none, or more than one (code `account`).
            Unavailable, RateLimited: no usable answer.
        """
        call = Call(
            operation="accounts",
            doing=f"looking up the account {name}",
            method="GET",
            path="/accounts",
            priority=Priority.START,
            query={"name": name, "per_page": "50"},
        )
        return self._id(call, ("account", name, None), str, "Account Settings Read on it")

    def _id(self, call: Call, wanted: tuple[str, str, str | None], plain: Callable[[str], str], right: str) -> str:
        with self._lock:
            kept = self._kept.get(wanted)
        if kept is not None and time.monotonic() < kept[1]:
            return kept[0]
        kind, name, _ = wanted
        rows = read_all(self._calls, call)
        found = {str(row["id"]) for row in rows if isinstance(row.get("name"), str) and plain(row["name"]) == name}
        if len(found) != 1 or not all(tokens.ID.fullmatch(i) for i in found):
            seen = f"several {kind}s of that name" if found else f"no {kind} of that name"
            raise Refused(
                f"{call.doing}: the management token sees {seen}",
                f"correct the name, give the management token {right}, or write the {kind}'s id instead",
                code=kind,
            )
        with self._lock:
            self._kept[wanted] = (found_id := found.pop(), time.monotonic() + KEPT)
        return found_id
