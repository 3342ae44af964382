"""A credential with a description of itself, kept in the journal for the day when it leaves the configuration."""

from __future__ import annotations

from dataclasses import replace

from rotator.config.models import ConnectionStanza, CredentialStanza
from rotator.core.credential import Credential
from rotator.core.plain import Json


def with_spec(credential: Credential, stanza: CredentialStanza, connection: ConnectionStanza | None) -> Credential:
    """Return the credential with a spec from which it, and each target alone, can be made again.

    Args:
        credential: as the protocol sees it.
        stanza: its configuration.
        connection: the configuration of its connection, which may name the account that the credential does not.
    """
    spec = stanza.spec()
    account = spec.get("account_id") or getattr(connection.options if connection else None, "account_id", None)
    scope = "/".join((credential.connection, credential.owner, *([str(account)] if account else [])))
    targets = {target.name: plain for target, plain in zip(stanza.targets, spec["targets"], strict=True)}
    places: dict[str, Json] = {target.name: target.place for target in credential.targets}
    known: dict[str, Json] = {"stanza": spec, "scope": scope, "account_id": account}
    return replace(credential, scope=scope, spec={**known, "targets": targets, "places": places})
