"""What `token test` and `token show` tell of one token: a credential's current one, or a value that is given.

A value comes from the journal, a file, the environment or standard input; it is used for reads and never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rotator.app.app import App
from rotator.app.read_only import read_only_fleet
from rotator.config.models import CredentialStanza
from rotator.core.drifted import adopted
from rotator.core.errors import Absent, ConfigError, RotatorError
from rotator.core.ids import TokenId
from rotator.core.instants import rfc3339
from rotator.core.secret import Secret
from rotator.journal.open import open_journal
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.connection import CloudflareConnection, Identity
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.pasted import refuse
from rotator.sources.cloudflare.proving import Proof, Proven, prove
from rotator.sources.cloudflare.reading import read_token
from rotator.sources.cloudflare.trials import of_grants, of_policies

TYPE: Final = "cloudflare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A token that is asked about.

    Attributes:
        connection: who reads its policies.
        value: its value.
        stanza: the credential whose token it is, None for a value that was given.
        account_id: the account that it belongs to, or acts on.
        adopted: whether what somebody made of it counts, and not the grants of its credential.
    """

    connection: CloudflareConnection
    value: Secret
    stanza: CredentialStanza | None
    account_id: str | None
    adopted: bool = False


@contextmanager
def asked(path: Path, name: str | None, read: Callable[[], Secret] | None, connection: str | None) -> Iterator[Asked]:
    """Find the token that is meant.

    Args:
        path: the configuration file.
        name: a credential, for its current token.
        read: reads the value that is given instead.
        connection: for a given value, the connection that says which account is meant; the only one if None.

    Raises:
        ConfigError: no such credential or connection, nothing published yet, or what is given is no token.
    """
    with App.open(path, "reader") as app:
        fleet = read_only_fleet(app)
        try:
            stanza = next((c for c in app.config.credentials if c.name == name), None) if name else None
            if name and stanza is None:
                raise Absent(f"there is no credential {name}", "see `rotator status`")
            login = fleet.connection(_connection(app, stanza.common.connection if stanza else connection))
            value = _current(app, stanza) if stanza else read() if read else Secret("")
            refuse(value, "what is to be tested")
            own = getattr(stanza.source, "account_id", None) if stanza else None
            kept = any(adopted(one, app.queries.view(one.id)) for one in app.queries.credentials if one.name == name)
            account = own or login.account_id
            yield Asked(connection=login, value=value, stanza=stanza, account_id=account, adopted=kept)
        finally:
            fleet.close()


def _connection(app: App, wanted: str | None) -> str:
    names = [name for name, stanza in app.config.connections.items() if stanza.type == TYPE]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None or wanted not in names:
        remedy = f"--connection with one of {', '.join(names) or 'none'}"
        if wanted is None:
            raise ConfigError("which connection is meant", remedy)
        raise Absent(f"there is no Cloudflare connection {wanted}", remedy)
    return wanted


def _current(app: App, stanza: CredentialStanza) -> Secret:
    """The value that is published now, out of the journal."""
    view = app.queries.view(app.ids[stanza.name])
    if not view.fingerprint:
        raise Absent(f"nothing is published of {stanza.name} yet", f"`rotator rotate {stanza.name} --wait 5m`")
    journal = open_journal(app.config.state, app.config.state.encryption_key.read_lines(), mode="reader")
    try:
        return journal.reveal(app.ids[stanza.name], view.fingerprint)
    except KeyError:
        raise ConfigError(
            f"the value of {stanza.name} is not in the journal any more", "test the file: --value-file"
        ) from None
    finally:
        journal.close()


def proof_document(token: Asked) -> dict[str, Any]:
    """Return the document of `token test`; a dead token has no probes.

    Raises:
        Unavailable, RateLimited: nobody knows whether it lives.
    """
    who = _identity(token)
    if who is None:
        return {"token_id": None, **_totals(()), "probes": []}
    shown = _policies(token, who)
    if token.stanza is not None and not token.adopted:
        trials = of_grants(token.stanza.source, token.account_id, token.connection)  # type: ignore[arg-type]  # of this source
        remedy = f"`rotator rotate {token.stanza.name}` makes a token with the grants of the configuration"
    else:
        trials = of_policies(shown, token.account_id, token.connection) if shown is not None else []
        remedy = "add it to the token in the dashboard, or make a token that has it"
    proofs = prove(token.connection.calls, token.value, trials, shown, remedy)
    return {"token_id": who.id, **_totals(proofs), "probes": [_proof(proof) for proof in proofs]}


def show_document(token: Asked) -> dict[str, Any]:
    """Return the document of `token show`.

    Raises:
        Unavailable, RateLimited: nobody knows whether it lives.
    """
    prefix = token.value.reveal().partition("_")[0]
    form = prefix if prefix in ("cfut", "cfat") else "old"
    who = _identity(token)
    if who is None:
        return {
            **{"token_id": None, "owner": None, "status": "dead", "expires_on": None},
            **{"format": form, "account_id": None, "grants": None},
        }
    shown = _policies(token, who)
    state = tokens.state(shown) if shown is not None else None
    trials = of_policies(shown, token.account_id, token.connection) if shown is not None else None
    return {
        "token_id": who.id,
        "owner": who.owner,
        "status": state.status if state else "active",
        "expires_on": rfc3339(state.expires_at) if state else None,
        "format": form,
        "account_id": token.account_id if who.owner == "account" else None,
        "grants": None
        if trials is None
        else [
            {"permission": t.permission, "scope": t.place.scope.value, "resource": t.place.label, "id": t.group_id}
            for t in trials
        ],
    }


def _identity(token: Asked) -> Identity | None:
    """Whose token it is; None where Cloudflare does not accept the value. Of a credential the owner is known."""
    owner = getattr(token.stanza.source, "owner", None) if token.stanza else None
    if owner is None:
        return token.connection.identity(token.value, acting=False)
    found = token.connection.verify(token.value, tokens_path(owner, token.account_id))
    return Identity(found, owner) if found else None


def _policies(token: Asked, who: Identity) -> dict[str, Any] | None:
    """The token as the management token reads it; None where it may not."""
    try:
        path = tokens_path(who.owner, token.account_id)
        shown = read_token(token.connection.calls, path, TokenId(who.id), "reading the token's policies")
    except RotatorError:
        return None
    return None if shown is None else shown.raw


def _totals(proofs: tuple[Proof, ...] | list[Proof]) -> dict[str, int]:
    counts = {verdict.value: sum(proof.verdict is verdict for proof in proofs) for verdict in Proven}
    return {**counts, "total": len(proofs)}


def _proof(proof: Proof) -> dict[str, Any]:
    trial = proof.trial
    return {
        "permission": trial.permission,
        "scope": trial.place.scope.value,
        "resource": trial.place.label,
        "call": f"GET {trial.call}" if trial.call else None,
        "status": proof.status,
        "verdict": proof.verdict.value,
        "message": proof.message,
        "remedy": proof.remedy or None,
    }
