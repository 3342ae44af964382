"""The keys of credentials as variables of an environment, for a command that is started with them.

Values come from the journal, so that this needs neither the provider nor a target, and go into the new environment
only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rotator.app.app import App
from rotator.app.read_only import read_only_fleet
from rotator.config.kinds import DEFAULT_KEYS
from rotator.config.models import LITERAL, CredentialStanza
from rotator.core.errors import ConfigError
from rotator.core.secret import Secret
from rotator.journal.open import open_journal
from rotator.registry import SOURCES


class KeyClashError(ConfigError):
    """Two credentials claim one variable."""


def variables(app: App, names: Sequence[str]) -> dict[str, Secret]:
    """Return variable -> content for the current values of credentials, by the keys of their first targets.

    Raises:
        KeyClashError: two of them claim one variable.
        ConfigError: no such credential, or nothing of it is published yet.
        JournalUnsafe: the journal cannot be opened.
    """
    stanzas = [_named(app, name) for name in dict.fromkeys(names)]
    keys = {stanza.name: _keys(app, stanza) for stanza in stanzas}
    owner: dict[str, str] = {}
    for name, mine in keys.items():
        for key in mine:
            if key in owner:
                raise KeyClashError(
                    f"{owner[key]} and {name} both claim the variable {key}",
                    "give one of them other `keys`, or start two commands",
                )
            owner[key] = name
    fleet = read_only_fleet(app)
    journal = open_journal(app.config.state, app.config.state.encryption_key.read_lines(), mode="reader")
    try:
        found: dict[str, Secret] = {}
        for stanza in stanzas:
            stream = app.ids[stanza.name]
            view = app.queries.view(stream)
            if not view.fingerprint:
                raise ConfigError(
                    f"nothing is published of {stanza.name} yet", f"`rotator rotate {stanza.name} --wait 5m`"
                )
            try:
                value = journal.reveal(stream, view.fingerprint)
            except KeyError:
                raise ConfigError(
                    f"the value of {stanza.name} is not in the journal any more",
                    f"`rotator rotate {stanza.name} --wait 5m` makes a new one",
                ) from None
            login = fleet.connection(stanza.common.connection)
            source = SOURCES[stanza.source_type].source(login, stanza.source, None)
            outputs = source.outputs(view.current, value, view.expires_at(view.current))
            for key, output in keys[stanza.name].items():
                literal = output.startswith(LITERAL)
                found[key] = Secret(output.removeprefix(LITERAL)) if literal else outputs[output]
        return found
    finally:
        journal.close()
        fleet.close()


def _named(app: App, name: str) -> CredentialStanza:
    app.queries.stream(name)  # says what was meant where there is none
    found = next((stanza for stanza in app.config.credentials if stanza.name == name), None)
    if found is None:
        raise ConfigError(f"{name} is not in the configuration any more", "name a credential of `rotator status`")
    return found


def _keys(app: App, stanza: CredentialStanza) -> Mapping[str, str]:
    """The keys of the first target, else the default ones of which the credential has the output."""
    if stanza.targets:
        return stanza.targets[0].keys
    connection = app.config.connections[stanza.common.connection]
    has = SOURCES[stanza.source_type].available(connection.options, stanza.source)
    return {key: output for key, output in DEFAULT_KEYS.items() if output in has}
