"""How a token differs, as the status tells it. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rotator.core.credential import EVERYTHING, Credential
from rotator.core.drift import MENDED, Difference, OnDrift, Part
from rotator.core.ids import TokenId
from rotator.core.notes import Trouble
from rotator.core.protocol.mend import Fix, fix, reconfigured, subject
from rotator.core.protocol.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDrift:
    """How the token differs from what was asked for; `since` in provider time, unix seconds.

    Attributes:
        token_id: which token.
        since: when that was seen first.
        differences: in what.
        reconfigured: whether the configuration was changed, and not the token.
        fix: what is done about it.
        remedy: what a person can do where nothing is done by itself, empty else.
    """

    token_id: TokenId
    since: float
    differences: tuple[Difference, ...]
    reconfigured: bool
    fix: Fix
    remedy: str = ""


def drift_of(credential: Credential, view: View) -> TokenDrift | None:
    """Return how the current token, or the one that is watched, differs; None where it does not."""
    token_id = subject(credential, view)
    drift = view.drift.get(token_id)
    if drift is None:
        return None
    return TokenDrift(
        token_id=token_id,
        since=drift.since,
        differences=drift.differences,
        reconfigured=reconfigured(credential, view),
        fix=fix(credential, view, EVERYTHING),
        remedy=_remedy(credential, view, drift.parts),
    )


def _remedy(credential: Credential, view: View, parts: Set[Part]) -> str:
    if fix(credential, view, EVERYTHING) is not Fix.NONE or not parts & MENDED:
        return ""
    if credential.watched:
        return "change the token back at the provider, or write into the configuration what it is now"
    return "`drift: restore` in the configuration takes it back, `drift: adopt` keeps it; or change it at the provider"


def adopted(credential: Credential, view: View) -> bool:
    """Whether what somebody made of its token counts, and not the grants: until these or `drift` are changed."""
    kept = view.like
    return kept is not None and kept.digest == credential.digest and credential.on_drift is OnDrift.ADOPT


def unmended(view: View) -> Trouble | None:
    """Return why the last change of the current token in place failed."""
    failed = view.unmended.get(view.current)
    return Trouble(act="update", message=failed.message, remedy=failed.remedy) if failed else None
