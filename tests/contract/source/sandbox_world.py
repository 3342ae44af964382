"""A Cloudflare source on the sandbox, as a world of the source contract."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rotator.core.credential import NEVER
from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Priority
from rotator.core.secret import Secret
from rotator.sandbox import Sandbox
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner, sha256
from rotator.sources.cloudflare.calls import Observer
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.world import Seen
from tests.sandbox_calls import ACCOUNT, USER

OPTIONS = {
    "grants": [
        {"permissions": ["D1 Write", "Workers Scripts Write"]},
        {"permissions": ["DNS Write"], "zones": ["example.com", {"id": "b" + "0" * 30 + "2"}]},
        {"permissions": ["Zone Read"], "zones": "all", "except_zones": ["example.org"]},
    ],
    "request_ip": {"in": ["127.0.0.1"], "not_in": ["203.0.113.7"]},
}
SAID = {
    "refuse": {"kind": "status", "status": 403, "code": 10001, "message": "Method not allowed for token"},
    "limit": {"kind": "status", "status": 429, "retry_after": 42},
    "break": {"kind": "status", "status": 502, "body": "<html>502 Bad Gateway</html>"},
}


class CountingBudget:
    """A budget without a limit that remembers what it was asked."""

    def __init__(self) -> None:
        self.taken: list[Priority] = []
        self.stopped: list[float] = []
        self.empty = False

    def take(self, priority: Priority) -> None:
        if self.empty:
            raise RateLimited("the budget is spent", 7.0)
        self.taken.append(priority)

    def stop(self, seconds: float) -> None:
        self.stopped.append(seconds)

    def remaining(self) -> int:
        return 300


class SandboxWorld:
    """A sandbox, a connection with one of its management tokens, and a source on it."""

    def __init__(self, sandbox: Sandbox, owner: str, options: Mapping[str, object] = OPTIONS) -> None:
        self.sandbox = sandbox
        self.owner = owner
        self.budget = CountingBudget()
        self.dates: list[float] = []
        self.told: list[tuple[str, str]] = []
        self.management = sandbox.credentials[f"{owner}-management"]
        self.management_id = sandbox.world.roles[f"{owner}-management"]
        self.connection = self.connect(sandbox.url)
        self.source = CloudflareSource(self.connection, CredentialOptions.model_validate({"owner": owner, **options}))

    def connect(self, api_url: str) -> CloudflareConnection:
        return CloudflareConnection(
            "prod",
            token=lambda: Secret(self.management),
            budget=self.budget,
            api_url=api_url,
            account_id=ACCOUNT,
            observer=Observer(
                on_date=self.dates.append,
                on_request=lambda *said: self.told.append(said),
            ),
        )

    def now(self) -> float:
        return self.sandbox.world.clock.now()

    def advance(self, seconds: float) -> None:
        self.sandbox.world.clock.advance(seconds)

    def seen(self) -> list[Seen]:
        world = self.sandbox.world
        with world.lock:
            return [
                Seen(
                    id=t.id,
                    name=t.name,
                    status="deleted" if t.deleted_on is not None else t.status(world.clock.now()),
                    expires_at=NEVER if t.expires_on is None else t.expires_on,
                )
                for t in world.tokens.values()
                if t.owner.type == self.owner
            ]

    def alive(self, value: Secret) -> str | None:
        world = self.sandbox.world
        with world.lock:
            now = world.clock.now()
            for token in world.tokens.values():
                living = token.deleted_on is None and token.status(now) == "active"
                if living and sha256(token.value) == sha256(value.reveal()):
                    token.last_used_on = now
                    return token.id
        return None

    def fault(self, operation: str, kind: str, **more: object) -> None:
        self.sandbox.gateway.faults.arm({"operation": operation, "kind": kind, **SAID.get(kind, {}), **more})

    def requests(self, operation: str) -> int:
        return sum(r["operation"] == operation for r in self.sandbox.gateway.recorder.after(0))

    def add(self, count: int) -> None:
        world = self.sandbox.world
        owner = Owner(self.owner, USER if self.owner == "user" else ACCOUNT)
        with world.lock:
            for number in range(count):
                world.add(make(world, owner, f"extra-{number}", [], world.clock.now()))

    def close(self) -> None:
        self.connection.close()


@contextmanager
def sandbox_world(owner: str, options: Mapping[str, object] = OPTIONS) -> Iterator[SandboxWorld]:
    """A fresh sandbox with its world."""
    with Sandbox() as sandbox:
        # An account token may hand on single zones only as it holds them; that rule has tests of its own.
        sandbox.world.settings.account_quota = sandbox.world.settings.user_quota = 500
        world = SandboxWorld(sandbox, owner, options)
        yield world
        world.close()
