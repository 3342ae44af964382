"""What `check` looks at: configuration, secrets, state, targets, hooks, management permissions, quota, clock, budget.

Nothing is changed anywhere: it makes no journal and no key, takes no lock, and opens nothing that can be opened once.
`offline` reads the configuration only: where it is reviewed, its secrets are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from rotator.app import state_checks
from rotator.app.app import App
from rotator.app.bootstrap.ledger import unfinished
from rotator.app.fleet import ConfiguredFleet
from rotator.app.hook_checks import after_publish
from rotator.app.pair import SecretPlace
from rotator.app.read_only import read_only_fleet
from rotator.app.requests import requests_of
from rotator.app.standing import Looked, standing
from rotator.config.load import load
from rotator.config.models import Config
from rotator.config.nodes import elsewhere
from rotator.config.page import secrets_of
from rotator.config.secret_ref import SecretMissing
from rotator.core.drifted import adopted
from rotator.core.errors import RotatorError
from rotator.core.findings import CONFIGURATION, STATE, Finding, Level, Subject, of_connection, of_credential
from rotator.core.ports.target import Target
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal
from rotator.registry import CONNECTIONS, SOURCES, kinds

SKEW: Final = 30.0
"""Seconds between the provider's clock and ours that deserve a word."""


def check(path: Path | str, *, offline: bool = False) -> list[Finding]:
    """Return all findings on a configuration, worst subjects last looked at.

    Raises:
        ConfigError: the configuration itself is wrong (exit code 2).
    """
    config = load(path, kinds())
    findings = [*_configuration(config), *state_checks.generated(config)]
    if offline:
        return findings
    findings += [
        *_secrets(config),
        *_secrets_of_the_page(config),
        *_secrets_of_the_export(config),
        *_unfinished(config),
    ]
    findings += [*state_checks.key(config), *after_publish(config)]
    if not _stuck(findings):
        findings += state_checks.journal(config)
    with App.without_journal(config) if _stuck(findings) else App.open(path, "reader", config=config) as app:
        fleet = read_only_fleet(app)
        try:
            findings += [
                *_connections(app, fleet),
                *_taken(app),
                *_left_aside(app),
                *_targets(app, fleet),
                *_budget(app, fleet),
            ]
        finally:
            fleet.close()
    return findings


def _stuck(findings: list[Finding]) -> bool:
    """Whether the journal cannot be used as it is; everything else is looked at all the same."""
    return any(f.level is Level.FAIL and f.subject == STATE for f in findings)


