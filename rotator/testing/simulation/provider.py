"""The simulated provider and the simulated places: plain state with the provider's rules, no opinion."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from rotator.core.credential import NEVER
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId


@dataclass(slots=True, kw_only=True)
class Tok:
    """A token as the world knows it.

    Attributes:
        accepted_at: from when verify accepts its value (propagation).
        listed_at: from when a list shows it.
        used: last use by our requests or consumers that are known.
        killed: who ended it: empty, `us`, `expiry` or `outsider`.
        equal: whether its grants are those that were asked for.
        changed: when somebody changed its grants by hand.
        disabled_at: when we disabled it.
        gone: when it last stopped standing at a configured target.
        verified: when it was last accepted by verify.
        gone_by: `op` if an operator's edit did that.
    """

    id: TokenId
    owner: CredentialId
    name: str
    value: str
    born: float
    expires: float
    accepted_at: float = 0.0
    listed_at: float = 0.0
    status: str = "active"
    used: float = -NEVER
    killed: str = ""
    equal: bool = True
    changed: float = -NEVER
    disabled_at: float = -NEVER
    gone: float = -NEVER
    gone_by: str = ""
    modified: float = 0.0
    verified: float = -NEVER


@dataclass(slots=True, kw_only=True)
class Place:
    """One place that several credentials share: a value per credential, a version, and who changed it last."""

    name: str
    kind: str
    data: dict[str, str] = field(default_factory=dict)
    version: int = 0
    staged: dict[str, dict[str, str]] = field(default_factory=dict)
    down: float = -NEVER
    frozen: float = -NEVER
    by: dict[str, str] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    touched: dict[str, float] = field(default_factory=dict)


class Provider:
    """Tokens, their values, their lags and their ends."""

    def __init__(
        self, chance: random.Random, clock: Callable[[], float], at: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self.tokens: dict[TokenId, Tok] = {}
        self.by_value: dict[str, TokenId] = {}
        self.foreign: set[TokenId] = set()
        self.lags = True
        self.life: Callable[[], float] = lambda: 6000.0
        self.on_end: Callable[[Tok], None] = lambda tok: None
        self._chance, self._now, self._at = chance, clock, at
        self._ids = self._values = 0

    def value(self) -> str:
        """Return a value that never existed."""
        self._values += 1
        return f"v{self._values}"

    def make(self, owner: CredentialId, name: str, expires: float) -> Tok:
        """Create a token, with the lags of this moment."""
        self._ids += 1
        now = self._now()
        lag = self._chance.choice([0, 0, 2, 8, 50]) if self.lags else 0
        hidden = self._chance.choice([0, 0, 20]) if self.lags else 0
        tok = Tok(
            id=TokenId(f"t{self._ids}"),
            owner=owner,
            name=name,
            value=self.value(),
            born=float(int(now)),
            expires=expires,
            accepted_at=now + lag,
            listed_at=now + hidden,
            modified=now,
        )
        self.tokens[tok.id] = tok
        self.by_value[tok.value] = tok.id
        self.expire(tok)
        return tok

    def expire(self, tok: Tok) -> None:
        """Let the token end at its expiry, whenever that is by then."""

        def end() -> None:
            if tok.status == "active" and tok.expires <= self._now():
                tok.status, tok.killed = "expired", "expiry"
                self.on_end(tok)
            elif tok.status == "active" and tok.expires < NEVER:
                self.expire(tok)

        if tok.expires < NEVER:
            self._at(tok.expires - self._now(), end)

    def live(self, value: str | None) -> bool:
        """Whether the provider will accept this value (lag aside)."""
        tok = self.tokens.get(self.by_value.get(value or "", NO_TOKEN))
        return bool(tok) and tok is not None and tok.value == value and tok.status == "active"

    def of_value(self, value: str | None) -> Tok | None:
        """The token that has or had this value."""
        return self.tokens.get(self.by_value.get(value or "", NO_TOKEN))
