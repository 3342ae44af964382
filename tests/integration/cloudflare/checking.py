"""What the tests of check share."""

from rotator.core.findings import Finding, Level
from rotator.sources.cloudflare.grantable import Asked
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.preflight import preflight
from tests.contract.source.sandbox_world import OPTIONS, SandboxWorld

HOUR = 3600.0


GRANTED = [{"permissions": ["DNS Write"], "zones": ["example.com"]}]


def options(**more: object) -> CredentialOptions:
    return CredentialOptions.model_validate({**OPTIONS, "grants": GRANTED, **more})


def findings(world: SandboxWorld, *credentials: CredentialOptions, adopt: str = "") -> list[Finding]:
    return preflight(world.connection, [Asked(f"c{n}", c, adopt) for n, c in enumerate(credentials)], world.now())


def the(found: list[Finding], code: str, level: Level = Level.FAIL) -> Finding:
    """The one finding of that code and level."""
    (one,) = [f for f in found if f.code == code and f.level is level]
    return one


def said(world: SandboxWorld, *credentials: CredentialOptions, now: float = 0.0) -> dict[tuple[str, str], str]:
    """Findings as {(subject, code): level}, the worst of each."""
    found: dict[tuple[str, str], str] = {}
    order = [Level.OK, Level.WARN, Level.FAIL]
    for f in preflight(world.connection, [Asked(f"c{n}", c) for n, c in enumerate(credentials)], now or world.now()):
        key = (str(f.subject).removeprefix("connection prod").strip() or "connection", f.code)
        assert f.level is Level.OK or f.remedy, f
        assert world.management not in f"{f}"
        if key not in found or order.index(f.level) > order.index(Level(found[key])):
            found[key] = f.level
    return found
