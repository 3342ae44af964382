"""The ports of one process of the model: every call becomes an operation with plain arguments, and passes the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rotator.core.credential import Can, Credential
from rotator.core.errors import Conflict, Refused
from rotator.core.facts import Draft
from rotator.core.ids import NO_CREDENTIAL, CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.ports.journal import Due, Journal, Lease
from rotator.core.ports.source import Minted, Source, TokenState
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.protocol.names import parse
from rotator.core.protocol.rules import Action
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.driver import Driver
from rotator.engine.work import Bound, Fleet, Work
from rotator.testing.cover.gate import Gate, Parked
from rotator.testing.cover.model import NAME, TUNING
from rotator.testing.simulation.plain import PlainFleet, PlainSource


class CoverSource(PlainSource):
    """The source port."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self.mutants = gate, gate.model.mutants
        self._can = replace(gate.model.can, compare=False)  # what a token may do is nothing that this model knows

    @property
    def can(self) -> Can:
        return self._can

    def mint(self, name: str, expires_at: float) -> Minted:
        found: Minted = self._call("mint", name, expires_at)
        return found

    def roll(self, token_id: TokenId) -> Minted:
        found: Minted = self._call("roll", token_id, self._gate.clock)
        return found

    def extend(self, token_id: TokenId, expires_at: float) -> None:
        self._call("extend", token_id, expires_at)

    def update(self, token_id: TokenId, name: str) -> None:
        """Nothing is ever compared here (`Can.compare`), so nothing is put right."""
        raise Refused("update: not here", code="unsupported")

    def disable(self, token_id: TokenId) -> None:
        self._call("disable", token_id)

    def delete(self, token_id: TokenId) -> None:
        self._call("delete", token_id)

    def get(self, token_id: TokenId) -> TokenState | None:
        found: TokenState | None = self._call("get", token_id)
        return found

    def verify(self, value: Secret) -> TokenId | None:
        found: TokenId | None = self._call("verify", value.reveal())
        return found

    def tokens(self) -> tuple[TokenState, ...]:
        found: tuple[TokenState, ...] = self._call("listed")
        return found

    def _call(self, operation: str, *arguments: object) -> Any:
        return self._gate.call(operation, *arguments)


class CoverTarget:
    """The target port: a compare-and-set store or a file, with the protocol of the real adapters."""

    def __init__(self, gate: Gate, name: str) -> None:
        self._gate, self._name = gate, name

    @property
    def evidence(self) -> Evidence:
        """See the port."""
        return Evidence.MARKER if self._kind == "blind" else Evidence.VALUE

    @property
    def _kind(self) -> str:
        return self._gate.model.places[self._name].kind

    @property
    def keys(self) -> Mapping[str, str]:
        return {NAME: "token.value"}

    def check(self) -> Sequence[Remark]:
        self._gate.call("check", self._name)
        return ()

    def read(self) -> Reading:
        return self._read("read")

    def _read(self, operation: str) -> Reading:
        found = self._gate.call(operation, self._name)
        assert isinstance(found, Reading)
        return found

    def write(self, publication: Publication) -> None:
        mine = publication.values[NAME].reveal()
        before = publication.expected.values.get(NAME)
        if before is not None and before.reveal() == mine:
            return  # the same publication twice is one write
        publication.still_mine()
        if self._kind != "file":
            expected = publication.expected.version
            if "reread_version" in self._gate.model.mutants:
                expected = self._read("read").version
            self._gate.call("put", self._name, mine, expected)
            return
        was = before.reveal() if before else ""
        found = self._read("reread").values.get(NAME)
        if (found.reveal() if found else "") != was:
            raise Conflict(f"{self._name}: the managed key changed")
        old = self._gate.call("exchange", self._name, mine, was)
        if old != was and "no_exchange_back" not in self._gate.model.mutants:
            self._gate.call("exchange_back", self._name, old)
            raise Conflict(f"{self._name}: a foreign value was displaced")

    def close(self) -> None:
        """Nothing to give back."""


