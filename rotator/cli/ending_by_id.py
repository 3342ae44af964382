"""`revoke --token-id` and `revoke --role`: one token, named by its id or by what it does, without a journal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.log import running_configuration
from rotator.cli.names import operator
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.preview import agreed
from rotator.cli.verbs import Settings
from rotator.core.errors import ConfigError, OutcomeUnknown, RotatorError, Unavailable
from rotator.core.ids import NO_TOKEN, TokenId

if TYPE_CHECKING:
    from rotator.config.models import Config
    from rotator.core.ports.source import Emergency, Ended

PAUSE: Final = 2.0
"""Seconds between two tries while the provider gives no usable answer."""


def revoke_token(
    settings: Settings, connection: str, *, token: str = "", role: str = "", reason: str, patience: float, yes: bool
) -> int:
    """Disable one token of a connection, and mark it for every credential whose token it is.

    Args:
        settings: the options.
        connection: the connection that has it.
        token: its id, or empty.
        role: which of the connection's own tokens it is instead, `management` or `standby`.
        reason: why, for the audit trail.
        patience: seconds for which it is tried again while the provider gives no usable answer.
        yes: whether nobody is asked.

    Raises:
        OperatorNeeded: nobody but the token itself could end it; the remedy is a link.
        RotatorError: it could not be ended.
    """
    from rotator.app.emergency import emergency

    config = running_configuration(settings)
    with emergency(config, connection) as by:
        token_id = by.member(role) if role else by.id_of(token)
        what = f"the {role} token {token_id}" if role else f"token {token_id}"
        does = f"revoke {what} of connection {connection}: it ends at once; nothing is minted, whoever uses it fails"
        if not agreed([does], yes=yes):
            return exits.NO
        marked = NO_TOKEN if role else _mark(config, token_id, reason)
        ended, seconds = _end(by, token_id, patience)
    return _say(settings, ended, seconds, credential=_credential(settings, marked), role=role, connection=connection)


def _mark(config: Config, token_id: TokenId, reason: str) -> TokenId:
    """Put the fact beside the journal: from here on nothing of the token is published again."""
    from rotator.app.leaked import Leaked, spool

    try:
        spool(config, Leaked(token_id=token_id, at=time.time(), actor=operator(), reason=reason))
    except OSError as error:
        say(f"the revoke cannot be kept in {config.state.folder}: {error.strerror}; the token is ended all the same")
        return NO_TOKEN
    return token_id


def _end(by: Emergency, token_id: TokenId, patience: float) -> tuple[Ended, float]:
    """Disable it, again and again while nobody answers; return how it is and after how many seconds."""
    began, said = time.monotonic(), ""
    while True:
        try:
            return by.end(token_id), round(time.monotonic() - began, 3)
        except (Unavailable, OutcomeUnknown) as error:
            if time.monotonic() - began + PAUSE > patience:
                raise
            if error.message != said:
                said = error.message
                say(f"not disabled yet, it is tried again: {said}")
            time.sleep(PAUSE)


def _credential(settings: Settings, token_id: TokenId) -> str | None:
    """Bring the fact into the journal where that can be opened; return the credential whose token it is, if known."""
    if not token_id:
        return None
    from rotator.cli.operate import opened

    try:
        with opened(settings) as app:  # opening brings it in
            return app.queries.keepers().get(token_id)
    except RotatorError as error:
        say(f"the journal cannot be opened now ({error.message}); it takes the revoke when it can")
        return None


def _say(
    settings: Settings, ended: Ended, seconds: float, *, credential: str | None, role: str, connection: str
) -> int:
    message = _message(ended, seconds, credential=credential, role=role, connection=connection)
    row: dict[str, Any] = {
        "credential": credential,
        "token_id": ended.token_id,
        "successor_token_id": None,
        "published_after_seconds": None,
        "disabled_after_seconds": seconds if ended.ended else None,
        "state": "disabled" if ended.ended else "pending",
        "message": message,
    }
    if settings.json:
        write_json({"revoked": [row]})
    else:
        write_lines([text(f"token {ended.token_id} ({ended.name}): {message}")])
    return exits.DONE if ended.ended else exits.NO


def _message(ended: Ended, seconds: float, *, credential: str | None, role: str, connection: str) -> str:
    if not ended.ended:
        return "not disabled: the provider still shows it active; run the command again, or use the dashboard"
    was = f"disabled {seconds:.1f} s after the revoke" if ended.was == "active" else f"it was dead already: {ended.was}"
    if role:
        return (
            f"{was}; the other one of the pair goes on alone:"
            f" `rotator bootstrap {connection} --with dashboard` gives it a partner again"
        )
    if credential:
        return f"{was}; a daemon gives {credential} a successor where this was its current token"
    return f"{was}; no credential of the journal is known to have it"


def one_token(names: list[str] | None, *, everything: bool, token: str, role: str, connection: str, bare: bool) -> bool:
    """Whether one token is meant instead of credentials.

    Raises:
        ConfigError: a connection is missing, or both are named.
    """
    if not (token or role or connection):
        return False
    if names or everything or bare or (token and role):
        raise ConfigError("one token is named beside something else", "name credentials, or --token-id, or --role")
    if not connection:
        raise ConfigError("which connection has that token", "--connection with its name in the configuration")
    if not (token or role):
        raise ConfigError("which token of the connection is meant", "--token-id ID, or --role management|standby")
    return True
