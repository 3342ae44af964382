"""What the tokens of one credential are to be: by its grants, or like a token that somebody changed and is right."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.core.drift import Difference
from rotator.core.errors import RateLimited, Refused, Unavailable
from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.grants import Directory, policies_of
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.policies import TokenPolicy, limits_of, of_shown


class Meant:
    """Policies and address restriction that are asked for; safe for threads."""

    def __init__(
        self,
        options: CredentialOptions,
        account_id: str | None,
        directory: Directory,
        like: Mapping[str, object] | None,
    ) -> None:
        """`directory` turns names into ids; `like` is what a token object says, instead of the grants."""
        self._options, self._account_id, self._directory = options, account_id, directory
        self._like = None if like is None else (of_shown(like), limits_of(like.get("condition")))

    def policies(self) -> tuple[TokenPolicy, ...]:
        """Return the policies; raises what looking up a name raises."""
        if self._like is not None and self._like[0] is not None:
            return self._like[0]
        return policies_of(self._options, self._account_id, self._directory)

    def request_ip(self) -> dict[str, tuple[str, ...]]:
        """Return the address restriction, `in` / `not_in` -> blocks; a side without one is left out."""
        if self._like is not None:
            return self._like[1]
        limits = self._options.request_ip
        sides = {"in": limits.in_, "not_in": limits.not_in} if limits else {}
        return {side: blocks for side, blocks in sides.items() if blocks}

    def differences(self, shown: Mapping[str, object]) -> tuple[Difference, ...]:
        """Return how a token object differs from that.

        Raises:
            Unavailable, RateLimited: a name could not be looked up.
        """
        try:
            return differences(self.policies(), self.request_ip(), shown)
        except RateLimited:
            raise
        except Refused as unknown:
            raise Unavailable(unknown.message, unknown.remedy) from None