def _fail(subject: Subject, code: str, error: RotatorError) -> Finding:
    return Finding(level=Level.FAIL, subject=subject, code=code, message=error.message, remedy=error.remedy)


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _configuration(config: Config) -> Iterator[Finding]:
    told = f"{_many(len(config.credentials), 'credential')} on {_many(len(config.connections), 'connection')}"
    yield Finding(
        level=Level.OK,
        subject=CONFIGURATION,
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
            subject = of_connection(name)
            try:
                ref.read()
            except SecretMissing as error:
                yield _not_there(name, role, error)
                continue
            except RotatorError as error:  # a command that fails or hangs, too
                yield _fail(subject, "secret", error)
                continue
            yield Finding(
                level=Level.OK, subject=subject, code="secret", message=f"{role.replace('_', ' ')} can be read"
            )


def _secrets_of_the_page(config: Config) -> Iterator[Finding]:
    for ref in secrets_of(config.page) if config.page else ():
        try:
            ref.read()
        except RotatorError as error:
            yield _fail(CONFIGURATION, "secret", error)
            continue
        message = f"the page's {ref.describe()} can be read"
        yield Finding(level=Level.OK, subject=CONFIGURATION, code="secret", message=message)


def _secrets_of_the_export(config: Config) -> Iterator[Finding]:
    for sink in config.audit:
        token = getattr(sink, "token", None)
        if token is None:
            continue
        try:
            token.read()
        except RotatorError as error:
            yield _fail(CONFIGURATION, "secret", error)
            continue
        message = f"the token of the audit export {sink.name} can be read"
        yield Finding(level=Level.OK, subject=CONFIGURATION, code="secret", message=message)


def _not_there(name: str, role: str, error: RotatorError) -> Finding:
    """A file that is yet to be made; without the standby everything works until the management token ends."""
    subject = of_connection(name)
    if role == "token":
        remedy = f"`rotator bootstrap {name} --with global-key` (or token, dashboard) makes it; or {error.remedy}"
        return Finding(level=Level.FAIL, subject=subject, code="secret", message=error.message, remedy=remedy)
    return missing_standby(name, named=True)


def missing_standby(connection: str, *, named: bool = False) -> Finding:
    """Return the finding that a connection has no standby token; `named`: the configuration says where it belongs."""
    first = "" if named else "name a file as standby_token, then "
    return Finding(
        level=Level.WARN,
        subject=of_connection(connection),
        code="standby_missing",
        message="there is no standby token: when the management token ends or leaks, only the dashboard helps",
        remedy=f"{first}`rotator bootstrap {connection} --with global-key` (or dashboard, or a second token) makes it",
    )


def _unfinished(config: Config) -> Iterator[Finding]:
    for name in config.connections:
        if unfinished(config.state.folder, name):
            yield Finding(
                level=Level.WARN,
                subject=of_connection(name),
                code="bootstrap_unfinished",
                message="a `rotator bootstrap` of it did not come to its end: a token may be on its way into its place",
                remedy="run the same command again: it goes on from there, and deletes what nobody can use",
            )


def _by_hand(app: App, name: str) -> Iterator[Finding]:
    """New values are wanted for management tokens whose places cannot be written by this process."""
    stanza = app.config.connections[name]
    entry = SOURCES[stanza.type]
    if not entry.rolls(stanza.options):
        return
    for role, ref in entry.pair(stanza.options).items():
        if not SecretPlace(ref, app.config).writable:
            yield Finding(
                level=Level.WARN,
                subject=of_connection(name),
                code="pair_by_hand",
                message=f"`keep: roll`, and the {ref.describe()} of the {role} token cannot be written by this user:"
                " its value is renewed by hand only, after two thirds of its life",
                remedy="write `keep: extend`, which changes no value, or give `file:` a path that this user may write",
            )


def _connections(app: App, fleet: ConfiguredFleet) -> Iterator[Finding]:
    for name, stanza in fleet.sources().items():
        entry, subject = SOURCES[stanza.type], of_connection(name)
        mine = [
            (c.name, c.source, c.common.adopt.id if c.common.adopt else "")
            for c in app.config.credentials
            if c.common.connection == name
        ]
        yield from _by_hand(app, name)
        try:
            yield from entry.preflight(fleet.connection(name), mine, app.clock.utc())
        except RotatorError as error:
            yield _fail(subject, "provider", error)
            continue
        if not fleet.times[name].heard:
            continue  # nobody answered: no clock but ours was seen
        skew = abs(fleet.times[name].skew)
        level = Level.WARN if skew > SKEW else Level.OK
        yield Finding(
            level=level,
            subject=subject,
            code="clock",
            message=f"this machine's clock differs from the provider's by {skew:.0f} s",
            remedy="set the clock (NTP); deadlines use the provider's time meanwhile" if level is Level.WARN else "",
        )


def _taken(app: App) -> Iterator[Finding]:
    """Tokens that are to be taken over and belong to another credential, which would lose them."""
    keepers = app.queries.keepers()
    for credential in app.config.credentials:
        adopt = credential.common.adopt
        keeper = keepers.get(adopt.id) if adopt is not None else None
        if keeper not in (None, credential.name, credential.common.renamed_from):
            yield Finding(
                level=Level.FAIL,
                subject=of_credential(credential.name),
                code="adopt",
                message=f"adopt names a token of the credential {keeper}, which keeps it; it is not taken over",
                remedy=f"leave adopt out, or publish {keeper} to more targets",
            )


def _left_aside(app: App) -> Iterator[Finding]:
    """Grants that count for nothing, because `drift: adopt` took what somebody made of the token."""
    for credential in app.queries.credentials:
        if adopted(credential, app.queries.view(credential.id)):
            yield Finding(
                level=Level.WARN,
                subject=of_credential(credential.name),
                code="drift_adopted",
                message="`drift: adopt` keeps what somebody made of its token, so its grants do not count",
                remedy="write into `grants` what its tokens shall be, or write `drift: restore`; "
                f"`rotator token show {credential.name}` tells what the present one may do",
            )


@contextmanager
def _opened(app: App) -> Iterator[SqlJournal | None]:
    """The journal with its key, by which values are known again; None where there is none that can be used."""
    place = app.config.state
    if app.journal is None:
        yield None
        return
    found = open_journal(place, place.encryption_key.read_lines(), mode="reader")
    try:
        yield found
    finally:
        found.close()


def _targets(app: App, fleet: ConfiguredFleet) -> Iterator[Finding]:
    with _opened(app) as journal:
        yield from _each_target(app, fleet, journal)


def _each_target(app: App, fleet: ConfiguredFleet, journal: SqlJournal | None) -> Iterator[Finding]:
    closed = set()
    for name, stanza in app.config.connections.items():
        if stanza.type in CONNECTIONS and (said := CONNECTIONS[stanza.type].preflight(fleet.connection(name))):
            closed.add(name)
            yield from _login(app, said)
    for configured, credential in zip(app.config.credentials, fleet.credentials, strict=True):
        subject = of_credential(credential.name)
        if node := elsewhere(configured, app.config.node):
            message = f"its work is done on the node {node}, where `check` has to look at its targets"
            yield Finding(level=Level.OK, subject=subject, code="elsewhere", message=message)
            continue
        view = app.queries.view(credential.id)
        bound = fleet.bound(credential.id, view)
        if bound is None:
            yield Finding(
                level=Level.FAIL, subject=subject, code="adapters", message="its source or a target cannot be opened"
            )
            continue
        for target in configured.targets:
            if getattr(target.common, "connection", None) in closed:
                yield _unasked(subject, target.name)
            else:
                place = bound.targets[target.name]
                about = subject.at(target.name)
                yield from _target(fleet, about, place, required=target.common.required)
                replaces = target.common.on_existing == "replace"
                known = Looked(
                    bound=bound,
                    name=target.name,
                    replace=replaces,
                    view=view,
                    journal=journal,
                    serves=fleet.serves,
                )
                yield from standing(about, known)


def _unasked(subject: Subject, name: str) -> Finding:
    return Finding(
        level=Level.WARN,
        subject=subject.at(name),
        code="target",
        message="was not asked: to log in, `check` would have to use up the secret id that the daemon needs",
        remedy="start the daemon and look at `rotator status`",
    )


def _login(app: App, findings: Sequence[Finding]) -> Iterator[Finding]:
    """What a connection says of a login that can be taken once; a daemon that took it is as it should be."""
    daemon = app.journal.presence.daemon() if app.journal is not None else None
    for found in findings:
        if found.level is Level.FAIL and daemon is not None:
            said = (
                f"{found.message}; if the daemon that runs (process {daemon.pid}) did, all is well until its next start"
            )
            yield replace(found, level=Level.WARN, message=said)
        else:
            yield found


def _target(fleet: ConfiguredFleet, subject: Subject, target: Target, *, required: bool) -> Iterator[Finding]:
    try:
        remarks = target.check()
        target.read()
    except RotatorError as error:
        level = Level.FAIL if required else Level.WARN
        yield Finding(level=level, subject=subject, code="target", message=error.message, remedy=error.remedy)
        return
    yield Finding(level=Level.OK, subject=subject, code="target", message="can be written")
    for remark in remarks:
        if not (remark.about and fleet.serves(remark.about)):
            yield Finding(
                level=Level.WARN, subject=subject, code=remark.code, message=remark.message, remedy=remark.remedy
            )


def _budget(app: App, fleet: ConfiguredFleet) -> Iterator[Finding]:
    for name, stanza in fleet.sources().items():
        limits = stanza.options.rate_budget  # type: ignore[attr-defined]  # every source's options have one
        mine = [c for c in fleet.credentials if c.connection == name]
        listing = len({c.owner for c in mine}) * max(1, limits.window / app.config.advanced.watch)
        rotation = max((requests_of(len(c.targets), rolls=False, first=False) for c in mine), default=0)
        fits = listing + rotation <= limits.requests
        yield Finding(
            level=Level.OK if fits else Level.WARN,
            subject=of_connection(name),
            code="rate_budget",
            message=f"{limits.requests} requests in {limits.window:.0f} s; watching takes about {listing:.0f} of them",
            remedy="" if fits else "raise rate_budget, or advanced.watch",
        )
