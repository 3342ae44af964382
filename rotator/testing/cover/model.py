"""One state of the model: everything that the next step of anything depends on, small enough to be copied.

Time stands still while somebody works and moves in ticks, each longer than the settle time: so every timer has either
run or not, and a request that was sent before a tick has arrived or is lost.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace

from rotator.core.credential import EVERYTHING, NEVER, Can, Credential, Policy, Strategy, TargetRef
from rotator.core.facts import Draft
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId
from rotator.core.plain import Json
from rotator.core.ports.journal import Lease
from rotator.core.protocol.view import View
from rotator.engine.work import Memory, Tuning
from rotator.testing.laws import Law, Violation
from rotator.testing.simulation.provider import Place, Tok
from rotator.testing.simulation.state import Mutation
from rotator.testing.simulation.store import Store

TICK = 70.0
"""Seconds: longer than the settle time, a lease, and every freshness that a rule asks for."""

NAME, CONNECTION = CredentialId("c0"), "model"
LIFE, RENEW = 1e6, 2e4
TUNING = Tuning(watch=60.0, sweep=60.0, doubt=120.0)
POLICY = Policy(
    lifetime=LIFE,
    renew_before=RENEW,
    grace=100.0,
    quiet=100.0,
    quiet_adopted=100.0,
    soak=100.0,
    settle=60.0,
    propagation=4.0,
    retry=5.0,
    rejects=2,
)
KINDS = {"env": "file", "vault": "cas"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a port answered within the present act: played back when the act is gone through again."""

    operation: str
    now: float
    result: object = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proc:
    """One process between two effects.

    Attributes:
        name: A or B.
        incarnation: grows with each restart.
        memory: what it remembered when the present act began.
        view: the fold on which the present act was decided; None between two passes.
        credential: the configuration of this pass.
        first: whether nothing was decided in this pass yet.
        lease: its right to work, as it believes.
        began: when the present act began.
        log: answers within the present act.
        pending: the effect before which it stands; empty between two passes.
        stopped: whether it is paused (SIGSTOP).
        since: since when it is, or stands before its effect.
        done: whether it has had its pass at this moment.
    """

    name: str
    incarnation: int = 1
    memory: Memory = field(default_factory=Memory)
    view: View | None = None
    credential: Credential | None = None
    first: bool = False
    lease: Lease | None = None
    began: float = 0.0
    log: tuple[Entry, ...] = ()
    pending: str = ""
    stopped: bool = False
    since: float = 0.0
    done: bool = False

    @property
    def me(self) -> tuple[str, int]:
        """Identity of this incarnation."""
        return self.name, self.incarnation

    def runs(self, now: float) -> bool:
        """Whether it stands before an effect that it can do at this moment."""
        return bool(self.pending) and not self.stopped and (self.pending != "sleep" or self.since < now)


Late = tuple[str, tuple[object, ...]]
"""An effect whose request is still on its way: operation and arguments."""


