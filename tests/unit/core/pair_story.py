"""A pair's past told fact by fact, each legal as in the journal, and what is seen of it now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from rotator.core.credential import DAY
from rotator.core.facts import Captured, Draft, Extending, Member, Placed, Prolonged, Rolling, Unkept, What
from rotator.core.ids import TokenId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.keep import KEEP_TABLES, KeepStep, KeepTables, answer, next_keep
from rotator.core.protocol.keeping import Ask, Holds, KeepCase, KeepPolicy, KeepVerdict, Standing
from rotator.core.protocol.rules import Action, Result, Wait
from rotator.core.protocol.steps import legal
from rotator.core.protocol.view import View, blank

START = 1_000_000_000.0
LIFE = 90 * DAY
PARTNER = {"a": "b", "b": "a"}
ROLE = {"a": "management", "b": "standby"}


class PairStory:
    """Token `a` in the role `management` and `b` as `standby`; both seen, alive, and a month apart."""

    def __init__(self, *, rolls: bool = False, **policy: Any) -> None:
        self.policy = KeepPolicy(rolls=rolls, **policy)
        self.view: View = blank()
        self.at = START
        self.seen = {
            "management": self.standing("a", "va", START + LIFE),
            "standby": self.standing("b", "vb", START + LIFE - 30 * DAY),
        }

    def standing(self, token: str, value: str, ends: float | None, **more: Any) -> Standing:
        base: dict[str, Any] = {
            "role": ROLE[token],
            "at": self.at,
            "holds": Holds.VALUE,
            "fingerprint": value,
            "accepted": Result.GOOD,
            "token_id": token,
            "able": True,
            "expires_at": ends,
            "born": START,
            "writable": True,
        }
        return Standing(**{**base, **more})

    def known(self) -> Self:
        """Both are members."""
        for token, value, life in (("a", "va", LIFE), ("b", "vb", LIFE - 30 * DAY)):
            role, durable = ROLE[token], self.policy.rolls
            fact = Member(
                token_id=token,
                born=START,
                expires_at=START + life,
                fingerprint=value,
                role=role,
                life=life,
                durable=durable,
            )
            self.tell(fact)
        return self

    def sees(self, token: str, **changes: Any) -> Self:
        """Something else is seen in a member's place."""
        role = ROLE[token]
        self.seen[role] = replace(self.seen[role], **{"at": self.at, **changes})
        return self

    def later(self, seconds: float) -> Self:
        """Time passes, and both are looked at anew."""
        self.at += seconds
        self.seen = {role: replace(seen, at=self.at) for role, seen in self.seen.items()}
        return self

    def why_not(self, fact: What, principal: str = "") -> str:
        return legal(self.view, Draft(what=fact, at=self.at, principal=principal))

    def tell(self, fact: What) -> Self:
        """A fact becomes durable; an act on a member is its partner's."""
        principal = PARTNER.get(getattr(fact, "token_id", ""), "")
        draft = Draft(what=fact, at=self.at, principal=principal)
        assert legal(self.view, draft) == ""
        self.view = fold(self.view, draft)
        return self

    def extending(self, token: str, ends: float) -> Self:
        return self.tell(Extending(token_id=token, expires_at=ends))

    def prolonged(self, token: str, ends: float) -> Self:
        return self.tell(Prolonged(token_id=token, expires_at=ends)).sees(token, expires_at=ends)

    def rolling(self, token: str, attempt: int = 1) -> Self:
        return self.tell(Rolling(token_id=token, attempt=attempt))

    def captured(self, token: str, value: str, attempt: int = 1) -> Self:
        return self.tell(Captured(token_id=token, attempt=attempt, fingerprint=value))

    def placed(self, token: str, value: str) -> Self:
        return self.tell(Placed(token_id=token, fingerprint=value)).sees(token, fingerprint=value)

    def unkept(self, token: str, act: str) -> Self:
        return self.tell(Unkept(token_id=token, act=act, why="no", remedy="do"))

    def case(self) -> KeepCase:
        return KeepCase(view=self.view, standings=self.seen, policy=self.policy, now=self.at)

    def step(self, tables: KeepTables = KEEP_TABLES) -> KeepStep:
        return next_keep(self.case(), tables)

    def answer(self, row: str, token: str) -> KeepVerdict:
        """What a row says of one member."""
        return answer(KEEP_TABLES.rows[row], self.case().of(TokenId(token)))

    def does(self) -> Action:
        """The one action that is next."""
        (action,) = self.step().actions
        return action

    def waits(self, role: str) -> list[Wait | Ask]:
        """What a member waits for."""
        step = self.step()
        assert step.actions == ()
        return [found for found in step.why if found.subject == role]

    def asks(self) -> list[tuple[str, str]]:
        """Code and role of everything that a person is asked for."""
        step = self.step()
        assert step.actions == ()
        return [(found.code.value, found.subject) for found in step.why if isinstance(found, Ask)]
