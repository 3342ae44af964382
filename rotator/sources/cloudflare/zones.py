"""The ids of zones by their names."""

from __future__ import annotations

import threading
import time
from typing import Final

from rotator.core.errors import Refused
from rotator.core.ports.runtime import Priority
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.domains import plain_name

KEPT: Final = 3600.0
"""Seconds for which a zone's id is believed; a zone that was deleted and added again has a new one."""


class Zones:
    """The ids of zones by name; kept for an hour. Safe for threads."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str | None], tuple[str, float]] = {}

    def id_of(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name, of that account if one is given.

        Raises:
            Refused: there is none, or more than one (code `zone`).
            Unavailable, RateLimited: no usable answer.
        """
        wanted = plain_name(name)
        with self._lock:
            kept = self._kept.get((wanted, account_id))
        if kept is not None and time.monotonic() < kept[1]:
            return kept[0]
        query = {"name": wanted, "per_page": "50"} | ({"account.id": account_id} if account_id else {})
        call = Call(
            operation="zones",
            doing=f"looking up the zone {wanted}",
            method="GET",
            path="/zones",
            priority=Priority.START,
            query=query,
        )
        reply = self._calls.call(call)
        rows = reply.envelope.result if reply.envelope and reply.verdict is None else None
        if not isinstance(rows, list):
            raise self._calls.failure(call, reply)
        found = {
            str(row.get("id"))
            for row in rows
            if isinstance(row, dict) and isinstance(row.get("name"), str) and plain_name(row["name"]) == wanted
        }
        if len(found) != 1 or not all(tokens.ID.fullmatch(i) for i in found):
            seen = "several zones of that name" if found else "no zone of that name"
            raise Refused(
                f"{call.doing}: the management token sees {seen}",
                "correct the name, give the management token Zone Read on it, or write the zone's id instead",
                code="zone",
            )
        with self._lock:
            self._kept[wanted, account_id] = (zone_id := found.pop(), time.monotonic() + KEPT)
        return zone_id
