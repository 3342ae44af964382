"""What `check` looks at: configuration, secrets, state, targets, management permissions, quota, clock, budget.

Nothing is changed anywhere. `offline` reads the configuration and the files that it names only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rotator.app.app import App
from rotator.config.load import load
from rotator.config.models import Config
from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.core.findings import Finding, Level
from rotator.core.protocol.view import blank
from rotator.registry import SOURCES, kinds

SKEW: Final = 30.0
"""Seconds between the provider's clock and ours that deserve a word."""

CALLS: Final = 13
"""Requests of one whole rotation with its retirement."""


def check(path: Path | str, *, offline: bool = False) -> list[Finding]:
    """Return all findings on a configuration, worst subjects last looked at.

    Raises:
        ConfigError: the configuration itself is wrong (exit code 2).
    """
    config = load(path, kinds())
    findings = [*_configuration(config), *_secrets(config), *_state(config)]
    if offline or any(f.level is Level.FAIL for f in findings if f.subject.startswith("state")):
        return findings
    try:
        with App.open(path, "writer") as app:
            findings += [*_connections(app), *_targets(app), *_budget(app)]
    except JournalUnsafe as error:
        findings.append(_fail("state", "journal", error))
    return findings


def _fail(subject: str, code: str, error: RotatorError) -> Finding:
    return Finding(level=Level.FAIL, subject=subject, code=code, message=error.message, remedy=error.remedy)


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _configuration(config: Config) -> Iterator[Finding]:
    told = f"{_many(len(config.credentials), 'credential')} on {_many(len(config.connections), 'connection')}"
    yield Finding(
        level=Level.OK,
        subject="configuration",
        code="configuration",
        message=f"{config.path}: {told}",
    )
    for warned in config.warnings:
        yield Finding(
            level=Level.WARN, subject=warned.subject, code=warned.code, message=warned.message, remedy=warned.remedy
        )


def _secrets(config: Config) -> Iterator[Finding]:
    for name, stanza in config.connections.items():
        for role in ("token", "standby_token"):
            ref = getattr(stanza.options, role, None)
            if ref is None:
                continue
            subject = f"connection {name}"
            try:
                ref.read()
            except ConfigError as error:
                yield _fail(subject, "secret", error)
                continue
            yield Finding(
                level=Level.OK, subject=subject, code="secret", message=f"{role.replace('_', ' ')} can be read"
            )


def _state(config: Config) -> Iterator[Finding]:
    place = config.state
    if place.generated:
        yield Finding(
            level=Level.WARN,
            subject="state",
            code="key_beside_data",
            message=f"the encryption key lies beside the data in {place.folder}",
            remedy="`rotator keygen FILE` elsewhere and set state.encryption_key",
        )
        return
    try:
        place.encryption_key.read()
    except ConfigError as error:
        yield _fail("state", "encryption_key", error)
    else:
        yield Finding(level=Level.OK, subject="state", code="encryption_key", message="the encryption key can be read")


def _connections(app: App) -> Iterator[Finding]:
    for name, stanza in app.fleet.sources().items():
        entry, subject = SOURCES[stanza.type], f"connection {name}"
        mine = [(c.name, c.source) for c in app.config.credentials if c.common.connection == name]
        try:
            yield from entry.preflight(app.fleet.connection(name), mine, app.clock.utc())
        except RotatorError as error:
            yield _fail(subject, "provider", error)
            continue
        skew = abs(app.fleet.times[name].skew)
        level = Level.WARN if skew > SKEW else Level.OK
        yield Finding(
            level=level,
            subject=subject,
            code="clock",
            message=f"this machine's clock differs from the provider's by {skew:.0f} s",
            remedy="set the clock (NTP); deadlines use the provider's time meanwhile" if level is Level.WARN else "",
        )


def _targets(app: App) -> Iterator[Finding]:
    for credential in app.fleet.credentials:
        subject = f"credential {credential.name}"
        view = app.writable.view(credential.id) if credential.id in {s.id for s in app.streams()} else blank()
        bound = app.fleet.bound(credential.id, view)
        if bound is None:
            yield Finding(
                level=Level.FAIL, subject=subject, code="adapters", message="its source or a target cannot be opened"
            )
            continue
        for target in credential.targets:
            yield _target(subject, target.name, bound.targets[target.name], required=target.required)


def _target(subject: str, name: str, target: Any, *, required: bool) -> Finding:
    try:
        target.check()
        target.read()
    except RotatorError as error:
        level = Level.FAIL if required else Level.WARN
        return Finding(
            level=level, subject=f"{subject}, target {name}", code="target", message=error.message, remedy=error.remedy
        )
    return Finding(level=Level.OK, subject=f"{subject}, target {name}", code="target", message="can be written")


def _budget(app: App) -> Iterator[Finding]:
    for name, stanza in app.fleet.sources().items():
        limits = stanza.options.rate_budget  # type: ignore[attr-defined]  # every source's options have one
        mine = [c for c in app.fleet.credentials if c.connection == name]
        listing = len({c.owner for c in mine}) * max(1, limits.window / app.config.advanced.watch)
        fits = listing + CALLS <= limits.requests
        yield Finding(
            level=Level.OK if fits else Level.WARN,
            subject=f"connection {name}",
            code="rate_budget",
            message=f"{limits.requests} requests in {limits.window:.0f} s; watching takes about {listing:.0f} of them",
            remedy="" if fits else "raise rate_budget, or advanced.watch",
        )
