"""`probes: auto`: whether a new token can do what its grants say, asked once, before its value is published.

The same reads as `rotator token test`. What cannot be proven without writing holds nothing back; a permission that is
certainly missing does, and nothing is published until it is there or the grants are others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from rotator.core.errors import Barred, Unavailable
from rotator.core.instants import unix
from rotator.core.secret import Secret
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.proving import Proven, prove
from rotator.sources.cloudflare.trials import of_grants

YOUNG: Final = 3600.0
"""Seconds after its making for which a token counts as new; one that is older was published, or never will be."""
SETTLES: Final = 90.0
"""Seconds for which a refusal of a new token may be a permission on its way (Cloudflare: about a minute)."""
REMEDY: Final = (
    "`rotator token test` shows each permission; compare the grants with the dashboard, or write `probes: none` if the "
    "read is not what the token is for"
)


class FirstUse:
    """What is known of the new tokens of one credential; forgotten when the process ends, and then asked again."""

    def __init__(self, connection: CloudflareConnection, options: CredentialOptions, account_id: str | None) -> None:
        """Nothing is sent."""
        self._connection = connection
        self._options = options
        self._account_id = account_id
        self._proven: set[str] = set()

    def demand(self, value: Secret, token_id: str, shown: Mapping[str, Any] | None) -> None:
        """Make sure that a new token can do what its grants say.

        Args:
            value: of the token, which authenticates the reads.
            token_id: its id.
            shown: the token as GET showed it just now; None where it was not read, which is so for published ones.

        Raises:
            Barred: a permission is missing, which only a person changes.
            Unavailable: a permission is refused that may be on its way, or its place could not be looked up.
            RateLimited: not now.
        """
        made = unix(shown.get("issued_on")) if shown else None
        age = None if made is None else time.time() - made
        if shown is None or age is None or age > YOUNG or token_id in self._proven:
            return
        trials = of_grants(self._options, self._account_id, self._connection)
        proofs = prove(self._connection.calls, value, trials, shown, REMEDY)
        failed = [proof for proof in proofs if proof.verdict is Proven.FAILED]
        if not failed:
            self._proven.add(token_id)
            return
        first = failed[0]
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        said = f"{first.trial.permission} on {first.trial.place.label}: {first.message}{more}"
        if age < SETTLES:
            raise Unavailable(f"the new token cannot do everything yet: {said}", "it is tried again automatically")
        raise Barred(f"the new token cannot do what its grants say: {said}", REMEDY)
