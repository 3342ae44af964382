"""What the facts of one credential add up to. Immutable; made by `fold` alone, read by rules, status and engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.core.credential import NEVER, Policy, Strategy, Terms
from rotator.core.drift import Drift
from rotator.core.errors import IllegalFact
from rotator.core.facts import Kept, Kind
from rotator.core.ids import (
    NO_REQUEST,
    NO_ROTATION,
    NO_TOKEN,
    NO_VALUE,
    CredentialId,
    Fingerprint,
    RequestId,
    RotationId,
    TokenId,
)
from rotator.core.plain import Json
from rotator.core.protocol.pair_view import Pair
from rotator.core.protocol.target_view import UNSEEN as UNSEEN
from rotator.core.protocol.target_view import Acceptance as Acceptance
from rotator.core.protocol.target_view import ByTarget
from rotator.core.protocol.target_view import Guest as Guest
from rotator.core.protocol.target_view import Hooking as Hooking
from rotator.core.protocol.target_view import Mark as Mark
from rotator.core.protocol.target_view import Past as Past
from rotator.core.protocol.target_view import TargetView as TargetView
from rotator.core.reasons import OperatorCode


class AttemptState(StrEnum):
    """How far an attempt to mint is."""

    INTENT = "intent"
    """It may have been sent; its answer is not known."""
    CAPTURED = "captured"
    ABANDONED = "abandoned"
    REJECTED = "rejected"
    """Captured, and turned down."""
    REFUSED = "refused"
    """The provider said no: nothing was minted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the journal knows of one token.

    Attributes:
        id: id at the provider.
        name: name at the provider, or empty where it was never seen.
        attempt_name: name of the attempt that minted it, or empty for an adopted one.
        born: provider time of issue.
        expires_at: provider time, `NEVER` without expiry.
        adopted: whether its consumers are unknown to us.
        scope: where it lives at the provider (`Credential.scope`), empty where an older version noted it.
        digest: of what the configuration said to the source when it was last known to be like that, or empty.
    """

    id: TokenId
    name: str = ""
    attempt_name: str = ""
    born: float = 0.0
    expires_at: float = NEVER
    adopted: bool = False
    scope: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """How often in a row an act failed, and when last (provider time).

    Attributes:
        count: failures in a row.
        last: provider time of the last one.
        message: why, for people.
        code: set where only a person can help.
        remedy: what to do, for people; empty where nothing is to be done.
        full: whether a mint was refused because as many tokens exist as may.
    """

    count: int
    last: float
    message: str = ""
    code: OperatorCode | None = None
    remedy: str = ""
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The open rotation.

    Attributes:
        rid: rotation id.
        terms: frozen policy.
        step: the last step that is durably true.
        since: provider time of that step.
        started: provider time of PLANNED.
        attempt: number of the present mint, 0 before the first.
        attempt_name: its unique name.
        rejects: captured tokens that were turned down.
        token_id: the token that this rotation publishes, or empty.
        fingerprint: the value that it publishes, or empty.
        before: roll: fingerprint from before the roll, which is never an answer of the oracle.
        generation: number of its publication, 0 before PUBLISHING.
        written: targets written in this publication.
        read_back: targets read back and verified in this publication.
        extended: expiry proven before a roll, 0 if not yet.
        rolled_at: when the first roll of this rotation was sent, 0 before; at the latest then the old value died.
        published: whether any publish intent of this rotation exists.
        failures: by act, or act and target.
        prior: the rotation as it was before the present intent, for a certain refusal.
        request_id: the operator's request that it serves, or empty.
    """

    rid: RotationId
    terms: Terms
    step: Kind
    since: float
    started: float
    attempt: int = 0
    attempt_name: str = ""
    rejects: int = 0
    token_id: TokenId = NO_TOKEN
    fingerprint: Fingerprint = NO_VALUE
    before: Fingerprint = NO_VALUE
    generation: int = 0
    written: frozenset[str] = frozenset()
    read_back: frozenset[str] = frozenset()
    extended: float = 0.0
    rolled_at: float = 0.0
    published: bool = False
    failures: Mapping[tuple[str, str], Failure] = field(default_factory=dict)
    prior: Rotation | None = None
    request_id: RequestId = NO_REQUEST

    @property
    def strategy(self) -> Strategy:
        """The strategy in the terms."""
        return self.terms.policy.strategy

    @property
    def policy(self) -> Policy:
        """The timings in the terms."""
        return self.terms.policy

    @property
    def rolling(self) -> bool:
        """Whether the old value is dead and the new one is not confirmed yet."""
        return bool(self.rolled_at) and self.step is not Kind.CONFIRMED

    def over_budget(self, now: float) -> bool:
        """Whether a roll has lasted longer than the outage that its owner accepts; `now` in provider time."""
        budget = self.policy.outage_budget
        return self.rolling and bool(budget) and now - self.rolled_at > budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The obligation to take one old token out of service.

    Attributes:
        token_id: the old token.
        step: `RETIREMENT` while open, then SUPERSEDED, CONDEMNED or REVOKED, DISABLED, DELETED.
        since: provider time of that step.
        opened: provider time at which it was opened.
        policy: timings of the rotation that replaced it.
        failures: by act.
    """

    token_id: TokenId
    step: Kind
    since: float
    opened: float
    policy: Policy
    failures: Mapping[tuple[str, str], Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An operator's request for a rotation that no rotation serves yet."""

    id: RequestId
    at: float
    strategy: Strategy | None = None
    outage_budget: float = 0.0
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Why a token was revoked: when (provider time), by whom, and whether a successor is to be made (not `bare`)."""

    at: float
    request_id: RequestId = NO_REQUEST
    bare: bool = False
    exposed: bool = False
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Starts and retirements are stopped; `until` is provider time, `NEVER` for open end."""

    since: float
    until: float
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(ByTarget):
    """Everything that rules may know of one credential's past.

    Attributes:
        position: position of the last folded fact.
        current: id of the token that is published and confirmed, or empty.
        fingerprint: its value.
        generation: number of the last publication.
        values: fingerprint -> token id, every value that the journal holds or held, oldest first.
        pieces: fingerprint of what was written to a managed key beside the value, or derived from it -> of that value.
        tokens: by id.
        attempts: by attempt name, how far it is.
        rotation: the open one.
        retirements: open ones by token id.
        marked: token id -> the irrevocable fact about it.
        revoked: token id -> the first word that revoked it.
        exposed_at: when the provider last said that a published value was found in public.
        exposed_before: when it said so the time before.
        intended: token ids with any publish intent.
        stood: token ids that were seen standing at a target.
        targets: what is known of each target, by name.
        held: token id -> other streams whose targets hold it -> those targets; it is not retired meanwhile.
        let_go: token id -> last moment at which a target was seen to stop holding it.
        ahead: a target or a name was seen that is ahead of the journal: it was restored.
        ahead_at: when that was seen last.
        ahead_generation: the generation of then; whatever is published later has a greater one.
        cleared_at: until when an operator confirmed the sweep.
        closing: id of the rotation that an operator told us to close, or empty.
        want: a successor is wanted at once (the last rotation was displaced).
        yielded: the last rotation was displaced before its first intent to let a republish pass.
        healed_at: when the last republish was planned.
        request: what an operator asked for.
        served: request id -> rotation id.
        pause: the operator's pause.
        planned_at: when the last rotation was planned (republish not counted).
        confirmed_at: when the last rotation was confirmed (republish not counted).
        rotations: confirmed rotations, republish and first creation not counted.
        failing_since: since when the open work fails without a success, 0 if it does not.
        spec: the configured stanza as last journaled.
        former: scope that the credential left -> its stanza of then, so that tokens there can still be ended.
        drift: token id -> how it was last seen to differ.
        updating: token id -> when a change of it in place was sent that may still arrive.
        updated: token id -> when one was last answered.
        unmended: token id -> how often in a row changing it failed.
        like: what somebody made of the current token and is right, so that successors are made like it.
        newer: the word of the first fact that only a newer version knows and that may not be passed over, or empty.
        newer_at: when that was written.
        pair: of a pair's stream, its members by token id.
    """

    position: int = 0
    current: TokenId = NO_TOKEN
    fingerprint: Fingerprint = NO_VALUE
    generation: int = 0
    values: Mapping[Fingerprint, TokenId] = field(default_factory=dict)
    pieces: Mapping[Fingerprint, Fingerprint] = field(default_factory=dict)
    tokens: Mapping[TokenId, Token] = field(default_factory=dict)
    attempts: Mapping[str, AttemptState] = field(default_factory=dict)
    rotation: Rotation | None = None
    retirements: Mapping[TokenId, Retirement] = field(default_factory=dict)
    marked: Mapping[TokenId, Kind] = field(default_factory=dict)
    revoked: Mapping[TokenId, Revocation] = field(default_factory=dict)
    exposed_at: float = -NEVER
    exposed_before: float = -NEVER
    intended: frozenset[TokenId] = frozenset()
    stood: frozenset[TokenId] = frozenset()
    targets: Mapping[str, TargetView] = field(default_factory=dict)
    held: Mapping[TokenId, Mapping[CredentialId, frozenset[str]]] = field(default_factory=dict)
    let_go: Mapping[TokenId, float] = field(default_factory=dict)
    ahead: bool = False
    ahead_at: float = -NEVER
    ahead_generation: int = 0
    cleared_at: float = -NEVER
    closing: RotationId = NO_ROTATION
    want: bool = False
    yielded: bool = False
    healed_at: float = -NEVER
    request: Request | None = None
    served: Mapping[RequestId, RotationId] = field(default_factory=dict)
    pause: Pause | None = None
    planned_at: float = 0.0
    confirmed_at: float = 0.0
    rotations: int = 0
    failing_since: float = 0.0
    spec: Mapping[str, Json] = field(default_factory=dict)
    drift: Mapping[TokenId, Drift] = field(default_factory=dict)
    updating: Mapping[TokenId, float] = field(default_factory=dict)
    updated: Mapping[TokenId, float] = field(default_factory=dict)
    unmended: Mapping[TokenId, Failure] = field(default_factory=dict)
    like: Kept | None = None
    newer: str = ""
    newer_at: float = 0.0
    former: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    pair: Pair = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """Where new tokens live at the provider, as last configured."""
        found = self.spec.get("scope")
        return found if isinstance(found, str) else ""

    def scope_of(self, token_id: TokenId) -> str:
        """Where a token lives at the provider, empty where that is not known."""
        token = self.tokens.get(token_id)
        return token.scope if token else ""

    def before_restore(self, token_id: TokenId) -> bool:
        """Whether the journal was restored since a token was made: it may have lost where that was written."""
        token = self.tokens.get(token_id)
        return self.ahead and (token is None or token.born <= self.ahead_at)

    @property
    def opened(self) -> Rotation:
        """The open rotation, where the caller relies on one.

        Raises:
            IllegalFact: none is open; whoever decided so looked at an older view.
        """
        if self.rotation is None:
            raise IllegalFact("no rotation is open")
        return self.rotation

    def expires_at(self, token_id: TokenId) -> float:
        """Expiry of a known token in provider time, `NEVER` for none or an unknown one."""
        token = self.tokens.get(token_id)
        return token.expires_at if token else NEVER

    @property
    def uncured(self) -> bool:
        """Whether the current token was revoked and no successor is confirmed yet."""
        return self.current in self.revoked

    @property
    def revoking(self) -> bool:
        """Whether a revoke is unfinished: a token that it names may live, or nothing of a successor was published."""
        rotation = self.rotation
        cured = rotation is not None and rotation.published and rotation.token_id not in self.revoked
        return any(r.step is Kind.REVOKED for r in self.retirements.values()) or (self.uncured and not cured)

    def ever_published(self, token_id: TokenId) -> bool:
        """Whether a value of the token may ever have stood anywhere."""
        return token_id in self.intended or token_id in self.stood


def blank() -> View:
    """Return the view of a stream without facts."""
    return View()
