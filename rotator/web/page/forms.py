"""What a form carries so that no other page can send it: who, what, on which credential, and until when.

The seal is an HMAC under a key that all daemons on one journal share; it is worth nothing for another user, act or
credential. The nonce becomes the id of the request, so that a form that is sent twice is one act.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

VALID: Final = 3600.0
"""Seconds for which a form may be sent after it was shown."""


class Stale(Exception):
    """The form is not one of ours, not this user's, or too old."""


class Repeated(Exception):
    """The form was sent before: what it asks for was done, or refused, then."""


class Forms:
    """Makes forms and knows them again."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        """`key`: 32 bytes that nobody else knows."""
        self._key, self._clock = key, clock
        self._used: dict[str, float] = {}

    def make(self, user: str, act: str, name: str) -> dict[str, str]:
        """Return the hidden fields of a form."""
        nonce, until = secrets.token_hex(16), f"{self._clock() + VALID:.0f}"
        return {"nonce": nonce, "until": until, "seal": self._seal(user, act, name, nonce, until)}

    def check(self, fields: Mapping[str, str], user: str, act: str, name: str) -> str:
        """Return the nonce of a form that was sent, and remember it.

        Raises:
            Stale: it is none that this user was shown for this act within the hour.
            Repeated: it was sent before.
        """
        nonce, until, seal = (fields.get(key, "") for key in ("nonce", "until", "seal"))
        ours = self._seal(user, act, name, nonce, until)
        now = self._clock()
        if not hmac.compare_digest(seal.encode(), ours.encode()) or now > float(until):
            raise Stale
        self._used = {known: ends for known, ends in self._used.items() if ends > now}
        if nonce in self._used:
            raise Repeated
        self._used[nonce] = float(until)
        return nonce

    def _seal(self, *parts: str) -> str:
        text = "\0".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
