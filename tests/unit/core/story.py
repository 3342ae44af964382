"""A credential's past told fact by fact: each must be legal, as in the journal; then the core is asked what is next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from rotator.core import encoding
from rotator.core.credential import DAY, NEVER, Credential, Policy, Strategy, TargetRef, Terms
from rotator.core.facts import Draft, Kind
from rotator.core.protocol.fold import fold
from rotator.core.protocol.rules import Action, Case, Do, Look, Operator, Result, Seen, Sight, Verdict, Wait
from rotator.core.protocol.steps import legal
from rotator.core.protocol.view import View, blank

K = Kind
START = 1_000_000.0
LIFE = 90 * DAY


def credential(**more: Any) -> Credential:
    """Two required targets, `env` and `vault`, and the default policy."""
    targets = more.pop("targets", ("env", "vault"))
    refs = tuple(t if isinstance(t, TargetRef) else TargetRef(name=t, type="fake", place=t) for t in targets)
    return Credential(
        **{
            "id": "c",
            "name": "deploy",
            "connection": "prod",
            "owner": "account",
            "policy": Policy(),
            "targets": refs,
            **more,
        }
    )


class Story:
    """Facts told in order; `at` is the time of the next one."""

    def __init__(self, told_of: Credential | None = None) -> None:
        self.credential = told_of or credential()
        self.view: View = blank()
        self.at = START
        self.mints = 0
        self.rotations = 0

    def later(self, seconds: float) -> Self:
        """Let time pass."""
        self.at += seconds
        return self

    def draft(self, kind: Kind, **fields: Any) -> Draft:
        """A fact about the open rotation, as the engine would write it."""
        rotation = self.view.rotation
        base: dict[str, Any] = {"at": self.at, "rid": rotation.rid if rotation else ""}
        return encoding.draft(kind, **{**base, **fields})

    def why_not(self, kind: Kind, **fields: Any) -> str:
        """Why the fact would be refused now."""
        return legal(self.view, self.draft(kind, **fields))

    def tell(self, kind: Kind, **fields: Any) -> Self:
        """A fact becomes durable."""
        draft = self.draft(kind, **fields)
        assert legal(self.view, draft) == ""
        self.view = fold(self.view, draft)
        return self

    def of_rotation(self, kind: Kind, **fields: Any) -> Self:
        """A fact with all fields of the open rotation."""
        rotation = self.view.opened
        base = {
            "token_id": rotation.token_id,
            "token_name": rotation.attempt_name,
            "generation": rotation.generation,
            "fingerprint": rotation.fingerprint,
        }
        return self.tell(kind, **{**base, **fields})

    # --- steps

    def planned(self, strategy: Strategy = Strategy.RECREATE, **more: Any) -> Self:
        """A rotation is opened."""
        self.rotations += 1
        policy = replace(self.credential.policy, strategy=strategy)
        terms = Terms(policy=policy, targets=self.credential.all, required=self.credential.required)
        keeps = strategy is not Strategy.RECREATE
        token = (self.view.current or self.credential.adopt) if keeps else ""
        value = self.view.fingerprint if strategy is Strategy.REPUBLISH else ""
        detail = {**terms.to_json(), "request_id": more.pop("request_id", "")}
        rid = more.pop("rid", f"r{self.rotations}")
        return self.tell(K.PLANNED, rid=rid, token_id=token, fingerprint=value, detail=detail)

    def intent(self) -> Self:
        """A mint is about to be sent."""
        self.mints += 1
        rotation = self.view.opened
        name = f"deploy~i.{rotation.rid}.1.{self.mints}"
        return self.tell(K.INTENT, attempt=rotation.attempt + 1, token_name=name, token_id=rotation.token_id)

    def captured(self, token: str = "", *, born: float | None = None, life: float = LIFE, value: str = "") -> Self:
        """The answer came: token t1 of the first mint, t2 of the second, ..."""
        rotation, born = self.view.opened, self.at if born is None else born
        detail: dict[str, Any] = {"born": born, "attempt_name": rotation.attempt_name}
        if life != NEVER:
            detail["expires_at"] = born + life
        token = token or rotation.token_id or f"t{self.mints}"
        return self.of_rotation(
            K.CAPTURED, token_id=token, fingerprint=value or f"v{self.mints}", attempt=rotation.attempt, detail=detail
        )

    def minted(self, **more: Any) -> Self:
        """Intent and capture."""
        return self.intent().captured(**more)

    def verified(self) -> Self:
        """The new token is what was asked for."""
        return self.of_rotation(K.VERIFIED)

    def publishing(self) -> Self:
        """The publication begins."""
        return self.of_rotation(K.PUBLISHING, generation=self.view.generation + 1)

    def written(self, *targets: str) -> Self:
        """Targets are written, all by default."""
        for name in targets or sorted(self.credential.all):
            self.of_rotation(K.PUBLISH_INTENT, target=name, detail={"version": "1"})
            self.of_rotation(K.WRITTEN, target=name)
        return self

    def read_back(self, *targets: str) -> Self:
        """Targets are read back, all by default."""
        for name in targets or sorted(self.credential.all):
            self.of_rotation(K.READ_BACK, target=name)
        return self

    def confirmed(self) -> Self:
        """Every required target holds the new value."""
        return self.of_rotation(K.CONFIRMED, detail={"adopt": self.credential.adopt})

    def rotated(self, strategy: Strategy = Strategy.RECREATE, **more: Any) -> Self:
        """One whole rotation."""
        self.planned(strategy)
        if strategy is not Strategy.REPUBLISH:
            self.minted(**more)
        self.verified().publishing().written().read_back().confirmed()
        return self.tell(K.DONE) if strategy is Strategy.ROLL else self

    def seen_first(self, *targets: str) -> Self:
        """Targets are seen for the first time, all by default."""
        for name in targets or sorted(self.credential.all):
            self.tell(K.BASELINE, target=name)
        return self

    def failed(self, act: str, target: str = "", why: str = "no", remedy: str = "", **more: Any) -> Self:
        """An act failed."""
        detail = {"act": act, "why": why, "remedy": remedy}
        return self.tell(K.FAILED, target=target, detail=detail, **more)

    def retired_to(self, step: Kind, token: str) -> Self:
        """A retirement goes on up to a step."""
        for kind in (K.SUPERSEDED, K.DISABLED, K.DELETED):
            self.tell(kind, token_id=token)
            if kind is step:
                break
        return self

    # --- questions

    def case(self, *seen: tuple[Sight, str, Result], age: float = 0.0, **more: Any) -> Case:
        """What the core is asked about, with looks taken `age` seconds ago."""
        looks = {Look(sight, of): Seen(self.at - age, result) for sight, of, result in seen}
        return Case(
            **{"view": self.view, "credential": self.credential, "now": self.at, "seen": looks, **more}  # type: ignore[arg-type]
        )


def published(**more: Any) -> Story:
    """A first creation went well: token t1, value v1, generation 1, at every target."""
    return Story(credential(**more)).seen_first().rotated()


def acts(verdict: Verdict | None) -> list[tuple[str, str]]:
    """What is to be done: (act, or the fact to record, or the sight to look at; target or subject)."""
    assert isinstance(verdict, Do), verdict
    return [_named(action) for action in verdict.actions]


def _named(action: Action) -> tuple[str, str]:
    if action.fact is not None:
        return action.fact.kind.value, getattr(action.fact, "target", "")
    if action.look is not None:
        return action.look.sight.value, action.look.of
    return action.act.value, action.target


def act(verdict: Verdict | None) -> str:
    """The one thing to be done."""
    found = acts(verdict)
    assert len(found) == 1, found
    return found[0][0]


def fact(verdict: Verdict | None) -> Any:
    """The one fact to be recorded."""
    assert isinstance(verdict, Do), verdict
    return verdict.actions[0].fact


def plan(verdict: Verdict | None) -> tuple[str, str]:
    """Strategy and reason of the rotation to be planned."""
    assert isinstance(verdict, Do), verdict
    assert verdict.actions[0].strategy is not None
    return verdict.actions[0].strategy.value, verdict.actions[0].why


def waits(verdict: Verdict | None) -> tuple[float, str]:
    """Until when, and why."""
    assert isinstance(verdict, Wait), verdict
    return verdict.until, verdict.why


def needs(verdict: Verdict | None) -> tuple[str, str]:
    """The code and the subject of what an operator has to decide."""
    assert isinstance(verdict, Operator), verdict
    return verdict.code, verdict.subject
