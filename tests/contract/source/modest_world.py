"""A provider in memory that can do little: no disable, no last use, no list, no roll, no moving of an end.

Sources of other providers will be like that; the contract holds for them, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rotator.core.credential import NEVER, Can
from rotator.core.errors import OperatorNeeded, OutcomeUnknown, RateLimited, Refused, Unavailable
from rotator.core.ports.source import Looks, Minted, Shape, TokenState
from rotator.core.reasons import OperatorCode
from rotator.core.secret import Secret
from tests.contract.source.world import Seen

READS = ("get", "list", "verify")


@dataclass
class Kept:
    """A token at the provider."""

    id: str
    name: str
    value: str
    born: float
    expires_at: float
    status: str = "active"


@dataclass
class ModestWorld:
    """Fulfils `tests.contract.source.world.World`."""

    clock: float = 1_700_000_000.0
    tokens: dict[str, Kept] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.management_id = self.make("management", NEVER).id
        self.source = ModestSource(self)

    def make(self, name: str, expires_at: float) -> Kept:
        number = len(self.tokens) + 1
        made = Kept(f"t{number}", name, f"modest-{number:032}", self.clock, float(expires_at))
        self.tokens[made.id] = made
        return made

    def now(self) -> float:
        return self.clock

    def advance(self, seconds: float) -> None:
        self.clock += seconds

    def seen(self) -> Sequence[Seen]:
        return [Seen(id=t.id, name=t.name, status=t.status, expires_at=t.expires_at) for t in self.tokens.values()]

    def alive(self, value: Secret) -> str | None:
        found = [t for t in self.tokens.values() if t.value == value.reveal() and t.status == "active"]
        return next((t.id for t in found if t.expires_at > self.clock), None)

    def fault(self, operation: str, kind: str) -> None:
        self.faults[operation] = kind

    def requests(self, operation: str) -> int:
        return self.count[operation]

    def add(self, count: int) -> None:
        for number in range(count):
            self.make(f"other {number}", NEVER)

    def call(self, operation: str, effect: Callable[[], object]) -> object:
        """One request, which may meet the fault that was planned for it."""
        self.count[operation] += 1
        kind = self.faults.pop(operation, "")
        lost = Unavailable if operation in READS else OutcomeUnknown
        if kind == "limit":
            raise RateLimited(f"{operation}: too many requests", 42)
        if kind == "refuse":
            raise Refused(f"{operation}: no")
        if kind in ("lose_request", "break"):
            raise lost(f"{operation}: no answer")
        done = effect()
        if kind == "lose_answer":
            raise lost(f"{operation}: no answer")
        return done


def _unsupported(operation: str) -> Refused:
    return Refused(f"{operation}: this provider cannot do that", code="unsupported")


class ModestSource:
    """Fulfils `rotator.core.ports.source.Source` for a provider that can do little."""

    can = Can(
        roll=False,
        disable=False,
        last_use=False,
        list=False,
        move_expiry=False,
        compare=False,
        update=False,
        name_length=60,
    )
    values = ("token.value",)
    verifies = True

    def __init__(self, world: ModestWorld) -> None:
        self._world = world

    @property
    def principal(self) -> str:
        return self._world.management_id

    def mint(self, name: str, expires_at: float) -> Minted:
        end = expires_at if expires_at == NEVER else float(int(expires_at))
        made = self._world.call("create", lambda: self._world.make(name, end))
        assert isinstance(made, Kept)
        value = Secret(made.value)
        return Minted(token_id=made.id, value=value, name=name, issued_at=made.born, expires_at=made.expires_at)

    def roll(self, token_id: str) -> Minted:
        raise _unsupported("roll")

    def extend(self, token_id: str, expires_at: float) -> None:
        raise _unsupported("extend")

    def update(self, token_id: str, name: str) -> None:
        raise _unsupported("update")

    def compared(self, state: TokenState) -> TokenState:
        return state

    def like(self, state: TokenState) -> None:
        return None

    def disable(self, token_id: str) -> None:
        raise _unsupported("disable")

    def delete(self, token_id: str) -> None:
        if token_id == self._world.management_id:
            raise OperatorNeeded(OperatorCode.MANAGEMENT_TOKEN, "deleting a token: it is our own login", "use another")

        def end() -> None:
            if token_id in self._world.tokens:
                self._world.tokens[token_id].status = "deleted"

        self._world.call("delete", end)

    def get(self, token_id: str) -> TokenState | None:
        found = self._world.call("get", lambda: self._world.tokens.get(token_id))
        if not isinstance(found, Kept) or found.status == "deleted":
            return None
        ended = found.expires_at <= self._world.clock
        return TokenState(
            id=found.id,
            name=found.name,
            status="expired" if ended else found.status,
            issued_at=found.born,
            modified_at=found.born,
            expires_at=found.expires_at,
            compared=True,
            final=ended,
        )

    def verify(self, value: Secret) -> str | None:
        found = self._world.call("verify", lambda: self._world.alive(value))
        return found if isinstance(found, str) else None

    def looks_like(self, text: Secret, key: str, *, adopted: bool) -> Shape:
        own = text.reveal().startswith("modest-")
        return Shape(Looks.OWN, "a value") if own else Shape(Looks.OTHER, "something else")

    def control(self) -> bool:
        return True

    def tokens(self) -> tuple[TokenState, ...]:
        raise _unsupported("list")

    def outputs(self, token_id: str, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        return {"token.value": value, "token.id": Secret(token_id)}

    def constants(self) -> Mapping[str, Secret]:
        return {}