class CoverJournal:
    """The journal port."""

    instance = "i1"

    def __init__(self, gate: Gate) -> None:
        self._gate, self._me = gate, gate.proc.me

    def claim(self, stream: CredentialId) -> Lease | None:
        if self._gate.lease is None:
            found = self._gate.call("claim", self._me)
            self._gate.lease = found if isinstance(found, Lease) else None
        return self._gate.lease

    def noted(self, stream: CredentialId) -> str:
        return ""

    def release(self, lease: Lease, next_at: float | None, why: str = "") -> None:
        """What is due is not part of the model: every process has a pass after every tick."""

    def check(self, lease: Lease) -> None:
        self._gate.call("fence", self._me, lease)

    def view(self, stream: CredentialId) -> View:
        return self._gate.look()

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        return self._view("append", self._me, lease, draft, value.reveal() if value else None)

    def _view(self, operation: str, *arguments: object) -> View:
        found = self._gate.call(operation, *arguments)
        assert isinstance(found, View)
        self._gate.latest = found
        return found

    def note(self, stream: CredentialId, draft: Draft) -> View:
        raise NotImplementedError("an operator's facts are moves of the search")

    def spool(self, stream: CredentialId, draft: Draft, value: Secret) -> None:
        self._gate.call("spool", self._me, draft, value.reveal())

    def capture(self, stream: CredentialId, draft: Draft, value: Secret) -> View:
        return self._view("capture", self._me, draft, value.reveal())

    def reveal(self, stream: CredentialId, fingerprint: Fingerprint) -> Secret:
        return Secret(str(self._gate.call("reveal", fingerprint)))

    def fingerprint(self, value: Secret) -> Fingerprint:
        return Fingerprint("f" + value.reveal())

    def canary(self) -> None:
        self._gate.call("canary")

    @contextmanager
    def place(self, lease: Lease, place: str) -> Iterator[None]:
        self._gate.call("lock", self._me, place)
        try:
            yield
        except Parked:
            raise
        except BaseException:
            self._gate.call("unlock", self._me, place)
            raise
        self._gate.call("unlock", self._me, place)

    def destroy(self, stream: CredentialId, token_id: TokenId) -> None:
        """Keys of values are not part of the model."""

    def owner_of(self, fingerprint: Fingerprint, but: CredentialId) -> tuple[CredentialId, TokenId, bool] | None:
        return None

    def stream_of(self, rid: RotationId, *, managed: bool = False) -> CredentialId:
        names = self._gate.call("known")
        assert isinstance(names, tuple)
        return NAME if any((n := parse(name)) and n.rid == rid for name in names) else NO_CREDENTIAL

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        found = self._gate.call("raise_epoch", self._me, lease, above)
        assert isinstance(found, Lease)
        self._gate.lease = found
        return found

    def due(self, connection: str, now: float, limit: int) -> Sequence[Due]:
        return ()

    def wake(self, streams: Iterable[CredentialId], at: float = 0.0) -> None:
        """See `release`."""


class CoverRuntime:
    """The runtime port."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def now(self, connection: str) -> float:
        return self._gate.clock

    def believed(self, connection: str) -> float:
        return self._gate.clock

    def steady(self, connection: str) -> bool:
        return True

    def token_hex(self, size: int) -> str:
        prefix = "r" if size > 2 else ""
        return str(self._gate.call("fresh", prefix))

    def sleep(self, seconds: float) -> None:
        self._gate.call("sleep")

    def stopping(self) -> bool:
        return False

    def parallel(self, calls: Sequence[Callable[[], None]]) -> None:
        for call in calls:
            call()

    def event(self, name: str, **fields: object) -> None:
        """Nobody listens."""

    def crash(self, point: str) -> None:
        """A process is killed before each effect instead."""


class CoverFleet(PlainFleet):
    """One credential, as it was configured when the pass began."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def bound(self, stream: CredentialId, view: View) -> Bound | None:
        gate = self._gate
        targets = {name: CoverTarget(gate, name) for name in gate.model.places}
        return Bound(credential=gate.credential, source=CoverSource(gate), targets=targets)

    def tokens(self, credential: Credential, source: Source, fresh: float) -> tuple[TokenState, ...]:
        return source.tokens()

    def hold(self, credential: Credential) -> None:
        return None


def _journal(gate: Gate) -> Journal:
    return CoverJournal(gate)


def _fleet(gate: Gate) -> Fleet:
    return CoverFleet(gate)


def run(gate: Gate) -> None:
    """Let the process of a gate go on to its next effect, or to the end of its pass."""
    model, index = gate.model, gate.index
    driver = gate.model.mutation.driver(_journal(gate), CoverRuntime(gate), _fleet(gate), TUNING, model.mutation.tables)
    remembers: Driver = driver
    memory = remembers.memory(NAME)
    for name in type(memory).__dataclass_fields__:
        setattr(memory, name, getattr(gate.memory, name))
    gate.memory = memory
    perform = driver._perform

    def act(work: Work, actions: tuple[Action, ...]) -> None:
        gate.act()
        perform(work, actions)

    vars(driver)["_perform"] = act  # an act begins there, whichever driver a mutant has
    try:
        driver.run(NAME)
    except Parked:
        model.procs[index] = gate.parked()
    else:
        model.procs[index] = gate.ended()
