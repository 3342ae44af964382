"""The care of the management pairs: the places, the timings, and one pass over one connection's pair."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from rotator.app.app import App
from rotator.app.connection_note import Need
from rotator.app.pair_values import PairStreams
from rotator.catalogue.shapes import told
from rotator.config.models import Config
from rotator.config.secret_ref import SecretMissing, SecretRef, one_line
from rotator.core.durations import NEVER
from rotator.core.errors import Conflict, RotatorError
from rotator.core.ports.source import Looks
from rotator.core.protocol.keeping import KeepCase, KeepPolicy
from rotator.core.reasons import KeepCode
from rotator.core.secret import Secret
from rotator.engine.keeping import Kept, keep
from rotator.engine.pair_look import Tools
from rotator.registry import SOURCES
from rotator.targets.env_file.secret_file import SecretFile

MANAGEMENT: Final = "management"

AGAIN: Final = 3600.0
"""Seconds after which what only a person can mend is looked at again at the latest; a watch does it sooner."""


class SecretPlace:
    """Where one of the two is read from; written only where it is a file. Fulfils `core.ports.keeper.Place`."""

    def __init__(self, ref: SecretRef, config: Config) -> None:
        """Nothing is read."""
        self._ref = ref
        self._file = SecretFile(ref.file, config.state.folder / "locks") if ref.file is not None else None

    @property
    def place(self) -> str:
        """The place, as leases name it."""
        return str(self._file.path) if self._file else self._ref.describe()

    @cached_property
    def writable(self) -> bool:
        """Whether this process could write there, as it was when it was asked first."""
        if self._file is None:
            return False
        try:
            self._file.check()
        except RotatorError:
            return False
        return True

    def value(self) -> Secret | None:
        """Return the value there, None for nothing and for a placeholder.

        Raises:
            RotatorError: it cannot be read, or is certainly no secret.
        """
        try:
            return self._ref.read()
        except SecretMissing:
            return None
        except RotatorError:
            content = self._file.content() if self._file else b"?"
            if not content.strip() or _placeholder(content):
                return None
            raise

    def write(self, value: Secret, instead_of: Secret | None) -> None:
        """Put a value there in place of exactly what was read before; see the port."""
        if self._file is None:
            raise Conflict(f"writing to the {self._ref.describe()}: nobody can do that here")
        content = self._file.content()
        found: Secret | None = None
        if content.strip() and not _placeholder(content):
            found = one_line(content, self._ref.describe())
        if found != instead_of:
            raise Conflict(f"writing to the {self._ref.describe()}: something else stands there now")
        self._file.write(value, content)


def _placeholder(content: bytes) -> bool:
    shape = told(content.decode(errors="replace").strip())
    return shape is not None and shape.looks is Looks.PLACEHOLDER


def policy_of(config: Config, name: str) -> KeepPolicy:
    """Return the timings of a connection's pair."""
    stanza, advanced = config.connections[name], config.advanced
    return KeepPolicy(
        rolls=SOURCES[stanza.type].rolls(stanza.options),
        apart=advanced.pair_gap,
        settle=advanced.settle,
        propagation=advanced.propagation,
        retry=advanced.retry,
        again=AGAIN,
    )


def care(app: App, name: str) -> Kept:
    """Look at a connection's pair, and do what is to be done now.

    Raises:
        JournalUnsafe: the journal takes nothing.
        RotatorError: the connection cannot be opened.
    """
    stanza = app.config.connections[name]
    entry = SOURCES[stanza.type]
    places = {role: SecretPlace(ref, app.config) for role, ref in entry.pair(stanza.options).items()}
    return keep(
        Tools(
            journal=app.writable,
            runtime=app.runtime,
            connection=name,
            keeper=entry.keeper(app.fleet.connection(name), places),
            streams=PairStreams(app.writable, name),
            policy=policy_of(app.config, name),
        )
    )


def needs(app: App, name: str, kept: Kept) -> tuple[Need, ...]:
    """Return what only a person can do for a connection's pair, in words; each once."""
    named = SOURCES[app.config.connections[name].type].named
    found = {}
    for ask in kept.asks:
        login = named(app.fleet.connection(name), ask.subject)
        found[ask.code, ask.subject] = Need(
            role=ask.subject,
            code=ask.code,
            message=ask.code.text.format(login=login),
            remedy=ask.code.remedy,
            due=ask.due,
        )
    return tuple(found.values())


def alone(app: App, name: str, ends: float) -> tuple[Need, ...]:
    """Return what a person should do about a management token without a partner; nothing where it never ends."""
    if ends == NEVER:
        return ()
    login = SOURCES[app.config.connections[name].type].named(app.fleet.connection(name), MANAGEMENT)
    code = KeepCode.MEMBER_ALONE
    return (Need(role=MANAGEMENT, code=code, message=code.text.format(login=login), remedy=code.remedy, due=ends),)


def renewals(kept: Kept, policy: KeepPolicy) -> dict[str, float]:
    """Return when each of the two is to be renewed; empty where no pair is known."""
    view = kept.view
    if view is None:
        return {}
    case = KeepCase(view=view, standings=kept.standings, policy=policy, now=0.0)
    return {found.me.role: found.renewal_at for found in map(case.of, view.pair) if found.me.role in kept.standings}


def paired(app: App, name: str) -> bool:
    """Whether a connection has two management tokens."""
    stanza = app.config.connections[name]
    return len(SOURCES[stanza.type].pair(stanza.options)) > 1
