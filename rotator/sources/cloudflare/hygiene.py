"""What an audit says of a token: each finding is one row of a table, a question to what its owner's list shows. Pure.

A token that is dead for good is only called that: whatever else it was can hurt nobody any more. A connection's own
management tokens have to manage tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rotator.core.credential import NEVER
from rotator.core.durations import DAY, human
from rotator.core.protocol.names import parse
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.audit import Listed
from rotator.sources.cloudflare.grants import ACCOUNT, ZONE
from rotator.sources.cloudflare.management import WRITE
from rotator.sources.cloudflare.policies import ALLOW, atoms, same_condition


class Level(StrEnum):
    """How bad a finding is."""

    FAIL = "fail"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding on one token; `message` and `remedy` for people."""

    code: str
    level: Level
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about: a token and everything that an answer rests on.

    Attributes:
        token: as listed.
        now: provider time, unix seconds.
        managed_by: the credential that keeps it, or None.
        namesakes: how many tokens of the owner have its name.
        fits: whether a name follows the convention; None where the configuration has none.
        unused: seconds without use after which a token counts as unused.
        expires: seconds before its end in which a token ends soon.
    """

    token: Listed
    now: float
    managed_by: str | None = None
    namesakes: int = 1
    fits: Callable[[str], bool] | None = None
    unused: float = 90 * DAY
    expires: float = 30 * DAY

    @property
    def policies(self) -> Any:
        """The policies as shown."""
        return self.token.row.get("policies")

    @property
    def places(self) -> frozenset[str]:
        """Resources on which something is allowed, nested ones as `account>resource`."""
        shown = self.policies
        found = atoms(shown if isinstance(shown, list) else ()) or frozenset()
        return frozenset(place.removesuffix("=*") for effect, _, place in found if effect == ALLOW)


def expired(asked: Question) -> str | None:
    """It has ended."""
    state = asked.token.state
    over = state.status == "expired" or state.expires_at <= asked.now
    return "it has expired" if over and not state.exposed else None


def exposed(asked: Question) -> str | None:
    """The provider ended it, because its value was found in public."""
    return f"Cloudflare says that it is {asked.token.state.status}" if asked.token.state.exposed else None


def manages_tokens(asked: Question) -> str | None:
    """It can make tokens, and is not one of the connection's own."""
    held = tokens.groups_of(asked.token.row) & frozenset(WRITE.values())
    return "it may create and change tokens" if held and not asked.token.role else None


def never_expires(asked: Question) -> str | None:
    """It has no end."""
    return "it never expires" if asked.token.state.expires_at == NEVER else None


def expires_soon(asked: Question) -> str | None:
    """It ends soon, and nobody renews it."""
    left = asked.token.state.expires_at - asked.now
    soon = 0 < left <= asked.expires and asked.managed_by is None
    return f"it expires in {human(left)}" if soon else None


def unused(asked: Question) -> str | None:
    """It was used, and not for long."""
    last = asked.token.state.last_used_at
    silent = asked.now - last if last is not None else 0.0
    return f"it was not used for {human(silent)}" if silent >= asked.unused else None


def never_used(asked: Question) -> str | None:
    """It was never used."""
    return "it was never used" if asked.token.state.last_used_at is None else None


def all_zones(asked: Question) -> str | None:
    """It reaches every zone of an account, or of all."""
    every = any(place.rpartition(">")[2] == f"{ZONE}.*" for place in asked.places)
    return "it reaches every zone, those of tomorrow included" if every else None


def all_accounts(asked: Question) -> str | None:
    """It reaches every account of its user, and so does a token for all zones that names no account."""
    every = any(place.partition(">")[0] in (f"{ACCOUNT}.*", f"{ZONE}.*") for place in asked.places)
    return "it reaches every account of its user" if every else None


def no_ip_limit(asked: Question) -> str | None:
    """It may be used from anywhere."""
    free = same_condition({}, asked.token.row.get("condition"))
    return "it may be used from every address" if free else None


def name_convention(asked: Question) -> str | None:
    """Its name, or its credential's where one of ours minted it, does not follow the convention."""
    if asked.fits is None or asked.token.role:
        return None
    made = parse(asked.token.state.name)
    name = made.base if made else asked.token.state.name
    return None if asked.fits(name) else "its name does not follow `names.pattern`"


def disabled(asked: Question) -> str | None:
    """Somebody disabled it, and it can be enabled again; one that is being retired is deleted anyway."""
    off = asked.token.state.status == "disabled" and asked.managed_by is None
    return "it is disabled, and can be enabled again" if off else None


def duplicate_name(asked: Question) -> str | None:
    """Another token of the owner is called the same."""
    return f"{asked.namesakes} tokens of its owner have this name" if asked.namesakes > 1 else None


def unmanaged(asked: Question) -> str | None:
    """Nobody keeps it fresh."""
    return "no credential keeps it fresh" if asked.managed_by is None and not asked.token.role else None


_DELETE: Final = "delete it in the dashboard"
_ADOPT: Final = "`rotator adopt {id}` writes the credential that keeps it"
_ROTATE: Final = "`rotator adopt {id}` writes a credential; `lifetime` says how long its successors live"

DEAD: Final[Mapping[str, tuple[Level, Callable[[Question], str | None], str]]] = {
    "exposed": (Level.FAIL, exposed, "find where its value stands in public, delete it, and rotate what used it"),
    "expired": (Level.FAIL, expired, "delete it in the dashboard; it counts against the quota"),
}
"""Code -> level, question, remedy: what is said of a token that is dead for good."""

LIVING: Final[Mapping[str, tuple[Level, Callable[[Question], str | None], str]]] = {
    "manages_tokens": (
        Level.FAIL,
        manages_tokens,
        "take the permission away, or keep it as the management token of a connection and nowhere else",
    ),
    "never_expires": (Level.WARN, never_expires, _ROTATE),
    "expires_soon": (Level.WARN, expires_soon, _ADOPT),
    "unused": (Level.WARN, unused, _DELETE),
    "never_used": (Level.WARN, never_used, _DELETE),
    "all_zones": (Level.WARN, all_zones, "name the zones that it needs"),
    "all_accounts": (Level.WARN, all_accounts, "name the accounts that it needs"),
    "no_ip_limit": (Level.WARN, no_ip_limit, "restrict it with `request_ip` where its users have fixed addresses"),
    "name_convention": (Level.WARN, name_convention, "give it a name that follows `names.pattern`"),
    "disabled": (Level.WARN, disabled, _DELETE),
    "duplicate_name": (Level.WARN, duplicate_name, "give each token a name of its own"),
    "unmanaged": (Level.INFO, unmanaged, _ADOPT),
}
"""The same of every other token."""

CODES: Final = (*DEAD, *LIVING)


def findings(asked: Question) -> list[Found]:
    """Return what is to be said of one token, the worst first."""
    found = _ask(DEAD, asked)
    table = {} if found else LIVING
    if found:
        table = {"unmanaged": LIVING["unmanaged"]}
    return found + _ask(table, asked)


def _ask(table: Mapping[str, tuple[Level, Callable[[Question], str | None], str]], asked: Question) -> list[Found]:
    return [
        Found(code=code, level=level, message=message, remedy=remedy.replace("{id}", asked.token.state.id))
        for code, (level, question, remedy) in table.items()
        if (message := question(asked))
    ]