@dataclass(slots=True, kw_only=True)
class Model:
    """One state. `copy` it, then change the copy: its tokens and places by way of `tok` and `place` alone."""

    store: Store
    mutation: Mutation
    strategy: Strategy = Strategy.RECREATE
    now: float = 1000.0
    left: int = 2
    toks: dict[TokenId, Tok] = field(default_factory=dict)
    by_value: dict[str, TokenId] = field(default_factory=dict)
    foreign: frozenset[TokenId] = frozenset()
    places: dict[str, Place] = field(default_factory=dict)
    procs: list[Proc] = field(default_factory=list)
    late: tuple[Late, ...] = ()
    locks: dict[str, tuple[str, int]] = field(default_factory=dict)
    required: dict[str, bool] = field(default_factory=dict)
    adopt: TokenId = NO_TOKEN
    managed: bool = True
    can: Can = EVERYTHING
    idle: bool = False
    pasted: bool = False
    marks: bool = False
    cramped_until: float = -NEVER
    ids: int = 0
    happened: frozenset[str] = frozenset()
    lost_at: float = -NEVER
    backup: View | None = None
    displaced: dict[str, tuple[str, str]] = field(default_factory=dict)
    spooled: frozenset[str] = frozenset()
    acting: Proc | None = None
    broken: Violation | None = None

    def copy(self) -> Model:
        """A state to change, of which nothing is shared with this one that can be changed."""
        other = copy(self)
        other.store = self.store.copy()
        other.toks, other.places, other.by_value = dict(self.toks), dict(self.places), dict(self.by_value)
        other.procs = list(self.procs)
        other.locks, other.required = dict(self.locks), dict(self.required)
        other.displaced = dict(self.displaced)
        return other

    def tok(self, token: TokenId) -> Tok:
        """A token to change: this state's own."""
        found = self.toks[token] = copy(self.toks[token])
        return found

    def place(self, name: str) -> Place:
        """A place to change: this state's own."""
        found = self.places[name]
        own = replace(found, data=dict(found.data), by=dict(found.by), since=dict(found.since))
        self.places[name] = own
        return own

    @property
    def mutants(self) -> frozenset[str]:
        """Names of the habits that this run leaves out."""
        return self.mutation.names

    @property
    def view(self) -> View:
        """The fold of everything that is durable."""
        return self.store.stream(NAME).view

    def alive(self) -> set[tuple[str, int]]:
        """Processes whose owner file is locked."""
        return {proc.me for proc in self.procs}

    def undisturbed(self, index: int) -> bool:
        """Whether nothing can come in between the effects of one process any more."""
        others = (proc for at, proc in enumerate(self.procs) if at != index)
        return not self.left and not self.late and not any(proc.stopped or proc.view is not None for proc in others)

    def credential(self) -> Credential:
        """The configuration now."""
        targets = tuple(
            TargetRef(name=n, type="simulated", place=n, required=r) for n, r in sorted(self.required.items())
        )
        stanzas: dict[str, Json] = {t.name: {} for t in targets}
        return Credential(
            id=NAME,
            name=NAME,
            connection=CONNECTION,
            owner="account",
            policy=POLICY if self.strategy is POLICY.strategy else replace(POLICY, strategy=self.strategy),
            targets=targets,
            adopt=self.adopt,
            spec={"targets": stanzas},
            managed=self.managed,
        )

    def bad(self, law: Law, text: str) -> None:
        """A law was broken; the first one counts."""
        self.broken = self.broken or Violation(self.now, law, text)

    # --- the provider

    def fresh(self, prefix: str) -> str:
        """A name that never was."""
        self.ids += 1
        return f"{prefix}{self.ids}"

    def make(self, owner: CredentialId, name: str, expires: float = NEVER) -> Tok:
        """A token comes into being; of two at one moment the second is younger."""
        number = len(self.toks)
        tok = Tok(
            id=TokenId(f"t{number}"),
            owner=owner,
            name=name,
            value=f"v{len(self.by_value)}",
            born=self.now + number / 1000,
            expires=expires,
            modified=self.now,
        )
        self.toks[tok.id] = tok
        self.by_value[tok.value] = tok.id
        return tok

    def of_value(self, value: str) -> Tok | None:
        """The token that has or had this value."""
        return self.toks.get(self.by_value.get(value, NO_TOKEN))

    def live(self, value: str) -> bool:
        """Whether the provider will accept this value (lag aside)."""
        tok = self.of_value(value)
        return tok is not None and tok.value == value and tok.status == "active" and tok.expires > self.now

    def held(self, tok: Tok) -> list[str]:
        """Places at which the token's present value stands."""
        return [name for name, place in self.places.items() if place.data.get(NAME) == tok.value]

    def used(self, tok: Tok) -> float:
        """Last use: consumers use what stands at targets all the time, unless they are idle ones."""
        return self.now if not self.idle and tok.status == "active" and self.held(tok) else tok.used

    def note(self, draft: Draft) -> None:
        """An operator's fact."""
        self.store.put(NAME, draft, None, 0)
